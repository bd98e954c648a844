"""Numbers by several protocols are not compared unless somebody says so."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.errors import StatisticsError
from multifidus.io.table_csv import write_rows
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.change.mixed_model import model_changes
from multifidus.stats.change.study import study_change
from multifidus.stats.reliability.study import reliability
from multifidus.stats.reliability.target_groups import TargetRule
from tests.support.studies import study_rows
from tests.support.tables import values_of

TWO = r"tcsa_mm2 was measured by several protocols: aa \(.*: .*S01.*\); bb \(.*: .*S02"


def rows_of(name, one="aa", other="bb"):
    """Four subjects, the first by one protocol or version, the rest by another."""
    return [
        {**row, "version": "9.9", "protocol": "aa", name: one if row["subject"] == "S01" else other}
        for row in study_rows(4, readings=1)
        if row["quantity"] == "tcsa_mm2"
    ]


def values(name="protocol"):
    """As a script has them that puts two tables together after reading them."""
    plain = values_of([{**row, name: ""} for row in rows_of(name)])
    return [
        replace(
            item,
            extra=MappingProxyType({**item.extra, name: "aa" if item.subject == "S01" else "bb"}),
        )
        for item in plain
    ]


def test_a_table_of_several_protocols_is_refused_with_both_and_their_exams():
    with pytest.raises(StatisticsError, match=TWO) as error:
        values_of(rows_of("protocol"))
    assert "--mix-protocols" in error.value.remedy
    assert len(values_of(rows_of("protocol"), mix_protocols=True)) == len(values())


CALLS = [
    lambda items, mix: reliability(items, targets=TargetRule(mix_protocols=mix)),
    lambda items, mix: study_change(
        items,
        (("pre", "post"),),
        choice=ReadingChoice("rater:A", mix_protocols=mix),
        minimal_valid_fraction=0.5,
    ),
    lambda items, mix: model_changes(
        items,
        ("pre", "post"),
        "level",
        ReadingChoice("rater:A", mix_protocols=mix),
        minimal_valid_fraction=0.5,
    ),
]


@pytest.mark.parametrize("call", CALLS, ids=["reliability", "change", "model"])
def test_a_call_of_the_library_is_refused_as_well(call):
    with pytest.raises(StatisticsError, match=TWO):
        call(values(), False)
    assert call(values(), True)


@pytest.mark.parametrize("call", CALLS[:2], ids=["reliability", "change"])
def test_what_is_mixed_is_said(call):
    said = [text for text in call(values(), True).problems if "several protocols" in text]
    assert len(said) == 1
    assert "aa (" in said[0]


@pytest.mark.parametrize("call", CALLS[:2], ids=["reliability", "change"])
def test_versions_that_differ_are_said_and_not_refused(call):
    (said,) = [text for text in call(values("version"), False).problems if "versions" in text]
    assert said.startswith("Numbers are of several versions: aa (")


def test_values_that_name_no_protocol_beside_others_are_said():
    study = reliability(values_of(rows_of("protocol", "NA")))
    assert [text for text in study.problems if "no protocol is named: S01" in text]


def test_two_quantities_may_have_a_protocol_each():
    rows = rows_of("protocol", "aa", "aa")
    rows += [{**row, "quantity": "mean_si", "protocol": "bb"} for row in rows]
    assert reliability(values_of(rows)).results


@pytest.mark.parametrize(
    ("command", "more"), [("reliability", ()), ("change", ("--value", "rater:A"))]
)
def test_the_commands_ask_before_they_mix(tmp_path, command, more):
    rows = rows_of("protocol")
    write_rows(rows, tmp_path / "t.csv", tuple(rows[0]))
    words = [command, str(tmp_path / "t.csv"), "--json", *more]
    done = CliRunner().invoke(app, words)
    assert "several protocols: aa" in str(done.exception)
    done = CliRunner().invoke(app, [*words, "--mix-protocols"])
    assert done.exit_code == 0
    assert any("several protocols" in text for text in json.loads(done.stdout)["problems"])
