from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multifidus.cohort import Case, Cohort
from multifidus.errors import CohortError
from multifidus.roi import Reading
from tests.strategies import READINGS

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
    with pytest.raises(TypeError, match="does not support item assignment"):
        Case(Reading(), SCAN).extra["age"] = "50"


def test_a_case_given_by_hand_has_no_name():
    assert Case(Reading(), SCAN).is_unnamed
    assert not Case(Reading("S01"), SCAN).is_unnamed
