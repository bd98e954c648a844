"""Shards of a cohort, measured apart, make the tables of one run; nothing else is mixed in."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace

import pytest
from typer.testing import CliRunner

import multifidus as mf
from multifidus.cli.app import app
from multifidus.errors import CohortError, ReadError, WriteError
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.results_folder import Output
from multifidus.study.run.cohort import CohortRun, Reporter, measure_cohort_into
from multifidus.study.run.gathered import assemble_runs
from multifidus.study.run.lock import locked
from multifidus.study.run.selection import Selection
from multifidus.study.run.shard import Shard
from tests.support.cases import write_cohort

PROTOCOL = mf.MeasurementProtocol(fat_methods=("pooled_otsu",), bias_correction="none")
TABLES = (
    "measurements.csv", "summary.csv", "missing.csv", "failures.csv", "index.html",
    "dictionary.json", "protocol.toml",
)  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return a cohort of three cases, the last of which fails."""
    table = write_cohort(tmp_path_factory.mktemp("study"))
    with table.open("a") as file:
        file.write("S02,pre,0,AB,nowhere,pre.outlines.json,open\n")
    return table


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    """Return the results of one run."""
    folder = tmp_path_factory.mktemp("whole") / "results"
    measure_cohort_into(asked(study, folder))
    return folder


@pytest.fixture(scope="module")
def parts(study, tmp_path_factory):
    """Return folders of two shards, to be copied."""
    folder = tmp_path_factory.mktemp("parts")
    for number in (1, 2):
        measure_cohort_into(asked(study, folder / str(number), shard=Shard(number, 2)))
    return folder


@pytest.fixture
def two(parts, tmp_path):
    shutil.copytree(parts, tmp_path / "parts")
    return tmp_path / "parts" / "1", tmp_path / "parts" / "2"


def asked(table, folder, *, overwrite=False, pictures=True, **how):
    output = Output(folder, overwrite=overwrite, pictures=pictures)
    return CohortRun(table, read_cohort(table).cases, output, **{"protocol": PROTOCOL, **how})


def measured(run):
    found = []
    measure_cohort_into(run, Reporter(finished=found.append))
    return [f"{done.reading.subject} {done.reading.timepoint}" for done in found]


def content(folder):
    pictures = {path.name: path.read_bytes() for path in (folder / "pictures").rglob("*.*g")}
    return {name: (folder / name).read_bytes() for name in TABLES} | pictures


def test_shards_are_written_as_number_and_count():
    assert Shard.from_text(" 3/8") == Shard(3, 8)
    assert Shard(2, 3).part_of(range(7)) == (1, 4)
    for text in ("0/8", "9/8", "3", "3/0", "a/b", "-1/2"):
        with pytest.raises(CohortError, match="shard"):
            Shard.from_text(text)


def test_shards_in_folders_of_their_own_make_the_tables_of_one_run(two, whole, tmp_path):
    assert not any((folder / name).exists() for folder in two for name in TABLES)
    done = assemble_runs(two, Output(tmp_path / "all"))
    assert content(tmp_path / "all") == content(whole)
    assert done.absent == ()
    facts = json.loads((tmp_path / "all" / "provenance.json").read_text())
    assert [(run["shard"], run["of"]) for run in facts["shards"]] == [(1, 2), (2, 2)]
    assert [case["measured"] for case in facts["cases"]] == [True, True, False]


def test_shards_share_a_folder_while_others_run(study, whole, tmp_path):
    folder = tmp_path / "shared"
    with locked(folder, Shard(3, 3)):
        left = folder / ".scratch" / "3-of-3" / "unpacked"
        left.mkdir(parents=True)
        waiting = folder / "cases" / "00" / ".abc.0123abcd.jsonl"
        waiting.parent.mkdir(parents=True)
        waiting.write_text("half")
        assert measured(asked(study, folder, shard=Shard(1, 3))) == ["S01 pre"]
        assert measured(asked(study, folder, shard=Shard(2, 3))) == ["S01 post"]
        assert left.exists()
        assert waiting.exists()
        with pytest.raises(WriteError, match=r"Another run of shard 3/3 \(process .+\) is"):
            measured(asked(study, folder, shard=Shard(3, 3)))
        with pytest.raises(WriteError, match=r"Another run \(process .+\) is writing"):
            measured(asked(study, folder))
        with pytest.raises(WriteError, match=r"Another run \(process .+\) is writing"):
            assemble_runs([folder], Output(folder))
    assert [by.subject for by in assemble_runs([folder], Output(folder)).absent] == ["S02"]
    assert measured(asked(study, folder, shard=Shard(3, 3))) == ["S02 pre"]
    assemble_runs([folder], Output(folder))
    assert content(folder) == content(whole)
    assert not left.exists()
    assert not waiting.exists()


def test_what_no_shard_measured_is_missing_as_not_measured_yet(study, tmp_path):
    table = study.with_name("more.csv")
    table.write_text(study.read_text() + "S03,pre,0,AB,nowhere,pre.outlines.json,open\n")
    folder = tmp_path / "own"
    measured(asked(table, folder, shard=Shard(1, 2), pictures=False))
    done = assemble_runs([folder], Output(folder))
    assert reasons_in(folder) == {
        ("S01", "post", "not_measured_yet"), ("S02", "pre", "case_failed"),
        ("S02", "post", "no_exam"), ("S03", "pre", "not_measured_yet"),
        ("S03", "post", "no_exam"),
    }  # fmt: skip
    assert {row["reason"] for row in done.missing} == {
        "not_measured_yet", "case_failed", "no_exam",
    }  # fmt: skip
    facts = json.loads((folder / "provenance.json").read_text())["cohort"]
    assert (facts["cases"], facts["not_measured"]) == (4, 2)
    words = json.loads((folder / "dictionary.json").read_text())["reasons"]
    assert words["not_measured_yet"].startswith("The case")


def test_what_a_run_leaves_for_later_is_missing_as_not_measured_yet(study, tmp_path):
    made = measure_cohort_into(asked(study, tmp_path, selection=Selection(limit=1), pictures=False))
    assert {row["reason"] for row in made.missing} == {"not_measured_yet", "no_exam"}
    assert ("S01", "post", "not_measured_yet") in reasons_in(tmp_path)
    assert {row["reason"] for row in made.study.missing()} == {"not_measured_yet", "no_exam"}
    facts = json.loads((tmp_path / "provenance.json").read_text())["cohort"]
    assert (facts["cases"], facts["not_measured"]) == (3, 2)


def reasons_in(folder):
    with (folder / "missing.csv").open(newline="") as file:
        return {(row["subject"], row["timepoint"], row["reason"]) for row in csv.DictReader(file)}


def test_a_shard_again_does_what_failed_and_a_run_of_all_keeps_the_rest(study, two):
    first, _ = two
    assert measured(asked(study, first, shard=Shard(1, 2))) == ["S02 pre"]
    assert measured(asked(study, first)) == ["S01 post", "S02 pre"]


def test_more_shards_than_cases_are_no_fault(study, tmp_path):
    assert measured(asked(study, tmp_path, shard=Shard(9, 9))) == []


def test_a_run_that_was_not_ended_can_be_assembled(study, tmp_path):
    measure_cohort_into(asked(study, tmp_path), Reporter(stopping=lambda: True))
    assert len(assemble_runs([tmp_path], Output(tmp_path)).absent) == 3


def refused(folders, tmp_path, words):
    with pytest.raises(WriteError, match=words):
        assemble_runs(folders, Output(tmp_path / "all"))
    assert not (tmp_path / "all" / "measurements.csv").exists()


def test_another_protocol_is_refused_and_named(study, two, tmp_path):
    other = replace(PROTOCOL, tracing_sd_mm=0.7)
    again = asked(study, two[1], shard=Shard(2, 2), protocol=other, overwrite=True)
    assert measured(again) == ["S01 post"]
    refused(two, tmp_path, r"2 holds another run: protocol: tracing_sd_mm 0\.7, not 0\.5")


def test_shards_of_two_protocols_in_one_folder_are_refused(study, tmp_path):
    how = {"pictures": False}
    measured(asked(study, tmp_path, shard=Shard(1, 2), **how))
    how["protocol"] = replace(PROTOCOL, tracing_sd_mm=0.7)
    with pytest.raises(WriteError, match=r"tracing_sd_mm 0\.5, not 0\.7"):
        measured(asked(study, tmp_path, shard=Shard(2, 2), **how))
    measured(asked(study, tmp_path, shard=Shard(2, 2), overwrite=True, **how))
    refused([tmp_path], tmp_path, "S0[12] pre AB reading 1 .* was measured with other settings")


def test_another_version_is_refused_and_named(two, tmp_path):
    facts = json.loads((two[1] / "run.json").read_text())
    (two[1] / "run.json").write_text(json.dumps({**facts, "version": "0.0.9"}))
    refused(two, tmp_path, r"version 0\.0\.9, not ")


def test_another_cohort_is_refused_and_named(study, two, tmp_path):
    table = shutil.copytree(study.parent, tmp_path / "study") / study.name
    table.write_text(table.read_text() + "S03,pre,0,AB,nowhere,pre.outlines.json,open\n")
    measured(asked(table, two[1], shard=Shard(2, 2)))
    refused(two, tmp_path, r"cohort cohort\.csv \(\w{8}, 4 cases\), not cohort\.csv \(\w{8}, 3 ")
    measured(asked(table, two[0], shard=Shard(1, 2)))
    assert assemble_runs(two, Output(tmp_path / "all")).absent == ()


def test_a_shard_of_an_earlier_cohort_in_the_same_folder_is_missing(study, tmp_path):
    for number in (1, 2):
        measured(asked(study, tmp_path / "shared", shard=Shard(number, 2), pictures=False))
    table = shutil.copytree(study.parent, tmp_path / "study") / study.name
    table.write_text(table.read_text().replace("AB,S01_post", "AB, S01_post"))
    measured(asked(table, tmp_path / "shared", shard=Shard(1, 2), pictures=False))
    done = assemble_runs([tmp_path / "shared"], Output(tmp_path / "shared"))
    assert [by.timepoint for by in done.absent] == ["post"]


def test_other_outlines_are_refused_and_named(study, two, tmp_path):
    table = shutil.copytree(study.parent, tmp_path / "study") / study.name
    with table.with_name("pre.outlines.json").open("a") as file:
        file.write("\n")
    measured(asked(table, two[1], shard=Shard(1, 2)))
    refused(two, tmp_path, r"S01 pre AB reading 1 is there twice, and outlines pre\.outlines\.json")


def test_one_file_of_two_contents_is_refused_and_named(two, tmp_path):
    (path,) = (path for path in two[1].glob("cases/*/*.jsonl"))
    path.write_text(path.read_text().replace("outlines post.", "outlines pre."))
    refused(two, tmp_path, r"outlines pre\.outlines\.json of S01 post AB reading 1 .* differs")


@pytest.fixture
def measured_twice(study, two, tmp_path):
    """Return what measures a case of the first folder again in another one."""

    def measure(words, **how):
        table = shutil.copytree(study.parent, tmp_path / "study") / study.name
        outlines = table.with_name("pre.outlines.json")
        outlines.write_text(words(outlines.read_text()))
        again = shutil.copytree(two[0], tmp_path / "parts" / "1b")
        measured(asked(table, again, shard=Shard(1, 2), overwrite=True, **how))
        return again

    return measure


def orders(first, again, second):
    return (first, again, second), (again, first, second)


def test_what_failed_on_other_files_in_another_folder_is_refused_and_named(
    measured_twice, two, tmp_path
):
    again = measured_twice(lambda text: text[:100])
    for folders in orders(two[0], again, two[1]):
        refused(folders, tmp_path, "S0[12] pre AB reading 1 is there twice, and outlines pre")
    done = assemble_runs((again, two[1]), Output(tmp_path / "all"))
    assert [row["timepoint"] for row in done.study.failures] == ["pre", "pre"]


def record_of_pre(folder):
    """Return the record of S01 pre in a folder."""
    (path,) = (p for p in folder.glob("cases/*/*.jsonl") if '"S01", "pre"' in p.read_text())
    return path


def failed_in(folder, facts=lambda facts: facts):
    """Make the record of S01 pre that of a failure."""
    path = record_of_pre(folder)
    plain = json.loads(path.read_text().splitlines()[0])
    row = failure_of(plain["reading"])
    plain |= {"failure": row, "areas": [], "readings": [], "notes": [], "n_rows": 0}
    plain["facts"] = facts(plain["facts"])
    path.write_text(json.dumps(plain) + "\n[]\n")


def failure_of(names):
    keys = ("subject", "timepoint", "rater", "reading")
    words = {"path": "S01_pre", "error": "TimeLimit", "message": "slow", "remedy": ""}
    return dict(zip(keys, names, strict=True)) | words


def test_what_failed_on_the_same_files_in_another_folder_is_said(two, tmp_path):
    again = shutil.copytree(two[0], tmp_path / "parts" / "1b")
    failed_in(again)
    for place, folders in enumerate(orders(two[0], again, two[1])):
        done = assemble_runs(folders, Output(tmp_path / f"all{place}"))
        assert [row["subject"] for row in done.study.failures] == ["S02"]
        (note,) = (note for note in done.notes if "failed" in note)
        assert f"S01 pre AB reading 1 failed in {again} (TimeLimit)" in note
        assert f"{two[0]}" in note


def test_what_failed_on_files_that_nobody_knows_is_refused_beside_a_measurement(two, tmp_path):
    again = shutil.copytree(two[0], tmp_path / "parts" / "1b")
    failed_in(again, lambda facts: {"settings": facts["settings"]})
    for folders in orders(two[0], again, two[1]):
        refused(folders, tmp_path, "S01 pre AB reading 1 .*no record of the files")
    assemble_runs((again, two[1]), Output(tmp_path / "all"))


def test_what_was_measured_after_a_failure_in_the_same_folder_counts(two, tmp_path):
    path = record_of_pre(two[0])
    kept = path.read_text()
    failed_in(two[0], lambda facts: {"settings": facts["settings"]})
    path.rename(path.with_name("0.jsonl"))
    path.write_text(kept)
    done = assemble_runs(two, Output(tmp_path / "all"))
    assert [row["subject"] for row in done.study.failures] == ["S02"]
    assert not any("failed in" in note for note in done.notes)


def test_a_folder_without_a_run_is_refused(two, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ReadError, match="holds no run over a cohort"):
        assemble_runs([two[0], tmp_path / "empty"], Output(tmp_path / "all"))


def test_other_results_are_not_replaced_unasked(two, tmp_path):
    (tmp_path / "all").mkdir()
    (tmp_path / "all" / "measurements.csv").write_text("mine")
    refused_of = pytest.raises(WriteError, match="already holds results")
    with refused_of:
        assemble_runs(two, Output(tmp_path / "all"))
    assemble_runs(two, Output(tmp_path / "all", overwrite=True))


def test_a_refusal_leaves_nothing_behind(study, two, tmp_path):
    facts = json.loads((two[1] / "run.json").read_text())
    (two[1] / "run.json").write_text(json.dumps({**facts, "version": "0.0.9"}))
    refused(two, tmp_path, "version")
    (tmp_path / "review.csv").write_text("no table of verdicts\n")
    with pytest.raises(ReadError):
        assemble_runs([two[0]], Output(tmp_path / "all", review=tmp_path / "review.csv"))
    assert not (tmp_path / "all").exists()
    with pytest.raises(ReadError, match="holds no run"):
        assemble_runs([study.parent], Output(tmp_path / "all"))
    assert not [*study.parent.glob(".run.lock")]


def test_tables_of_one_of_several_folders_are_not_replaced_unasked(two, tmp_path):
    assemble_runs([two[0]], Output(two[0]))
    assemble_runs([two[0]], Output(two[0]))
    before = (two[0] / "measurements.csv").read_bytes()
    with pytest.raises(WriteError, match="already holds tables"):
        assemble_runs(two, Output(two[0]))
    assert (two[0] / "measurements.csv").read_bytes() == before
    records = [*two[0].glob("cases/*/*")]
    done = assemble_runs(two, Output(two[0], overwrite=True))
    assert done.absent == ()
    assert [*two[0].glob("cases/*/*")] == records


def test_a_folder_of_several_without_tables_takes_them(two):
    assert assemble_runs(two, Output(two[0])).absent == ()


def test_to_measure_into_a_folder_of_assembled_tables_is_refused_with_what_helps(
    study, two, tmp_path
):
    assemble_runs(two, Output(tmp_path / "all"))
    with pytest.raises(WriteError, match=r"assemble FOLDERS -o .*all --overwrite"):
        measured(asked(study, tmp_path / "all"))


def run(*words):
    return CliRunner().invoke(app, [*map(str, words)], catch_exceptions=True)


def test_by_the_command_line(study, tmp_path):
    cohort = study.with_name("two.csv")
    cohort.write_text("\n".join(study.read_text().splitlines()[:3]) + "\n")
    (study.parent / "protocol.toml").write_text(
        'fat_methods = ["pooled_otsu"]\nbias_correction = "none"\n'
    )
    words = ("measure", cohort, "--protocol", study.parent / "protocol.toml", "-o", tmp_path)
    done = run(*words, "--shard", "1/2", "--json", "--no-pictures")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["measured"] == 1
    done = run("assemble", tmp_path, "-o", tmp_path, "--json")
    assert done.exit_code == 1
    assert "1 of 2 cases are missing: S01 post AB reading 1." in done.stderr
    found = json.loads(done.stdout)
    assert found["not_measured"] == [
        {"subject": "S01", "timepoint": "post", "rater": "AB", "reading": 1}
    ]
    assert run(*words, "--shard", "2/2", "--no-pictures").exit_code == 0
    assert run("assemble", tmp_path, "-o", tmp_path).exit_code == 0
    assert run("measure", cohort, "--shard", "1/2").exit_code == 2
    for text in ("0/2", "3"):
        done = run(*words, "--shard", text)
        assert done.exit_code == 2
        assert "shard" in done.stderr


def test_a_shard_in_which_every_case_failed_has_acted(study, tmp_path):
    words = ("measure", study, "-o", tmp_path, "--shard", "3/3", "--no-pictures")
    assert run(*words).exit_code == 1
    assert run("assemble", tmp_path, "-o", tmp_path).exit_code == 3
