"""Which images of measured slices are kept, and in what format."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class PictureChoice(StrEnum):
    """Of which slices images are kept."""

    NONE = "none"
    FLAGGED = "flagged"
    ALL = "all"


class PictureFormat(StrEnum):
    """Format of large images; small ones are always JPEG."""

    JPEG = "jpeg"
    WEBP = "webp"
    PNG = "png"

    @property
    def suffix(self) -> str:
        """Ending of a file's name."""
        return ".jpg" if self is PictureFormat.JPEG else f".{self}"


@dataclass(frozen=True, slots=True)
class PictureStyle:
    """How measured slices are drawn.

    Parameters
    ----------
    only_flagged
        Whether slices are left out on which nothing is flagged.
    format
        Of the large images.
    """

    only_flagged: bool = False
    format: PictureFormat = PictureFormat.JPEG

    @property
    def words(self) -> str:
        """What a record says of it."""
        return f"{'flagged' if self.only_flagged else 'all'} {self.format}"


AS_USUAL = PictureStyle()
"""How slices are drawn where nothing else is asked for."""
