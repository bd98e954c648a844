"""What a study lacks, told from its rows; the cases are small enough to count by hand."""

import json
import time

import pytest

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.columns import MISSING_COLUMNS
from multifidus.data.roi import Reading
from multifidus.data.roi_set import NotMeasurable, Reason, RoiSet
from multifidus.study.exchanged_sides import SideArea, side_areas
from multifidus.study.missing import Absence, missing_rows, notes_of
from tests.support.tables import measurements

PRE, POST = Reading("S01", "pre", "AB"), Reading("S01", "post", "AB")


def area(by=PRE, level="L4-L5", side="left", *, structure="multifidus", reason=None, **facts):
    """Return what of a tidy row tells what was outlined."""
    return {
        "subject": by.subject,
        "timepoint": by.timepoint,
        "rater": by.rater,
        "reading": by.reading,
        "level": level,
        "structure": structure,
        "side": side,
        "quantity": "tcsa_mm2",
        "value": 1.0,
        "flags": "few_points;not_measurable" if reason else "few_points",
        "parameters": json.dumps({"reason": reason} if reason else {}),
        **facts,
    }


def both(by=PRE, level="L4-L5", **facts):
    return [area(by, level, side, **facts) for side in ("left", "right")]


def found(rows, measured, failed=None, **others):
    rows = missing_rows(side_areas(measurements(rows)), measured, failed or {}, **others)
    assert all(list(row) == list(MISSING_COLUMNS) for row in rows)
    names = ("timepoint", "rater", "level", "side", "reason", "detail")
    return [tuple(row[name] for name in names) for row in rows]


def test_a_whole_study_lacks_nothing():
    assert found(both() + both(POST), [PRE, POST]) == []
    assert found([], [PRE]) == []


def test_the_other_side_is_expected():
    rows = [area(side="left")]
    assert found(rows, [PRE]) == [("pre", "AB", "L4-L5", "right", "not_outlined", "other_side")]


def test_a_level_outlined_at_another_timepoint_is_expected():
    rows = both() + both(level="L5-S1") + both(POST)
    assert found(rows, [PRE, POST]) == [
        ("post", "AB", "L5-S1", side, "not_outlined", "other_timepoint")
        for side in ("left", "right")
    ]


def test_what_cannot_be_measured_says_why_and_is_expected_elsewhere():
    rows = [*both(), area(POST, side="left"), area(POST, side="right", reason="metal;scar")]
    rows.append(area(POST, level="L3-L4", side="left", reason="motion"))
    assert found(rows, [PRE, POST]) == [
        ("post", "AB", "L3-L4", "left", "not_measurable", "motion"),
        ("post", "AB", "L3-L4", "right", "not_outlined", ""),
        ("post", "AB", "L4-L5", "right", "not_measurable", "metal;scar"),
        ("pre", "AB", "L3-L4", "left", "not_outlined", ""),
        ("pre", "AB", "L3-L4", "right", "not_outlined", ""),
    ]


def test_what_the_rater_wrote_about_a_muscle_stands_beside_the_reason():
    rows = [*both(), area(level="L5-S1", reason="other"), area(level="L5-S1", side="right")]
    again = ("left", "asked for again"), ("left", ""), ("left", "scan stopped")
    sides = (("both", "scan stopped"), *again)
    said = RoiSet(
        not_measurable=tuple(
            NotMeasurable(Level.L5_S1, Side(side), Structure.MULTIFIDUS, Reason.OTHER, note)
            for side, note in sides
        ),
        reading=PRE,
    )
    (row,) = missing_rows(side_areas(measurements(rows)), [PRE], {}, notes_of(said))
    assert (row["side"], row["reason"], row["detail"]) == ("left", "not_measurable", "other")
    assert row["rater_note"] == "scan stopped; asked for again"


def test_a_muscle_outlined_on_one_slice_and_not_measurable_on_another_is_there():
    assert found([*both(), area(side="left", reason="metal")], [PRE]) == []


def test_outlines_whose_level_nobody_said_are_told_apart_from_none():
    rows = [*both(), *both(POST, level="")]
    assert found(rows, [PRE, POST]) == [
        ("post", "AB", "L4-L5", side, "level_unknown", "") for side in ("left", "right")
    ]


def test_a_failed_case_lacks_everything():
    assert found(both(), [PRE], {POST: "ReadError"}) == [
        ("post", "AB", "L4-L5", side, "case_failed", "ReadError") for side in ("left", "right")
    ]


def test_what_is_not_measured_yet_lacks_everything_and_is_an_exam_and_a_reading():
    later = [POST, Reading("S01", "pre", "CD"), Reading("S02", "later", "AB", 2)]
    rows = missing_rows(side_areas(measurements(both())), [PRE], {}, absent=later)
    names = ("subject", "timepoint", "rater", "reading", "side", "reason")
    told = [tuple(row[name] for name in names) for row in rows]
    assert [one for one in told if one[-1] == "not_measured_yet"] == [
        (by.subject, by.timepoint, by.rater, by.reading, side, "not_measured_yet")
        for by in later
        for side in ("left", "right")
    ]
    assert {(*one[:3], one[-1]) for one in told if one[-1] != "not_measured_yet"} == {
        ("S01", "post", "CD", "not_read"),
        ("S02", "later", "CD", "not_read"),
        ("S01", "later", "", "no_exam"),
        ("S02", "pre", "", "no_exam"),
        ("S02", "post", "", "no_exam"),
    }


def test_an_exam_of_no_rater_that_is_not_measured_yet_may_be_anybodys():
    assert {row[4] for row in found(both(), [PRE], absent=[Reading("S01", "post")])} == {
        "not_measured_yet"
    }


def test_another_rater_is_expected_to_read_every_exam_and_a_second_reading_is_not():
    other, again = Reading("S01", "pre", "CD"), Reading("S01", "pre", "AB", 2)
    rows = both() + both(POST) + both(other) + [area(again)]
    assert found(rows, [PRE, POST, other, again]) == [
        ("post", "CD", "L4-L5", "left", "not_read", ""),
        ("post", "CD", "L4-L5", "right", "not_read", ""),
        ("pre", "AB", "L4-L5", "right", "not_outlined", "other_side;other_reading;other_timepoint"),
    ]


def test_a_failed_case_of_no_rater_may_be_anybodys():
    nobody = Reading("S01", "post")
    assert found(both(), [PRE], {nobody: "ReadError"}) == [
        ("post", "", "L4-L5", side, "case_failed", "ReadError") for side in ("left", "right")
    ]


def test_every_subject_is_expected_at_every_timepoint():
    other = Reading("S02", "pre", "AB")
    rows = both() + both(POST) + [area(other)]
    rows = missing_rows(side_areas(measurements(rows)), [PRE, POST, other], {})
    names = ("subject", "timepoint", "rater", "reading", "side", "reason", "detail")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("S02", "post", "", None, "left", "no_exam", ""),
        ("S02", "post", "", None, "right", "no_exam", ""),
        ("S02", "pre", "AB", 1, "right", "not_outlined", "other_side;other_subject"),
    ]


def test_an_outline_without_side_has_no_other_side():
    rows = [area(side="none"), area(POST, side="none", level="L5-S1")]
    assert found(rows, [PRE, POST]) == [
        ("post", "AB", "L4-L5", "none", "not_outlined", "other_timepoint"),
        ("pre", "AB", "L5-S1", "none", "not_outlined", "other_timepoint"),
    ]


@pytest.mark.parametrize("facts", [{"structure": "csf"}, {"quantity": "asymmetry_pct"}])
def test_only_outlines_of_muscles_are_expected(facts):
    assert found([*both(), area(POST, **facts)], [PRE]) == []


def test_levels_run_down_the_spine_and_every_reason_is_explained():
    rows = both(level="L5-S1") + both(level="L3-L4") + both(level="L4")
    levels = [row[2] for row in found(rows, [PRE, POST])]
    assert levels == sorted(levels, key=lambda level: Level(level).rank)
    assert all(absence.meaning.endswith(".") for absence in Absence)
    assert set(MISSING_COLUMNS) >= {"level", "side", "structure", "reason"}


def test_four_times_the_exams_take_about_four_times_as_long():
    """One exam has a level that nobody else outlined, so that each of the others lacks it."""

    def seconds(number):
        exams = [Reading(f"S{place}", "pre", "AB") for place in range(number)]
        areas = [SideArea(by, "multifidus", "L4-L5", "left", 1.0) for by in exams]
        areas.append(SideArea(exams[0], "multifidus", "L1-L2", "left", 1.0))
        begun = time.process_time()
        assert len(missing_rows(areas, exams, {})) == 3 * number - 1
        return time.process_time() - begun

    small, large = (min(seconds(number) for _ in range(3)) for number in (1_000, 4_000))
    assert large < 8 * small  # 16 where each is compared with each
