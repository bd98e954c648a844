import numpy as np
import pytest
from hypothesis import given, strategies as st

from benchmarks.accuracy.muscle import Cell, draw
from multifidus.measuring.bias_field.low_order import LowOrderField, low_order_field

OUTLINES = 8
PER_OUTLINE = 600


def places(seed=0):
    """Return pixels of muscles on both sides and several slices, and the outline of each."""
    rng = np.random.default_rng(seed)
    centres = [(x, y, z) for x in (-30, 30) for y in (0, 25) for z in (-40, 40)]
    points = [rng.normal(centre, (8, 8, 0.5), (PER_OUTLINE, 3)) for centre in centres]
    return np.concatenate(points), np.repeat(np.arange(OUTLINES), PER_OUTLINE)


def logarithm(points, coefficients):
    x, y, z = (points / 50).T
    terms = np.stack((x, y, z, x * y, y * y, z * z), axis=1)
    return terms @ np.asarray(coefficients)


def fitted(signal, points, outline, **changes):
    given_ = {
        "outline": outline,
        "reference": outline == OUTLINES - 1,
        "lean_signal": float(np.median(signal[outline == OUTLINES - 1])),
        "fat_signal": 400.0,
    } | changes
    return low_order_field(points, signal, np.ones(len(signal)), **given_)


def unevenness(signal, field, points):
    """Standard deviation of the logarithm of what the field leaves."""
    return float(np.log(signal / field.at(points)).std())


@given(st.lists(st.floats(-0.15, 0.15), min_size=6, max_size=6))
def test_lean_muscle_of_any_smooth_shading_becomes_even(coefficients):
    points, outline = places()
    signal = 100 * np.exp(logarithm(points, coefficients))
    field, reason = fitted(signal, points, outline)
    assert reason is None
    assert unevenness(signal, field, points) < 0.006
    assert np.log(field.at(points)).mean() == pytest.approx(0, abs=1e-9)


def test_noise_is_not_taken_for_shading():
    points, outline = places()
    rng = np.random.default_rng(1)
    signal = np.hypot(100 + rng.normal(0, 10, len(points)), rng.normal(0, 10, len(points)))
    field, _ = fitted(signal, points, outline)
    assert np.log(field.at(points)).std() < 0.01


@pytest.mark.parametrize("contrast", [2.0, 4.0])
def test_a_muscle_that_is_fat_at_one_level_is_not_taken_for_a_bright_one(contrast):
    points, outline = places()
    rng = np.random.default_rng(2)
    low = (points[:, 2] < 0) & (outline != OUTLINES - 1)
    fat = rng.random(len(points)) < np.where(low, 0.7, 0.1)
    signal = np.where(fat, 100 * contrast, 100.0) + rng.normal(0, 6, len(points))
    signal[outline == OUTLINES - 1] = 100 + rng.normal(0, 6, PER_OUTLINE)
    field, reason = fitted(signal, points, outline, fat_signal=100 * contrast)
    assert reason is None
    assert np.ptp(np.log(field.at(points))) < 0.06


@given(st.floats(0.01, 1000))
def test_the_field_does_not_depend_on_the_scale_of_the_signal(factor):
    points, outline = places()
    signal = 100 * np.exp(logarithm(points, (0.1, -0.1, 0.05, 0, 0.05, 0)))
    one, _ = fitted(signal, points, outline)
    other, _ = fitted(signal * factor, points, outline, fat_signal=400 * factor)
    np.testing.assert_allclose(one.at(points), other.at(points), rtol=1e-9)


def test_on_one_slice_nothing_is_claimed_along_the_spine():
    points, outline = places()
    points[:, 2] = 7.0
    signal = 100 * np.exp(logarithm(points, (0, 0.3, 0, 0, 0, 0)))
    field, _ = fitted(signal, points, outline)
    above = points + np.array((0, 0, 100))
    np.testing.assert_array_equal(field.at(points), field.at(above))


def test_two_outlines_give_a_linear_field_and_more_a_quadratic_one():
    points, outline = places()
    signal = np.full(len(points), 100.0)
    two = outline >= OUTLINES - 2
    assert fitted(signal[two], points[two], outline[two])[0].order == 1
    assert fitted(signal, points, outline)[0].order == 2


def test_the_same_pixels_give_the_same_field_to_the_last_bit():
    points, outline = places()
    signal = 100 + np.random.default_rng(3).normal(0, 8, len(points))
    fields = [fitted(signal, points, outline)[0].coefficients.tobytes() for _ in range(3)]
    assert len(set(fields)) == 1


def test_places_beyond_the_outlines_have_the_field_of_their_nearest_place():
    points, outline = places()
    signal = 100 * np.exp(logarithm(points, (0.2, 0.2, 0, 0, 0, 0)))
    field, _ = fitted(signal, points, outline)
    assert isinstance(field, LowOrderField)
    corner = field.high_mm
    np.testing.assert_array_equal(field.at(corner[None]), field.at(corner[None] + 500))


def refused(case):
    points, outline = places()
    signal = np.full(len(points), 100.0)
    if case == "signal":
        return fitted(signal, points, outline, lean_signal=float("nan"))
    if case == "pixels are lean":
        few = slice(None, None, 60)
        return fitted(signal[few], points[few], outline[few], lean_signal=100.0)
    if case == "outlines hold lean":
        signal[outline != OUTLINES - 1] = 390.0
        return fitted(signal, points, outline)
    if case == "outlined pixels are lean":
        rng = np.random.default_rng(4)
        signal[rng.random(len(signal)) < 0.9] = 390.0
        return fitted(signal, points, outline, lean_signal=100.0)
    if case == "factor of 4":
        signal = 100 * np.exp(logarithm(points, (1.1, 0.0, 0.0, 0, 0, 0)))
        return fitted(signal, points, outline, lean_signal=100.0, fat_signal=4000.0)
    # Muscles of another tissue than the lean reference, with no fat to tell by.
    signal[outline == OUTLINES - 1] = 75.0
    return fitted(signal, points, outline, fat_signal=float("nan"))


@pytest.mark.parametrize(
    "case",
    ["signal", "pixels are lean", "outlines hold lean", "outlined pixels are lean",
     "factor of 4", "lean references unequal"],
)  # fmt: skip
def test_what_cannot_be_told_from_shading_is_refused_with_the_reason(case):
    field, reason = refused(case)
    assert field is None
    assert case in reason


def test_a_muscle_mostly_fat_and_a_reference_are_too_little_to_tell_fat_from_shading():
    """At a contrast of 2 and steep shading, the fit takes the fat that is in the dark for lean."""
    made = draw(Cell(70.0, 2.0, 15.0, 0.35, 2.0, reach_mm=18.0), seed=1)
    inside = made.weights >= 0.5
    muscle, lean = made.image[inside], np.ravel(made.lean)
    at = [np.column_stack((place, np.zeros(len(place)))) for place in made.places_mm[:2]]
    field, reason = low_order_field(
        np.concatenate((at[0][inside.ravel()], at[1])),
        np.concatenate((muscle, lean)),
        np.ones(len(muscle) + len(lean)),
        outline=np.repeat((0, 1), (len(muscle), len(lean))),
        reference=np.repeat((False, True), (len(muscle), len(lean))),
        lean_signal=float(np.median(lean)),
        fat_signal=float(np.median(made.fat)),
    )
    assert field is None
    assert "call more than 40% of a muscle otherwise" in reason


def test_places_beyond_the_fitted_box_are_told_by_distance_and_by_what_may_change_on_the_way():
    points, outline = places()
    signal = 100 * np.exp(logarithm(points, (0.2, 0.0, 0.0, 0, 0, 0)))
    field, _ = fitted(signal, points, outline)
    middle, high = (field.low_mm + field.high_mm) / 2, field.high_mm
    beyond = np.array((high[0] + 20, middle[1], middle[2]))
    distance, change = field.beyond(np.stack((middle, beyond)))
    assert distance == pytest.approx((0, 20))
    assert change == pytest.approx((0, 0.2 * 20 / 50), abs=0.01)
