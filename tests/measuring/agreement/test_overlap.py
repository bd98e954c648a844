from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.measuring.agreement.metrics import dice
from tests.support.exams import box, circle

BOX = box(0, 0, 9, 9)


def test_halves_overlap_by_half():
    assert dice([BOX], [box(0, 5, 9, 14)]) == 0.5
    assert dice([BOX], [box(0, 10, 9, 19)]) == 0


def test_a_hole_is_not_common():
    # 100 and 100 - 16, of which 84 are common.
    assert dice([BOX], [BOX, box(3, 3, 6, 6)]) == pytest.approx(2 * 84 / 184)


def test_nothing_and_nothing_is_undefined():
    assert np.isnan(dice([], []))
    assert dice([BOX], []) == 0


@given(st.floats(1, 20), st.floats(0, 45))
def test_two_circles_overlap_by_their_lens(radius, apart):
    points = 720
    found = dice([circle(0, 0, radius, points)], [circle(0, apart, radius, points)])
    half = min(apart / (2 * radius), 1)
    lens = 2 * radius**2 * (math.acos(half) - half * math.sqrt(1 - half**2))
    assert found == pytest.approx(lens / (math.pi * radius**2), abs=1e-3)


@given(st.floats(-9, 9), st.floats(1, 9), st.floats(-3, 3), st.floats(0.2, 3))
def test_the_order_and_the_unit_do_not_matter(shift, radius, skew, stretch):
    first, second = [BOX], [circle(4, 4 + shift, radius)]
    plain = dice(first, second)
    assert dice(second, first) == pytest.approx(plain, abs=1e-12)
    way = np.array([(1.0, skew), (0.0, stretch)])
    assert dice([BOX @ way], [second[0] @ way]) == pytest.approx(plain, abs=1e-9)
