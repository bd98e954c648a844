"""The simulation of many workers, and what is extrapolated from small cohorts; counted by hand."""

import pytest

from benchmarks.scaling.simulation import simulated_s
from benchmarks.scaling.steps import TARGET, Step


def test_one_worker_takes_all_cases_and_waits_for_each():
    assert simulated_s(1, [2.0, 3.0], 0.5) == 6.0


def test_more_workers_share_cases():
    assert simulated_s(2, [2.0, 2.0, 2.0, 2.0], 0.0) == 4.0


def test_no_more_cases_are_handed_out_than_the_run_can():
    assert simulated_s(1000, [1.0] * 100, 0.5) == pytest.approx(100 * 0.5 + 1.0)


def test_what_grows_with_the_square_is_extrapolated_so():
    step = Step("compare", "CPU s", "before", (1_000, 10_000), (0.1, 10.0))
    assert step.power == pytest.approx(2)
    assert step.at_target == pytest.approx(10.0 * (TARGET / 10_000) ** 2)


def test_what_hardly_grows_is_extrapolated_in_proportion():
    """A constant part hides in small cohorts; it is not taken for all."""
    step = Step("read", "CPU s", "before", (1_000, 10_000), (1.0, 1.1))
    assert step.at_target == pytest.approx(11.0)
