"""Tables name files with ``/`` and relative to themselves; what Windows wrote is read as well."""

from __future__ import annotations

import csv
import json
import os

import pytest
from typer.testing import CliRunner

from multifidus import Reading
from multifidus.cli.app import app
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.files import name_from, named_path
from multifidus.reading.session import SessionRequest, open_worklist
from multifidus.reading.unblind import unblind
from tests.io.test_walk import packed
from tests.support.cases import write_cohort, write_exam, write_outlines


def run(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_cohort_that_windows_wrote_is_measured(tmp_path):
    images = write_exam(tmp_path / "scans" / "S01")
    (tmp_path / "drawn").mkdir()
    write_outlines(images, tmp_path / "drawn" / "a.outlines.json", Reading("S01", "pre", "AB", 1))
    (tmp_path / "cohort.csv").write_text(
        "subject,timepoint,rater,images,outlines\nS01,pre,AB,scans\\S01,.\\drawn\\a.outlines.json\n"
    )
    done = run("measure", tmp_path / "cohort.csv", "-o", tmp_path / "out", "--no-pictures")
    assert done.exit_code == 0, done.stderr


@pytest.mark.parametrize("column", ["images", "outlines", "landmarks", "labels"])
def test_every_column_of_paths_takes_a_backslash(tmp_path, column):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.tsv").write_text("")
    cells = {"subject": "S", "timepoint": "t", "images": "i", "outlines": "o", "landmarks": ""}
    cells |= {"labels": "", column: "a\\x.tsv"}
    text = ",".join(cells) + "\n" + ",".join(cells.values()) + "\n"
    (tmp_path / "cohort.csv").write_text(text)
    (case,) = read_cohort(tmp_path / "cohort.csv").cases
    found = case.label_schemes if column == "labels" else getattr(case, column)
    assert [str(path) for path in found] == [str(tmp_path / "a" / "x.tsv")]


@pytest.mark.skipif(os.name == "nt", reason="a backslash cannot stand in a file name there")
def test_a_file_whose_own_name_holds_a_backslash_is_taken(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_text("")
    assert named_path("a\\b", tmp_path) == tmp_path / "a" / "b"
    (tmp_path / "a\\b").write_text("")
    assert named_path("a\\b", tmp_path) == tmp_path / "a\\b"
    assert named_path(name_from(tmp_path / "a\\b", tmp_path), tmp_path) == tmp_path / "a\\b"


def test_a_label_scheme_is_named_from_the_table_and_each_outline_may_have_its_own(tmp_path):
    (tmp_path / "lpm.tsv").write_text("")
    path = tmp_path / "cohort.csv"
    path.write_text("subject,timepoint,images,outlines,labels\nS,t,i,a;b,lpm.tsv;lpm\n")
    (case,) = read_cohort(path).cases
    assert case.label_schemes == (str(tmp_path / "lpm.tsv"), "lpm")
    path.write_text("subject,timepoint,images,outlines,labels\nS,t,i,a;b;c,lpm.tsv;lpm\n")
    done = run("measure", path, "-o", tmp_path / "out")
    assert done.exit_code == 3


def test_a_key_that_windows_wrote_finds_its_table(tmp_path):
    (tmp_path / "study").mkdir()
    table = write_cohort(tmp_path / "study")
    key = tmp_path / "key" / "k.key.json"
    open_worklist(SessionRequest(table, "CD", blind=True, key=key, root=tmp_path / "readings"))
    document = json.loads(key.read_text())
    assert document["cohort"] == "../study/cohort.csv"
    key.write_text(json.dumps(document | {"cohort": "..\\study\\cohort.csv"}))
    code = next(iter(document["entries"]))["code"]
    truth = next(iter(document["entries"]))
    images = tmp_path / "study" / f"S01_{truth['timepoint']}"
    (tmp_path / "back").mkdir()
    write_outlines(images, tmp_path / "back" / "x.outlines.json", Reading(code, "blinded", "CD", 1))
    made = unblind(tmp_path / "back", key, tmp_path / "true")
    (row,) = rows_of(made.table)
    assert row["images"] == f"../study/S01_{truth['timepoint']}"


def test_failures_and_the_page_name_files_from_the_table_and_never_from_the_machine(tmp_path):
    home = tmp_path / "home" / "mueller"
    home.mkdir(parents=True)
    cohort = write_cohort(home)
    with cohort.open("a") as file:
        file.write(f"S02,pre,0,AB,gone,{home}/pre.outlines.json,open\n")
        file.write("S03,pre,0,AB,S01_pre,post.outlines.json,open\n")
        file.write(f"S04,pre,0,AB,{tmp_path}/elsewhere,pre.outlines.json,open\n")
    done = run("measure", cohort, "-o", tmp_path / "out")
    assert done.exit_code == 1
    failures = rows_of(tmp_path / "out" / "failures.csv")
    assert [row["path"] for row in failures] == ["gone", "S01_pre", "../../elsewhere"]
    assert failures[0]["message"] == "gone does not exist."
    assert failures[1]["message"].startswith("post.outlines.json holds outlines of subject 'S01'")
    assert failures[2]["message"] == "../../elsewhere does not exist."
    written = [path.read_text() for path in (tmp_path / "out").glob("*.*")]
    assert len(written) >= 6
    assert not [text for text in (*written, done.stderr) if "mueller" in text]
    assert not [text for text in written if str(tmp_path) in text]


def test_a_cohort_that_names_the_files_of_a_series_one_by_one_is_measured(tmp_path):
    images = write_exam(tmp_path / "S01")
    write_outlines(images, tmp_path / "a.outlines.json", Reading("S01", "pre", "AB", 1))
    cohort = tmp_path / "cohort.csv"
    cohort.write_text(
        "subject,timepoint,rater,images,outlines\nS01,pre,AB,S01/0.dcm;S01/1.dcm,a.outlines.json\n"
    )
    done = run("measure", cohort, "-o", tmp_path / "out", "--no-pictures")
    assert done.exit_code == 0, done.stderr
    (tmp_path / "S01" / "notes.txt").write_text("none")
    cohort.write_text(
        "subject,timepoint,rater,images,outlines\n"
        "S01,pre,AB,S01/0.dcm;S01/notes.txt,a.outlines.json\n"
    )
    done = run("measure", cohort, "-o", tmp_path / "o2", "--no-pictures")
    assert done.exit_code == 3
    assert "No image to measure in S01/notes.txt" in done.stderr


WARNING = "carries names or IDs of patients"


@pytest.mark.parametrize("place", ["folder", "subject", "column", "archive"])
def test_measure_warns_where_its_table_names_patients_and_says_no_name(tmp_path, place):
    name = "Jane" if place in ("folder", "archive") else "S01"
    images = write_exam(tmp_path / name)
    subject = "DOE JANE" if place == "subject" else "S01"
    write_outlines(images, tmp_path / "a.outlines.json", Reading(subject, "pre", "AB", 1))
    if place == "archive":
        packed(images, tmp_path / "jane.zip")
        name = "jane.zip"
    cohort = tmp_path / "cohort.csv"
    note = "Doe^Jane" if place == "column" else ""
    cohort.write_text(
        "subject,timepoint,rater,images,outlines,note\n"
        f"{subject},pre,AB,{name},a.outlines.json,{note}\n"
    )
    done = run("measure", cohort, "-o", tmp_path / "out", "--no-pictures")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count(WARNING) == 1
    if place != "subject":
        assert "jane" not in done.stderr.lower()


def test_measure_does_not_warn_of_neutral_names(tmp_path):
    done = run("measure", write_cohort(tmp_path), "-o", tmp_path / "out", "--no-pictures")
    assert done.exit_code == 0
    assert WARNING not in done.stderr


def test_inspect_names_files_from_the_folder_that_it_was_given(tmp_path):
    folder = tmp_path / "home" / "mueller" / "scans"
    write_exam(folder / "S01")
    (folder / "S01" / "notes.txt").write_text("none")
    done = run("inspect", folder)
    assert "Skipped scans/S01/notes.txt: " in done.stderr
    assert "mueller" not in done.stdout + done.stderr


def test_agreement_names_files_from_the_table(tmp_path):
    folder = tmp_path / "mueller"
    folder.mkdir()
    cohort = write_cohort(folder)
    with cohort.open("a") as file:
        file.write("S01,pre,0,CD,S01_pre,gone.json,open\n")
    done = run("agreement", cohort, "--json")
    assert "Cannot read gone.json" in done.stdout + done.stderr
    assert "mueller" not in done.stdout + done.stderr
