"""Tables of a study from which a wrong number would come that looks right."""

import json
import re

import numpy as np
import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.protocol import MeasurementProtocol, SliceSelection
from multifidus.errors import ReadError, StatisticsError
from multifidus.stats.change.study import spans_of, study_change
from multifidus.stats.reliability.study import reliability
from multifidus.stats.study_table import study_table
from tests.support.studies import study_rows, write_study
from tests.support.tables import measurements, values_of

QUANTITIES = ("tcsa_mm2", "fi_pct")


def rows_of(**how):
    usual = {"raters": "A", "readings": 1, **how}
    return [item for item in study_rows(8, **usual) if item["quantity"] in QUANTITIES]


def edited(rows, where, **columns):
    """Return rows of which those that hold this hold other columns as well."""
    return [
        {**row, **{name: new(row) if callable(new) else new for name, new in columns.items()}}
        if all(row[name] == is_ for name, is_ in where.items())
        else row
        for row in rows
    ]


def study_of(rows, **how):
    values = values_of(rows)
    return study_change(values, spans_of(values), minimal_valid_fraction=0.95, **how)


def said(rows, **how):
    return " ".join(study_of(rows, **how).problems)


def remarks_of(rows, tmp_path):
    return " ".join(study_table(measurements(rows), tmp_path / "protocol.toml").remarks)


def second_scan(rows, **columns):
    again = {"series": "1.9", "slice_uid": "9", **columns}
    return [*rows, *({**row, **again, "value": row["value"] * 0.7} for row in rows)]


def test_two_series_of_one_level_are_never_averaged():
    with pytest.raises(StatisticsError, match=r"S01, timepoint pre.*L3-L4.* 2 series: 1.2, 1.9"):
        values_of(second_scan(rows_of()))


def test_two_series_without_levels_are_not_averaged_either():
    rows = [{**row, "level": ""} for row in rows_of() if row["level"] == "L4-L5"]
    values_of(rows)
    with pytest.raises(StatisticsError, match="give the levels"):
        values_of(second_scan(rows))


def test_the_nearest_slice_is_not_taken_from_one_of_two_scans_of_a_place_by_chance():
    nearest = MeasurementProtocol(slice_selection=SliceSelection.NEAREST)
    rows = [{**row, "offset_mm": 1.0, "protocol": ""} for row in rows_of()]
    with pytest.raises(StatisticsError, match="2 series"):
        values_of(second_scan(rows, offset_mm=1.2), nearest)
    assert values_of(second_scan(rows, offset_mm=5.0), nearest)[0].slices == 1


def test_a_series_for_each_level_is_no_second_scan():
    rows = [{**row, "series": f"1.2.{row['level']}"} for row in rows_of()]
    assert {item.slices for item in values_of(rows)} == {1}


def test_of_a_long_uid_the_end_is_said():
    long = f"1.2.{'3' * 40}.77"
    rows = second_scan(rows_of(), series=long)
    with pytest.raises(StatisticsError, match=re.escape(f"1.2, ...{long[-16:]}.")):
        values_of(rows)


@pytest.mark.parametrize("column", ["value", "offset_mm"])
def test_a_thousands_comma_is_refused_in_words(column):
    rows = [{**row, "protocol": ""} for row in rows_of()]
    rows[0][column] = "1,234.5"
    with pytest.raises(ReadError, match=f"{column} is '1,234.5', which is no number"):
        values_of(rows)


@pytest.mark.parametrize(
    ("quantity", "value", "words"),
    [
        ("tcsa_mm2", -700.0, "is -700, which is below 0"),
        ("fi_pct", -1.0, "is -1, which is below 0"),
        ("fi_pct", 130.0, "is 130, which is above 100"),
    ],
)
def test_numbers_that_no_muscle_has_are_refused(quantity, value, words):
    where = {"quantity": quantity, "subject": "S03", "timepoint": "post", "level": "L4-L5"}
    with pytest.raises(StatisticsError, match=f"S03 post A L4-L5 left {words}"):
        values_of(edited(rows_of(), where, value=value))


def test_a_number_below_0_is_refused_also_where_it_is_averaged_with_another_slice():
    rows = rows_of()
    below = {**rows[0], "slice_uid": "8", "slice_index": 8, "value": -1.0}
    with pytest.raises(StatisticsError, match="below 0"):
        values_of([*rows, below])


@pytest.mark.parametrize(
    ("where", "exams"),
    [
        ({"subject": "S03", "timepoint": "post"}, r"S03 post A \(\S+\), S03 post B \(\S+\)"),
        ({"subject": "S03", "timepoint": "pre", "rater": "B"}, r"S03 pre B \(\S+\)"),
    ],
)
def test_one_exam_in_another_unit_is_said(where, exams, tmp_path):
    rows = rows_of(raters="AB")
    assert "far from it" not in remarks_of(rows, tmp_path)
    where = {"quantity": "tcsa_mm2", **where}
    rows = edited(rows, where, value=lambda row: row["value"] / 100)
    assert re.search(f"far from it in {exams}: check", remarks_of(rows, tmp_path))


def test_rows_of_one_exam_that_name_several_operated_sides_are_refused():
    where = {"subject": "S02", "timepoint": "post", "side": "left"}
    with pytest.raises(StatisticsError, match=r"S02 post name several operated sides: \['both'"):
        study_of(edited(rows_of(), where, operated_side="left"))


@pytest.mark.parametrize("word", ["Left", "L", "midline"])
def test_an_operated_side_that_is_none_is_refused(word):
    rows = edited(rows_of(), {"subject": "S02", "timepoint": "post"}, operated_side=word)
    with pytest.raises(StatisticsError, match=f"S02 post is '{word}'. Write one of: left, right"):
        study_of(rows)


def test_an_operated_side_that_differs_between_exams_is_noted():
    rows = edited(rows_of(), {"subject": "S02", "timepoint": "post"}, operated_side="left")
    assert "pairs noted: operated side: both before, left after." in said(rows)


def test_a_subject_that_changes_its_group_is_refused_where_groups_are_kept_apart():
    rows = [{**row, "approach": "open"} for row in rows_of()]
    rows = edited(rows, {"subject": "S02", "timepoint": "post"}, approach="tubular")
    with pytest.raises(StatisticsError, match="S02 stands in several groups of approach"):
        study_of(rows, column="approach")


def test_groups_that_differ_by_case_alone_are_said():
    rows = edited(rows_of(), {}, approach="open")
    rows = edited(rows, {"subject": "S02"}, approach="Open")
    words = "Groups 'Open' and 'open' differ by"
    assert words in said(rows)
    assert words in said(rows, column="approach")
    both = edited(rows_of(raters="AB"), {}, approach="open")
    both = edited(both, {"subject": "S02"}, approach="Open")
    assert words in " ".join(reliability(values_of(both)).problems)


@pytest.mark.parametrize("flag", ["area_implausible", "level_ambiguous", "side_doubtful"])
def test_a_flag_that_makes_a_number_doubtful_reaches_the_change(flag):
    where = {"subject": "S02", "timepoint": "post", "level": "L4-L5", "side": "left"}
    rows = edited(rows_of(), where, flags=f"slices_uneven;{flag}")
    assert f"2 pairs noted: {flag} after." in said(rows)
    rows = edited(rows, {**where, "timepoint": "pre"}, flags=flag)
    assert f"2 pairs noted: {flag} before and after." in said(rows)


@pytest.mark.parametrize("rule", ["first", "rater:A"])
def test_a_second_reading_is_not_taken_for_the_first(rule):
    from multifidus.stats.change.exam_value import ReadingChoice

    rows = rows_of(readings=2)
    lost = {"subject": "S02", "timepoint": "pre", "reading": 1}
    rows = [row for row in rows if any(row[name] != is_ for name, is_ in lost.items())]
    study = study_of(rows, choice=ReadingChoice(rule))
    assert "12 pairs without a change: no first reading at pre." in study.problems
    assert {item.pair.subject for item in study.changes if item.pair.problem} == {"S02"}


def test_a_rater_who_is_a_copy_of_another_is_said():
    rows = rows_of()
    copied = [*rows, *({**row, "rater": "B"} for row in rows)]
    (problems,) = {item.problems[-2:] for item in reliability(values_of(copied)).results[:1]}
    assert "values of A and B are equal to the last digit" in " ".join(problems)
    honest = reliability(values_of(rows_of(raters="AB")))
    assert "last digit" not in " ".join(w for item in honest.results for w in item.problems)


def test_muscles_and_methods_under_two_spellings_are_said_where_nothing_pairs():
    rows = edited(rows_of(), {"timepoint": "post"}, structure="Multifidus")
    with pytest.raises(StatisticsError, match="Structures 'Multifidus' and 'multifidus' differ"):
        study_of(rows)


def test_a_timepoint_in_other_case_is_asked_about():
    values = values_of(rows_of())
    for before, after in (("pre", "Post"), ("", "Post")):
        with pytest.raises(StatisticsError, match=r"no timepoint 'Post'. Did you mean 'post'\?"):
            study_change(values, spans_of(values, before, after), minimal_valid_fraction=0.95)


@pytest.mark.parametrize(
    ("limit", "doubted"), [("tcsa_mm2=0.6", True), ("tcsa_mm2=60", False), ("fi_pct=0.05", True)]
)
def test_a_least_change_in_another_unit_is_asked_about(limit, doubted, tmp_path):
    table = write_study(tmp_path / "out", rows_of()) / "measurements.csv"
    result = CliRunner().invoke(app, ["change", str(table), "--json", "--mdc", limit])
    assert result.exit_code == 0
    problems = " ".join(json.loads(result.stdout)["problems"])
    assert ("is it in another unit?" in problems) is doubted


def test_the_wide_table_flags_a_level_of_several_series():
    from tests.io.test_measurements_csv import measurement, wide

    rows = [measurement(value, k=k) for k, value in ((3, 800.0), (4, 900.0))]
    (row,) = wide(*rows)
    assert "series_mixed" not in row["flags"]
    (row,) = wide(rows[0], in_series(rows[1], "1.9"))
    assert "series_mixed" in row["flags"].split(";")
    assert np.isfinite(row["tcsa_mm2"])


def in_series(row, series):
    from dataclasses import replace

    return replace(row, provenance=replace(row.provenance, series=series))
