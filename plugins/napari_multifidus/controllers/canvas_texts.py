"""The texts on the image: slice, level and tilt, warnings, sides, and whether it is locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_multifidus import _compat
from napari_multifidus.models.grid import slice_words

if TYPE_CHECKING:
    from napari_multifidus.models.session import Session

WARNING_STYLE = {"font_size": 12, "color": "#ffb000"}
"""Size and colour of warnings; amber is told from grey with every colour vision."""

_TEXTS = ("slice", "warnings", "right", "left", "lock")


def show_slice(viewer: Any, session: Session, index: int) -> None:
    """Write which slice is shown, its level and tilt, and what is flagged about them."""
    found = session.analysis.slice_levels[index]
    lines = (slice_words(session.series, index), found.tilt_words, found.place_words)
    _compat.set_text(viewer, "slice", "\n".join(filter(None, lines)), "top_left", font_size=11)
    warnings = "\n".join(session.analysis.level_warnings(index))
    _compat.set_text(viewer, "warnings", warnings, "bottom_left", **WARNING_STYLE)
    _compat.set_text(viewer, "right", "R", "middle_left", font_size=22)
    _compat.set_text(viewer, "left", "L", "middle_right", font_size=22)
    _compat.set_scale_bar(viewer, visible=True)


def show_lock(viewer: Any, *, locked: bool) -> None:
    """Write that the reading is finished, or nothing."""
    words = "finished and locked" if locked else ""
    _compat.set_text(viewer, "lock", words, "top_right", **WARNING_STYLE)


def clear_texts(viewer: Any) -> None:
    """Take all texts away."""
    for name in _TEXTS:
        _compat.set_text(viewer, name, "", "top_left")
