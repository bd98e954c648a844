"""Wilcoxon's test against scipy where nothing is tied, and against all choices of signs."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, strategies as st

from multifidus.stats.change.paired_tests import MOST_EXACT, paired_tests, signed_rank


@given(st.integers(0, 2**32 - 1), st.integers(1, MOST_EXACT))
def test_without_ties_the_exact_p_is_scipys(seed, n):
    values = np.random.default_rng(seed).normal(0.4, 1, n)
    found = signed_rank(values)
    assert (found.n, found.exact) == (n, True)
    assert found.p == pytest.approx(scipy.stats.wilcoxon(values, method="exact").pvalue, rel=1e-12)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=11).filter(any))
def test_with_ties_and_zeros_p_is_that_of_all_choices_of_signs(values):
    sizes = np.abs([value for value in values if value])
    ranks = scipy.stats.rankdata(sizes)
    sums = [sum(rank for rank, up in zip(ranks, signs, strict=True) if up)
            for signs in itertools.product((0, 1), repeat=len(ranks))]  # fmt: skip
    seen = sum(rank for rank, value in zip(ranks, filter(None, values), strict=True) if value > 0)
    middle = ranks.sum() / 2
    expected = np.mean([abs(one - middle) >= abs(seen - middle) - 1e-9 for one in sums])
    found = signed_rank(values)
    assert (found.n, found.positive) == (len(sizes), seen)
    assert found.p == pytest.approx(expected, rel=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(MOST_EXACT + 1, 60), st.booleans())
def test_of_more_the_normal_distribution_is_corrected_for_ties_and_continuity(seed, n, tied):
    values = np.random.default_rng(seed).normal(0.4, 1, n)
    if tied:
        values = np.ceil(2 * np.abs(values)) * np.sign(values)
    expected = scipy.stats.wilcoxon(values, method="approx", correction=True).pvalue
    found = signed_rank(values)
    assert not found.exact
    assert found.p == pytest.approx(min(expected, 1.0), rel=1e-9)


def test_rounding_makes_neither_a_tie_nor_a_zero_of_its_own():
    """Areas with one decimal: the same difference twice, and one of nothing."""
    before, after = np.array([900.3, 1000.1, 812.6, 700.4]), np.array([900.2, 1000.0, 812.6, 702.4])
    difference = after - before + np.array([0, 0, 1e-13, 0])
    assert signed_rank(difference) == signed_rank([-1, -1, 0, 20])
    assert signed_rank(difference).n == 3


def test_how_many_differences_were_ranked_is_part_of_the_outcome():
    found = paired_tests([0, 0, 3, -1, 4, 5])
    assert found.n_wilcoxon == 4
    assert found.p_wilcoxon == signed_rank([3, -1, 4, 5]).p
    none = signed_rank([0.0, 0.0])
    assert none.n == 0
    assert math.isnan(none.p)
