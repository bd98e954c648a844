from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from multifidus.data.clinical import Clinical
from multifidus.data.cohort import Case, Cohort, heights_apart, shared_images
from multifidus.data.roi import Reading
from multifidus.errors import CohortError
from tests.support.strategies import READINGS

SCAN = (Path("scan"),)


def test_two_raters_of_one_exam_are_two_cases():
    cases = tuple(Case(Reading("S01", "pre", rater), SCAN) for rater in ("AB", "CD"))
    assert Cohort(cases).cases == cases


@given(st.lists(READINGS, min_size=1, max_size=6))
def test_a_cohort_holds_each_reading_once(readings):
    cases = tuple(Case(reading, SCAN) for reading in readings)
    if len(set(readings)) == len(readings):
        assert len(Cohort(cases).cases) == len(readings)
        return
    with pytest.raises(CohortError, match="twice"):
        Cohort(cases)


def test_a_reading_listed_twice_is_named():
    case = Case(Reading("S01", "pre", "AB", 2), SCAN)
    with pytest.raises(CohortError, match="subject S01, timepoint pre, rater AB, reading 2 twice"):
        Cohort((case, case))


def test_a_cohort_without_cases_is_refused():
    with pytest.raises(CohortError, match="no cases"):
        Cohort(())


def test_nobody_can_change_what_else_the_table_says():
    with pytest.raises(TypeError, match="make a new one"):
        Case(Reading(), SCAN).extra["age"] = "50"


def test_a_case_given_by_hand_has_no_name():
    assert Case(Reading(), SCAN).is_unnamed
    assert not Case(Reading("S01"), SCAN).is_unnamed


def case(subject, timepoint, *images, rater=""):
    return Case(Reading(subject, timepoint, rater), tuple(map(Path, images)))


def test_images_that_two_subjects_share_are_found_with_whose_they_are_said_to_be():
    cohort = Cohort(
        (case("S1", "pre", "a", "b"), case("S2", "pre", "c/../b"), case("S3", "x", "d"))
    )
    assert shared_images(cohort) == ((Path("b"), ("S1", "S2")),)


def test_a_folder_that_holds_the_images_of_another_subject_is_shared():
    cohort = Cohort((case("S1", "pre", "scans"), case("S2", "pre", "scans/p2")))
    assert shared_images(cohort) == ((Path("scans/p2"), ("S1", "S2")),)


def test_raters_share_the_images_of_an_exam_and_timepoints_do_not():
    assert shared_images(Cohort((case("S1", "x", "a", rater="A"), case("S1", "x", "a")))) == ()
    cohort = Cohort((case("S1", "pre", "a"), case("S1", "post", "a")))
    assert shared_images(cohort) == ((Path("a"), ("S1 post", "S1 pre")),)


def tall(subject, timepoint, height_cm):
    return Case(Reading(subject, timepoint), SCAN, clinical=Clinical(height_cm))


def test_heights_of_one_subject_that_no_adult_has_are_said():
    same = [tall("S1", "pre", 171), tall("S1", "post", 176), tall("S1", "late", None)]
    assert heights_apart(Cohort((*same, tall("S2", "pre", 190)))) == ()
    (said,) = heights_apart(Cohort((*same, tall("S1", "year", 180.5))))
    assert said.startswith(
        "Heights of S1 differ by 9.5 cm (171 in the row of pre, 180.5 in that of year)"
    )


def test_label_schemes_are_one_for_all_outlines_or_one_for_each():
    outlines = (Path("a.nii.gz"), Path("b.nii.gz"))

    def schemes(labels):
        return Case(Reading("S01", "pre"), SCAN, outlines, labels).label_schemes

    assert schemes("lpm") == ("lpm", "lpm")
    assert schemes("lpm; own.tsv") == ("lpm", "own.tsv")
    assert schemes(None) == (None, None)
    with pytest.raises(CohortError, match="3 labels stand beside 2 outlines"):
        schemes("lpm;lpm;lpm")
