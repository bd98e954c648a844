"""What a comparison leaves out is counted and said, wherever its result is."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.errors import StatisticsError
from multifidus.io.table_csv import write_rows
from multifidus.io.table_reader import read_rows
from multifidus.reporting.build import ReportRequest, load_study, write_report
from multifidus.stats.change.study import study_change
from multifidus.stats.exclusions import Exclusion
from multifidus.stats.reliability.document import given_study, plain_study
from multifidus.stats.reliability.study import reliability
from tests.support.studies import study_rows, without_figures, write_study
from tests.support.tables import values_of

HINT = "Subject '1' of rater B has no partner; did you mean '01'?"


def row(subject, rater, value, timepoint="pre", **more):
    return {
        "subject": subject, "timepoint": timepoint, "rater": rater, "reading": 1,
        "level": "L4-L5", "structure": "multifidus", "side": "left", "quantity": "tcsa_mm2",
        "value": value, "unit": "mm2", "flags": "", "method": "", "order": int(timepoint == "post"),
        **more,
    }  # fmt: skip


def rated(lost=lambda name: name):
    """Five subjects by two raters; the second rater's names as a spreadsheet left them."""
    return [
        row(name, rater, 800 + 10 * n + (rater == "B") * n)
        for n, name in enumerate(("01", "02", "03", "11", "12"))
        for rater in "AB"
        for name in [name if rater == "A" else lost(name)]
    ]


def saved(folder, rows):
    write_rows(rows, folder / "measurements.csv", tuple(rows[0]))
    return folder / "measurements.csv"


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_nothing_is_left_out_of_what_is_complete():
    study = reliability(values_of(rated()))
    assert study.exclusions == ()
    assert not any("partner" in problem for problem in study.problems)


def test_subjects_that_lost_their_zeros_are_named_with_the_name_that_was_meant():
    rows = [*rated(lambda name: name.lstrip("0")), row("13", "A", 700), row("13", "B", 710)]
    study = reliability(values_of(rows))
    (result,) = study.results
    assert (result.n_targets, result.n_missing, len(study.exclusions)) == (3, 6, 6)
    assert {(item.subject, item.lacks, item.nearest) for item in study.exclusions} == {
        ("01", "B", "1"), ("02", "B", "2"), ("03", "B", "3"),
        ("1", "A", "01"), ("2", "A", "02"), ("3", "A", "03"),
    }  # fmt: skip
    assert HINT in study.problems


def test_a_target_without_a_value_says_why_and_asks_nothing():
    rows = rated()
    rows[-1] |= {"value": "NA", "flags": "not_measurable"}
    (item,) = reliability(values_of(rows)).exclusions
    assert (item.subject, item.lacks, item.has) == ("12", "B", "A")
    assert item.reason == "undefined by rater B (not_measurable)"
    assert item.nearest == ""


def test_a_reading_that_nobody_made_is_left_out():
    rows = [{**one, "rater": "A", "reading": 1 + (one["rater"] == "B")} for one in rated()]
    study = reliability(values_of(rows[:-1]), compare="reading")
    (item,) = study.exclusions
    assert (item.compare, item.subject, item.lacks) == ("reading", "12", "2")


def test_where_no_name_is_found_again_the_refusal_says_which_was_meant():
    with pytest.raises(StatisticsError) as error:
        reliability(values_of(rated(lambda name: name + "b" if name > "1" else name.lstrip("0"))))
    assert HINT in error.value.remedy


def test_screen_markdown_csv_and_json_say_it_alike(tmp_path):
    rows = [*rated(lambda name: name.lstrip("0")), row("13", "A", 700), row("13", "B", 710)]
    table = saved(tmp_path, rows)
    done = run("reliability", table, "-o", tmp_path / "out")
    assert done.exit_code == 0
    assert HINT in done.stderr
    assert "no value of rater B" in done.stdout
    markdown = (tmp_path / "out" / "reliability.md").read_text(encoding="utf-8")
    assert HINT in markdown
    (main,) = read_rows(tmp_path / "out" / "reliability.csv")
    assert (main["n"], main["left out"]) == ("3", "6: no value of every rater")
    lost = read_rows(tmp_path / "out" / "reliability_left_out.csv")
    assert {(one["subject"], one["lacks"], one["did you mean"]) for one in lost} >= {
        ("1", "A", "01"), ("01", "B", "1"),
    }  # fmt: skip
    found = json.loads(run("reliability", table, "--json").stdout)
    assert found["results"][0]["n_missing"] == 6
    assert HINT in found["problems"]
    assert {item["nearest"] for item in found["left_out"]} == {*"123", "01", "02", "03"}
    assert given_study(found).exclusions == tuple(map(Exclusion.of, found["left_out"]))


def test_an_older_file_of_reliability_leaves_nothing_out():
    document = plain_study(reliability(values_of(rated())))
    del document["left_out"]
    assert given_study(document).exclusions == ()


def changed(lost):
    return [
        row(name if when == "pre" else lost(name), "A", 800 + 10 * n, when)
        for n, name in enumerate(("01", "02", "03", "11"))
        for when in ("pre", "post")
    ]


def test_a_change_names_the_subject_that_was_meant(tmp_path):
    hint = "Subject '1' of timepoint post has no partner; did you mean '01'?"
    table = saved(tmp_path, changed(lambda name: "1" if name == "01" else name))
    done = run("change", table, "-o", tmp_path / "out")
    assert done.exit_code == 0
    assert hint in done.stderr
    assert hint in (tmp_path / "out" / "change.md").read_text(encoding="utf-8")
    lost = read_rows(tmp_path / "out" / "change_left_out.csv")
    assert {(one["subject"], one["has"], one["lacks"], one["did you mean"]) for one in lost} == {
        ("01", "pre", "post", "1"), ("1", "post", "pre", "01"),
    }  # fmt: skip
    found = json.loads(run("change", table, "--json").stdout)
    assert hint in found["problems"]
    assert len(found["left_out"]) == 2
    assert found["muscles"][0]["n"] == 3


def test_where_no_subject_has_both_timepoints_the_refusal_says_which_was_meant():
    with pytest.raises(StatisticsError, match="did you mean '01'"):
        study_change(
            values_of(changed(lambda name: name.lstrip("0") if name < "1" else "x" + name)),
            (("pre", "post"),),
            minimal_valid_fraction=0.5,
        )


def test_names_that_differ_by_case_or_blanks_alone_are_said(tmp_path):
    rows = [*rated(), row("S 1", "A", 1), row("s1", "B", 2)]
    done = run("reliability", saved(tmp_path, rows))
    assert "Subjects 'S 1' and 's1' differ by leading zeros, case" in done.stderr


def test_it_reaches_the_report(tmp_path, monkeypatch):
    without_figures(monkeypatch)
    rows = study_rows(4, readings=1)
    for one in rows:
        if one["rater"] == "B" and one["subject"] == "S01":
            one["subject"] = "S1"
    folder = write_study(tmp_path / "results", rows)
    data = load_study(ReportRequest(folder, value="rater:A"))
    assert data.between.exclusions
    write_report(data, tmp_path / "report", ())
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "did you mean" in page
    assert read_rows(tmp_path / "report" / "tables" / "reliability_left_out.csv")
