"""Shows another exam of the same subject beside the one that is open, where that is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from multifidus.errors import MultifidusError
from multifidus.io.same_person import KnownExam, known_exams
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.models.grid import spacing_mm
from napari_multifidus.models.previous import OtherExam, SideBySide, exams_in, exams_of_list

if TYPE_CHECKING:
    from napari_multifidus.controllers.worklist import WorklistController
    from napari_multifidus.controllers.workspace import Workspace

BLINDED = "no other exam of the subject is shown."
CHOOSE = "Choose the folder of another exam of this subject."


class PreviousExam(QObject):
    """The other exam that is shown beside the one that is open.

    Parameters
    ----------
    workspace
        What is open.

    Attributes
    ----------
    changed
        Emitted when another exam or slice is shown, or why there is none has changed.
    pointed
        Emitted with the place under the mouse on the other exam's slice; None where it is not
        known.
    choices
        The exams that there are.
    shown
        What is shown; None where nothing is.
    refusal
        Why nothing is; empty where something is.
    shows_outlines
        Whether outlines of the other exam are shown.
    """

    changed = Signal()
    pointed = Signal(object)

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.choices: tuple[OtherExam, ...] = ()
        self.chosen: OtherExam | None = None
        self.shown: SideBySide | None = None
        self.refusal = ""
        self.shows_outlines = False
        self.is_on = False
        self._list: WorklistController | None = None
        self._of: object = None
        workspace.opened.connect(self._opened)
        workspace.selection_changed.connect(self._follow)
        workspace.changed.connect(self._follow)

    def read_from(self, worklist: WorklistController | None) -> None:
        """Look for exams in a reading list; None where none is open."""
        if self._list is not None:
            self._list.changed.disconnect(self._list_changed)
        self._list = worklist
        if worklist is not None:
            worklist.changed.connect(self._list_changed)

    def _list_changed(self) -> None:
        """Look again once the list knows which of its entries is open."""
        if self.is_on and self.refusal == CHOOSE:
            self._find()
            self.changed.emit()

    # --- on and off ----------------------------------------------------------------------------

    def set_on(self, *, on: bool) -> None:
        """Show another exam, or nothing; nothing is read while it is off.

        Raises
        ------
        MultifidusError
            If the reading is blinded.
        """
        if on:
            self.workspace.access.refuse_if_blinded(BLINDED)
        if on == self.is_on:
            return
        self.is_on = on
        moves = self.workspace.viewer.mouse_move_callbacks
        if on:
            moves.append(self._moved)
            self._find()
        elif self._moved in moves:
            moves.remove(self._moved)
        self.changed.emit()

    def _opened(self) -> None:
        """Show nothing of another subject; find the exams of this one."""
        workspace = self.workspace
        if self.chosen is not None and self._images is self._of and not workspace.access.blinded:
            # Another reading, series or Dixon pair of the same exam.
            with reported(workspace.warning):
                self._show(self.chosen)
                return
        self._forget()
        if workspace.access.blinded and self.is_on:
            self.set_on(on=False)
        elif self.is_on:
            self._find()
        self.changed.emit()

    @property
    def _images(self) -> object:
        """The exam that is open, as it was read."""
        if not self.workspace.is_open:
            return None
        source = self.workspace.active.source
        return source.as_read or source.exam

    @property
    def why_not(self) -> str:
        """Why no other exam may be shown at all; empty where one may."""
        if not self.workspace.is_open:
            return "no exam is open"
        return "this reading is blinded" if self.workspace.access.blinded else ""

    def _forget(self) -> None:
        self.choices, self.chosen, self.shown = (), None, None
        self.refusal, self.shows_outlines = "", False

    # --- which exam ----------------------------------------------------------------------------

    def _find(self) -> None:
        """Find the other exams of a reading list; elsewhere somebody has to say where they are."""
        self._forget()
        if not self.workspace.is_open:
            self.refusal = "No exam is open."
            return
        controller = self._list
        if controller is None or not controller.has_open or controller.by is None:
            self.refusal = CHOOSE
            return
        try:
            self._offer(exams_of_list(controller.worklist, controller.item(controller.by)))
        except MultifidusError as error:
            self.refusal = str(error)

    def choose_folder(self, folder: Path) -> None:
        """Show an exam under a folder, if it is of the same person.

        Raises
        ------
        MultifidusError
            If the reading is blinded or of a list, or there is no such exam.
        """
        workspace = self.workspace
        workspace.access.refuse_if_blinded(BLINDED)
        if workspace.access.fixed:
            msg = "In a reading list the other exams are those of the cohort."
            raise MultifidusError(msg)
        self._offer(exams_in(folder, self._known(), workspace.rater))

    def _known(self) -> KnownExam:
        """Return what the files of the exam that is open say about whose it is."""
        source = self.workspace.active.source
        exam = source.as_read or source.exam
        wanted = KnownExam(exam).slice_uids
        if source.path is not None:
            for known in known_exams(source.path):
                if wanted <= known.slice_uids:
                    return known
        return KnownExam(exam)

    def _offer(self, found: tuple[OtherExam, ...]) -> None:
        self._show(found[0])
        self.choices = found
        self.changed.emit()

    def choose(self, place: int) -> None:
        """Show another one of the choices.

        Raises
        ------
        MultifidusError
            If it cannot be shown.
        """
        self._show(self.choices[place])

    def _show(self, other: OtherExam | None) -> None:
        if other is None:
            return
        session = self.workspace.session
        shown = SideBySide(session, other.session(session.series, session.protocol))
        self.chosen, self.shown, self.refusal = other, shown, ""
        self.shows_outlines, self._of = False, self._images
        self._follow()

    # --- which slice ---------------------------------------------------------------------------

    def _follow(self) -> None:
        """Go to the level of the slice that is open."""
        if self.shown is not None and self.workspace.is_open and self.is_on:
            self.shown.follow(self.workspace.canvas.index)
            self.pointed.emit(None)
            self.changed.emit()

    def page(self, count: int) -> None:
        """Show another slice of the other exam."""
        if self.shown is not None:
            self.shown.page(count)
            self.pointed.emit(None)
            self.changed.emit()

    def show_outlines(self, *, on: bool) -> None:
        """Show the outlines of the other exam, or hide them."""
        self.shows_outlines = on
        self.changed.emit()

    def _moved(self, viewer: Any, event: Any) -> None:  # noqa: ARG002 - napari passes it
        """Follow the mouse over the image."""
        if self.shown is None or not self.workspace.is_open:
            return
        row, column = (
            float(at) / mm
            for at, mm in zip(
                event.position[-2:], spacing_mm(self.workspace.session.series), strict=True
            )
        )
        self.pointed.emit(self.shown.cursor(row, column))
