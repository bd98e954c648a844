"""File names of pictures: of what they show, and no two of different readings alike."""

from __future__ import annotations

import hashlib
import re

from multifidus.data.roi import Reading


def picture_stem(by: Reading) -> str:
    """Return a file name's start from study names; anything unusual in them becomes a dash.

    Names that had to be changed carry a short hash of what they were, so that no two readings
    share a picture.
    """
    parts = (by.subject or "exam", by.timepoint, by.rater, f"r{by.reading}")
    return distinct_stem(tuple(filter(None, parts)), parts)


def distinct_stem(parts: tuple[str, ...], whose: object) -> str:
    """Join texts to a file name that other texts do not give.

    Parameters
    ----------
    parts
        Texts that people read.
    whose
        All that tells one name from another, hashed where the texts had to be changed.
    """
    safe = "_".join("".join(c if c.isalnum() or c == "-" else "-" for c in part) for part in parts)
    if safe == "_".join(parts) and not any("_" in part for part in parts):
        return safe
    return f"{safe}_{hashlib.sha256(repr(whose).encode()).hexdigest()[:6]}"


_DRAWN = re.compile(r".+_(series\d+_slice\d{3,}|shading\d+)")


def is_picture_stem(stem: str) -> bool:
    """Whether a file's name without its suffix is one that pictures of measured slices have.

    Examples
    --------
    >>> is_picture_stem("S01_pre_AB_r1_series1_slice004"), is_picture_stem("S01_pre_by_hand")
    (True, False)
    """
    return _DRAWN.fullmatch(stem) is not None
