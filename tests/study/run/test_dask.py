"""Cases handed out by Dask give the tables of a run without it, whatever dies on the way."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from typer.testing import CliRunner

import multifidus as mf
from multifidus.cli.app import app
from multifidus.errors import CohortError
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.results_folder import Output
from multifidus.study.run.cluster_config import ClusterConfig, read_cluster_config
from multifidus.study.run.cohort import CohortRun, Reporter, measure_cohort_into
from multifidus.study.run.gathered import assemble_runs
from multifidus.study.run.limits import Limits
from multifidus.study.run.shard import Shard
from tests.support.cases import write_cohort, write_outlines
from tests.support.dask_cluster import dask_cluster
from tests.support.poisons import BAD_DECODER, HANGING, environment, write_hanging
from tests.support.running import ended, wait_for_records

pytestmark = pytest.mark.processes

PROTOCOL = mf.MeasurementProtocol(fat_methods=("pooled_otsu",), bias_correction="none")
TABLES = ("measurements.csv", "summary.csv", "missing.csv", "failures.csv")
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a cohort of nine cases, the last of which fails."""
    table = write_cohort(tmp_path_factory.mktemp("study"))
    lines = ["subject,timepoint,order,rater,images,outlines,approach"]
    for order, timepoint in enumerate(("pre", "post")):
        for rater in ("AB", "CD", "EF", "GH"):
            images = table.parent / f"S01_{timepoint}"
            name = f"{timepoint}_{rater}.outlines.json"
            write_outlines(images, table.with_name(name), mf.Reading("S01", timepoint, rater, 1))
            lines.append(f"S01,{timepoint},{order},{rater},{images.name},{name},open")
    lines.append("S02,pre,0,AB,nowhere,pre_AB.outlines.json,open")
    table.write_text("\n".join(lines) + "\n")
    (table.parent / "protocol.toml").write_text(
        'fat_methods = ["pooled_otsu"]\nbias_correction = "none"\n'
    )
    return table


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    """Return the tables of a run without Dask."""
    folder = tmp_path_factory.mktemp("whole")
    measure_cohort_into(asked(study, folder, cluster=None))
    return content(folder)


def asked(table, folder, **how):
    how = {"cluster": ClusterConfig(), "limits": Limits(jobs=2), **how}
    output = Output(folder, pictures=False)
    return CohortRun(table, read_cohort(table).cases, output, PROTOCOL, **how)


def content(folder):
    return {name: (folder / name).read_bytes() for name in TABLES}


def begun(study, folder, *words):
    """Start a run as a program of its own."""
    words = ("measure", study, "-o", folder, "--protocol", study.parent / "protocol.toml",
             "--no-pictures", "--executor", "dask", *words)  # fmt: skip
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "multifidus", *map(str, words)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def test_dask_on_this_machine_gives_the_same_tables(study, whole, tmp_path):
    pytest.importorskip("distributed")
    finished = []
    measure_cohort_into(asked(study, tmp_path), Reporter(finished=finished.append))
    assert content(tmp_path) == whole
    assert len(finished) == 9


def test_dasks_usual_port_may_be_taken(study, whole, tmp_path):
    pytest.importorskip("distributed")
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # it is already
            taken.bind(("0.0.0.0", 8787))  # noqa: S104 - nobody listens
            taken.listen()
        measure_cohort_into(asked(study, tmp_path))
    assert content(tmp_path) == whole


@pytest.mark.slow
def test_a_shard_may_be_handed_out_by_dask(study, whole, tmp_path):
    pytest.importorskip("distributed")
    measure_cohort_into(asked(study, tmp_path, shard=Shard(1, 2)))
    measure_cohort_into(asked(study, tmp_path, shard=Shard(2, 2), cluster=None))
    assemble_runs([tmp_path], Output(tmp_path))
    assert content(tmp_path) == whole


@LINUX
@pytest.mark.slow
def test_a_worker_that_is_killed_costs_its_case_a_second_time_alone(study, whole, tmp_path):
    pytest.importorskip("distributed")
    with dask_cluster(tmp_path / "dask") as cluster:
        process = begun(study, tmp_path / "out", "--executor-config", cluster.config)
        wait_for_records(tmp_path / "out", 2, process)
        assert cluster.kill_a_worker()
        code, said = ended(process)
    assert code == 1  # the case that fails anyway
    assert content(tmp_path / "out") == whole
    assert "Killed" not in said


@LINUX
@pytest.mark.slow
def test_a_scheduler_that_is_gone_is_exit_code_4_and_the_run_goes_on_with_another(
    study, whole, tmp_path
):
    pytest.importorskip("distributed")
    out = tmp_path / "out"
    with dask_cluster(tmp_path / "dask") as cluster:
        process = begun(study, out, "--executor-config", cluster.config)
        wait_for_records(out, 2, process)
        cluster.kill_scheduler()
        code, said = ended(process)
    assert code == 4, said
    assert "The Dask scheduler is gone." in said
    assert "Run the same command again" in said
    assert "Traceback" not in said
    assert ended(begun(study, out))[0] == 1
    assert content(out) == whole


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs signals of POSIX")
def test_the_first_interrupt_lets_running_cases_end(study, whole, tmp_path):
    pytest.importorskip("distributed")
    process = begun(study, tmp_path, "--jobs", "2")
    wait_for_records(tmp_path, 1, process)
    os.killpg(process.pid, signal.SIGINT)
    code, said = ended(process)
    done = len([*tmp_path.glob("cases/??/*.jsonl")])
    assert code == 130, said
    assert f"{done} of 9 cases are done and kept" in said
    assert 1 <= done < 9
    assert "Traceback" not in said
    assert ended(begun(study, tmp_path))[0] == 1
    assert content(tmp_path) == whole


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs pipes of POSIX")
def test_a_case_that_hangs_is_ended_and_the_second_interrupt_stops_at_once(
    study, tmp_path, monkeypatch
):
    pytest.importorskip("distributed")
    monkeypatch.syspath_prepend(BAD_DECODER)
    write_hanging(study.with_name("hanging"))
    lines = study.read_text().splitlines()
    table = study.with_name("hanging.csv")
    table.write_text("\n".join((*lines[:2], f"S02,pre,0,AB,{HANGING},open")))
    measure_cohort_into(asked(table, tmp_path / "late", limits=Limits(2, timeout_s=20.0)))
    assert "TimeLimit" in (tmp_path / "late" / "failures.csv").read_text()
    monkeypatch.setenv("PYTHONPATH", environment()["PYTHONPATH"])
    process = begun(table, tmp_path / "out")
    wait_for_records(tmp_path / "out", 1, process)
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(1)
    code, said = ended(process)
    assert code == 130, said
    assert "Traceback" not in said
    assert len([*(tmp_path / "out").glob("cases/??/*.jsonl")]) == 1


def test_a_scheduler_that_does_not_run_is_exit_code_4(study, tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    import dask

    config = tmp_path / "cluster.toml"
    config.write_text('scheduler = "tcp://127.0.0.1:9"\n')
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        done = run("measure", study, "-o", tmp_path / "out", "--executor", "dask",
                   "--executor-config", config)  # fmt: skip
    assert done.exit_code == 4
    assert "The Dask scheduler cannot be reached" in done.stderr


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cluster = 'ray'", "no cluster 'ray'.*local, slurm, pbs, sge"),
        ("worker = 3", "unknown keys worker"),
        ("workers = 0\ncluster = 'slurm'", "workers is 0"),
        ("workers = 3", "--jobs"),
        ("options = 3", r"Write \[options\]"),
        ("cluster = 'slurm'\nscheduler = 'tcp://a:1'", "takes neither cluster nor options"),
        ("cluster = ", "is not TOML"),
    ],
)
def test_settings_of_a_cluster_that_cannot_be_are_refused(tmp_path, text, words):
    path = tmp_path / "cluster.toml"
    path.write_text(text)
    with pytest.raises(CohortError, match=words):
        read_cluster_config(path)


def test_settings_of_a_cluster_are_read(tmp_path):
    path = tmp_path / "cluster.toml"
    path.write_text('cluster = "slurm"\nworkers = 4\n[options]\ncores = 8\nmemory = "32GB"\n')
    found = read_cluster_config(path)
    assert found == ClusterConfig("slurm", 4, options={"cores": 8, "memory": "32GB"})
    assert not found.is_here


@pytest.mark.parametrize("cluster", [ClusterConfig(), ClusterConfig("slurm")])
def test_what_is_not_installed_is_named_with_how_to_install_it(
    study, tmp_path, monkeypatch, cluster
):
    def missing(name):
        if name == ("distributed" if cluster.is_here else "dask_jobqueue"):
            raise ImportError(name)
        return importlib.import_module(name)

    monkeypatch.setattr("multifidus.study.run.dask_pool.import_module", missing)
    with pytest.raises(CohortError, match=r"pip install 'multifidus\[cluster\]'"):
        measure_cohort_into(asked(study, tmp_path, cluster=cluster))


def test_jobs_that_cannot_be_submitted_from_here_are_refused(study, tmp_path, monkeypatch):
    pytest.importorskip("dask_jobqueue")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CohortError, match="no sbatch here"):
        measure_cohort_into(asked(study, tmp_path, cluster=ClusterConfig("slurm")))


def test_dask_is_not_imported_unless_it_is_used(study):
    words = (
        "import sys, multifidus.cli.app, multifidus.study.run.dask_pool; "
        "sys.exit('dask' in sys.modules or 'distributed' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0  # noqa: S603


def test_wrong_usage(study, tmp_path):
    for words in (("--executor", "ray"), ("--executor-config", tmp_path / "none.toml")):
        assert run("measure", study, "-o", tmp_path / "out", *words).exit_code == 2
