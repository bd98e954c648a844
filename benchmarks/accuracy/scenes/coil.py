"""The gain of a receive coil over a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.scenes.anatomy import Anatomy
from benchmarks.accuracy.scenes.body import COIL, randomly
from benchmarks.accuracy.scenes.curves import FIELD_MM, Image, field_size, spread_out
from benchmarks.accuracy.scenes.scene import Imaging, Shading
from multifidus import Structure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_NODE_MM = 4.0
"""The gain is computed at places this far apart, and is smooth between them."""

_LOOPS, _HALF_LOOP_MM, _LOOP_STEP_MM, _BEHIND_MM = 5, 28.0, 48.0, 12.0
"""Loops of a spine array: how many, half their width, their step, and how far from the skin."""

_SLICE_GAIN = 0.1
_LEAST = 0.05
"""No place is without signal."""


def gain(anatomy: Anatomy, imaging: Imaging, *, seed: int, number: int) -> Image:
    """Return the gain on the fine grid; its mean over the borders of the multifidi is 1.

    With any shading, a gain of the slice from 0.9 to 1.1 is multiplied in.
    """
    grid = anatomy.grid
    if imaging.shading is Shading.NONE:
        return np.ones((1, 1), dtype=np.float32)
    rng = randomly(seed, COIL, number)
    of_slice = 1 + _SLICE_GAIN * rng.uniform(-1, 1)
    lean = randomly(seed, COIL).uniform(-1, 1, 2)
    borders = np.concatenate(list(anatomy.borders_mm.values()))
    nodes = np.arange(field_size(_NODE_MM)) * _NODE_MM - FIELD_MM - _NODE_MM
    left, posterior = np.meshgrid(nodes, nodes)
    places = np.column_stack((left.ravel(), posterior.ravel()))
    model = _MODELS[imaging.shading]
    raw, at_border = (model(anatomy, each, lean) for each in (places, borders))
    shaded = _scaled(imaging.shading, raw, at_border, imaging.shading_pct / 100)
    found = spread_out(grid.axes_mm, shaded.reshape(left.shape), _NODE_MM)
    inside = [
        found[region.box][region.mask].mean()
        for (structure, _), region in anatomy.regions.items()
        if structure is Structure.MULTIFIDUS
    ]
    return np.asarray(found * np.float32(of_slice / np.mean(inside)))


def _scaled(shading: Shading, raw: Array, at_border: Array, fall: float) -> Array:
    """Return gains that fall by a fraction from the strongest place at a border to the weakest."""
    low, high = at_border.min(), at_border.max()
    if shading is Shading.PLANE:
        return np.asarray(np.maximum(1 - fall * (high - raw) / (high - low), _LEAST))
    # An exponential stays one, and the fall-off of an array keeps its shape, under a power.
    return np.asarray(np.exp(-np.log(1 - fall) * np.minimum((raw - low) / (high - low), 3.0)))


def _plane(_: Anatomy, places: Array, lean: Array) -> Array:
    """Return how far places lie in some direction."""
    angle = np.pi * lean[0]
    return np.asarray(places @ (np.cos(angle), np.sin(angle)))


def _surface(_: Anatomy, places: Array, lean: Array) -> Array:
    """Return how far places lie towards the back; the coil lies a little askew."""
    angle = np.deg2rad(8) * lean[0]
    return np.asarray(places @ (np.sin(angle), np.cos(angle)))


def _array(anatomy: Anatomy, places: Array, lean: Array) -> Array:
    """Return the logarithm of the root sum of squares of all loops, by Biot and Savart.

    Each loop is long in the direction of the patient, so that the field in the slice is that of
    two straight wires with opposite currents.
    """
    behind = anatomy.skin_mm[:, 1].max() + _BEHIND_MM
    middles = (np.arange(_LOOPS) - (_LOOPS - 1) / 2) * _LOOP_STEP_MM + 10 * lean[1]
    total = np.zeros(len(places))
    for middle in middles:
        field = np.zeros((len(places), 2))
        for side in (-1, 1):
            wire = np.array((middle + side * _HALF_LOOP_MM, behind))
            away = places - wire
            # Within a few millimetres of the wire its thickness matters; there is only air there.
            square = np.maximum((away**2).sum(axis=1), 25.0)
            field += side * np.column_stack((-away[:, 1], away[:, 0])) / square[:, None]
        total += (field**2).sum(axis=1)
    return np.asarray(np.log(total) / 2)


_MODELS = {Shading.PLANE: _plane, Shading.SURFACE: _surface, Shading.ARRAY: _array}
