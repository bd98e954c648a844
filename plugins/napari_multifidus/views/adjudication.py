"""Adjudication: where two raters differ most, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QModelIndex
from qtpy.QtWidgets import QGridLayout, QWidget

from multifidus.data.roi import Source
from multifidus.data.slice_number import slice_number
from multifidus.errors import MultifidusError
from multifidus.io.outlines import read_rois
from multifidus.reading.audit_log import Event
from napari_multifidus.controllers.canvas import EDIT
from napari_multifidus.controllers.reported_errors import reported, reporting
from napari_multifidus.controllers.structure_layer import add_shapes
from napari_multifidus.models.adjudication import NAMES, RaterPair, adopt, pairs, take, take_all
from napari_multifidus.models.grid import series_of
from napari_multifidus.models.half_drawn import dashes_of
from napari_multifidus.models.session import Session
from napari_multifidus.models.shapes import EDGE_WIDTH, vertices_of
from napari_multifidus.views.style import IMAGE_GROUND, follow_theme
from napari_multifidus.views.table import Column, TableModel, TableView
from napari_multifidus.views.widgets import button, label

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator
    from napari_multifidus.controllers.worklist import WorklistController

COLOURS = ("#cc79a7", "#7cb518")
"""Purple and green, seen on muscle and on fat: neither is a colour of the consensus' layers."""

LEAST_HEIGHT = 110

REPLACED = "Replaced what the consensus had there; Ctrl+Z brings it back."

DASHED = NAMES[1]
"""Whose outlines are dashed: colour alone does not tell two raters apart for everybody."""

CASING, CASING_WIDTH = IMAGE_GROUND, 2.4 * EDGE_WIDTH
"""Dark line on which the other's lie: so they look like no outline of the consensus either."""

SAMPLES = (
    "\N{BOX DRAWINGS HEAVY HORIZONTAL}" * 3,
    "\N{BOX DRAWINGS HEAVY TRIPLE DASH HORIZONTAL}" * 2,
)
"""Of each rater's line, for the legend."""

Index = QModelIndex


class AdjudicationPanel(QWidget):
    """Two raters' outlines over the image, how far they agree, and buttons to take one.

    Parameters
    ----------
    annotator, controller
        What is open, and the worklist of the consensus.
    raters
        Whose outlines are compared.
    """

    TITLE = "Adjudication"

    def __init__(
        self, annotator: Annotator, controller: WorklistController, raters: tuple[str, str]
    ) -> None:
        super().__init__()
        self.controller = controller
        self.annotator, self.workspace = annotator, annotator.workspace
        self.raters = raters
        self.sessions: tuple[Session, Session] | None = None
        self.overlays: list[Any] = []
        self._seen: Session | None = None
        self.model = TableModel(self._columns(), lambda _: "Click to go there")
        self.table, self.legend = TableView(self.model, LEAST_HEIGHT, 2), label()
        self.take_a, self.take_b = (
            button(f"Accept {name}", f"Copy {name}'s outline of the selected line to the consensus")
            for name in NAMES
        )
        self.all_a, self.all_b = (
            button(
                f"Take all of {name}",
                f"Copy every outline of {name} to the consensus where it has nothing yet",
            )
            for name in NAMES
        )
        self.draw = button("Draw", "Draw the outline of the selected line anew")
        self._lay_out()
        follow_theme(self, self.workspace.viewer)
        self.workspace.opened.connect(self._load)
        self.workspace.changed.connect(self.refresh)
        controller.changed.connect(self._load)
        self.table.clicked.connect(self._go_to)
        warning = self.workspace.warning
        self.take_a.clicked.connect(reporting(warning, lambda *_: self.take(0)))
        self.take_b.clicked.connect(reporting(warning, lambda *_: self.take(1)))
        self.all_a.clicked.connect(reporting(warning, lambda *_: self.take_all(0)))
        self.all_b.clicked.connect(reporting(warning, lambda *_: self.take_all(1)))
        self.draw.clicked.connect(reporting(warning, lambda *_: self.draw_own()))

    def _columns(self) -> list[Column]:
        return [
            Column("Dice", lambda pair: f"only {pair.only}" if pair.only else f"{pair.dice:.3f}"),
            Column("Level", lambda pair: str(pair.level_words)),
            Column("Structure", lambda pair: str(pair.key.words)),
            Column("Slice", lambda pair: str(slice_number(pair.index))),
            Column("Consensus", self._consensus_of),
        ]

    def _consensus_of(self, pair: RaterPair) -> str:
        if self._seen is None or not self._seen.drawing.holds(pair.key, pair.index):
            return ""
        return "✓" if (pair.key, pair.index) in self._seen.drawing.outlines else "to finish"

    def _lay_out(self) -> None:
        names = NAMES if self.controller.worklist.is_blinded else self.raters
        colours = zip(NAMES, names, COLOURS, SAMPLES, strict=True)
        self.legend.setText(
            " · ".join(
                f'<span style="color:{colour};background:{CASING}">&nbsp;{sample}&nbsp;</span> '
                + letter
                + ("" if letter == name else f" ({name})")
                for letter, name, colour, sample in colours
            )
        )
        layout = QGridLayout(self)
        layout.addWidget(self.legend, 0, 0)
        layout.addWidget(self.table, 1, 0, 3, 1)
        made = (self.take_a, self.all_a, self.take_b, self.all_b, self.draw)
        for place, one in enumerate(made):
            row, column = divmod(place, 2)
            layout.addWidget(one, row + 1, column + 1)
        layout.setColumnStretch(0, 1)

    def leave(self) -> None:
        """Let go of the annotator."""
        self._forget()
        self.workspace.opened.disconnect(self._load)
        self.workspace.changed.disconnect(self.refresh)

    # --- what is compared ----------------------------------------------------------------------

    def _load(self) -> None:
        with reported(self.workspace.warning):
            self.load()

    def load(self) -> None:
        """Compare the two raters' outlines of the exam that is open; again if it is another."""
        if not self.controller.has_open:
            self._forget()
            return
        session = self.workspace.session
        if session is self._seen:
            return
        self._forget()
        self._seen = session
        session.new_source = Source.CONSENSUS
        try:
            rois = [self._rois(rater, session) for rater in self.raters]
        except MultifidusError as error:
            hidden = self.workspace.access.redact(str(error))
            raise MultifidusError(hidden) from None
        drawn_on = [series_of(found, session.exam) or session.series for found in rois]
        if drawn_on[0].uid != drawn_on[1].uid:
            msg = "The two raters outlined different series of this exam."
            raise MultifidusError(msg, remedy="Outlines of different series cannot be compared.")
        if drawn_on[0].uid != session.series.uid and not session.drawing.layer_keys():
            self._seen = None
            self.annotator.opener.choose_series(drawn_on[0])
            return
        first, second = (
            Session(session.exam, session.series, found, session.protocol, shared=session.shared)
            for found in rois
        )
        self.sessions = (first, second)
        if not session.locked:
            self._adopt(session, self.sessions)
        self._overlay()
        self.model.show_rows(pairs(first, second))

    def _adopt(self, session: Session, both: tuple[Session, Session]) -> None:
        """Take over what both raters say of levels; the log keeps where each landmark came from."""
        adopted = adopt(session, both)
        if adopted.changed:
            self.workspace.committed()
        for mark in adopted.marks:
            self.controller.note(Event.LANDMARK_JOINED, **mark.as_dict())
        if adopted.warning:
            self.workspace.warning.emit(adopted.warning)

    def _rois(self, rater: str, session: Session) -> Any:
        item = self.controller.item(session.drawing.reading)
        path = self.controller.worklist.outlines_by(rater, item.truth)
        if path is None:
            msg = "One of the two raters has no outlines of this exam."
            raise MultifidusError(msg)
        reading = replace(session.drawing.reading, rater=NAMES[self.raters.index(rater)])
        return read_rois(path, session.exam, allow_swapped=True).read_by(reading)

    def _forget(self) -> None:
        self._seen, self.sessions = None, None
        for layer in self.overlays:
            if layer in self.workspace.viewer.layers:
                self.workspace.viewer.layers.remove(layer)
        self.overlays = []
        self.model.show_rows(())

    def _overlay(self) -> None:
        """Show both raters' outlines below those of the consensus; they cannot be edited."""
        assert self.sessions is not None and self._seen is not None  # noqa: S101, PT018
        active = self.workspace.viewer.layers.selection.active
        for name, colour, session in zip(NAMES, COLOURS, self.sessions, strict=True):
            shapes = [
                vertices_of(path, index)
                for key in session.drawing.layer_keys()
                for index in session.drawing.slices_of(key)
                for loop in session.drawing.loops(key, index)
                for path in _line(name, loop, session.series.slices[index].plane.pixel_spacing_mm)
            ]
            kind = "path" if name == DASHED else "polygon"
            lines = [(colour, EDGE_WIDTH)] * len(shapes)
            if name != DASHED:
                # What is first in a layer lies below the rest of it.
                lines = [(CASING, CASING_WIDTH)] * len(shapes) + lines
                shapes = 2 * shapes
            layer = add_shapes(
                self.workspace.viewer,
                self._seen.series,
                shapes or None,
                shape_type=kind,
                name=f"outlines of {name}",
                edge_color=[edge for edge, _ in lines] or colour,
                edge_width=[width for _, width in lines] or EDGE_WIDTH,
                face_color="transparent",
                opacity=0.9,
            )
            layer.editable = False
            self.overlays.append(layer)
        self.workspace.viewer.layers.selection.active = active

    # --- what becomes of it --------------------------------------------------------------------

    def chosen(self) -> RaterPair | None:
        """Return the pair of the selected line."""
        rows = self.table.selected_rows()
        return self.model.rows[rows[0]] if rows else None

    def _go_to(self, index: Index) -> None:
        pair = self.model.rows[index.row()]
        self.workspace.canvas.go_to(pair.index)
        self.workspace.canvas.activate(pair.key, EDIT)

    def take(self, which: int) -> None:
        """Take the selected outline of the first or the second rater."""
        pair, canvas = self.chosen(), self.workspace.canvas
        if pair is None or self.sessions is None:
            msg = "No line is selected."
            raise MultifidusError(msg)
        if not pair.loops[which]:
            msg = f"{NAMES[which]} drew nothing there."
            raise MultifidusError(msg)
        session = self._finished()
        had = session.drawing.loops(pair.key, pair.index)
        if take(session, pair, which, self.sessions[which]):
            canvas.push(pair.key)
            canvas.refresh()
            self.workspace.committed()
            if had:
                self.workspace.message.emit(REPLACED)

    def _finished(self) -> Session:
        """Return the session, once all that was drawn is taken over."""
        self.workspace.canvas.leave()
        self.workspace.canvas.sync()
        return self.workspace.session

    def take_all(self, which: int) -> None:
        """Take every outline of the first or the second rater where the consensus has nothing."""
        if self.sessions is None:
            msg = "No exam is open whose outlines could be taken."
            raise MultifidusError(msg)
        session, canvas = self._finished(), self.workspace.canvas
        before = session.drawing
        taken, kept = take_all(session, self.model.rows, which, self.sessions[which])
        for key in sorted({key for key, _ in session.drawing.differences(before)}):
            canvas.push(key)
        if taken:
            canvas.refresh()
            self.workspace.committed()
        stay = f" {kept} that the consensus has already stay." if kept else ""
        self.workspace.message.emit(f"Took {taken} outlines of {NAMES[which]}.{stay}")

    def draw_own(self) -> None:
        """Go to the selected line's slice and begin to draw."""
        pair = self.chosen()
        if pair is None:
            msg = "No line is selected."
            raise MultifidusError(msg)
        self.workspace.canvas.go_to(pair.index)
        self.annotator.edit_tools.draw(pair.key)

    def refresh(self) -> None:
        """Show which lines have a consensus now; the selected line stays chosen."""
        self.model.refresh()


def _line(name: str, loop: Any, spacing_mm: tuple[float, float]) -> tuple[Any, ...]:
    """Return the paths that show a rater's outline: it as it is, or its dashes."""
    return dashes_of(np.concatenate((loop, loop[:1])), spacing_mm) if name == DASHED else (loop,)
