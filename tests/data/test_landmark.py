import pytest
from hypothesis import given, strategies as st

from multifidus.data.anatomy import Level
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.errors import LevelError
from tests.support.strategies import LEVELS, points_mm


def test_a_landmark_takes_its_names_from_files():
    mark = Landmark("disc_centre", "L4-L5", [1, 2, 3])
    assert mark.kind is LandmarkKind.DISC_CENTRE
    assert mark.level is Level.L4_L5
    assert mark.position_mm.tolist() == [1, 2, 3]


@given(st.sampled_from(LandmarkKind), LEVELS, points_mm())
def test_landmarks_are_equal_when_they_say_the_same(kind, level, point):
    mark, same = Landmark(kind, level, point), Landmark(kind, level, list(point))
    assert mark == same
    assert hash(mark) == hash(same)
    assert mark != Landmark(kind, level, (point[0] + 1, *point[1:]))
    assert mark != point


def test_a_landmark_without_three_coordinates_is_refused():
    with pytest.raises(LevelError, match="position_mm must be finite numbers"):
        Landmark(LandmarkKind.CAGE, Level.L4_L5, (1, 2))


def test_an_unknown_kind_of_landmark_is_refused():
    with pytest.raises(ValueError, match="screw"):
        Landmark("screw", Level.L4_L5, (1, 2, 3))
