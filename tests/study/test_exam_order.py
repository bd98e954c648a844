"""Columns that put a subject's exams in opposite orders are said, never followed in silence."""

import json

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.study.exam_order import contradictions
from tests.stats.change.test_change import row
from tests.support.cases import write_cohort
from tests.support.studies import study_rows, write_study
from tests.support.tables import values_of


def said(*rows):
    """Return what is said of subject, timepoint, order, days and date; a reading a row."""
    names = ("order", "days", "date")
    return contradictions(
        values_of(
            row(subject, timepoint, 1.0, reading=n, **dict(zip(names, cells, strict=True)))
            for n, (subject, timepoint, *cells) in enumerate(rows, 1)
        )
    )


@pytest.mark.parametrize(
    ("pre", "post", "one", "other"),
    [
        (("0", "", "2021-03-05"), ("1", "", "2020-03-05"), "order", "date"),
        (("0", "365", ""), ("1", "0", ""), "order", "days"),
        (("", "0", "2021-03-05"), ("", "365", "2020-03-05"), "days", "date"),
    ],
)
def test_two_columns_that_order_exams_against_each_other_are_said(pre, post, one, other):
    (found,) = said(("S1", "pre", *pre), ("S1", "post", *post))
    assert found.startswith(f"Of S1, {one} puts pre before post, and {other} puts post before pre:")
    assert "wrong sign" in found
    assert "2020" not in found


@pytest.mark.parametrize(
    ("pre", "post"),
    [
        (("0", "0", "2020-03-05"), ("1", "365", "2021-03-05")),
        (("", "", "2021-03-05"), ("", "", "2020-03-05")),
        (("0", "", "2020-03-05"), ("1", "", "")),
        (("0", "", "2020-03-05"), ("1", "", "2020-03-05")),
        (("0", "", "NA"), ("1", "", "some day")),
        (("first", "9", ""), ("last", "0", "")),
    ],
)
def test_columns_that_agree_or_say_nothing_are_not_contradictions(pre, post):
    assert said(("S1", "pre", *pre), ("S1", "post", *post)) == ()


def test_a_subject_without_an_order_of_its_own_has_that_of_the_study():
    (found,) = said(
        ("S1", "pre", "0", "", ""),
        ("S1", "post", "1", "", ""),
        ("S2", "pre", "", "", "2021-03-05"),
        ("S2", "post", "", "", "2020-03-05"),
    )
    assert found.startswith("Of S2, order puts pre before post, and date")


def test_readings_of_one_exam_with_different_dates_are_compared_each():
    assert said(
        ("S1", "pre", "0", "", "2020-03-05"),
        ("S1", "pre", "0", "", "2022-03-05"),
        ("S1", "post", "1", "", "2021-03-05"),
    )


def test_many_subjects_are_counted_in_one_sentence():
    rows = []
    for n in range(14):
        rows += [(f"S{n}", "pre", "0", "9", ""), (f"S{n}", "post", "1", "0", "")]
    (found,) = said(*rows)
    assert "S9 and 4 more, order" in found


def test_change_says_that_the_order_is_against_the_days(tmp_path):
    rows = [{**item, "days": 400 - item["days"]} for item in study_rows(subjects=4)]
    table = str(write_study(tmp_path / "out", rows) / "measurements.csv")
    command = ["change", table, "--value", "mean"]
    problems = json.loads(CliRunner().invoke(app, [*command, "--json"]).stdout)["problems"]
    sentence = "Of S01, S02, S03, S04, order puts pre before post, and days puts post before pre"
    assert any(text.startswith(sentence) for text in problems)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    assert sentence in done.output


def test_measure_says_that_the_order_is_against_the_dates_and_measures(tmp_path):
    path = write_cohort(tmp_path)
    head, pre, post = path.read_text().splitlines()
    lines = (f"{head},date", f"{pre},2021-03-05", f"{post},2020-03-05")
    path.write_text("\n".join(lines))
    done = CliRunner().invoke(app, ["measure", str(path), "--json"])
    assert done.exit_code == 0
    assert "Of S01, order puts pre before post, and date puts post before pre" in done.stderr
