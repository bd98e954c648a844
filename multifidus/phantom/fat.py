"""Streaks of fat inside muscle: where they are, exactly, and how much of them there is.

Fat is where a seeded random field lies near zero: thin curved sheets that run obliquely through a
muscle and on through its slices. How near decides how thick they are, and that follows a smooth
profile: fat comes first deep and medial. The same seed gives the same sheets before and after
surgery; only their thickness differs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Side, Structure
from multifidus.phantom.solid import Track
from multifidus.phantom.spine import STATION_S_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.phantom.muscles import MuscleSolid

    Array = NDArray[np.float64]

_LATTICE = (64, 128, 64)
_LATTICE_MM = (0.5, 0.5, 1.5)
"""Nodes and spacing of the random field: across the streaks, along them, along the spine."""

_SMOOTH_MM = (1.1, 4.0, 9.0)
"""Standard deviation of the kernel that smooths the field, in the same order."""

_PATCH_MM = (5.0, 8.0, 14.0)
"""The same for the field that decides where streaks exist at all."""

_FEWEST = 0.16
"""Local fraction below which streaks become fewer instead of thinner than about 0.8 mm."""

_DEEP, _MEDIAL = 2.2, 1.8
"""How strongly (log odds across the muscle) fat prefers the deep and the medial part."""

_STREAK_ANGLE_DEG = {
    Structure.MULTIFIDUS: 62.0,
    Structure.ERECTOR_SPINAE: 48.0,
    Structure.PSOAS: 20.0,
    Structure.QUADRATUS_LUMBORUM: -20.0,
}
"""Direction of the streaks from lateral towards posterior."""

LEAN_CORE_MM = 6.5
"""Radius of the core of the erector spinae that holds no fat: the leanest visible muscle."""

_CORE_PLACE = (0.60, 0.50)
"""Where in the box of the erector spinae its lean core runs: across, deep to superficial."""

_CALIBRATION_STEP_MM = 0.35
_CALIBRATION_ROUNDS = 24


@dataclass(frozen=True, slots=True, eq=False)
class StreakField:
    """Periodic random fields, linear between their nodes (by definition, not by approximation).

    Parameters
    ----------
    sheets
        Standard normal values; streaks run where they are near zero.
    patches
        Uniform values, 0 to 1; sparse streaks exist where they are small.
    """

    sheets: Array
    patches: Array

    @classmethod
    def from_seed(cls, seed: int) -> StreakField:
        """Draw the fields."""
        from scipy.special import ndtr

        rng = np.random.default_rng([seed, 1])
        sheets = _smooth_normal(rng, _SMOOTH_MM)
        patches = ndtr(_smooth_normal(rng, _PATCH_MM))
        return cls(_with_border(sheets), _with_border(patches))

    def at(self, across: Array, along: Array, s: Array) -> tuple[Array, Array]:
        """Sample at streak coordinates (mm): rank of nearness to a sheet, and of the patch.

        Both are uniform over 0 to 1.
        """
        from scipy.ndimage import map_coordinates
        from scipy.special import erf

        nodes = np.stack(
            [
                _within(place / step, count)
                for place, step, count in zip(
                    (across, along, s), _LATTICE_MM, _LATTICE, strict=True
                )
            ]
        )
        sheet = map_coordinates(self.sheets, nodes, order=1, prefilter=False)
        patch = map_coordinates(self.patches, nodes, order=1, prefilter=False)
        return np.asarray(erf(np.abs(sheet) / np.sqrt(2))), patch


def _within(place: Array, count: int) -> Array:
    """Take the remainder by a power of two: to the bit that of ``np.mod``, which is far slower."""
    return np.asarray(place - count * np.floor(place / count))


def _smooth_normal(rng: np.random.Generator, smooth_mm: tuple[float, ...]) -> Array:
    """Draw white noise and smooth it periodically, to mean 0 and standard deviation 1."""
    spectrum = np.fft.fftn(rng.standard_normal(_LATTICE))
    for axis, (smooth, step, count) in enumerate(
        zip(smooth_mm, _LATTICE_MM, _LATTICE, strict=True)
    ):
        frequency = np.fft.fftfreq(count, step)
        kernel = np.exp(-2 * (np.pi * smooth * frequency) ** 2)
        spectrum *= kernel.reshape([-1 if i == axis else 1 for i in range(3)])
    field = np.fft.ifftn(spectrum).real
    return np.asarray((field - field.mean()) / field.std())


def _with_border(field: Array) -> Array:
    """Repeat the first nodes after the last, so that interpolation runs on across the seam."""
    return np.pad(field, ((0, 1),) * 3, mode="wrap")


@dataclass(frozen=True, slots=True, eq=False)
class FatPattern:
    """Where one muscle holds fat.

    Parameters
    ----------
    muscle
        The muscle.
    field
        The subject's fields.
    offset_mm
        Where in the fields this muscle lies, shape (3,), so that no two muscles look alike.
    level
        Track of the log odds of fat at the muscle's centre, calibrated at the stations.
    """

    muscle: MuscleSolid
    field: StreakField
    offset_mm: Array
    level: Track

    @classmethod
    def calibrated(cls, muscle: MuscleSolid, field: StreakField, seed: int) -> FatPattern:
        """Fit the level so that every station's cross-section has the fat that is aimed at."""
        order = [*Structure].index(muscle.structure), [*Side].index(muscle.side)
        offset = np.random.default_rng([seed, 2, *order]).uniform(0, 100, 3)
        draft = cls(muscle, field, offset, Track.constant([0.0]))
        fits = [
            draft.fit_level(s, aim / 100)
            for s, aim in zip(STATION_S_MM, muscle.fat_pct, strict=True)
        ]
        return cls(muscle, field, offset, Track.through(np.array(fits)[:, None]))

    def contains(self, u: Array, v: Array, s: Array) -> NDArray[np.bool_]:
        """Which points, all inside the muscle, are fat."""
        preference = self._preference(u, v, s) + self.level.at(s)[0]
        return self._below(1 / (1 + np.exp(-preference)), *self._ranks(u, v, s))

    def fit_level(self, s_mm: float, aim: float) -> float:
        """Find the level that gives a fraction of fat in the cross-section at a place."""
        (u0, u1), (v0, v1), _ = self.muscle.solid.bounds(s_mm, s_mm)
        u, v = (
            grid.ravel()
            for grid in np.meshgrid(
                np.arange(u0, u1, _CALIBRATION_STEP_MM), np.arange(v0, v1, _CALIBRATION_STEP_MM)
            )
        )
        s = np.full_like(u, s_mm)
        inside = self.muscle.solid.contains(u, v, s)
        u, v, s = u[inside], v[inside], s[inside]
        ranks, preference = self._ranks(u, v, s), self._preference(u, v, s)
        low, high = -15.0, 15.0
        for _ in range(_CALIBRATION_ROUNDS):
            middle = (low + high) / 2
            found = self._below(1 / (1 + np.exp(-preference - middle)), *ranks).mean()
            low, high = (middle, high) if found < aim else (low, middle)
        return (low + high) / 2

    @staticmethod
    def _below(fraction: Array, sheet: Array, patch: Array) -> NDArray[np.bool_]:
        thick = np.maximum(fraction, _FEWEST)
        return (sheet < thick) & (patch * thick < fraction)

    def _ranks(self, u: Array, v: Array, s: Array) -> tuple[Array, Array]:
        lateral = self.muscle.solid.mirror * u
        angle = np.radians(_STREAK_ANGLE_DEG[self.muscle.structure])
        along = lateral * np.cos(angle) + v * np.sin(angle)
        across = v * np.cos(angle) - lateral * np.sin(angle)
        dx, dy, ds = self.offset_mm
        return self.field.at(across + dx, along + dy, s + ds)

    def _preference(self, u: Array, v: Array, s: Array) -> Array:
        """Log odds relative to the centre of the muscle's box: more deep and medial."""
        lateral, start, width, height = self.muscle.solid.box.at(s)
        across = (self.muscle.solid.mirror * u - lateral) / width
        depth = (v - start) / height
        odds = _DEEP * (0.5 - depth) + _MEDIAL * (0.5 - across)
        if self.muscle.structure is Structure.ERECTOR_SPINAE:
            x, y = _CORE_PLACE
            off_core = np.hypot((across - x) * width, (depth - y) * height)
            odds[off_core < LEAN_CORE_MM] = -np.inf
        return np.asarray(odds)

    def lean_core(self, s: float) -> tuple[float, float]:
        """Return (u, v) of the middle of the erector spinae's lean core."""
        lateral, start, width, height = self.muscle.solid.box.at(np.array([s]))[:, 0]
        x, y = _CORE_PLACE
        return float(self.muscle.solid.mirror * (lateral + x * width)), float(start + y * height)
