"""Sums whose rounding depends on the numbers alone.

BLAS, behind ``@``, divides long arrays among threads, and Python's ``sum`` of floats changed in
3.12: what they return depends on the machine and the version, in the last digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def dot(first: Array, second: Array) -> float:
    """Sum of products of two arrays of shape (n,)."""
    return float(np.add.reduce(first * second))


def times(matrix: Array, vector: Array) -> Array:
    """Matrix (n, p) times vector (p,): shape (n,)."""
    return np.asarray(np.einsum("ij,j->i", matrix, vector))


def gram(first: Array, second: Array) -> Array:
    """Sum, over rows, the products of all columns: (n, p) and (n, q) to (p, q)."""
    return np.asarray(np.einsum("ij,ik->jk", first, second))
