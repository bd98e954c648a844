"""One side against the other: NaN where nothing can be divided by."""

from __future__ import annotations

import math

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


def signed_asymmetry_uncertainty(right: float, left: float, u_right: float, u_left: float) -> float:
    """Return the standard uncertainty of :func:`signed_asymmetry_pct`, to first order.

    The sides' errors are taken as independent. What both share, such as a hand that always draws
    too wide, cancels in part, so that this is rather too much than too little.

    Examples
    --------
    >>> round(signed_asymmetry_uncertainty(1000.0, 1000.0, 30.0, 40.0), 9)
    5.0
    """
    both = right + left
    return 400 * math.hypot(left * u_right, right * u_left) / both**2 if both else NAN


def maximal_asymmetry_uncertainty(
    right: float, left: float, u_right: float, u_left: float
) -> float:
    """Return the standard uncertainty of :func:`maximal_asymmetry_pct`, as of the signed one."""
    if right >= left:
        return ratio_uncertainty(left, right, u_left, u_right)
    return ratio_uncertainty(right, left, u_right, u_left)


def ratio_uncertainty(part: float, whole: float, u_part: float, u_whole: float) -> float:
    """Return the standard uncertainty of :func:`ratio_pct` of numbers with independent errors."""
    return 100 * math.hypot(u_part, part / whole * u_whole) / abs(whole) if whole else NAN
