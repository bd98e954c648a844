"""Files of pictures: their names, large ones, and small ones with what they show written inside."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multifidus.data.roi import Reading
from multifidus.errors import ReadError
from multifidus.io.files import reading, write_atomically

if TYPE_CHECKING:
    from PIL.Image import Image


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


SMALL = "small"
"""Folder of the small pictures, in that of the large ones."""

SHRINK = 3
"""How many times smaller they are."""

QUALITY = 85

COMPRESSION = 3
"""Of large pictures, from 0 to 9: of noise, more takes three times as long and saves nothing."""


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture of one slice of one reading.

    Parameters
    ----------
    path
        Its file.
    subject, timepoint, rater, reading, series, slice_index, level
        Of the slice, as in the tables.
    pixel_mm
        Row and column step of its pixels.
    """

    path: Path
    subject: str
    timepoint: str
    rater: str
    reading: int
    series: str
    slice_index: int
    level: str
    pixel_mm: tuple[float, float]


def write_picture(picture: Image, path: Path) -> None:
    """Write a large picture as PNG; an older one of the same name is replaced."""
    write_atomically(
        path, lambda part: picture.save(part, compress_level=COMPRESSION), overwrite=True
    )


def write_thumbnail(picture: Image, said: Mapping[str, Any], path: Path) -> None:
    """Write a picture smaller, as JPEG beside the name given, with what is said of it.

    Parameters
    ----------
    picture
        The large one.
    said
        The fields of :class:`Thumbnail`; ``pixel_mm`` of the large picture.
    path
        Where it goes, whatever its suffix; an older one of the same name is replaced.
    """
    small = picture.reduce(SHRINK)
    pixel_mm = [SHRINK * step for step in said["pixel_mm"]]
    # Not in an index beside them: a picture that another one replaced takes its words along.
    words = json.dumps({**said, "pixel_mm": pixel_mm}, sort_keys=True).encode()
    write_atomically(
        path.with_suffix(".jpg"),
        lambda part: small.save(part, quality=QUALITY, comment=words),
        overwrite=True,
    )


def read_thumbnails(folder: Path) -> Iterator[Thumbnail]:
    """Yield the small pictures of a folder of pictures, by name; what they show is not decoded.

    Raises
    ------
    ReadError
        If one cannot be read, or does not say what it shows.
    """
    from PIL import Image

    for path in sorted((folder / SMALL).glob("*.jpg")):
        with reading(path, "a picture"), Image.open(path) as picture:
            words = picture.info.get("comment", b"")
        try:
            said = json.loads(words)
            row, column = map(float, said.pop("pixel_mm"))
            found = Thumbnail(path=path, **said, pixel_mm=(row, column))
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            msg = f"{path} does not say which slice it shows."
            raise ReadError(msg, remedy="Measure again; pictures are made anew.") from error
        yield found
