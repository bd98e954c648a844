"""Whether the images are still those that outlines were drawn on.

Beside the outlines the journal keeps the hash of every slice that something is drawn on, as it was
when the outlines on it changed last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from multifidus.data.slice_number import slice_number

if TYPE_CHECKING:
    from multifidus.data.roi import Roi
    from napari_multifidus.models.drawing import DrawingState
    from napari_multifidus.models.session import Session


class ImageHashes:
    """Hashes of the images under the outlines of a session.

    Parameters
    ----------
    session
        As it was opened, before anything is changed.
    images
        Hash of the slice that each outline's slice UID stood for, as the journal has them.
    """

    def __init__(self, session: Session, images: Mapping[str, str]) -> None:
        self._session = session
        self._images = dict(images)
        self._drawn = _by_uid(session.drawing)
        self._hashes: dict[int, str] = {}

    def _hash(self, index: int) -> str:
        if index not in self._hashes:
            self._hashes[index] = self._session.series.slices[index].sha256()
        return self._hashes[index]

    def changed(self) -> tuple[int, ...]:
        """Return the slices whose image is another than the outlines on it were drawn on.

        Raises
        ------
        ReadError
            If pixels cannot be read.
        """
        found = {
            index
            for uid, (index, _) in self._drawn.items()
            if self._images.get(uid, self._hash(index)) != self._hash(index)
        }
        return tuple(sorted(found))

    def images(self) -> dict[str, str]:
        """Return the hashes to be kept: of a slice drawn on anew, that of its image now."""
        now = _by_uid(self._session.drawing)
        for uid, (index, rois) in now.items():
            before = self._drawn.get(uid)
            if uid not in self._images or before is None or not _same(before[1], rois):
                self._images[uid] = self._hash(index)
        self._drawn = now
        return dict(self._images)


def _by_uid(drawing: DrawingState) -> dict[str, tuple[int, list[Roi]]]:
    found: dict[str, tuple[int, list[Roi]]] = {}
    for (_, index), rois in sorted(drawing.outlines.items(), key=lambda item: item[0]):
        for roi in rois:
            found.setdefault(roi.key.slice_uid, (index, []))[1].append(roi)
    return found


def _same(first: list[Roi], second: list[Roi]) -> bool:
    """Whether these are the very same outlines; a session replaces what changes."""
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))


def words_of(changed: tuple[int, ...]) -> str:
    """Say it to the person; nothing where nothing changed."""
    if not changed:
        return ""
    which = ", ".join(str(slice_number(index)) for index in changed)
    one = len(changed) == 1
    return (
        f"The image of slice{'' if one else 's'} {which} has changed since the outlines on "
        f"{'it' if one else 'them'} were drawn. Look at them again: as soon as they are changed, "
        "they count as drawn on the new image."
    )
