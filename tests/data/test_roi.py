from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, strategies as st

from multifidus.data.anatomy import Level, Side, SlicePosition, Structure
from multifidus.data.landmark import Landmark
from multifidus.data.roi import Reading, Roi, RoiKey, Source, check_sides
from multifidus.data.roi_set import Grade, NotMeasurable, Reason, RoiSet, SliceLevel, merge
from multifidus.errors import RoiError
from tests.support.exams import READER, axial_plane, box, circle, image_slice, outline
from tests.support.strategies import (
    READINGS,
    even_odd,
    nested_paths,
    numbers,
    planes,
    roi_sets,
    simple_polygons,
)

SLICE = image_slice(np.zeros((80, 100)))
KEY = RoiKey(READER, "1.2.3", Structure.MULTIFIDUS, Side.LEFT)


def on_plane(path, plane=None, key=KEY):
    plane = plane or axial_plane()
    return Roi(key, (plane.to_patient(path),), plane, (80, 100))


def test_a_muscle_of_700_mm2_reads_700_mm2():
    # 28 x 25 mm in pixels of half a millimetre.
    assert outline(SLICE, box(10, 20, 65, 69)).area_mm2 == pytest.approx(700)


@given(planes(), nested_paths())
def test_area_is_the_even_odd_area_on_every_plane(plane, paths):
    roi = Roi(KEY, tuple(plane.to_patient(path) for path in paths), plane, (80, 100))
    assert roi.area_mm2 == pytest.approx(even_odd(paths).area * plane.pixel_area_mm2, rel=1e-9)
    assert roi.n_points == sum(map(len, paths))
    for found, drawn in zip(roi.paths, paths, strict=True):
        assert found == pytest.approx(drawn, abs=1e-9)


@given(planes(), simple_polygons())
def test_a_figure_of_eight_has_the_area_of_both_lobes_on_every_plane(plane, path):
    mirrored = path[0] * 2 - path
    lobes = [shapely.LinearRing(lobe) for lobe in (path, mirrored)]
    assume(lobes[0].intersection(lobes[1]).equals(shapely.Point(path[0])))
    assume(not shapely.Polygon(path).contains(shapely.Polygon(mirrored)))
    # In millimetres the corner that both lobes share is one point, and has to stay one.
    eight = plane.to_patient(np.concatenate((path, mirrored)))
    eight[len(path)] = eight[0]
    roi = Roi(KEY, (eight,), plane, (80, 100))
    expected = 2 * shapely.Polygon(path).area * plane.pixel_area_mm2
    assert roi.area_mm2 == pytest.approx(expected, rel=1e-9)


def test_an_outline_without_a_path_is_refused():
    with pytest.raises(RoiError, match=r"left multifidus on slice 1\.2\.3 .* has no path"):
        Roi(KEY, (), axial_plane(), (80, 100))


def test_an_outline_of_two_points_is_refused():
    with pytest.raises(RoiError, match="has 2 points; an area needs at least three"):
        on_plane([(0, 0), (1, 1)])


@pytest.mark.parametrize(
    "path",
    [[(0, 0), (1, 0), (1, 1)], [(0, 0, np.nan)] * 3, [0, 1, 2]],
    ids=["two coordinates", "not a number", "no points"],
)
def test_a_path_that_is_not_n_by_3_finite_numbers_is_refused(path):
    with pytest.raises(RoiError, match=r"must be \(n, 3\) finite millimetres"):
        Roi(KEY, (np.array(path),), axial_plane(), (80, 100))


def test_an_outline_that_crosses_itself_is_refused_and_says_where():
    bow_tie = np.array([(0, 0), (10, 10), (10, 0), (0, 10)], dtype=np.float64)
    with pytest.raises(RoiError, match=r"crosses itself near row 5\.0, column 5\.0"):
        on_plane(bow_tie)


@given(planes(), simple_polygons(), numbers(0.06, 30))
def test_an_outline_off_its_plane_is_refused(plane, path, height):
    lifted = plane.to_patient(path) + height * plane.normal
    with pytest.raises(RoiError, match="mm off the plane of its slice"):
        Roi(KEY, (lifted,), plane, (80, 100))


def test_what_rounding_lifted_off_the_plane_is_kept():
    lifted = axial_plane().to_patient(circle(20, 20, 5)) + np.array((0, 0, 0.04))
    roi = Roi(KEY, (lifted,), axial_plane(), (80, 100))
    assert roi.area_mm2 == pytest.approx(on_plane(circle(20, 20, 5)).area_mm2)


@pytest.mark.parametrize("reading", [0, -1])
def test_a_reading_that_does_not_count_from_one_is_refused(reading):
    with pytest.raises(RoiError, match="reading counts 1, 2"):
        Reading("S01", "pre", "AB", reading)


def test_a_key_tells_in_words_what_it_is_of():
    assert str(KEY) == (
        "left multifidus on slice 1.2.3 (subject S01, timepoint pre, rater AB, reading 1)"
    )
    nameless = RoiKey(Reading(), "", "lean_reference", name="sample 2")
    assert str(nameless).startswith("none lean_reference sample 2 on slice ? (subject ?,")


def test_a_key_refuses_words_outside_the_vocabulary():
    with pytest.raises(ValueError, match="trapezius"):
        RoiKey(READER, "1.2.3", "trapezius")
    with pytest.raises(ValueError, match="port"):
        RoiKey(READER, "1.2.3", "multifidus", "port")


@given(planes(), nested_paths())
def test_outlines_are_equal_when_every_fact_and_coordinate_is(plane, paths):
    mm = tuple(plane.to_patient(path) for path in paths)
    roi = Roi(KEY, mm, plane, (80, 100))
    same = Roi(KEY, tuple(path.tolist() for path in mm), plane, (80, 100))
    assert roi == same
    assert hash(roi) == hash(same)
    assert roi.sha256() == same.sha256()
    assert roi != replace(roi, level=Level.L4_L5)
    assert roi != replace(roi, source=Source.DRAFT)
    assert roi != KEY


def test_the_hash_tells_two_paths_from_one_long_one():
    whole = on_plane(circle(20, 20, 5, points=6))
    points = whole.paths_mm[0]
    parts = Roi(KEY, (points[:3], points[3:]), axial_plane(), (80, 100))
    assert whole.sha256() != parts.sha256()


def test_nobody_can_change_the_points_of_an_outline():
    path = axial_plane().to_patient(box(0, 0, 3, 3))
    roi = Roi(KEY, (path,), axial_plane(), (80, 100))
    path[0] = 0
    assert roi.paths_mm[0][0].tolist() != [0, 0, 0]
    with pytest.raises(ValueError, match="read-only"):
        roi.paths_mm[0][0] = 0


def test_two_outlines_of_one_key_are_refused():
    with pytest.raises(RoiError, match="two outlines of left multifidus"):
        RoiSet((on_plane(circle(5, 5, 3)), on_plane(circle(50, 50, 3))))


def test_the_raters_word_about_a_slice_is_the_level_of_its_outlines():
    own = outline(SLICE, circle(9, 9, 4), level=Level.L5_S1, slice_position="mid_disc")
    silent = outline(SLICE, circle(9, 40, 4), name="2", slice_position=SlicePosition.PEDICLE)
    elsewhere = outline(SLICE, circle(9, 70, 4), slice_uid="9.9")
    typed = SliceLevel(SLICE.uid, Level.L4_L5, SlicePosition.MID_BODY)
    rois = RoiSet((own, silent, elsewhere), levels=(SliceLevel("5.5", Level.L1), typed))
    assert rois.level_of(own) == (Level.L5_S1, SlicePosition.MID_DISC)
    assert rois.level_of(silent) == (Level.L4_L5, SlicePosition.MID_BODY)
    assert rois.level_of(elsewhere) == (None, SlicePosition.UNKNOWN)


@given(roi_sets(), READINGS)
def test_another_reader_takes_over_every_outline(rois, reading):
    renamed = rois.read_by(reading)
    assert renamed.reading == reading
    assert {roi.key.reading for roi in renamed} <= {reading}
    assert [roi.sha256() for roi in renamed] == [roi.sha256() for roi in rois]
    assert renamed.read_by(rois.reading) == rois


def test_muscles_and_references_from_two_files_come_together():
    muscle = outline(SLICE, circle(9, 9, 4), side=Side.LEFT)
    fat = outline(SLICE, circle(9, 40, 4), Structure.FAT_REFERENCE)
    gap = NotMeasurable(Level.L5_S1, Side.LEFT, Structure.MULTIFIDUS, Reason.METAL)
    first = RoiSet(landmarks=(Landmark("cage", "L4-L5", (0, 0, 0)),), not_measurable=(gap,))
    second = RoiSet(
        (muscle,), grades=(Grade("goutallier", Level.L4, Side.LEFT, 2),), reading=READER
    )
    third = RoiSet((fat,), levels=(SliceLevel("1", Level.L4),))
    both = merge([first, second, third])
    assert list(both) == [muscle, fat]
    assert len(both) == 2
    assert (len(both.landmarks), len(both.grades), len(both.levels)) == (1, 1, 1)
    assert both.not_measurable == (gap,)
    assert both.reading == READER
    assert merge([]) == RoiSet()
    with pytest.raises(RoiError, match="two outlines"):
        merge([second, second])


def pair(left_x, right_x, **facts):
    return [
        outline(SLICE, circle(20, (x + 20) / 0.5, 8), side=side, **facts)
        for x, side in ((left_x, Side.LEFT), (right_x, Side.RIGHT))
    ]


@given(numbers(-10, 10), numbers(-10, 10))
def test_the_patients_left_has_the_larger_x(left_x, right_x):
    assume(abs(left_x - right_x) > 1e-9)
    rois = pair(left_x, right_x)
    if left_x > right_x:
        check_sides(rois)
        check_sides(rois[::-1])
        return
    for swapped in (rois, rois[::-1]):
        with pytest.raises(RoiError, match="Left and right are swapped: left multifidus"):
            check_sides(swapped)


def test_sides_are_compared_within_one_slice_structure_and_name_only():
    left, right = pair(-5, 5)
    check_sides([left])
    check_sides([right])
    check_sides([left, replace(right, key=replace(right.key, slice_uid="other"))])
    check_sides([left, replace(right, key=replace(right.key, structure=Structure.PSOAS))])
    check_sides([left, replace(right, key=replace(right.key, name="2"))])
    check_sides([left, replace(right, key=replace(right.key, side=Side.NONE))])


@given(st.permutations(range(4)))
def test_swapped_sides_are_found_in_every_order(order):
    rois = [*pair(5, -5), *pair(-3, 8, name="2")]
    with pytest.raises(RoiError, match="multifidus 2"):
        check_sides([rois[i] for i in order])


def test_gaps_and_grades_of_several_readings_stay_with_their_reader():
    mine, yours = Reading("S01", "pre", "AB", 1), Reading("S01", "pre", "CD", 1)
    sets = [
        RoiSet(
            not_measurable=(NotMeasurable(Level.L5, side, Structure.MULTIFIDUS, "metal"),),
            grades=(Grade("goutallier", Level.L5, side, 2),),
            reading=by,
        )
        for by, side in ((mine, Side.LEFT), (yours, Side.RIGHT))
    ]
    both = merge([*sets, RoiSet(reading=mine)])
    for said in (both.not_measurable, both.grades):
        assert {item.side: item.reading or both.reading for item in said} == {
            Side.LEFT: mine,
            Side.RIGHT: yours,
        }
    third = Reading("S01", "pre", "EF", 1)
    renamed = both.read_by(third)
    assert renamed.reading == third
    assert {item.reading for item in (*renamed.not_measurable, *renamed.grades)} == {None}


@pytest.mark.parametrize(("scheme", "value"), [("Goutallier", 5), ("goutallier ", -1), ("own", -2)])
def test_a_grade_that_a_scheme_does_not_have_is_refused(scheme, value):
    with pytest.raises(RoiError, match=f"no grade {value} by"):
        Grade(scheme, Level.L4_L5, Side.LEFT, value)
    assert Grade("own", Level.L4_L5, Side.LEFT, 5).value == 5
    assert Grade("goutallier", Level.L4_L5, Side.LEFT, 4).is_goutallier
