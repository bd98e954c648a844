"""Signal of water and of fat at each point of the fine grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.scenes.anatomy import Anatomy, Key
from benchmarks.accuracy.scenes.body import LEVELS_OF_SIGNAL, TEXTURE, randomly
from benchmarks.accuracy.scenes.curves import Image, cover, smooth_noise
from benchmarks.accuracy.scenes.patterns import fraction
from benchmarks.accuracy.scenes.scene import LeanTissue, Pattern, Scene
from benchmarks.accuracy.scenes.tissues import Tissue, levels_of
from benchmarks.accuracy.scenes.voids import holes
from multifidus import Side, Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

_PILE_UP = 1.8
"""Signal of the bright rim about metal over that of the tissue there."""

_TEXTURE_MM = 1.5
_OEDEMA_MM = 5.0
_ELSEWHERE = 0.5
"""Texture of tissues that are not measured, over that of muscles."""


@dataclass(frozen=True, slots=True)
class Fine:
    """A slice on the fine grid.

    Parameters
    ----------
    fat
        Fat as a fraction of volume; 0 where there is no signal.
    void
        Where there is no signal.
    water_signal, fat_signal
        Before coil and scanner.
    oedema_pct
        By pixel of the fine grid: how much brighter lean muscle is there by oedema.
    """

    fat: Image
    void: Mask
    water_signal: Image
    fat_signal: Image
    oedema_pct: Image


def on_fine_grid(anatomy: Anatomy, scene: Scene, *, seed: int, number: int) -> Fine:
    """Return fat, and the signals of water and fat, on the fine grid."""
    levels = levels_of(scene.fat, scene.imaging.weighting, randomly(seed, LEVELS_OF_SIGNAL))
    tissue = anatomy.tissue
    fat, lean = np.take(levels.fat, tissue), np.take(levels.lean, tissue)
    oedema = np.zeros_like(lean)
    texture = _texture(anatomy, scene.lean, seed, number)
    if texture is not None:
        lean *= 1 + np.float32(_ELSEWHERE) * texture
    for key, region in anatomy.regions.items():
        box, mask = region.box, region.mask
        # The multifidus is painted last, and is whole; the erector spinae is where it shows.
        own = mask & (tissue[box] == _tissue(key))
        factor, patch = _lean_signal(anatomy, key, scene.lean)
        if texture is not None:
            factor *= 1 + texture[box]
        lean[box][own] = (factor * (1 + patch / 100))[own]
        oedema[box][own] = patch[own]
        if scene.fat.pattern is not Pattern.LEAN:
            inside = fraction(anatomy, key, scene.fat, seed=seed, number=number)
            fat[box][own] = inside[own]
    fat_signal = np.take(levels.pure_fat, tissue) * fat
    water_signal = lean * (1 - fat)
    void = tissue == Tissue.AIR
    for hole in holes(anatomy, scene.drawing.void, seed, number):
        if hole.bright_mm is not None:
            rim = cover(anatomy.grid, hole.bright_mm)
            for signal in (fat_signal, water_signal):
                signal[rim.box][rim.mask] *= np.float32(_PILE_UP)
        empty = cover(anatomy.grid, hole.void_mm)
        void[empty.box] |= empty.mask
        for volume in (fat, fat_signal, water_signal):
            volume[empty.box][empty.mask] = 0
    return Fine(fat, void, water_signal, fat_signal, oedema)


def _tissue(key: Key) -> Tissue:
    return Tissue.MULTIFIDUS if key[0] is Structure.MULTIFIDUS else Tissue.ERECTOR


def _texture(anatomy: Anatomy, lean: LeanTissue, seed: int, number: int) -> Image | None:
    """Return relative differences of lean signal from place to place."""
    if not lean.texture_pct:
        return None
    rng = randomly(seed, TEXTURE, number)
    noise = smooth_noise(anatomy.grid.axes_mm, rng, _TEXTURE_MM)
    return np.asarray(np.clip(noise, -3, 3) * np.float32(lean.texture_pct / 100))


def _lean_signal(anatomy: Anatomy, key: Key, lean: LeanTissue) -> tuple[Image, Image]:
    """Return lean signal in the box of a muscle, and by how many percent oedema raises it."""
    structure, side = key
    rows, columns = anatomy.regions[key].box
    posterior, left = anatomy.grid.axes_mm
    depth = posterior[rows, None]
    level = 1.0
    if structure is Structure.ERECTOR_SPINAE:
        level *= 1 + lean.erector_pct / 100
    if side is Side.RIGHT:
        level *= 1 + lean.right_pct / 100
    low, high = anatomy.borders_mm[key][:, 1].min(), anatomy.borders_mm[key][:, 1].max()
    ramp = lean.gradient_pct / 100 * ((depth - low) / (high - low) - 0.5)
    across = left[None, columns]
    signal = level * (1 + ramp) * np.ones_like(across)
    patch = np.zeros_like(signal)
    if lean.oedema_pct and side is Side.LEFT:
        middle = anatomy.borders_mm[key].mean(axis=0)
        far = (across - middle[0]) ** 2 + (depth - middle[1] + 3) ** 2
        patch = lean.oedema_pct * np.exp(-far / (2 * _OEDEMA_MM**2))
    return signal.astype(np.float32), patch.astype(np.float32)
