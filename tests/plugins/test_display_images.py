"""What is seen of an exam on one grid, and in which grey levels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari_multifidus.models.display_images import (
    PERCENT,
    DisplayImage,
    WindowPreset,
    display_images,
    fat_fraction,
    limits,
)

from multifidus.data.image import Exam, Series, Slice, Weighting
from tests.plugins.conftest import make_series


def weighted(uid: str, weighting: Weighting, values: float) -> Series:
    base = make_series(uid)
    slices = tuple(
        Slice.from_array(item.uid, item.plane, np.full(item.shape, values), 4.0)
        for item in base.slices
    )
    return replace(base, slices=slices, weighting=weighting)


@pytest.fixture
def dixon() -> Exam:
    return Exam(
        "S",
        "pre",
        (
            make_series("1.1"),
            weighted("1.2", Weighting.DIXON_FAT, 30.0),
            weighted("1.3", Weighting.DIXON_WATER, 90.0),
            replace(make_series("1.4"), weighting=Weighting.T1),
            make_series("1.5", (0.0,)),
        ),
    )


def test_everything_on_the_grid_is_at_hand_and_nothing_else(dixon):
    found = display_images(dixon, dixon.series[0])
    assert [contrast.words for contrast in found] == [
        "T2",
        "Dixon fat",
        "T1",
        "Dixon water",
        "fat fraction of the Dixon pair",
    ]
    assert found[0].series is dixon.series[0]
    assert [contrast.is_percent for contrast in found] == [False] * 4 + [True]
    assert len({contrast.key for contrast in found}) == 5
    assert (found[4].stack() == 25).all()


def test_a_fraction_is_fat_of_fat_and_water_where_there_is_signal():
    fat = np.zeros((1, 20, 20), dtype=np.float32)
    water = np.zeros((1, 20, 20), dtype=np.float32)
    fat[:, :10], water[:, 5:15] = 60, 40
    seen = fat_fraction(fat, water)
    np.testing.assert_allclose(seen[0, :, 0], [100] * 5 + [60] * 5 + [0] * 10)
    fat[0, 19, 19] = 0.5
    assert fat_fraction(fat, water)[0, 19, 19] == 0
    assert not fat_fraction(np.zeros_like(fat), np.zeros_like(fat)).any()


@pytest.fixture
def tissue() -> np.ndarray:
    """Return air at 0, muscle around 100 and fat around 400, in equal parts."""
    rng = np.random.default_rng(1)
    parts = [rng.normal(mean, 8, (4, 30, 60)) for mean in (0, 100, 400)]
    return np.concatenate(parts, axis=1).astype(np.float32)


def test_windows_show_muscle_or_fat(tissue):
    tissue[:, :1, :20] = 1500  # fluid, the brightest of all
    muscle, fat = limits(tissue, WindowPreset.MUSCLE), limits(tissue, WindowPreset.FAT)
    # Muscle spreads over the greys, and all fat is white.
    assert 50 < muscle[0] < 90
    assert 120 < muscle[1] < 380
    # Half of muscle is black, and fat spreads over the greys.
    assert fat[0] == pytest.approx(100, abs=2)
    assert fat[1] > 410
    assert limits(tissue, WindowPreset.FULL) == (tissue.min(), tissue.max())
    low, high = limits(tissue, WindowPreset.AUTOMATIC)
    assert tissue.min() < low < high <= tissue.max()


@pytest.mark.parametrize("window", list(WindowPreset))
def test_one_grey_still_has_two_ends(window):
    low, high = limits(np.full((1, 8, 8), 5.0, dtype=np.float32), window)
    assert low == 5
    assert high == 6


def test_fractions_are_shown_in_percent(tissue):
    assert limits(tissue, WindowPreset.AUTOMATIC, is_percent=True) == PERCENT
    assert limits(tissue, WindowPreset.MUSCLE, is_percent=True) == (0, 50)
    assert limits(tissue, WindowPreset.FAT, is_percent=True) == (50, 100)


def test_an_image_is_named_by_its_weighting(dixon):
    assert DisplayImage(dixon.series[3]).words == "T1"
