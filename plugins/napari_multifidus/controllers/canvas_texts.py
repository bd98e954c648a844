"""The texts on the image: slice, level and tilt, warnings, sides, and whether it is locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_multifidus import _compat
from napari_multifidus.models.grid import slice_words, view_of

if TYPE_CHECKING:
    from napari_multifidus.models.session import Session

WARNING_STYLE = {"font_size": 12, "color": "#ffb000", "box_color": "#26292f"}
"""Size and colour of warnings, on a dark ground in every theme; amber is told from grey with every
colour vision."""

_TEXTS = ("slice", "warnings", "right", "left", "lock")


FLAT = 2
"""Dimensions in which a slice is shown."""

TURNED = "The axes are turned, so R and L are not shown. Choose a structure to turn them back."


def turning_events(viewer: Any) -> tuple[Any, ...]:
    """Return what napari emits when its axes are rolled, transposed, flipped or shown in 3-D."""
    events = viewer.dims.events
    return events.order, events.ndisplay, viewer.scene.camera.events.orientation


def show_upright(viewer: Any, session: Session) -> None:
    """Show slices in two dimensions, the patient's right on the left, anterior up."""
    order, ways = _upright(session)
    viewer.dims.ndisplay = FLAT
    first = viewer.dims.ndim - len(order)
    viewer.dims.order = (*range(first), *(first + axis for axis in order))
    _compat.orient(viewer, *ways)
    viewer.reset_view()


def is_upright(viewer: Any, session: Session) -> bool:
    """Whether slices are shown with the patient's right on the left, anterior up."""
    order, ways = _upright(session)
    first = viewer.dims.ndim - len(order)
    shown = tuple(axis - first for axis in viewer.dims.order[first:])
    camera = viewer.scene.camera.orientation2d
    return viewer.dims.ndisplay == FLAT and shown == order and tuple(map(str, camera)) == ways


def _upright(session: Session) -> tuple[tuple[int, int, int], tuple[str, str]]:
    """Return the order of slice, row and column, and which way rows and columns run."""
    view = view_of(session.series.slices[0].plane)
    ways = ("down" if view.down else "up", "right" if view.right else "left")
    return ((0, 2, 1) if view.transposed else (0, 1, 2)), ways


def show_slice(viewer: Any, session: Session, index: int) -> None:
    """Write which slice is shown, its level and tilt, and what is flagged about them."""
    found = session.analysis.slice_levels[index]
    lines = (slice_words(session.series, index), found.tilt_words, found.place_words)
    _compat.set_text(viewer, "slice", "\n".join(filter(None, lines)), "top_left", font_size=11)
    upright = is_upright(viewer, session)
    # Texts of one corner stand below each other; those of two would overlap on a narrow image.
    warnings = "\n".join(session.analysis.level_warnings(index)) if upright else TURNED
    _compat.set_text(viewer, "warnings", warnings, "top_left", **WARNING_STYLE)
    _compat.set_text(viewer, "right", "R" if upright else "", "middle_left", font_size=22)
    _compat.set_text(viewer, "left", "L" if upright else "", "middle_right", font_size=22)
    _compat.set_scale_bar(viewer, visible=True)


def show_lock(viewer: Any, *, locked: bool) -> None:
    """Write that the reading is finished, or nothing."""
    words = "finished and locked" if locked else ""
    _compat.set_text(viewer, "lock", words, "top_left", **WARNING_STYLE)


def clear_texts(viewer: Any) -> None:
    """Take all texts away."""
    for name in _TEXTS:
        _compat.set_text(viewer, name, "", "top_left")
