"""A case that crashes, hangs or takes too much memory ends itself alone; a killed run goes on."""

from __future__ import annotations

import contextlib
import csv
import json
import math
import multiprocessing
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import multifidus as mf
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.results_folder import Output
from multifidus.study.run.cohort import CohortRun, Reporter, measure_cohort_into
from multifidus.study.run.limits import Limits, memory_share, usable_cores
from tests.support.cases import write_cohort, write_outlines
from tests.support.niftis import lumbar_affine, save
from tests.support.poisons import BAD_DECODER, HANGING, environment, write_hanging
from tests.support.running import ended, wait_for_records

pytestmark = pytest.mark.processes

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs signals and pipes of POSIX")
PROTOCOL = mf.MeasurementProtocol(fat_methods=("pooled_otsu",), bias_correction="none")
TABLES = ("measurements.csv", "summary.csv", "missing.csv", "failures.csv", "index.html")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a cohort of eight cases: two exams, each read by four raters."""
    table = write_cohort(tmp_path_factory.mktemp("study"))
    lines = ["subject,timepoint,order,rater,images,outlines,approach"]
    for order, timepoint in enumerate(("pre", "post")):
        for rater in ("AB", "CD", "EF", "GH"):
            images = table.parent / f"S01_{timepoint}"
            name = f"{timepoint}_{rater}.outlines.json"
            write_outlines(images, table.with_name(name), mf.Reading("S01", timepoint, rater, 1))
            lines.append(f"S01,{timepoint},{order},{rater},{images.name},{name},open")
    table.write_text("\n".join(lines) + "\n")
    (table.parent / "protocol.toml").write_text(
        'fat_methods = ["pooled_otsu"]\nbias_correction = "none"\n'
    )
    return table


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    """Return the tables of an undisturbed run."""
    folder = tmp_path_factory.mktemp("whole")
    measure_cohort_into(asked(study, folder))
    return content(folder)


def asked(table, folder, cases=None, **limits):
    cases = read_cohort(table).cases if cases is None else cases
    limits = Limits(**{"jobs": 1, **limits})
    return CohortRun(table, cases, Output(folder), PROTOCOL, limits=limits)


def content(folder):
    return {name: (folder / name).read_bytes() for name in TABLES}


def failures(folder):
    with (folder / "failures.csv").open(newline="") as file:
        return [(row["rater"], row["error"], row["remedy"]) for row in csv.DictReader(file)]


def begun(study, folder):
    """Start a run as a program of its own."""
    words = ("measure", study, "-o", folder, "--protocol", study.parent / "protocol.toml")
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "multifidus", *map(str, words), "--jobs", "2"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


@POSIX
def test_a_run_that_is_killed_goes_on_to_the_same_tables(study, whole, tmp_path):
    moment = random.Random(0)  # noqa: S311 - the moments of a test
    for number in sorted(moment.sample(range(1, 7), 4)):
        process = begun(study, tmp_path)
        wait_for_records(tmp_path, number, process)
        time.sleep(moment.uniform(0, 0.1))
        process.kill()
        ended(process)
    code, said = ended(begun(study, tmp_path))
    assert code == 0
    assert "were measured before and are kept" in said
    assert content(tmp_path) == whole
    assert len([*tmp_path.glob("cases/??/*")]) == 8


@pytest.mark.skipif(os.name == "posix", reason="the killed runs are waited for in the same way")
def test_workers_end_with_their_run(study, tmp_path):
    process = begun(study, tmp_path)
    wait_for_records(tmp_path, 1, process)
    process.kill()
    ended(process)


@POSIX
def test_a_worker_that_crashes_or_is_killed_ends_its_case_alone_and_names_it(
    study, whole, tmp_path
):
    signals = [signal.SIGSEGV, signal.SIGKILL]
    killed = []

    def kill_two():
        for worker in multiprocessing.active_children():
            if signals and worker.pid not in killed:
                os.kill(worker.pid, signals.pop(0))
                killed.append(worker.pid)
        return False

    result = measure_cohort_into(asked(study, tmp_path), Reporter(stopping=kill_two))
    crash, kill = failures(tmp_path)
    assert crash[:2] == ("AB", "Crash")
    assert "damaged image" in crash[2]
    assert "SIGSEGV" in result.study.failures[0]["message"]
    assert kill[:2] == ("CD", "Killed")
    assert "--jobs" in kill[2]
    assert len(result.study.cases) == 8
    measure_cohort_into(asked(study, tmp_path))
    assert content(tmp_path) == whole


@POSIX
def test_poisoned_cases_fail_one_that_hangs_is_ended_and_all_others_are_measured(
    study, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(BAD_DECODER)
    lines = study.read_text().splitlines()
    folder = study.parent
    (folder / "corrupt.nii.gz").write_bytes(b"\x1f\x8b" + bytes(100))
    (folder / "empty").mkdir(exist_ok=True)
    write_hanging(folder / "hanging")
    with contextlib.suppress(FileExistsError):
        os.mkfifo(folder / "pipe")
    poison = [
        # Begun first: all others are measured while its time runs out.
        f"P0,pre,0,AB,{HANGING},open",
        "P1,pre,0,AB,corrupt.nii.gz,pre_AB.outlines.json,open",
        "P2,pre,0,AB,empty,pre_AB.outlines.json,open",
        "P3,pre,0,AB,pipe,pre_AB.outlines.json,open",
        f"P4,pre,0,AB,{'x' * 300},pre_AB.outlines.json,open",
        "P5,pre,0,AB,S01_pre,pre_AB.outlines.json,open",
    ]
    table = folder / "poisoned.csv"
    table.write_text("\n".join((lines[0], *poison, *lines[1:])) + "\n")
    result = measure_cohort_into(asked(table, tmp_path, jobs=2, timeout_s=20.0))
    hung, *failed = result.study.failures
    assert (hung["subject"], hung["error"]) == ("P0", "TimeLimit")
    assert "--timeout" in hung["remedy"]
    assert [row["subject"] for row in failed] == ["P1", "P2", "P3", "P4", "P5"], failed
    assert all(row["message"] for row in failed)
    assert not [row for row in failed if row["error"] in {"Crash", "TimeLimit", "Killed"}]
    assert sum(record.failure is None for record, _ in result.study.cases) == 8


@POSIX
def test_memory_of_a_case_is_limited(study, tmp_path):
    image = study.with_name("huge.nii")
    save(image, np.ones((8, 8, 2)), lumbar_affine())
    header = bytearray(image.read_bytes()[:352])
    shape = (2000, 2000, 30)
    struct.pack_into("<4h", header, 40, 3, *shape)
    with image.open("wb") as file:
        file.write(header)
        file.truncate(352 + 8 * math.prod(shape))  # a hole, which takes no room
    lines = study.read_text().splitlines()
    table = study.with_name("huge.csv")
    row = "S02,pre,0,AB,huge.nii,huge.nii,open,1=multifidus left"
    table.write_text("\n".join((f"{lines[0]},labels", f"{lines[1]},", row)))
    result = measure_cohort_into(asked(table, tmp_path, memory=700 << 20))
    ((_, error, remedy),) = failures(tmp_path)
    assert error == "MemoryError"
    assert "--memory" in remedy
    assert len(result.study.cases) == 2
    assert (memory_share(1) or 0) >= (memory_share(4) or 0)


@POSIX
def test_the_first_interrupt_lets_running_cases_end_and_says_how_to_go_on(study, whole, tmp_path):
    process = begun(study, tmp_path)
    wait_for_records(tmp_path, 1, process)
    os.killpg(process.pid, signal.SIGINT)
    code, said = ended(process)
    done = len([*tmp_path.glob("cases/??/*.jsonl")])
    assert code == 130
    assert "Stopping: cases that are running are finished first" in said
    assert f"{done} of 8 cases are done and kept" in said
    assert 1 <= done < 8
    assert "Traceback" not in said
    assert not (tmp_path / "measurements.csv").exists()
    assert ended(begun(study, tmp_path))[0] == 0
    assert content(tmp_path) == whole


@POSIX
def test_the_second_interrupt_stops_at_once(study, tmp_path):
    write_hanging(study.with_name("hanging"))
    table = study.with_name("waiting.csv")
    lines = study.read_text().splitlines()
    table.write_text("\n".join((*lines[:2], f"S02,pre,0,AB,{HANGING},open")))
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "multifidus", "measure", str(table), "-o", str(tmp_path / "out")],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=environment(),
    )  # fmt: skip
    wait_for_records(tmp_path / "out", 1, process)
    os.killpg(process.pid, signal.SIGINT)
    assert any("Stopping" in line for line in process.stderr)
    time.sleep(0.5)  # The case that waits keeps the run from ending.
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)
    code, said = ended(process)
    assert code == 130
    assert "Stopped. Cases that were finished are kept." in said
    assert len([*(tmp_path / "out").glob("cases/??/*.jsonl")]) == 1


@POSIX
def test_a_disk_that_is_full_is_exit_code_4_and_nothing_is_half_written(study, tmp_path):
    import resource

    def full():
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))

    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "multifidus", "measure", str(study), "-o", str(tmp_path / "out")],
        capture_output=True, text=True, check=False, preexec_fn=full,
    )  # fmt: skip
    assert done.returncode == 4
    assert "cannot write" in done.stderr
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert [*(tmp_path / "out").glob("cases/??/*")] == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that nobody can write to")
def test_a_folder_that_cannot_be_written_to_is_exit_code_4(study):
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "multifidus", "measure", str(study), "-o", "/proc/results"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 4
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_log_keeps_the_traceback_of_a_fault(study, tmp_path, monkeypatch):
    def fail(*_args, **_kwargs):
        msg = f"no numbers in {study}"
        raise ZeroDivisionError(msg)

    monkeypatch.setattr("multifidus.study.run.cohort.assemble", fail)
    cases = read_cohort(study).cases[:1]
    with pytest.raises(ZeroDivisionError):
        measure_cohort_into(asked(study, tmp_path, cases))
    last = json.loads((tmp_path / "run.log.jsonl").read_text().splitlines()[-1])
    assert last["event"] == "run_broken"
    assert "ZeroDivisionError: no numbers in cohort.csv" in last["traceback"]


def test_archives_are_unpacked_for_their_case_alone_and_what_a_killed_run_left_goes(
    study, tmp_path
):
    shutil.make_archive(str(study.with_name("scan")), "zip", study.parent / "S01_pre")
    lines = study.read_text().splitlines()
    table = study.with_name("packed.csv")
    table.write_text("\n".join((lines[0], lines[1].replace(",S01_pre,", ",scan.zip,"))))
    left = tmp_path / "out" / ".scratch" / "left"
    left.mkdir(parents=True)
    (left / "0.dcm").write_text("image")
    result = measure_cohort_into(asked(table, tmp_path / "out"))
    assert result.study.failures == []
    assert not (tmp_path / "out" / ".scratch").exists()


def test_all_cores_are_used_unless_said_otherwise():
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
