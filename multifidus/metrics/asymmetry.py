"""One side against the other: NaN where nothing can be divided by."""

from __future__ import annotations

NAN = float("nan")


def signed_asymmetry_pct(right: float, left: float) -> float:
    """Difference over the mean of both sides, percent; positive where the right is larger.

    Examples
    --------
    >>> signed_asymmetry_pct(1100.0, 900.0)
    20.0
    """
    return ratio_pct(right - left, (right + left) / 2)


def maximal_asymmetry_pct(right: float, left: float) -> float:
    """Difference over the larger side, percent, without sign.

    Examples
    --------
    >>> maximal_asymmetry_pct(800.0, 1000.0)
    20.0
    """
    return ratio_pct(abs(right - left), max(right, left))


def ratio_pct(part: float, whole: float) -> float:
    """Return one number as a percentage of another; NaN of 0."""
    return 100 * part / whole if whole else NAN
