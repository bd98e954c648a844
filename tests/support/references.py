"""What other people's converters say about the real scans, and how ours is compared with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from multifidus.data.geometry import ras_from_lps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.data.image import Stack

    Array = NDArray[np.float64]

AFFINE_TOLERANCE_MM = 1e-3
SCALED_TOLERANCE = 1e-6
"""Of the largest value: references whose values were rescaled are kept in single precision."""


def turn_to_reference(own: Array, reference: Array, slices: int) -> NDArray[np.intp]:
    """Return what takes our (column, row, slice) indices to the reference's, 4x4 whole numbers.

    Both affines lead to RAS millimetres. Fails unless axes are permuted and flipped, nothing else.
    """
    own = own.copy()
    if slices == 1:
        # A single slice has no step; its direction and length are the converter's choice.
        step = reference[:3, 2]
        assert abs(step @ own[:3, 2]) == pytest.approx(
            np.linalg.norm(step) * np.linalg.norm(own[:3, 2]), rel=1e-4
        )
        own[:3, 2] = step
    whole = np.rint(np.linalg.inv(reference) @ own)
    assert (np.abs(whole[:3, :3]).sum(axis=0) == 1).all()
    assert reference @ whole == pytest.approx(own, abs=AFFINE_TOLERANCE_MM)
    return whole.astype(np.intp)


def values_of(stack: Stack) -> Array:
    """Return a stack's voxels by (column, row, slice)."""
    return np.stack([item.pixels.T for item in stack.slices], axis=2)


def assert_equals_reference(stack: Stack, voxels: Array, affine: Array) -> None:
    """Check every voxel of a stack, at the place of its own, against a reference in RAS."""
    values = values_of(stack)
    assert values.size == voxels.size
    turn = turn_to_reference(ras_from_lps(stack.affine_lps), affine, values.shape[2])
    indices = np.indices(values.shape).reshape(3, -1)
    there = turn[:3, :3] @ indices + turn[:3, 3:]
    assert there.min() >= 0
    found, expected = values.ravel(), voxels[tuple(there)]
    if (expected == np.rint(expected)).all():
        assert np.array_equal(found, expected)
    else:
        assert np.abs(found - expected).max() <= SCALED_TOLERANCE * np.abs(expected).max()
