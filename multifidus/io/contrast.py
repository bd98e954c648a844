"""What the signal of an image shows, told from the words and times of its header."""

from __future__ import annotations

import math
from functools import lru_cache

from multifidus.image import Acquisition, Weighting

_DIXON = {
    Weighting.DIXON_WATER: {"W", "WATER"},
    Weighting.DIXON_FAT: {"F", "FAT"},
    Weighting.DIXON_IN_PHASE: {"IP", "IN_PHASE"},
    Weighting.DIXON_OPPOSED_PHASE: {"OP", "OPP_PHASE", "OUT_PHASE", "OPPOSED_PHASE"},
    Weighting.FAT_FRACTION: {"FF", "FAT_FRACTION"},
}

_NOT_MAGNITUDE = {"P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY"}
"""Tokens of images whose values are no signal strength."""

_INVERSION_MS = (80.0, 300.0)
"""Inversion times that null fat."""

_SPIN_ECHO = (
    (Weighting.T2, (60.0, math.inf), (0.0, math.inf)),
    (Weighting.T1, (0.0, 30.0), (0.0, 1200.0)),
    (Weighting.PD, (0.0, 50.0), (1500.0, math.inf)),
)
"""Ranges of echo and repetition time, in ms, that make a contrast."""


def weighting_of(
    tokens: tuple[str, ...], acquisition: Acquisition, inversion_ms: float
) -> Weighting:
    """Tell the contrast from the image type's tokens, else from echo and repetition time."""
    named = _named(tokens)
    if named is not None:
        return named
    if _INVERSION_MS[0] <= inversion_ms <= _INVERSION_MS[1]:
        return Weighting.STIR
    echo, repetition = acquisition.echo_time_ms, acquisition.repetition_time_ms
    for weighting, echoes, repetitions in _SPIN_ECHO:
        if echoes[0] <= echo <= echoes[1] and repetitions[0] <= repetition <= repetitions[1]:
            return weighting
    return Weighting.UNKNOWN


@lru_cache(maxsize=256)
def _named(tokens: tuple[str, ...]) -> Weighting | None:
    """Return what the tokens say alone; None where they leave it to the times."""
    words = {token.upper() for token in tokens}
    for weighting, names in _DIXON.items():
        if words & names:
            return weighting
    if any("LOCALIZER" in word for word in words):
        return Weighting.LOCALIZER
    return Weighting.UNKNOWN if words & _NOT_MAGNITUDE else None
