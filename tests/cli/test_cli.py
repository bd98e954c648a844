"""The command line as a person meets it: output, messages, exit codes."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

import multifidus as mf
from multifidus import cli
from multifidus.cli.app import app
from multifidus.sample_data import sample_dir
from tests.support.cases import write_cohort, write_exam, write_outlines
from tests.support.niftis import lumbar_affine, save
from tests.support.studies import study_rows, write_study

run = CliRunner().invoke


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_cohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def commands(cohort, tmp_path_factory):
    """Return commands that write to a folder, which is yet to be named."""
    rows = [row for row in study_rows(4, readings=1) if row["level"] == "L4-L5"]
    folder = write_study(tmp_path_factory.mktemp("readings"), rows)
    table = folder / "measurements.csv"
    return {
        "measure": ("measure", cohort, "-o"),
        "reliability": ("reliability", table, "-o"),
        "change": ("change", table, "--value", "mean", "-o"),
        "report": ("report", folder, "--value", "mean", "-o"),
        "phantom": ("phantom",),
    }


def as_process(monkeypatch, capsys, *arguments):
    """Run main() as the script does; returns exit code, standard output and standard error."""
    monkeypatch.setattr("sys.argv", ["multifidus", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    return stopped.value.code or 0, *capsys.readouterr()


def test_measuring_an_exam_prints_the_multifidus_and_writes_what_the_library_measures(
    cohort, tmp_path
):
    images, outlines = cohort.parent / "S01_pre", cohort.parent / "pre.outlines.json"
    done = run(
        app, ["measure", str(images), "--outlines", str(outlines), "-o", str(tmp_path / "o")]
    )
    assert done.exit_code == 0, done.output
    assert "multifidus" in done.stdout
    exam = mf.read_exam(images)
    rows = mf.measure(exam, mf.read_rois(outlines, exam))
    mf.write_table(rows, tmp_path / "library.csv")
    assert (tmp_path / "o" / "measurements.csv").read_bytes() == (
        tmp_path / "library.csv"
    ).read_bytes()


def test_json_is_one_document_and_nothing_else(cohort, monkeypatch, capsys):
    code, out, _ = as_process(monkeypatch, capsys, "measure", cohort, "--json")
    assert code == 0
    document = json.loads(out)
    assert {row["timepoint"] for row in document["rows"]} == {"pre", "post"}


def test_a_case_that_fails_makes_exit_code_1_and_all_failing_3(
    cohort, tmp_path, monkeypatch, capsys
):
    lines = cohort.read_text().splitlines()
    bad = "S02,pre,0,AB,nowhere,pre.outlines.json,open"
    half, none = cohort.with_name("half.csv"), cohort.with_name("none.csv")
    half.write_text("\n".join([*lines, bad]) + "\n")
    none.write_text("\n".join([lines[0], bad]) + "\n")
    code, _, err = as_process(
        monkeypatch, capsys, "measure", half, "-o", tmp_path / "half", "--no-pictures"
    )
    assert code == 1
    assert "S02" in err
    with (tmp_path / "half" / "failures.csv").open(newline="") as file:
        assert [row["subject"] for row in csv.DictReader(file)] == ["S02"]
    code, _, err = as_process(monkeypatch, capsys, "measure", none, "-o", tmp_path / "none")
    assert code == 3
    assert "nowhere does not exist" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["measure"], "Give an exam"),
        (["measure", "exam"], "Give the outlines"),
        (["measure", "cohort.csv"], "Give a results folder"),
        (["inspect"], "Missing argument"),
        (["measure", "--nonsense"], "No such option"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_says_what_is_missing(arguments, reason):
    done = run(app, arguments)
    assert done.exit_code == 2
    assert reason in " ".join(done.output.replace("│", " ").split())


def test_refused_input_is_exit_code_3_with_the_reason_on_standard_error(
    cohort, tmp_path, monkeypatch, capsys
):
    code, out, err = as_process(
        monkeypatch, capsys, "measure", cohort.parent / "S01_post", "--outlines",
        cohort.parent / "missing.outlines.json", "-o", tmp_path / "o",
    )  # fmt: skip
    assert (code, out) == (3, "")
    assert "missing.outlines.json" in err
    assert not (tmp_path / "o").exists()


def test_results_already_there_are_refused_before_anything_is_measured(
    cohort, tmp_path, monkeypatch, capsys
):
    (tmp_path / "measurements.csv").write_text("mine")
    code, _, err = as_process(monkeypatch, capsys, "measure", cohort, "-o", tmp_path)
    assert code == 3
    assert "already holds results" in err
    assert (tmp_path / "measurements.csv").read_text() == "mine"


@pytest.mark.parametrize("below", ["", "sub"])
@pytest.mark.parametrize("command", ["measure", "reliability", "change", "report", "phantom"])
def test_a_file_given_as_the_folder_to_write_to_is_refused_with_exit_code_3(
    command, below, *, commands, tmp_path, monkeypatch, capsys
):
    (tmp_path / "mine").write_text("mine")
    monkeypatch.setattr("multifidus.reporting.build.draw_study", lambda _: ())
    code, printed, err = as_process(
        monkeypatch, capsys, *commands[command], tmp_path / "mine" / below
    )
    assert (code, printed) == (3, "")
    assert "mine is a file, not a folder" in err
    assert "Choose another name." in err
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_cohort_and_outlines_by_hand_contradict_each_other(cohort, monkeypatch, capsys, tmp_path):
    code, _, err = as_process(
        monkeypatch, capsys, "measure", cohort, "--outlines", "a.outlines.json", "-o", tmp_path
    )
    assert code == 3
    assert "names the outlines of its cases itself" in err


def test_inspect_lists_series_and_what_was_skipped_without_identifying_anybody(
    cohort, monkeypatch, capsys
):
    (cohort.parent / "S01_pre" / "report.dcm").write_bytes(b"%PDF-1.4")
    code, out, err = as_process(monkeypatch, capsys, "inspect", cohort.parent / "S01_pre")
    assert code == 0
    assert "axial" in out
    assert "report.dcm: A PDF document" in err
    assert "Doe" not in out + err
    assert "4711" not in out + err
    code, out, _ = as_process(monkeypatch, capsys, "inspect", cohort.parent / "S01_pre", "--json")
    document = json.loads(out)
    assert [item["reason"] for item in document["skipped"]] == ["A PDF document, no image."]
    (cohort.parent / "S01_pre" / "report.dcm").unlink()


def test_inspecting_what_holds_no_image_is_exit_code_3(tmp_path, monkeypatch, capsys):
    code, _, err = as_process(monkeypatch, capsys, "inspect", tmp_path)
    assert code == 3
    assert "Nothing here can be measured" in err


def test_the_default_protocol_can_be_printed_edited_and_given_back(cohort, tmp_path):
    shown = run(app, ["protocol", "show"]).stdout
    assert mf.MeasurementProtocol().digest in shown
    edited = tmp_path / "mine.toml"
    methods = shown.replace('["pooled_otsu", "signal", "linear"]', '["fixed"]')
    edited.write_text(methods + "fixed_threshold = 500\n")
    done = run(app, ["measure", str(cohort), "--json", "--protocol", str(edited)])
    rows = json.loads(done.stdout)["rows"]
    assert {row["method"] for row in rows if row["quantity"] == "fi_pct"} == {"fixed"}
    assert {row["protocol"] for row in rows} == {mf.load_protocol(edited).digest}


def test_a_protocol_of_ones_own_is_started_edited_and_checked(tmp_path):
    mine = tmp_path / "mine.toml"
    assert run(app, ["protocol", "init", str(mine), "--from", "spinosarc_otsu"]).exit_code == 0
    assert mf.load_protocol(mine) == mf.load_protocol("spinosarc_otsu")
    checked = run(app, ["protocol", "validate", str(mine), "--json"])
    assert json.loads(checked.stdout) == {
        "digest": mf.load_protocol(mine).digest,
        "changed": ['fat_methods = ["otsu"]', 'bias_correction = "none"'],
    }
    assert "minimal_points" not in run(app, ["protocol", "validate", str(mine)]).stdout
    again = run(app, ["protocol", "init", str(mine)])
    assert again.exit_code != 0
    assert mf.load_protocol(mine) == mf.load_protocol("spinosarc_otsu")


def test_the_presets_are_listed_with_their_sources():
    assert "doi:10.1109/TSMC.1979.4310076" in run(app, ["protocol", "list"]).stdout
    listed = json.loads(run(app, ["protocol", "list", "--json"]).stdout)
    for name, found in listed.items():
        assert found["digest"] == mf.load_protocol(name).digest
        shown = json.loads(run(app, ["protocol", "show", name, "--json"]).stdout)
        assert shown["settings"] == mf.load_protocol(name).as_dict()


def test_the_version_is_printed():
    assert run(app, ["--version"]).stdout == f"multifidus {mf.__version__}\n"


def test_a_long_table_is_cut_and_says_so(capsys):
    from multifidus.cli.printing import MOST_ROWS, print_table

    print_table(("name", "value"), [(f"row{n}", str(n)) for n in range(MOST_ROWS + 3)])
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == MOST_ROWS + 2
    assert "3 more rows" in err


def test_a_users_table_of_contrasts_is_used_and_a_mistake_in_it_told_once(
    cohort, tmp_path, monkeypatch, capsys
):
    table = tmp_path / "own.toml"
    table.write_text('[[contrast]]\nweighting = "pd"\ntokens = ["SE", "M", "OTHER", "DIS2D"]\n')
    code, out, _ = as_process(
        monkeypatch, capsys, "inspect", cohort.parent / "S01_pre", "--json", "--contrasts", table
    )
    found = {series["weighting"] for series in json.loads(out)["exams"][0]["series"]}
    assert (code, found) == (0, {"pd"})
    code, out, _ = as_process(
        monkeypatch, capsys, "measure", cohort, "--json", "--contrasts", table
    )
    assert code == 0
    table.write_text("[[contrast]")
    for command in ("inspect", "measure"):
        code, out, error = as_process(
            monkeypatch, capsys, command, cohort, "--json", "--contrasts", table
        )
        assert (code, out) == (3, "")
        assert error.count("is not a table of contrasts") == 1
        assert "line 1" in error


def test_proposed_references_are_written_once_and_can_be_measured_with(tmp_path):
    images, drawn = sample_dir() / "S01_pre", sample_dir() / "S01_pre.outlines.json"
    out = tmp_path / "references.outlines.json"
    asked = ["propose", str(images), "--outlines", str(drawn), "-o", str(out)]
    assert run(app, asked).exit_code == 0
    proposed = mf.read_rois(out, mf.read_exam(images))
    assert {roi.source for roi in proposed} == {"draft"}
    assert run(app, asked).exit_code != 0


def test_a_file_of_references_alone_is_measured_and_says_that_there_is_no_summary(
    tmp_path, monkeypatch, capsys
):
    images = write_exam(tmp_path / "exam")
    path = write_outlines(images, tmp_path / "all.outlines.json", mf.Reading("S01", "pre", "AB"))
    rois = mf.read_rois(path, mf.read_exam(images))
    alone = replace(rois, rois=tuple(r for r in rois if not r.key.structure.is_muscle))
    mf.write_rois(alone, tmp_path / "references.outlines.json")
    given = ("measure", images, "--outlines", tmp_path / "references.outlines.json")
    code, out, err = as_process(monkeypatch, capsys, *given, "-o", tmp_path / "out")
    assert (code, out) == (0, "")
    assert "No muscle was outlined" in err
    assert (tmp_path / "out" / "measurements.csv").exists()


def test_landmarks_alone_are_exit_code_3_with_the_reason(tmp_path, monkeypatch, capsys):
    images, path = write_exam(tmp_path / "exam"), tmp_path / "a.outlines.json"
    mf.write_rois(mf.RoiSet(landmarks=(mf.Landmark("disc_centre", "L4-L5", (0, 0, 0)),)), path)
    arguments = ("measure", images, "--outlines", path, "-o", tmp_path / "out")
    code, _, err = as_process(monkeypatch, capsys, *map(str, arguments))
    assert code == 3
    assert "Nothing was measured" in err


def test_measure_takes_the_series_and_the_rater_of_a_label_map(tmp_path, monkeypatch, capsys):
    pixels = np.full((40, 40, 2), 200, np.int16)
    images = [
        save(tmp_path / f"sub-1_{name}.nii", pixels + n, lumbar_affine())
        for n, name in enumerate(("T1w", "T2w"))
    ]
    labels = np.zeros((40, 40, 2), np.uint8)
    labels[5:12, 10:20], labels[25:32, 10:20] = 2, 3
    drawn = save(tmp_path / "labels.nii", labels, lumbar_affine())
    arguments = ("measure", *images, "--outlines", drawn, "--labels", "lpm", "--json")
    code, out, err = as_process(monkeypatch, capsys, *map(str, arguments))
    assert (code, out) == (3, "")
    assert "fits 2 series" in err
    chosen = (*arguments, "--series", "t2", "--rater", "AB", "--reading", "2")
    code, out, _ = as_process(monkeypatch, capsys, *map(str, chosen))
    assert code == 0
    rows = json.loads(out)["rows"]
    assert {(row["rater"], row["reading"]) for row in rows} == {("AB", 2)}
    assert {row["value"] for row in rows if row["quantity"] == "mean_si"} == {201.0}


def test_a_fault_of_the_program_is_exit_code_4(cohort, tmp_path, monkeypatch, capsys):
    def fail(*_args, **_kwargs):
        raise ZeroDivisionError("no numbers")

    monkeypatch.setattr("multifidus.study.requests.read_exam", fail)
    code, _, err = as_process(
        monkeypatch, capsys, "measure", cohort.parent / "S01_pre", "--outlines",
        cohort.parent / "pre.outlines.json", "-o", tmp_path / "o",
    )  # fmt: skip
    assert code == 4
    assert "ZeroDivisionError: no numbers" in err


def test_a_dry_run_lists_all_problems_with_line_and_column_and_writes_nothing(
    cohort, tmp_path, monkeypatch, capsys
):
    table = cohort.with_name("dry.csv")
    lines = cohort.read_text().splitlines()
    (cohort.parent / "broken.outlines.json").write_text("{")
    bad = (
        "S02,pre,0,AB,nowhere,pre.outlines.json,open",
        "S03,pre,0,AB,S01_pre,,open",
        "S04,pre,0,AB,S01_pre,broken.outlines.json,open",
    )
    table.write_text("\n".join((*lines, *bad)) + "\n")
    arguments = ("measure", table, "-o", tmp_path / "out", "--dry-run")
    code, out, err = as_process(monkeypatch, capsys, *arguments)
    assert code == 3
    assert "dry.csv, line 4, column images: nowhere does not exist. Check the path." in out
    assert "dry.csv, line 5, column outlines: no outlines are named." in out
    assert "dry.csv, line 6, column outlines: broken.outlines.json" in out
    assert "5 cases to measure." in out
    assert "3 problems in dry.csv." in err
    assert not (tmp_path / "out").exists()
    code, out, _ = as_process(
        monkeypatch, capsys, "measure", cohort, "-o", tmp_path / "out", "--dry-run"
    )
    assert (code, out) == (0, "2 cases to measure.\nNo problems found. Nothing was measured.\n")
    assert not (tmp_path / "out").exists()


def test_in_scripts_each_case_has_a_line_and_failures_are_grouped_by_cause(
    cohort, tmp_path, monkeypatch, capsys
):
    table = cohort.with_name("grouped.csv")
    bad = [f"S0{n},pre,0,AB,nowhere{n},pre.outlines.json,open" for n in (2, 3)]
    table.write_text("\n".join((*cohort.read_text().splitlines(), *bad)) + "\n")
    arguments = ("measure", table, "-o", tmp_path / "out", "--no-pictures")
    code, _, err = as_process(monkeypatch, capsys, *arguments)
    assert code == 1
    lines = err.splitlines()
    assert lines[0] == "4 cases to measure."
    assert any(
        re.fullmatch(r"S01 pre AB: \d+\.\d s, \d+ rows, \d+ flagged", line) for line in lines
    )
    assert any(re.fullmatch(r"S02 pre AB: failed after \d+\.\d s: ReadError", one) for one in lines)
    place = lines.index("Failed: 2 cases (ReadError). Check the path.")
    assert lines[place + 1 : place + 3] == [
        "  S02 pre AB: nowhere2 does not exist.",
        "  S03 pre AB: nowhere3 does not exist.",
    ]
    code, _, err = as_process(monkeypatch, capsys, *arguments)
    assert code == 1
    assert "2 of 4 cases were measured before and are kept. 2 cases to measure." in err


def test_the_command_is_recorded_without_places(cohort, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    arguments = ("measure", cohort, f"--output={out}", "--limit=1", "--no-pictures")
    assert as_process(monkeypatch, capsys, *arguments)[0] == 0
    command = json.loads((out / "provenance.json").read_text())["command"]
    assert command == [
        "multifidus", "measure", cohort.name, "--output=out", "--limit=1", "--no-pictures",
    ]  # fmt: skip


@pytest.mark.parametrize("option", ["--force", "--dry-run", "--limit=1", "--jobs=2"])
def test_options_of_a_cohort_are_refused_for_an_exam(option):
    done = run(app, ["measure", "exam", "--outlines", "a.outlines.json", "--json", option])
    assert done.exit_code == 2
