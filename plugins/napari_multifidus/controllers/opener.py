"""Opening and closing exams, readings, series and folders: one exam at a time, always saved."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.errors import MultifidusError
from multifidus.io.outlines import read_rois
from multifidus.reading.audit_log import is_locked
from napari_multifidus._compat import swapping_layers
from napari_multifidus.controllers.canvas import Canvas
from napari_multifidus.controllers.canvas_callbacks import CanvasCallbacks
from napari_multifidus.controllers.display import Display
from napari_multifidus.controllers.image_layers import exam_images, replace_images
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.controllers.saving import Contents, SessionRestore
from napari_multifidus.controllers.workspace import ActiveExam, Workspace
from napari_multifidus.models.autosave import Journal, OutlineFile, default_folder, latest_reading
from napari_multifidus.models.blinding import Access
from napari_multifidus.models.dixon_roles import NOT_USED, with_chosen_roles
from napari_multifidus.models.grid import axial_series, series_of
from napari_multifidus.models.image_check import words_of
from napari_multifidus.models.opening import (
    METADATA,
    ONE_OF_MANY,
    OpenedExam,
    is_one_of_many,
    layer_data,
    shared_levels,
)
from napari_multifidus.models.session import Session

if TYPE_CHECKING:
    from multifidus.data.image import Series
    from multifidus.measuring.dixon_roles import DixonRoles
    from napari_multifidus.models.shapes import LayerKey


class ExamOpener:
    """Opens exams in a workspace.

    Parameters
    ----------
    workspace
        What is open.
    display
        Shows the images of an exam.
    """

    def __init__(self, workspace: Workspace, display: Display) -> None:
        self.workspace, self.display = workspace, display
        self._left: dict[LayerKey, Any] = {}
        self._is_keeping = False

    @contextlib.contextmanager
    def keeping_layers(self) -> Iterator[None]:
        """Let layers of the exam that goes be used by the one that comes; remove the others."""
        if self._is_keeping:
            yield
            return
        self._is_keeping = True
        try:
            yield
        finally:
            self._is_keeping = False
            layers = self.workspace.viewer.layers
            left = [layer for layer in self._left.values() if layer in layers]
            self._left.clear()
            if left:
                with swapping_layers(self.workspace.viewer):
                    for layer in left:
                        layers.remove(layer)

    # --- exams ---------------------------------------------------------------------------------

    def find_exam(self) -> None:
        """Open the newest exam among the viewer's layers, unless it is open already."""
        found = [layer.metadata[METADATA] for layer in exam_images(self.workspace.viewer)]
        first = [opened for opened in found if opened.is_first]
        exam = self.workspace.active.source.exam if self.workspace.is_open else None
        if first and first[-1].exam is not exam:
            self.open(first[-1])
        elif exam is not None and not any(opened.exam is exam for opened in found):
            self.close()

    def switch_to(
        self,
        opened: OpenedExam,
        *,
        folder: Path | None = None,
        by: Reading | None = None,
        access: Access | None = None,
    ) -> None:
        """Show an exam in the place of the one that is open, and outline it.

        Parameters
        ----------
        opened
            The exam.
        folder
            Where outlines are kept; chosen if None.
        by
            Whose reading; the last of this rater if None.
        access
            What a reading list does not allow; everything is allowed if None.

        Raises
        ------
        MultifidusError
            If its images cannot be shown; then what is open stays.
        """
        layers = layer_data(opened)
        with self.keeping_layers():
            self.close()
            replace_images(self.workspace.viewer, layers)
            self.open(opened, access, folder, by)

    def open(
        self,
        opened: OpenedExam,
        access: Access | None = None,
        folder: Path | None = None,
        by: Reading | None = None,
    ) -> None:
        """Outline an exam, going on where this rater left; what was open is saved and closed.

        Parameters are those of :meth:`switch_to`.
        """
        self.close()
        self.workspace.access = access or Access()
        viewer = self.workspace.viewer
        for layer in exam_images(viewer):
            if layer.metadata[METADATA].exam is not opened.exam:
                viewer.layers.remove(layer)
        where = folder or default_folder(opened.path, opened.series.uid, is_sample=opened.is_sample)
        wanted = by or self._reading_in(where, opened)
        self._begin(opened, OutlineFile.of(where, wanted), wanted)
        if is_one_of_many(opened):
            self.workspace.warning.emit(ONE_OF_MANY)

    def close(self) -> None:
        """Save, and take the exam's outlines out of the viewer."""
        workspace = self.workspace
        if not workspace.is_open:
            return
        workspace.flush()
        with self.keeping_layers():
            self._left |= workspace.canvas.close()
        self.display.forget()
        workspace.autosaver.write_to(None)
        workspace.activate(None)
        workspace.access = Access()
        workspace.opened.emit()

    def _begin(
        self, source: OpenedExam, file: OutlineFile, by: Reading, carried: Contents | None = None
    ) -> None:
        """Show a reading: what is carried over, else what its file holds, else what came with it.

        Whoever takes outlines along takes what is no outline yet, and the pair, along with them.
        """
        self.workspace.autosaver.write_to(file)
        rois, journal = carried or (self._held(source, file, by), file.load_journal())
        roles, in_list = journal.roles, self.workspace.access.in_list
        source = self._with_roles(source, None if in_list else roles)
        # In a list the pair is kept for where it was chosen, and not used.
        journal = replace(journal, roles=roles if in_list else source.roles)
        series = series_of(rois, source.exam) or source.series
        self._show(source, series, rois, journal)
        self.workspace.opened.emit()
        self.workspace.autosaver.report()
        if in_list and roles is not None and not self.workspace.access.blinded:
            self.workspace.message.emit(NOT_USED)
        if source.label_maps and not self.workspace.access.blinded:
            words = f"Not opened as images, but label maps: {', '.join(source.label_maps)}."
            self.workspace.message.emit(f"{words} Drafts… takes them over.")
        with reported(self.workspace.warning):
            words = words_of(self.workspace.active.restore.image_hashes.changed())
            if words:
                self.workspace.warning.emit(words)

    def _held(self, source: OpenedExam, file: OutlineFile, by: Reading) -> RoiSet:
        """Return the outlines of a reading that its file holds, or that the exam came with."""
        held = file.load(source.exam)
        given = _given(source) if held is None else None
        if given is not None and given.reading == by:
            held = given
        return RoiSet(reading=by) if held is None else held

    def _with_roles(self, source: OpenedExam, roles: DixonRoles | None) -> OpenedExam:
        """Return an exam with the pair that a reading chose, and show its images so."""
        found = source
        with reported(self.workspace.warning):
            found = with_chosen_roles(source, roles)
        if found is not source:
            replace_images(self.workspace.viewer, layer_data(found))
        return found

    def show_roles(self, source: OpenedExam, fat: str | None) -> None:
        """Show the exam that is open with another Dixon pair, or with none.

        Parameters
        ----------
        source
            The exam with it.
        fat
            The series that is outlined then, where nothing is drawn on the one that is now.
        """
        workspace = self.workspace
        session, journal = workspace.session, workspace.active.restore.journal()
        is_bare = not session.drawing.layer_keys() and not workspace.canvas.unfinished()
        roles = source.roles
        on_pair = roles is not None and session.series.uid in {roles.fat, roles.water}
        uid = fat if fat is not None and is_bare and not on_pair else session.series.uid
        series = next(item for item in source.exam.series if item.uid == uid)
        source = replace(source, series=series)
        layers = layer_data(source)
        with self.keeping_layers():
            replace_images(workspace.viewer, layers)
            self._show(source, series, session.rois(), replace(journal, roles=roles))
        workspace.opened.emit()

    def _reading_in(self, folder: Path, source: OpenedExam) -> Reading:
        """Return whose reading an exam is opened as: this rater's last, or a sample's own."""
        given = _given(source)
        if given is not None:
            return given.reading
        exam = source.exam
        return latest_reading(folder, Reading(exam.subject, exam.timepoint, self.workspace.rater))

    def _show(self, source: OpenedExam, series: Series, rois: RoiSet, journal: Journal) -> None:
        """Show a reading on a series, as it was left."""
        with self.keeping_layers():
            self._show_session(source, series, rois, journal)

    def _show_session(
        self, source: OpenedExam, series: Series, rois: RoiSet, journal: Journal
    ) -> None:
        workspace = self.workspace
        shared = shared_levels(source)
        session = Session(source.exam, series, rois, workspace.protocol, shared=shared)
        self.display.show(replace(source, series=series))
        if workspace.is_open:
            self._left |= workspace.canvas.close()
        # Nothing is written or shown before all that was left is back.
        workspace.activate(None)
        calls = CanvasCallbacks(
            motion=workspace.moved,
            commit=workspace.committed,
            place=workspace.selected,
            corner=workspace.autosaver.save_soon,
            problem=workspace.warning.emit,
            drawn_over=workspace.redrawing.take,
            closed=workspace.outline_closed.emit,
            usual_redraw=lambda: workspace.redrawing.usual,
        )
        canvas = Canvas(workspace.viewer, session, calls, self._left)
        restore = SessionRestore(
            session,
            canvas,
            journal,
            message=workspace.message.emit,
            warning=workspace.warning.emit,
        )
        workspace.activate(ActiveExam(source, session, canvas, restore))
        if workspace.file is not None:
            workspace.set_locked(locked=is_locked(workspace.file.path))

    # --- readings ------------------------------------------------------------------------------

    def set_reading(self, rater: str, number: int, *, carry: bool = False) -> None:
        """Go on as another rater or in another reading; ``carry`` takes the outlines along.

        Raises
        ------
        MultifidusError
            If the reading belongs to a reading list.
        """
        workspace, file = self.workspace, self.workspace.file
        if not workspace.is_open or file is None:
            workspace.rater = rater
            return
        session, restore = workspace.session, workspace.active.restore
        wanted = replace(session.drawing.reading, rater=rater, reading=number)
        if wanted == session.drawing.reading:
            return
        workspace.access.refuse_if_fixed()
        workspace.flush()
        workspace.rater = rater
        carried = (session.rois().read_by(wanted), restore.journal()) if carry else None
        new = OutlineFile.of(file.path.parent, wanted)
        self._begin(workspace.active.source, new, wanted, carried)
        workspace.save()

    def has_file_of(self, rater: str, number: int) -> bool:
        """Whether there are outlines of a rater's reading already."""
        if not self.workspace.is_open or self.workspace.file is None:
            return False
        wanted = replace(self.workspace.session.drawing.reading, rater=rater, reading=number)
        return OutlineFile.of(self.workspace.file.path.parent, wanted).path.exists()

    def set_folder(self, folder: Path) -> None:
        """Keep outlines in another folder; what is drawn goes there, unless it holds outlines.

        Raises
        ------
        MultifidusError
            If no exam is open, or the reading belongs to a reading list.
        """
        workspace = self.workspace
        workspace.access.refuse_if_fixed()
        workspace.flush()
        reading, active = workspace.session.drawing.reading, workspace.active
        file = OutlineFile.of(folder, reading)
        own = active.session.rois(), active.restore.journal()
        self._begin(active.source, file, reading, None if file.path.exists() else own)
        workspace.save()

    def open_outlines(self, path: Path) -> None:
        """Go on with an outline file on the exam that is open; it is kept where it is.

        Raises
        ------
        MultifidusError
            If no exam is open, or the file does not fit it.
        """
        workspace = self.workspace
        self.find_exam()
        if not workspace.is_open:
            msg = f"No exam is open that {path.name} could be shown on."
            raise MultifidusError(msg, remedy="Open the exam first.")
        workspace.access.refuse_if_fixed()
        source = workspace.active.source
        rois = read_rois(path, source.exam, allow_swapped=True)
        workspace.flush()
        reading = rois.rois[0].key.reading if rois.rois else rois.reading
        workspace.rater = reading.rater
        self._begin(source, OutlineFile(path), reading)

    # --- series --------------------------------------------------------------------------------

    def series_to_choose(self) -> tuple[Series, ...]:
        """Return the axial series of the exam, the active one first among equals."""
        return axial_series(self.workspace.active.source.exam)

    def choose_series(self, series: Series) -> None:
        """Outline another series of the exam; what was drawn stays with its own.

        Raises
        ------
        MultifidusError
            If no exam is open, or the images of the series cannot be shown.
        """
        workspace = self.workspace
        active = workspace.active
        if series.uid == active.session.series.uid:
            return
        workspace.flush()
        self._show(active.source, series, active.session.rois(), active.restore.journal())
        workspace.opened.emit()


def _given(source: OpenedExam) -> RoiSet | None:
    """Return the outlines that an exam came with."""
    path = source.outlines
    return None if path is None else read_rois(path, source.exam, allow_swapped=True)
