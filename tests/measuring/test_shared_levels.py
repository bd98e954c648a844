"""Levels that raters share: locked, and what contradicts them is refused."""

import csv

import pytest

from multifidus import Reading, RoiSet, read_exam, write_rois
from multifidus.data.anatomy import Level, Side, SlicePosition, Structure
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi_set import SliceLevel
from multifidus.errors import LevelError
from multifidus.io.cohort_csv import read_cohort
from multifidus.measuring.shared_levels import with_shared_levels
from multifidus.study.batch import Failure, measure_cases
from multifidus.study.results import write_results
from multifidus.study.results_folder import Output
from tests.support.cases import write_exam, write_outlines
from tests.support.exams import box, outline
from tests.support.spines import disc_centres, exam_through, slice_through, straight

EXAM = exam_through(slice_through((0, 0, z)) for z in (0.0, 4.0, 30.0))
SLICES = EXAM.series[0].slices
MARKS = tuple(disc_centres(straight()))
MID = SlicePosition.MID_DISC


def drawn(index, level=None, structure=Structure.MULTIFIDUS):
    return outline(SLICES[index], box(5, 5, 9, 9), structure, Side.LEFT, level=level)


def test_locked_levels_take_the_place_of_what_was_not_said():
    shared = RoiSet(levels=(SliceLevel("1.2.0", Level.L3_L4, MID),), landmarks=MARKS)
    own = RoiSet((drawn(0),), levels=(SliceLevel("1.2.2", Level.L2),))
    found = with_shared_levels(own, shared, EXAM)
    assert found.level_of(found.rois[0]) == (Level.L3_L4, MID)
    assert found.landmarks == MARKS
    assert found.levels == (*shared.levels, *own.levels)


def test_a_rater_may_say_the_same_and_only_the_shared_position_counts():
    shared = RoiSet(levels=(SliceLevel("1.2.0", Level.L3_L4, MID),))
    own = RoiSet((drawn(0, Level.L3_L4),), levels=(SliceLevel("1.2.0", Level.L3_L4),))
    found = with_shared_levels(own, shared, EXAM)
    assert found.level_of(found.rois[0]) == (Level.L3_L4, MID)


def test_shared_landmarks_say_the_level_and_lock_no_slice():
    found = with_shared_levels(RoiSet((drawn(1), drawn(2, Level.L2_L3)), MARKS[:2]),
                               RoiSet(landmarks=MARKS), EXAM)  # fmt: skip
    assert found.landmarks == MARKS
    assert [found.level_of(roi)[0] for roi in found] == [None, Level.L2_L3]


LOCKED = RoiSet(levels=(SliceLevel("1.2.0", Level.L3_L4),))


@pytest.mark.parametrize(
    ("own", "shared", "message"),
    [
        (RoiSet((drawn(0),)), RoiSet(), "neither landmarks nor levels to share"),
        (
            RoiSet((drawn(0, Level.L4_L5),)),
            LOCKED,
            "Slice 1.2.0 is L4-L5 by the rater and L3-L4 by what is shared",
        ),
        (
            RoiSet(levels=(SliceLevel("1.2.0", Level.L4_L5),)),
            LOCKED,
            "Slice 1.2.0 is L4-L5 by the rater and L3-L4 by what is shared",
        ),
        (RoiSet((drawn(1),)), LOCKED, "left multifidus on slice 1.2.1 .* is not locked"),
        (
            RoiSet((drawn(1, Level.L2_L3),)),
            RoiSet(landmarks=MARKS),
            "Slice 1.2.1 is L2-L3 by the rater and L3-L4 by what is shared",
        ),
        (
            RoiSet(landmarks=tuple(disc_centres([(0, 0, 1.0)], [Level.L3_L4]))),
            RoiSet(landmarks=MARKS),
            "disc_centre of L3-L4 is set that is not among the shared",
        ),
    ],
)
def test_what_contradicts_the_shared_levels_is_refused(own, shared, message):
    with pytest.raises(LevelError, match=message):
        with_shared_levels(own, shared, EXAM)


def test_references_may_lie_on_any_slice():
    own = RoiSet((drawn(1, structure=Structure.LEAN_REFERENCE), drawn(0)))
    assert len(with_shared_levels(own, LOCKED, EXAM)) == 2


@pytest.fixture
def cohort(tmp_path):
    """One exam, two raters, levels shared; its outlines type the first slice as L4-L5."""
    images = write_exam(tmp_path / "exam")
    for rater in ("AB", "CD"):
        write_outlines(images, tmp_path / f"{rater}.outlines.json", Reading("S01", "pre", rater, 1))
    marks = disc_centres([(0, -10, 0)], [Level.L4_L5])
    write_rois(RoiSet(landmarks=tuple(marks)), tmp_path / "levels.outlines.json")
    path = tmp_path / "cohort.csv"
    rows = (f"S01,pre,{rater},exam,{rater}.outlines.json,levels.outlines.json" for rater in
            ("AB", "CD"))  # fmt: skip
    path.write_text("\n".join(("subject,timepoint,rater,images,outlines,landmarks", *rows)) + "\n")
    return path


def test_raters_of_a_cohort_share_levels_and_every_row_says_so(cohort, tmp_path):
    cases = read_cohort(cohort).cases
    assert all(case.landmarks == (tmp_path / "levels.outlines.json",) for case in cases)
    protocol = MeasurementProtocol(fat_methods=())
    output = Output(tmp_path / "out", pictures=False)
    assert not write_results(measure_cases(cases, protocol), output, protocol).failures
    with (tmp_path / "out" / "measurements.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["structure"] == "multifidus"]
    assert {row["levels_by"] for row in rows} == {"shared"}
    assert {row["level"] for row in rows} == {"L4-L5"}
    offsets = {(row["rater"], row["slice_index"]): float(row["offset_mm"]) for row in rows}
    assert set(offsets) == {("AB", "0"), ("AB", "1"), ("CD", "0"), ("CD", "1")}
    assert offsets["AB", "1"] == offsets["CD", "1"]


def test_a_rater_who_disagrees_fails_alone_and_both_files_are_named(cohort, tmp_path):
    shared = tmp_path / "levels.outlines.json"
    cases = read_cohort(cohort).cases
    lowest = read_exam(*cases[0].images).series[0].slices[0]
    typed = (SliceLevel(lowest.uid, Level.L4_L5),)
    write_rois(RoiSet(levels=typed), shared, overwrite=True)
    failures = [*measure_cases(cases, MeasurementProtocol())]
    assert all(isinstance(item, Failure) for item in failures)
    assert failures[0].error == "LevelError"
    for name in ("AB.outlines.json", "levels.outlines.json", "not locked"):
        assert name in failures[0].message


def test_shared_levels_of_another_exam_are_refused_though_its_images_lie_alike(cohort, tmp_path):
    marks = tuple(disc_centres([(0, -10, 0)], [Level.L4_L5]))
    shared = tmp_path / "levels.outlines.json"
    for other in (Reading("S01", "post", "AB", 1), Reading("S02", "", "", 1)):
        write_rois(RoiSet(landmarks=marks, reading=other), shared, overwrite=True)
        failures = [*measure_cases(read_cohort(cohort).cases, MeasurementProtocol())]
        assert {item.error for item in failures} == {"RoiError"}
        assert "levels.outlines.json holds levels of" in failures[0].message
    # Whoever set them, they are shared.
    write_rois(
        RoiSet(landmarks=marks, reading=Reading("S01", "pre", "X", 2)), shared, overwrite=True
    )
    assert not any(
        isinstance(item, Failure)
        for item in measure_cases(read_cohort(cohort).cases, MeasurementProtocol(fat_methods=()))
    )
