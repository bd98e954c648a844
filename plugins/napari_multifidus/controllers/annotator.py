"""What the window's buttons and keys do: one exam at a time, always saved.

Knows the viewer through :class:`~napari_multifidus.controllers.canvas.Canvas`; no widgets.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from multifidus.data.anatomy import Level, RoiRule, SlicePosition
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.errors import MultifidusError
from multifidus.io.outlines import read_rois
from multifidus.reading.audit_log import is_locked
from napari_multifidus._compat import Signal, swapping_layers
from napari_multifidus.controllers import shortcuts as keys
from napari_multifidus.controllers.autosaver import Autosaver
from napari_multifidus.controllers.canvas import EDIT, Canvas, CanvasCallbacks
from napari_multifidus.controllers.edit_tools import EditTools
from napari_multifidus.controllers.error_messages import told
from napari_multifidus.controllers.feedback import Feedback
from napari_multifidus.controllers.image_layers import ImageLayers
from napari_multifidus.controllers.panning import Panning
from napari_multifidus.controllers.session_restore import Messages, SessionRestore
from napari_multifidus.models.autosave import Journal, OutlineFile, default_folder, latest_reading
from napari_multifidus.models.grid import axial_series, series_of
from napari_multifidus.models.image_check import words_of
from napari_multifidus.models.measured import Tables, write_tables
from napari_multifidus.models.opening import METADATA, OpenedExam, layer_data, shared_levels
from napari_multifidus.models.session import Session
from napari_multifidus.models.shapes import LayerKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from multifidus.data.image import Series
    from multifidus.data.landmark import Landmark
    from napari_multifidus.controllers.worklist import WorklistController
    from napari_multifidus.models.display_images import DisplayImage, WindowPreset
    from napari_multifidus.models.preview import Numbers


class Annotator(QObject):
    """One person outlining the exam that is open in a viewer.

    Parameters
    ----------
    viewer
        The napari viewer.
    rater
        Who outlines, until somebody says otherwise.

    Attributes
    ----------
    opened
        Emitted when an exam was opened, or closed.
    selection_changed
        Emitted when another slice or structure is in hand.
    outline_moved
        Emitted with structure, slice and preview while a vertex or a stroke moves.
    changed
        Emitted when something drawn or said has changed.
    lock_changed
        Emitted when the reading that is open was locked or unlocked, or opened as either.
    marking_wanted
        Emitted when levels shall be marked on the sagittal image.
    reason_wanted
        Emitted when somebody is to say why a structure cannot be measured.
    message, warning
        Emitted with a message; with one about something wrong.
    """

    opened = Signal()
    selection_changed = Signal()
    outline_moved = Signal(object, int, object)
    changed = Signal()
    lock_changed = Signal()
    marking_wanted = Signal()
    reason_wanted = Signal()
    message = Signal(str)
    warning = Signal(str)

    def __init__(self, viewer: Any, rater: str = "R1") -> None:
        super().__init__()
        self.viewer = viewer
        self.rater = rater
        self.source: OpenedExam | None = None
        self.session: Session | None = None
        self.canvas: Canvas | None = None
        self.hidden = False
        self.edit_tools = EditTools(self)
        self.feedback = Feedback(self)
        self.worklist: WorklistController | None = None
        self.held, self.blinded = "", False
        self.redact: Callable[[str], str] = str
        self._restore: SessionRestore | None = None
        self.images = ImageLayers(viewer)
        self.panning = Panning(viewer)
        self.autosaver = Autosaver(self._contents)
        self.autosaver.warning.connect(self.warning)

    # --- opening and closing -------------------------------------------------------------------

    @told
    def find_exam(self) -> None:
        """Open the newest exam among the viewer's layers, unless it is open already."""
        found = [
            layer.metadata[METADATA] for layer in self.viewer.layers if METADATA in layer.metadata
        ]
        first = [opened for opened in found if opened.is_first]
        if first and (self.source is None or first[-1].exam is not self.source.exam):
            self.open(first[-1])
        elif self.source is not None and not any(o.exam is self.source.exam for o in found):
            self.close()

    def bring(self, opened: OpenedExam, **how: Any) -> None:
        """Show an exam in the place of the one that is open, and outline it.

        Parameters
        ----------
        opened
            The exam.
        how
            As of :meth:`open`.

        Raises
        ------
        MultifidusError
            If its images cannot be shown; then what is open stays.
        """
        layers = layer_data(opened)
        with swapping_layers(self.viewer):
            self.close()
            for layer in [layer for layer in self.viewer.layers if METADATA in layer.metadata]:
                self.viewer.layers.remove(layer)
            for data, attributes, _ in layers:
                self.viewer.add_image(data, **attributes)
            self.open(opened, **how)

    def open(
        self,
        opened: OpenedExam,
        *,
        folder: Path | None = None,
        by: Reading | None = None,
        held: str = "",
    ) -> None:
        """Outline an exam, going on where this rater left; what was open is saved and closed.

        Parameters
        ----------
        opened
            The exam.
        folder
            Where outlines are kept; chosen if None.
        by
            Whose reading; the last of this rater if None.
        held
            Why rater, reading and folder cannot be changed; empty where they can.
        """
        self.close()
        self.held = held
        for layer in list(self.viewer.layers):
            if METADATA in layer.metadata and layer.metadata[METADATA].exam is not opened.exam:
                self.viewer.layers.remove(layer)
        self.source = opened
        where = folder or default_folder(opened.path, opened.series.uid, is_sample=opened.is_sample)
        wanted = by or self._reading_in(where)
        self._begin(OutlineFile.of(where, wanted), wanted)

    def _begin(self, file: OutlineFile, by: Reading, rois: RoiSet | None = None) -> None:
        """Show a reading: what its file holds, else what is given, else what the exam came with."""
        assert self.source is not None  # noqa: S101 - narrows the type; open() set it
        self.autosaver.keep_in(file)
        held = file.load(self.source.exam) if rois is None else rois
        given = self._given() if held is None else None
        if given is not None and given.reading == by:
            held = given
        rois = RoiSet(reading=by) if held is None else held
        series = series_of(rois, self.source.exam) or self.source.series
        self._show(series, rois, file.load_journal())
        self.opened.emit()
        self.autosaver.report()
        self._warn_of_changed_images()

    @told
    def _warn_of_changed_images(self) -> None:
        words = words_of(self._restore.watch.changed()) if self._restore is not None else ""
        if words:
            self.warning.emit(words)

    def refuse_if_fixed(self) -> None:
        """Refuse to change whose reading it is, or where it is kept, where that is settled.

        Raises
        ------
        MultifidusError
            If the reading belongs to a reading list.
        """
        if self.held:
            raise MultifidusError(self.held)

    @property
    def first_folder(self) -> str:
        """Where dialogs for folders begin: of a blinded reading in the rater's own.

        Elsewhere they may list folders named after subjects. Empty where it does not matter.
        """
        return str(self.file.path.parent) if self.blinded and self.file is not None else ""

    def refuse_if_blinded(self) -> None:
        """Refuse what would show other raters' outlines.

        Raises
        ------
        MultifidusError
            If the reading is blinded.
        """
        if self.blinded:
            msg = "This reading is blinded: no other outlines can be loaded."
            raise MultifidusError(msg)

    def refuse_others_if_blinded(self) -> None:
        """Refuse to open exams by their files, whose names tell what blinding hides.

        Raises
        ------
        MultifidusError
            If the reading is blinded.
        """
        if self.blinded:
            msg = "This reading is blinded: exams are opened from the reading list alone."
            raise MultifidusError(msg)

    def _reading_in(self, folder: Path) -> Reading:
        """Return whose reading an exam is opened as: this rater's last, or a sample's own."""
        assert self.source is not None  # noqa: S101 - narrows the type; open() set it
        given = self._given()
        if given is not None:
            return given.reading
        exam = self.source.exam
        return latest_reading(folder, Reading(exam.subject, exam.timepoint, self.rater))

    def _given(self) -> RoiSet | None:
        """Return the outlines that an exam came with."""
        source = self.source
        if source is None or source.outlines is None:
            return None
        return read_rois(source.outlines, source.exam)

    def _show(self, series: Series, rois: RoiSet, journal: Journal) -> None:
        """Show a reading on a series, as it was left."""
        assert self.source is not None  # noqa: S101 - narrows the type; open() set it
        protocol = self.feedback.protocol
        shared = shared_levels(self.source)
        session = Session(self.source.exam, series, rois, protocol, shared=shared)
        self.images.show(replace(self.source, series=series))
        if self.canvas is not None:
            self.canvas.close()
        # Nothing is written before all that was left is back.
        self.session, self._restore = session, None
        calls = CanvasCallbacks(
            motion=self.outline_moved.emit,
            commit=self.committed,
            place=self._placed,
            corner=self.autosaver.save_soon,
            problem=self.warning.emit,
        )
        self.canvas = Canvas(self.viewer, self.session, calls)
        keys.bind(self.viewer, self)
        self.panning.stop()
        self.panning.start()
        tell = Messages(self.message.emit, self.warning.emit)
        self._restore = SessionRestore(session, self.canvas, journal, tell)
        if self.file is not None:
            self._set_locked(is_locked(self.file.path))

    def close(self) -> None:
        """Save, and take the exam's outlines out of the viewer."""
        if self.canvas is None:
            return
        self.flush()
        keys.unbind(self.viewer)
        self.panning.stop()
        self.canvas.close()
        self.images.forget()
        self.autosaver.keep_in(None)
        self.canvas = self.session = self.source = self._restore = None
        self.held, self.blinded, self.redact = "", False, str
        self.opened.emit()

    # --- saving --------------------------------------------------------------------------------

    @property
    def file(self) -> OutlineFile | None:
        """The file that outlines are kept in."""
        return self.autosaver.file

    def committed(self) -> None:
        """End a change: it can be taken back as one, and is saved and shown."""
        if self.session is not None:
            self.session.commit()
        self.autosaver.save_soon()
        self.changed.emit()
        if self.session is not None and self.session.analysis.refusal:
            self.warning.emit(self.session.analysis.refusal)
        for words in self.canvas.shapes_off_slice() if self.canvas is not None else ():
            self.warning.emit(words)

    def done_next(self) -> None:
        """Finish this reading and open the next of the reading list."""
        if self.worklist is None:
            self.message.emit(
                "There is no reading list: open one by multifidus annotate cohort.csv."
            )
        else:
            self.worklist.finish_and_next()

    def lock(self, *, locked: bool) -> None:
        """Make the reading that is open read-only, or no longer so."""
        if self.session is not None:
            self.flush()
            self._set_locked(locked)
            # What was drawn before is not to be taken back through the lock.
            self.session.begin_history()

    def _set_locked(self, locked: bool) -> None:  # noqa: FBT001 - one thing, said by its name
        assert self.session is not None and self.canvas is not None  # noqa: S101, PT018
        self.session.locked = locked
        self.canvas.show_lock()
        self.lock_changed.emit()

    @property
    def is_locked(self) -> bool:
        """Whether the reading that is open is finished, and may only be looked at."""
        return self.session is not None and self.session.locked

    def _placed(self) -> None:
        self.autosaver.save_what_waits()
        self.selection_changed.emit()

    def flush(self) -> None:
        """Take over and write everything now."""
        if self.canvas is not None:
            self.canvas.sync()
            self.canvas.remember()
            self.save()

    def save(self) -> bool:
        """Write the outlines and the journal; returns whether all is written."""
        if self.session is None or self.canvas is None:
            return True
        return self.autosaver.save()

    def _contents(self) -> tuple[RoiSet, Journal] | None:
        """Return what is to be written; None where no exam is open."""
        if self.session is None or self._restore is None or self.session.locked:
            return None
        return self.session.rois(), self._restore.journal()

    # --- drawing -------------------------------------------------------------------------------

    def draw(self, key: LayerKey) -> None:
        """Start an outline of a structure on the slice shown."""
        if self.canvas is not None:
            self.canvas.activate(key, self.edit_tools.drawing)
            self.selection_changed.emit()

    def edit(self) -> None:
        """Move the vertices of the structure in hand."""
        if self.canvas is not None and self.canvas.active is not None:
            self.canvas.activate(self.canvas.active, EDIT)
            self.selection_changed.emit()

    def ask_reason(self) -> None:
        """Ask why the structure in hand cannot be measured."""
        if self.canvas is not None and self.canvas.active is not None:
            self.reason_wanted.emit()

    @told
    def clear(self) -> None:
        """Delete the structure in hand from the slice shown."""
        if self.session is None or self.canvas is None or self.canvas.active is None:
            return
        if self.session.put(self.canvas.active, self.canvas.index, ()):
            self.canvas.push(self.canvas.active)
            self.committed()

    def toggle_outlines(self) -> None:
        """Hide all outlines, to see the image; or show them again."""
        self.hidden = not self.hidden
        if self.canvas is not None:
            for layer in self.canvas.layers.values():
                layer.visible = not self.hidden

    def step(self, count: int) -> None:
        """Go on by so many slices."""
        if self.canvas is not None:
            self.canvas.go_to(self.canvas.index + count)

    # --- what the reading says -----------------------------------------------------------------

    @told
    def set_level(self, level: Level | None, position: SlicePosition) -> None:
        """Say which level the slice shown lies at."""
        if self.session is None or self.canvas is None:
            return
        if self.session.set_level(self.canvas.index, level, position):
            self.canvas.refresh()
            self.selection_changed.emit()
            self.committed()

    @told
    def set_landmarks(self, landmarks: Iterable[Landmark]) -> None:
        """Take over other landmarks of the spine: levels follow at once."""
        if self.session is None or self.canvas is None:
            return
        if self.session.set_landmarks(landmarks):
            self.canvas.refresh()
            self.selection_changed.emit()
            self.committed()

    def mark_levels(self) -> None:
        """Mark levels on the sagittal image."""
        self.marking_wanted.emit()

    def set_rule(self, rule: RoiRule) -> None:
        """Say by which rule outlines are drawn from now on."""
        if self.session is not None:
            self.session.roi_rule = rule

    @told
    def set_reading(self, rater: str, number: int, *, carry: bool = False) -> None:
        """Go on as another rater or in another reading; ``carry`` takes the outlines along."""
        if self.session is None or self.file is None:
            self.rater = rater
            return
        wanted = replace(self.session.reading, rater=rater, reading=number)
        if wanted == self.session.reading:
            return
        self.refuse_if_fixed()
        self.flush()
        self.rater = rater
        file = OutlineFile.of(self.file.path.parent, wanted)
        rois = self.session.rois().read_by(wanted) if carry else None
        self._begin(file, wanted, rois)
        self.save()

    def has_file_of(self, rater: str, number: int) -> bool:
        """Whether there are outlines of a rater's reading already."""
        if self.session is None or self.file is None:
            return False
        wanted = replace(self.session.reading, rater=rater, reading=number)
        return OutlineFile.of(self.file.path.parent, wanted).path.exists()

    @told
    def set_folder(self, folder: Path) -> None:
        """Keep outlines in another folder; what is drawn goes there, unless it holds outlines."""
        if self.session is None or self.file is None:
            return
        self.refuse_if_fixed()
        self.flush()
        reading, rois = self.session.reading, self.session.rois()
        file = OutlineFile.of(folder, reading)
        self._begin(file, reading, None if file.path.exists() else rois)
        self.save()

    def open_outlines(self, path: Path) -> None:
        """Go on with an outline file on the exam that is open; it is kept where it is.

        Raises
        ------
        MultifidusError
            If no exam is open, or the file does not fit it.
        """
        self.find_exam()
        if self.session is None or self.source is None:
            msg = f"No exam is open that {path.name} could be shown on."
            raise MultifidusError(msg, remedy="Open the exam first.")
        self.refuse_if_fixed()
        rois = read_rois(path, self.source.exam)
        self.flush()
        reading = rois.rois[0].key.reading if rois.rois else rois.reading
        self.rater = reading.rater
        self._begin(OutlineFile(path), reading)

    # --- series --------------------------------------------------------------------------------

    def series_to_choose(self) -> tuple[Series, ...]:
        """Return the axial series of the exam, the one in hand first among equals."""
        return axial_series(self.source.exam) if self.source is not None else ()

    @told
    def choose_series(self, series: Series) -> None:
        """Outline another series of the exam; what was drawn stays with its own."""
        if self.session is None or self._restore is None or series.uid == self.session.series.uid:
            return
        self.flush()
        self._show(series, self.session.rois(), self._restore.journal())
        self.opened.emit()

    # --- what is seen --------------------------------------------------------------------------

    @told
    def show_image(self, contrast: DisplayImage) -> None:
        """See another image of the same slices."""
        self.images.choose(contrast)
        self.selection_changed.emit()

    @told
    def next_image(self) -> None:
        """See the next image of the same slices: T1, water, fat, fat fraction."""
        self.images.step()
        self.selection_changed.emit()

    @told
    def set_window(self, window: WindowPreset) -> None:
        """Show other grey levels."""
        self.images.set_window(window)
        self.selection_changed.emit()

    @told
    def next_window(self) -> None:
        """Show the next grey levels: all, muscle's, fat's."""
        self.images.step_window()
        self.selection_changed.emit()

    # --- tables --------------------------------------------------------------------------------

    @told
    def measure_into(self, folder: Path, *, overwrite: bool = False) -> Tables | None:
        """Write the tables into a folder, as the command line writes them; None if refused."""
        if self.session is None or self.source is None:
            return None
        self.flush()
        tables = write_tables(self.session, folder, overwrite=overwrite)
        (self.warning if tables.left_out else self.message).emit(tables.words)
        return tables

    def live_numbers(self, key: LayerKey) -> Numbers | None:
        """Return what is measured of a structure on the slice shown."""
        if self.session is None or self.canvas is None:
            return None
        return self.session.analysis.numbers(key, self.canvas.index)
