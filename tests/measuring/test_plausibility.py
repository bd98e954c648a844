import math
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.measurement import Quantity
from multifidus.data.roi import Source
from multifidus.data.roi_set import RoiSet, SliceLevel
from multifidus.measuring.pipeline import measure
from multifidus.measuring.plausibility import AREA_LIMITS_MM2, area_limits_mm2, implausible
from tests.support.exams import box, circle, exam_of, image_slice, outline

SLICE = image_slice(np.full((120, 140), 100.0))
PIXEL_MM2 = 0.25
MUSCLE = circle(60, 60, 34)
"""A multifidus of 9 cm2."""


def rows_of(*paths, level=None, **facts):
    roi = outline(SLICE, list(paths), **{"side": Side.LEFT, **facts})
    levels = () if level is None else (SliceLevel(SLICE.uid, level),)
    return {row.quantity: row for row in measure(exam_of(SLICE), RoiSet((roi,), levels=levels))}


def is_flagged(rows, flag):
    found = {flag in row.flags for row in rows.values()}
    assert len(found) == 1, "all numbers about an outline share its doubts"
    return found.pop()


def test_a_muscle_of_common_size_is_plausible():
    for level in (None, Level.L3_L4, Level.L5_S1):
        assert not is_flagged(rows_of(MUSCLE, level=level), Flag.AREA_IMPLAUSIBLE)


def test_a_multifidus_smaller_than_a_pixel_is_measured_and_flagged_with_its_limits():
    rows = rows_of(circle(60, 60, 0.16))
    row = rows[Quantity.TCSA_MM2]
    assert row.value == pytest.approx(0.02, abs=0.001)
    assert is_flagged(rows, Flag.AREA_IMPLAUSIBLE)
    assert row.parameters["plausible_mm2"] == [*area_limits_mm2(Structure.MULTIFIDUS, None)]


def test_the_level_decides_what_is_too_large():
    large = circle(60, 65, 54)
    assert is_flagged(rows_of(large, level=Level.L1_L2), Flag.AREA_IMPLAUSIBLE)
    assert not is_flagged(rows_of(large, level=Level.L5_S1), Flag.AREA_IMPLAUSIBLE)


def test_a_sliver_that_an_eraser_left_is_flagged_with_its_area():
    sliver = box(100, 100, 100, 101)
    rows = rows_of(MUSCLE, sliver)
    assert is_flagged(rows, Flag.AREA_IMPLAUSIBLE)
    found = rows[Quantity.TCSA_MM2].parameters["smallest_path_mm2"]
    assert found == pytest.approx(2 * PIXEL_MM2)


def test_an_island_and_a_hole_of_some_size_are_no_slivers():
    island, hole = circle(110, 20, 6), circle(60, 60, 5)
    assert not is_flagged(rows_of(MUSCLE, island, hole), Flag.AREA_IMPLAUSIBLE)


@pytest.mark.parametrize(
    "structure", [Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.SUBCUTANEOUS_FAT]
)
def test_samples_may_be_of_any_size_but_a_pixel_or_two(structure):
    for path, flagged in ((box(5, 5, 5, 6), True), (box(5, 5, 6, 6), False), (MUSCLE, False)):
        rows = rows_of(path, structure=structure)
        assert is_flagged(rows, Flag.AREA_IMPLAUSIBLE) == flagged


@pytest.mark.parametrize(
    ("source", "sparse"),
    [
        (Source.MANUAL, True),
        (Source.INTERPOLATED, True),
        (Source.CONSENSUS, True),
        (Source.IMPORTED, False),
        (Source.DRAFT_EDITED, False),
    ],
)
def test_four_clicks_are_few_points_however_square_and_a_label_map_s_are_not(source, sparse):
    rows = rows_of(box(30, 30, 90, 90), source=source)
    assert is_flagged(rows, Flag.FEW_POINTS) == sparse


def test_an_imported_rectangle_between_pixel_borders_is_no_label_map():
    assert is_flagged(rows_of(box(30, 30, 90, 90) + 0.3, source=Source.IMPORTED), Flag.FEW_POINTS)


@given(st.sampled_from(Structure), st.none() | st.sampled_from(Level))
def test_limits_are_in_order_and_those_of_no_level_hold_those_of_all(structure, level):
    low, high = area_limits_mm2(structure, level)
    least, most = area_limits_mm2(structure, None)
    assert 0 <= least <= low < high <= most


def test_what_has_no_limits_is_never_implausible():
    roi = outline(SLICE, box(1, 1, 110, 130), Structure.ARTEFACT)
    assert implausible(roi, roi.area_mm2, None) == {}
    assert area_limits_mm2(Structure.ARTEFACT, Level.L4_L5) == (0.0, math.inf)


def test_the_limits_on_the_page_are_those_that_are_used():
    page = Path(__file__).parents[2] / "docs" / "how-to" / "measure.md"
    lines = page.read_text(encoding="utf-8").splitlines()
    pattern = re.compile(r"\| (\w+) \| to ([\w-]+) \| ([\d.]+) to ([\d.]+) \|")
    found = {
        (Structure(one[1]), Level(one[2])): (100 * float(one[3]), 100 * float(one[4]))
        for one in map(pattern.fullmatch, lines)
        if one
    }
    used = {
        (structure, level): limits
        for structure, levels in AREA_LIMITS_MM2.items()
        for level, limits in levels.items()
    }
    assert found == {key: pytest.approx(limits) for key, limits in used.items()}
