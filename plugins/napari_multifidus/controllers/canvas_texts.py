"""The texts on the image: slice, level and tilt, warnings, sides, and whether it is locked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari_multifidus import _compat
from napari_multifidus.models.grid import slice_words, view_of

if TYPE_CHECKING:
    from napari_multifidus.models.session import Session

WARNING_STYLE = {"color": "#ffb000", "box_color": "#26292f"}
"""Colours of warnings, on a dark ground in every theme; amber is told from grey with every colour
vision."""

_POINTS = {"slice": 11, "warnings": 12, "lock": 12, "right": 22, "left": 22}
"""Size of letters by the name of a text, on an image that is wide enough."""

_OTHER_POINTS = 11
ROOMY_PX, LEAST_SHARE = 500, 0.7
"""Letters on a narrower image are smaller in proportion to its width, down to this share."""

BAR_ROOM_PX = 420
"""On a narrower image the scale bar is hidden: it is about 150 pixels long, and would lie on what
is outlined."""

_DOT = "\N{MIDDLE DOT}"
_BREAK = " \n"
"""Where a line was broken for want of room; no line of a text itself ends in a blank."""

FLAT = 2
"""Dimensions in which a slice is shown."""

TURNED = "The axes are turned, so R and L are not shown. Choose a structure to turn them back."


class FittedTexts:
    """Keeps the texts on the image within it, however wide it becomes.

    Parameters
    ----------
    viewer
        The napari viewer.
    """

    def __init__(self, viewer: Any) -> None:
        self._viewer = viewer
        viewer.canvas.events.size.connect(self._fit)

    def close(self) -> None:
        """Take the texts of a slice away, and follow the canvas no more."""
        self._viewer.canvas.events.size.disconnect(self._fit)
        for name in _POINTS:
            write(self._viewer, name, "")

    def _fit(self, event: Any = None) -> None:  # noqa: ARG002 - napari passes it
        start = f"{_compat.PLUGIN}_"
        for full_name, text in self._viewer.canvas.overlays.items():
            if full_name.startswith(start) and text.text:
                write(self._viewer, full_name.removeprefix(start), text.text.replace(_BREAK, " "))
        show_scale_bar(self._viewer)


def show_scale_bar(viewer: Any) -> None:
    """Show the scale bar where the image has room for it, and hide it where not."""
    is_roomy = not _compat.has_window(viewer) or viewer.canvas.size[1] >= BAR_ROOM_PX
    _compat.set_scale_bar(viewer, visible=is_roomy)


def write(viewer: Any, name: str, words: str, place: str = "top_left", **style: Any) -> None:
    """Write a text in a corner of the image, in lines that are no wider than it."""
    points = float(_POINTS.get(name, _OTHER_POINTS))
    if words and _compat.has_window(viewer):
        width = viewer.canvas.size[1]
        points = round(points * min(max(width / ROOMY_PX, LEAST_SHARE), 1.0))
        room = width - 2 * viewer.canvas.overlay_tiling.padding[0]
        words = broken(words, lambda line: _compat.text_width(viewer, line, points) <= room)
    _compat.set_text(viewer, name, words, place=place, font_size=points, **style)


def broken(words: str, fits: Callable[[str], bool]) -> str:
    """Break lines between words where they do not fit; a word that alone is too long stays."""
    lines: list[str] = []
    for line in words.split("\n"):
        left = line.split(" ")
        while left:
            count = len(left)
            while count > 1 and not fits(" ".join(left[:count])):
                count -= 1
            # Rather behind a dot, which parts what belongs together.
            dots = [place for place in range(1, count) if left[place] == _DOT]
            count = dots[-1] + 1 if left[count:] and dots else count
            lines.append(" ".join(left[:count]) + (_BREAK[0] if left[count:] else ""))
            left = left[count:]
    return "\n".join(lines)


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
    write(viewer, "slice", "\n".join(filter(None, lines)))
    upright = is_upright(viewer, session)
    # Texts of one corner stand below each other; those of two would overlap on a narrow image.
    warnings = "\n".join(session.analysis.level_warnings(index)) if upright else TURNED
    write(viewer, "warnings", warnings, **WARNING_STYLE)
    write(viewer, "right", "R" if upright else "", "middle_left")
    write(viewer, "left", "L" if upright else "", "middle_right")
    show_scale_bar(viewer)


def show_lock(viewer: Any, *, locked: bool) -> None:
    """Write that the reading is finished, or nothing."""
    write(viewer, "lock", "finished and locked" if locked else "", **WARNING_STYLE)
