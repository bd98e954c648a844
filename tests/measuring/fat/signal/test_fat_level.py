import math

import numpy as np
import pytest

from multifidus.measuring.fat.signal.fat_level import DEPOT_SD, fat_level


def muscle(fat_signal, share, noise=4.0, seed=3):
    """Lean pixels of 100, pure fat, and as many pixels of both in every mixture."""
    rng = np.random.default_rng(seed)
    n = 8000
    mixed = rng.random(n)
    kind = rng.random(n)
    part = np.where(kind < share, 1.0, np.where(kind < 2 * share, mixed, 0.0))
    return 100 + part * (fat_signal - 100) + rng.normal(0, noise, n)


@pytest.mark.parametrize("fat_signal", [340.0, 400.0, 460.0])
def test_pure_fat_in_muscle_says_its_signal(fat_signal):
    found = fat_level(muscle(fat_signal, 0.15), 100.0, 400.0, 4.0)
    assert found.mean == pytest.approx(math.log(fat_signal / 400), abs=0.03)
    assert found.sd < 0.6 * DEPOT_SD
    assert found.bright_share == pytest.approx(0.225, abs=0.02)


def test_without_bright_pixels_only_the_depots_are_known_to_differ():
    found = fat_level(muscle(400.0, 0.0), 100.0, 400.0, 4.0)
    assert found.mean == pytest.approx(0.0, abs=1e-9)
    assert found.sd == pytest.approx(DEPOT_SD, rel=0.03)


def test_a_few_bright_pixels_say_little():
    few = fat_level(muscle(340.0, 0.01), 100.0, 400.0, 4.0)
    many = fat_level(muscle(340.0, 0.15), 100.0, 400.0, 4.0)
    assert few.sd > 1.4 * many.sd
    assert abs(few.mean) < abs(many.mean)


def test_fat_is_not_darker_than_the_brightest_pixels():
    found = fat_level(muscle(480.0, 0.02), 100.0, 400.0, 4.0)
    assert found.mean > 0.08


def test_fat_displaced_onto_muscle_is_not_taken_for_brighter_fat():
    """Where headers state a shift, pixels as bright as fat and lean muscle together say less."""
    plain = fat_level(muscle(500.0, 0.15), 100.0, 400.0, 4.0)
    shifted = fat_level(muscle(500.0, 0.15), 100.0, 400.0, 4.0, shift_px=2.0)
    assert 0 < shifted.mean < plain.mean - 0.05
    assert shifted.sd > plain.sd
    # Fat alone lies well within, and fat with muscle as well, though fat so bright is rare.
    assert abs(shifted.mean) < shifted.sd
    assert abs(shifted.mean - math.log(1.25)) < 2.5 * shifted.sd


@pytest.mark.parametrize("times", [1.6, 3.0, 50.0])
def test_pixels_brighter_than_any_fat_say_nothing_of_it(times):
    """A little fluid, or signal piled up beside metal, would else lower every muscle's fraction."""
    pixels = muscle(400.0, 0.2)
    pixels[::100] = times * 400
    fluid = fat_level(pixels, 100.0, 400.0, 4.0)
    nothing = fat_level(pixels[:10], 100.0, 400.0, 4.0)
    assert fluid.mean == pytest.approx(nothing.mean, abs=1e-9)
    assert fluid.sd == pytest.approx(nothing.sd)
