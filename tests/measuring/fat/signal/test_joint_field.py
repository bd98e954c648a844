import math

import numpy as np
import pytest

from multifidus.measuring.fat.signal.joint_field import (
    fit_joint_field,
    terms,
    weighted_terms,
)
from multifidus.measuring.fat.signal.samples import Kind, Samples, Scale

COEFFICIENTS = np.array([0.15, -0.4, 0.05, -0.04, 0.1, 0.0, 0.02, 0.0, -0.05])


def samples(*, slices=3, contrast=4.0, mixed=0.1, seed=1, spread=0.03):
    """Two muscles a slice about the middle, references in and behind them, fat around."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(slices):
        for kind, outline, n, (x, y) in (
            (Kind.MUSCLE, 4 * number, 40, ((-1.0, 0.0), (-0.6, 0.5))),
            (Kind.MUSCLE, 4 * number + 1, 40, ((0.0, 1.0), (-0.6, 0.5))),
            (Kind.LEAN_REFERENCE, 4 * number + 2, 2, ((-0.5, 0.5), (-0.2, 0.2))),
            (Kind.FAT_REFERENCE, 4 * number + 3, 2, ((-0.5, 0.5), (0.7, 0.9))),
            (Kind.AROUND, -1, 40, ((-1.4, 1.4), (0.5, 1.0))),
        ):
            place = rng.uniform(*x, n), rng.uniform(*y, n)
            tissue = np.full(n, math.log(contrast) * (kind in {Kind.FAT_REFERENCE, Kind.AROUND}))
            if kind in {Kind.MUSCLE, Kind.AROUND}:
                some = rng.random(n) < mixed
                tissue[some] = rng.uniform(0, math.log(contrast), some.sum())
            log = math.log(200) + tissue + terms(*place) @ COEFFICIENTS + 0.05 * number
            same = (np.full(n, each) for each in (number, outline, kind))
            parts.append((*place, *same, log + rng.normal(0, spread, n), np.full(n, 20.0)))
    return Samples(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def change(field, x, y, view=0):
    found = field.log_gain(np.array([0.0, x]), np.array([0.0, y]), view)
    return float(found[1] - found[0])


@pytest.mark.parametrize("contrast", [2.5, 4.0, 8.0])
def test_the_field_between_lean_and_fat_is_found_through_both(contrast):
    scale = Scale(200.0, 200.0 * contrast * 0.8, 4.0)
    field = fit_joint_field(samples(contrast=contrast), scale, 3)
    for x, y in ((0.8, 0.3), (-0.8, -0.4), (0.3, 0.9)):
        true = float(terms(np.array(x), np.array(y)) @ COEFFICIENTS)
        assert change(field, x, y) == pytest.approx(true, abs=0.04)
    assert field.fat_log - field.lean_log == pytest.approx(math.log(contrast), abs=0.05)


def test_a_muscle_bright_all_over_does_not_bend_the_field():
    made = samples(mixed=0.0)
    bright = made.log + 0.15 * (made.outline % 4 == 0) * (made.kind == Kind.MUSCLE)
    other = Samples(made.x, made.y, made.view, made.outline, made.kind, bright, made.n)
    scale = Scale(200.0, 640.0, 4.0)
    plain, bent = (fit_joint_field(each, scale, 3) for each in (made, other))
    assert change(bent, 0.8, 0.0) == pytest.approx(change(plain, 0.8, 0.0), abs=0.05)


def test_a_scanner_that_doubles_its_numbers_changes_the_levels_alone():
    made = samples()
    twice = Samples(
        made.x, made.y, made.view, made.outline, made.kind, made.log + math.log(2), made.n
    )
    one = fit_joint_field(made, Scale(200.0, 640.0, 4.0), 3)
    other = fit_joint_field(twice, Scale(400.0, 1280.0, 8.0), 3)
    assert other.lean_log - one.lean_log == pytest.approx(math.log(2), abs=1e-6)
    assert np.allclose(other.parameters[:9], one.parameters[:9], atol=1e-6)


def test_what_is_far_from_every_sample_is_uncertain():
    field = fit_joint_field(samples(), Scale(200.0, 640.0, 4.0), 3)

    def sd(y):
        slope = np.append(terms(np.array(0.0), np.array(y)), np.zeros(5))
        return math.sqrt(slope @ field.covariance[0] @ slope)

    assert sd(-2.0) > 3 * sd(-0.4)


def test_the_sum_of_weighted_terms_is_that_of_the_terms():
    weights, x, y = np.random.default_rng(4).normal(size=(3, 50))
    np.testing.assert_allclose(weighted_terms(weights, x, y), weights @ terms(x, y), rtol=1e-10)
