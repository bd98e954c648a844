"""How far two outlines agree, exactly for the polygons: no pixel is counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from multifidus.data.polygon_sets import region_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Paths = Sequence[NDArray[np.float64]]


def dice(first: Paths, second: Paths) -> float:
    """Measure twice the common area over the sum of both areas (Dice 1945, doi:10.2307/1932409).

    Parameters
    ----------
    first, second
        Closed paths of two outlines of one plane, each (n, 2), enclosing by the even-odd rule.
        The unit does not matter.

    Returns
    -------
    float
        0 to 1; NaN where neither encloses anything.

    Examples
    --------
    >>> import numpy as np
    >>> square = np.array([(0.0, 0.0), (0.0, 2.0), (2.0, 2.0), (2.0, 0.0)])
    >>> dice([square], [square + (0, 1)])
    0.5
    """
    one, other = region_of(first), region_of(second)
    both = one.area + other.area
    return 2 * one.intersection(other).area / both if both else float("nan")
