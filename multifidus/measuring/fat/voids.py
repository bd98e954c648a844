"""Signal that is too low for muscle or fat, as around metal."""

from __future__ import annotations

import math

import numpy as np

from multifidus.measuring.uncertainty.components import lean_level
from multifidus.measuring.weighted_pixels import NAN, WeightedPixels

DARK_SHARE = 0.5
"""Pixels below this share of the lean signal are no lean muscle; shading leaves more than this."""

DARK_SPREADS = 3.0
"""They lie as many standard deviations of lean muscle's noise below it, besides."""

MOST_DARK_PCT = 3.0
"""Muscles of which more than this is that dark are flagged. On the phantom without metal at most
0.2 % is, down to a signal-to-noise ratio of 5; a screw whose void reaches into a muscle hides 15 %
and more of it. Septa and vessels stay below on the one real exam that it was tried on."""

TO_DEVIATION = 1.4826
"""Standard deviation over median absolute deviation, of normal errors."""


def darkest_muscle(lean: WeightedPixels, muscle: WeightedPixels) -> float:
    """Return the signal below which a pixel is neither lean muscle nor fat.

    Parameters
    ----------
    lean
        Pixels of lean references. Where there are none, lean signal is where the darker half of
        the muscles' pixels is densest.
    muscle
        Pixels of all muscles.

    Returns
    -------
    float
        NaN where nothing is known of lean muscle.

    Examples
    --------
    >>> darkest_muscle(WeightedPixels.of([99.0, 100.0, 101.0]), WeightedPixels.of([]))
    50.0
    """
    if len(lean.values):
        level, values = lean.median, lean.values
    elif len(muscle.values):
        # Sorted, because the level is sought in ranges of them.
        values = np.sort(muscle.values[muscle.values <= muscle.median])
        level, _ = lean_level(values)
    else:
        return NAN
    # From the darker side alone, without voids: what is brighter may be partly fat.
    darker = values[(values <= level) & (values >= DARK_SHARE * level)]
    noise = TO_DEVIATION * float(np.median(level - darker)) if len(darker) else 0.0
    return min(DARK_SHARE * level, level - DARK_SPREADS * noise)


def dark_pct(sample: WeightedPixels, limit: float) -> float:
    """Share of a sample below a limit, 0 to 100; NaN where there is no limit."""
    if math.isnan(limit) or not len(sample.values):
        return NAN
    dark = sample.weights.compress(sample.values < limit)
    return 100 * float(np.add.reduce(dark)) / sample.total
