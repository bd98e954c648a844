"""What the border of an outline takes from its surroundings, and gives to them.

The image is blurred, so that pixels at a border show both sides. With two regions, the outline and
the rim of pixels around it, the geometric transfer matrix (Rousset et al. 1998, J Nucl Med 39:904)
gives back what each holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

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
    from scipy.ndimage import binary_dilation, gaussian_filter

    mostly = weights >= 0.5  # noqa: PLR2004 - half
    inner, rim = mostly & used, binary_dilation(mostly) & ~mostly & used
    own = weights[inner]
    apparent = float((quantity[inner] * own).sum() / own.sum())
    if not rim.any():
        return Unmixed(apparent, apparent)
    blurred = gaussian_filter(weights, BLUR_PIXELS)
    from_inside = float((blurred[inner] * own).sum() / own.sum())
    given = float(blurred[rim].mean())
    transfer = np.array([[from_inside, 1 - from_inside], [given, 1 - given]])
    inside, _ = np.linalg.solve(transfer, [apparent, float(quantity[rim].mean())])
    return Unmixed(apparent, float(inside))
