"""What is shown while and after one draws: pixels behind the numbers, fat on the image, grades."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer

from multifidus.data.anatomy import Level, Side
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import MultifidusError
from multifidus.io.protocol_toml import DEFAULT, load_protocol
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.error_messages import told
from napari_multifidus.controllers.fat_overlay import FatOverlay
from napari_multifidus.controllers.mouse import PAN_ZOOM
from napari_multifidus.models.grading import GOUTALLIER, most_of
from napari_multifidus.models.grid import spacing_mm
from napari_multifidus.models.measured import Pictures, write_pictures
from napari_multifidus.models.shapes import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, LayerKey

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator
    from napari_multifidus.models.preview import OutlinePreview

REST_MS = 60
"""How long the view rests before the pixels of a slice are looked at: leafing stays quick."""

_DIGITS = tuple("0123456789")
_MULTIFIDUS = {Side.LEFT: MULTIFIDUS_LEFT, Side.RIGHT: MULTIFIDUS_RIGHT}


class Feedback(QObject):
    """Shows what the outline in hand measures, and takes grades.

    Parameters
    ----------
    annotator
        What it belongs to.

    Attributes
    ----------
    previewed
        Emitted with a structure and its :class:`~napari_multifidus.models.preview.OutlinePreview`,
        None where nothing is drawn.
    graded
        Emitted when the scheme, or whether digits grade, has changed.
    protocol_changed
        Emitted when another protocol is in force.
    """

    previewed = Signal(object, object)
    graded = Signal()
    protocol_changed = Signal()

    def __init__(self, annotator: Annotator) -> None:
        super().__init__()
        self.annotator = annotator
        # Where `told` says what went wrong.
        self.warning = annotator.warning
        self.protocol_name, self.protocol = DEFAULT, MeasurementProtocol()
        self.scheme = GOUTALLIER.name
        self.shows_fat = self.is_grading = False
        self._overlay: FatOverlay | None = None
        self._armed: list[Any] = []
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(REST_MS)
        self._timer.timeout.connect(self.show_preview)
        annotator.outline_moved.connect(self._follow)
        annotator.selection_changed.connect(self._timer.start)
        annotator.changed.connect(self._timer.start)
        annotator.opened.connect(self._begin)

    # --- the outline in hand -------------------------------------------------------------------

    def _begin(self) -> None:
        """Start anew with the exam that was opened; clear away after one that was closed."""
        self.stop_grading()
        if self._overlay is not None:
            self._overlay.clear()
        self._overlay = None
        if self.annotator.session is None:
            self._timer.stop()
            self.previewed.emit(None, None)
        else:
            self._timer.start()

    def _active_structure(self) -> LayerKey:
        """Return the structure in hand; the right multifidus where there is none."""
        canvas = self.annotator.canvas
        remembered = canvas.place[1] if canvas is not None else None
        active = canvas.active if canvas is not None else None
        return active or remembered or MULTIFIDUS_RIGHT

    def show_preview(self) -> None:
        """Look at the outline in hand as it is at rest."""
        session, canvas = self.annotator.session, self.annotator.canvas
        if session is None or canvas is None:
            return
        self._timer.stop()
        key = self._active_structure()
        drawn = bool(session.loops(key, canvas.index))
        self.previewed.emit(key, session.analysis.preview(key, canvas.index) if drawn else None)
        if self.shows_fat:
            self._show_fat({})

    def _follow(self, key: LayerKey, index: int, preview: OutlinePreview) -> None:
        """Follow the outline in motion."""
        session, canvas = self.annotator.session, self.annotator.canvas
        if session is None or canvas is None:
            return
        self._timer.stop()
        self.previewed.emit(key, preview)
        if self.shows_fat and index == canvas.index:
            self._show_fat({key: preview})

    # --- fat on the image ----------------------------------------------------------------------

    def toggle_fat(self) -> None:
        """Show fat and lean pixels of the muscle in hand on the image, or no longer."""
        self.shows_fat = not self.shows_fat
        if self.shows_fat:
            self._show_fat({})
        elif self._overlay is not None:
            self._overlay.clear()

    def _show_fat(self, moving: dict[LayerKey, OutlinePreview]) -> None:
        """Show the fat of both sides: of one in motion as it is now, of others as at rest."""
        session, canvas = self.annotator.session, self.annotator.canvas
        if session is None or canvas is None:
            return
        index, structure = canvas.index, self._active_structure().structure
        if not structure.is_muscle:
            structure = MULTIFIDUS_RIGHT.structure
        keys = [LayerKey(structure, side) for side in _MULTIFIDUS]
        previews = {
            key: moving.get(key) or session.analysis.preview(key, index)
            for key in keys
            if session.loops(key, index)
        }
        if self._overlay is None:
            self._overlay = FatOverlay(self.annotator.viewer, spacing_mm(session.series))
        self._overlay.show(index, previews, session.slice(index).shape)

    # --- protocol ------------------------------------------------------------------------------

    @told
    def choose_protocol(self, name: str) -> None:
        """Measure by a preset, or by a protocol file, from now on."""
        try:
            if name:
                self.protocol, self.protocol_name = load_protocol(name), name
        finally:
            self.protocol_changed.emit()
        session, canvas = self.annotator.session, self.annotator.canvas
        if session is not None and canvas is not None and session.set_protocol(self.protocol):
            canvas.refresh()
            self.annotator.changed.emit()
            if session.analysis.refusal:
                self.warning.emit(session.analysis.refusal)

    # --- pictures ------------------------------------------------------------------------------

    @told
    def pictures_into(self, folder: Path) -> Pictures | None:
        """Write a picture of every measured slice into a folder; None if refused."""
        session = self.annotator.session
        if session is None:
            return None
        self.annotator.flush()
        done = write_pictures(session, folder)
        self.annotator.message.emit(done.words)
        return done

    # --- grades --------------------------------------------------------------------------------

    @property
    def level(self) -> Level | None:
        """The level of the slice shown."""
        session, canvas = self.annotator.session, self.annotator.canvas
        if session is None or canvas is None:
            return None
        return session.analysis.level_of(canvas.index)[0]

    @told
    def grade(self, side: Side, value: int | None) -> None:
        """Grade one side of the level in hand; None takes the grade back."""
        session, level = self.annotator.session, self.level
        if session is None:
            return
        if level is None:
            msg = "Nobody knows which level this slice shows, so it cannot be graded."
            raise MultifidusError(msg, remedy="Say its level first.")
        if session.set_grade(self.scheme, level, side, value):
            self.annotator.committed()
        self.graded.emit()

    def set_scheme(self, scheme: str) -> None:
        """Grade by another scheme."""
        self.scheme = scheme
        self.graded.emit()

    def toggle_grading(self) -> None:
        """Let digits grade the side in hand, or no longer."""
        if self.is_grading:
            self.stop_grading()
        else:
            self.start_grading()

    @told
    def start_grading(self) -> None:
        """Let digits grade the side in hand, at the level of the slice shown."""
        canvas = self.annotator.canvas
        if canvas is None:
            return
        if self.level is None:
            self.graded.emit()
            msg = "Nobody knows which level this slice shows, so it cannot be graded."
            raise MultifidusError(msg, remedy="Say its level first.")
        self.is_grading = True
        if canvas.active not in _MULTIFIDUS.values():
            canvas.activate(MULTIFIDUS_RIGHT, PAN_ZOOM)
        self._arm()
        self.annotator.message.emit(f"Digits grade the side in hand, 0 to {most_of(self.scheme)}.")
        self.graded.emit()

    def stop_grading(self) -> None:
        """Give the digits back to what they did before."""
        was, self.is_grading = self.is_grading, False
        for owner in self._armed:
            for digit in _DIGITS:
                owner.bind_key(digit, None, overwrite=True)
        self._armed.clear()
        if was:
            from napari_multifidus.controllers import shortcuts as keys

            if self.annotator.session is not None:
                keys.bind(self.annotator.viewer, self.annotator)
            self.graded.emit()

    def _arm(self) -> None:
        """Bind the digits on every layer of ours: napari's own shapes use them as well."""
        canvas = self.annotator.canvas
        assert canvas is not None  # noqa: S101 - narrows the type
        for owner in (self.annotator.viewer, *canvas.layers.values()):
            for digit in _DIGITS:
                owner.bind_key(digit, _presses(partial(self._press, int(digit))), overwrite=True)
            if all(owner is not other for other in self._armed):
                self._armed.append(owner)

    def _press(self, value: int) -> None:
        canvas = self.annotator.canvas
        session, level = self.annotator.session, self.level
        if canvas is None or session is None:
            return
        active = canvas.active
        side = Side.RIGHT if active is None or active.side not in _MULTIFIDUS else active.side
        self.grade(side, value)
        other = Side.LEFT if side is Side.RIGHT else Side.RIGHT
        waits = level is not None and (self.scheme, level, other) not in session.drawing.own_grades
        if waits and (self.scheme, level, side) in session.drawing.own_grades:
            canvas.activate(_MULTIFIDUS[other], PAN_ZOOM)
            self._arm()


def _presses(act: Callable[[], None]) -> Callable[[Any], None]:
    def press(_: Any) -> None:
        act()

    return press
