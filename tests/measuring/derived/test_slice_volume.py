import math

import pytest
from hypothesis import given, strategies as st

from multifidus.measuring.derived.muscle_volume import is_unbroken, volume_ml
from tests.support.strategies import numbers


def test_a_cylinder_of_known_size():
    # 3 cm2 over five slices 4 mm apart: 2 cm.
    assert volume_ml([300.0] * 5, 4.0) == pytest.approx(6)


@given(numbers(5, 20), st.integers(40, 80))
def test_the_slices_of_a_ball_come_near_its_volume(radius, count):
    step = 2 * radius / count
    heights = [-radius + step * (k + 0.5) for k in range(count)]
    areas = [math.pi * (radius**2 - z**2) for z in heights]
    assert volume_ml(areas, step) == pytest.approx(4 / 3 * math.pi * radius**3 / 1000, rel=1e-3)


@given(st.sets(st.integers(0, 30), min_size=1))
def test_a_run_is_unbroken_if_every_place_within_it_is_taken(places):
    assert is_unbroken(sorted(places, reverse=True)) == (
        set(range(min(places), max(places) + 1)) == places
    )
