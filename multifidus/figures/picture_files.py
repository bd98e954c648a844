"""Files of pictures: their names, large ones, and small ones with what they show written inside."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multifidus.data.drawing import PictureFormat
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


LONGEST_STEM = 160
"""Bytes: names of files have 255, of which what is shown takes some, and a file being written."""


def distinct_stem(parts: tuple[str, ...], whose: object) -> str:
    """Join texts to a file name that other texts do not give.

    Parameters
    ----------
    parts
        Texts that people read.
    whose
        All that tells one name from another, hashed where the texts had to be changed or cut.
    """
    safe = "_".join("".join(c if c.isalnum() or c == "-" else "-" for c in part) for part in parts)
    safe = safe.encode()[:LONGEST_STEM].decode(errors="ignore")
    if safe == "_".join(parts) and not any("_" in part for part in parts):
        return safe
    return f"{safe}_{hashlib.sha256(repr(whose).encode()).hexdigest()[:6]}"


SAGITTAL = "_sagittal"
"""Ending of the name of a picture of all levels from the side."""

_DRAWN = re.compile(rf"(.+)_(series\d+_slice\d{{3,}}|shading\d+|{SAGITTAL[1:]})")


def is_picture_stem(stem: str) -> bool:
    """Whether a file's name without its suffix is one that pictures of measured slices have.

    Examples
    --------
    >>> is_picture_stem("S01_pre_AB_r1_series1_slice004"), is_picture_stem("S01_pre_by_hand")
    (True, False)
    """
    return _DRAWN.fullmatch(stem) is not None


def reading_stem(stem: str) -> str:
    """Return the part of such a name that says of which reading a picture is.

    Examples
    --------
    >>> reading_stem("S01_pre_AB_r1_series1_slice004") == picture_stem(Reading("S01", "pre", "AB"))
    True
    """
    found = _DRAWN.fullmatch(stem)
    return stem if found is None else found[1]


SMALL = "small"
"""Folder of the small pictures, in that of the large ones."""

SMALL_WIDTH = 300
"""Most pixels in a row of them."""

LARGE, QUALITY = 85, 72
"""Quality of JPEG and WebP, large and small."""

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
    shape
        Its rows and columns.
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
    shape: tuple[int, int]


def write_picture(picture: Image, path: Path, form: PictureFormat = PictureFormat.PNG) -> str:
    """Write a large picture; an older one of the same name is replaced.

    Parameters
    ----------
    picture
        What is written.
    path
        Where it goes, without a suffix.
    form
        Its format.

    Returns
    -------
    str
        The name of the file.
    """
    target = path.with_name(f"{path.name}{form.suffix}")
    how = {"compress_level": COMPRESSION} if form is PictureFormat.PNG else {"quality": LARGE}
    if form is PictureFormat.WEBP:
        how["method"] = 0  # the others take four times as long for a tenth
    write_atomically(target, lambda part: picture.save(part, form.upper(), **how), overwrite=True)
    return target.name


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
    share = min(1.0, SMALL_WIDTH / picture.width)
    size = max(1, round(picture.width * share)), max(1, round(picture.height * share))
    small = picture.resize(size, reducing_gap=2.0)
    lengths = picture.height / size[1], picture.width / size[0]
    pixel_mm = [share * step for share, step in zip(lengths, said["pixel_mm"], strict=True)]
    # Not in an index beside them: a picture that another one replaced takes its words along.
    words = json.dumps({**said, "pixel_mm": pixel_mm}, sort_keys=True).encode()
    write_atomically(
        path.with_suffix(".jpg"),
        lambda part: small.save(part, "JPEG", quality=QUALITY, comment=words),
        overwrite=True,
    )


def read_thumbnails(folder: Path) -> Iterator[Thumbnail]:
    """Yield the small pictures of a folder of pictures, by name; what they show is not decoded.

    Raises
    ------
    ReadError
        If one cannot be read, or does not say what it shows.
    """
    for path in sorted((folder / SMALL).glob("*.jpg")):
        if not path.stem.endswith(SAGITTAL):
            yield read_thumbnail(path)


def read_thumbnail(path: Path) -> Thumbnail:
    """Return what one small picture shows.

    Raises
    ------
    ReadError
        If it cannot be read, or does not say what it shows.
    """
    from PIL import Image

    with reading(path, "a picture"), Image.open(path) as picture:
        words, shape = picture.info.get("comment", b""), (picture.height, picture.width)
    try:
        said = json.loads(words)
        row, column = map(float, said.pop("pixel_mm"))
        return Thumbnail(path=path, **said, pixel_mm=(row, column), shape=shape)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        msg = f"{path} does not say which slice it shows."
        raise ReadError(msg, remedy="Measure again; pictures are made anew.") from error


def without_comments(jpeg: bytes) -> bytes:
    """Return a JPEG without the words that are written inside; its pixels stay as they are.

    Examples
    --------
    >>> without_comments(bytes.fromhex("ffd8 fffe0004 4142 ffda 1234 ffd9")).hex()
    'ffd8ffda1234ffd9'
    """
    parts, place = [jpeg[:2]], 2
    while place + 4 <= len(jpeg) and jpeg[place + 1] != _SCAN:
        end = place + 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if jpeg[place + 1] != _COMMENT:
            parts.append(jpeg[place:end])
        place = end
    return b"".join((*parts, jpeg[place:]))


_SCAN, _COMMENT = 0xDA, 0xFE
"""Markers in a JPEG: of the pixels, which end what can be said before them, and of words."""
