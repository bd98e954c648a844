"""What the border of an outline takes from its surroundings, and gives to them.

The image is blurred, so that pixels at a border show both sides. With two regions, the outline and
the rim of pixels around it, the geometric transfer matrix (Rousset et al. 1998, J Nucl Med 39:904)
gives back what each holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.sums import dot

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

BLUR_PIXELS = 0.5
"""Standard deviation of the blur that is assumed, besides that of the pixel itself."""


@dataclass(frozen=True, slots=True)
class Unmixed:
    """Mean of a quantity in an outline, before and after the transfer over its border."""

    apparent: float
    inside: float


def unmixed(quantity: Array, weights: Array, used: Mask) -> Unmixed:
    """Take out of an outline's mean what its surroundings put into it.

    Parameters
    ----------
    quantity
        Of each pixel of a box around the outline, (rows, columns).
    weights
        How much of each pixel lies inside the outline.
    used
        Pixels that may count.
    """
    mostly = weights >= 0.5  # noqa: PLR2004 - half
    inner, rim = (np.flatnonzero(each & used) for each in (mostly, _grown(mostly) & ~mostly))
    own = weights.take(inner)
    total = float(own.sum())
    apparent = dot(quantity.take(inner), own) / total
    if not len(rim):
        return Unmixed(apparent, apparent)
    blurred = _blurred(weights)
    from_inside = dot(blurred.take(inner), own) / total
    given, beside = (float(each.take(rim).mean()) for each in (blurred, quantity))
    # Of the two equations that mix what is inside and beside, solved for what is inside.
    inside = (apparent * (1 - given) - beside * (1 - from_inside)) / (from_inside - given)
    return Unmixed(apparent, inside)


def _grown(mask: Mask) -> Mask:
    """Return a mask with the pixels that share a side with one of it."""
    grown = mask.copy()
    for to, of in ((np.s_[1:], np.s_[:-1]), (np.s_[:-1], np.s_[1:])):
        grown[to] |= mask[of]
        grown[:, to] |= mask[:, of]
    return grown


_KERNEL = np.exp(-0.5 * (np.arange(3) / BLUR_PIXELS) ** 2)
_KERNEL /= _KERNEL[0] + 2 * _KERNEL[1:].sum()


def _blurred(weights: Array) -> Array:
    """Return weights, (rows, columns), blurred by ``BLUR_PIXELS``; mirrored at the border."""
    rows, columns = weights.shape
    padded = np.empty((rows + 4, columns))
    padded[2:-2] = weights
    padded[:2], padded[-2:] = weights[1::-1], weights[:-3:-1]
    lines = np.empty((rows, columns + 4))
    lines[:, 2:-2] = _blurred_rows(padded)
    lines[:, :2], lines[:, -2:] = lines[:, 3:1:-1], lines[:, -3:-5:-1]
    return _blurred_rows(lines.T).T


def _blurred_rows(padded: Array) -> Array:
    """Return the blur over rows of which two more stand on either side."""
    middle, near, far = _KERNEL
    found = padded[:-4] + padded[4:]
    found *= far
    beside = padded[1:-3] + padded[3:-1]
    beside *= near
    found += beside
    np.multiply(padded[2:-2], middle, out=beside)
    found += beside
    return np.asarray(found)


def displaced(weights: Array, by: float, axis: int) -> Array:
    """Return weights, (rows, columns), displaced by a number of pixels along an axis.

    Linearly between pixels. What would come from beyond the box is 0.
    """
    moved = np.zeros_like(weights)
    first, second = (np.moveaxis(each, axis, 0) for each in (moved, weights))
    whole = math.floor(by)
    part, count = by - whole, len(second)
    begin, end = max(whole + (part > 0), 0), min(count + whole, count)
    if begin < end:
        first[begin:end] = (1 - part) * second[begin - whole : end - whole]
    if begin < end and part:
        first[begin:end] += part * second[begin - whole - 1 : end - whole - 1]
    return moved
