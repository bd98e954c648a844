"""Adjudication: where two raters differ most, and what becomes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QWidget,
)

from multifidus.data.roi import Source
from multifidus.errors import MultifidusError
from multifidus.io.outlines import read_rois
from napari_multifidus.controllers.canvas import EDIT
from napari_multifidus.controllers.reported_errors import reported, reporting
from napari_multifidus.controllers.structure_layer import add_shapes
from napari_multifidus.models.adjudication import NAMES, RaterPair, adopt, pairs, take
from napari_multifidus.models.grid import series_of
from napari_multifidus.models.session import Session
from napari_multifidus.models.shapes import EDGE_WIDTH, vertices_of

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator
    from napari_multifidus.controllers.worklist import WorklistController

HEADERS = ("Dice", "level", "structure", "slice", "consensus")

COLOURS = ("#cc79a7", "#7cb518")
"""Purple and green, seen on muscle and on fat: neither is a colour of the consensus' layers."""

LEAST_HEIGHT = 130

Index = QModelIndex


class PairTableModel(QAbstractTableModel):
    """Pairs of outlines as a table, the worst agreement first."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: tuple[RaterPair, ...] = ()
        self.session: Session | None = None

    def show_pairs(self, found: tuple[RaterPair, ...], session: Session | None) -> None:
        """Show other pairs."""
        self.beginResetModel()
        self.pairs, self.session = found, session
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return how many pairs there are."""
        return 0 if parent.isValid() else len(self.pairs)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return how many columns there are."""
        return 0 if parent.isValid() else len(HEADERS)

    def cells(self, row: int) -> tuple[str, ...]:
        """Write one pair."""
        pair = self.pairs[row]
        found = f"only {pair.only}" if pair.only else f"{pair.dice:.3f}"
        there = self.session is not None and self.session.outlines(pair.key, pair.index)
        return found, pair.level_words, pair.key.words, str(pair.index + 1), "✓" if there else ""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text or tip of a cell."""
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cells(index.row())[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return "Click to go there"
        return None

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the head of a column."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return HEADERS[section]
        return None


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
        self.model, self.table, self.legend = PairTableModel(), QTableView(), QLabel()
        self.take_a, self.take_b = QPushButton("Take A"), QPushButton("Take B")
        self.draw = QPushButton("Draw")
        self._lay_out()
        self.workspace.opened.connect(self._load)
        self.workspace.changed.connect(self.refresh)
        controller.changed.connect(self._load)
        self.table.clicked.connect(self._go_to)
        warning = self.workspace.warning
        self.take_a.clicked.connect(reporting(warning, lambda _: self.take(0)))
        self.take_b.clicked.connect(reporting(warning, lambda _: self.take(1)))
        self.draw.clicked.connect(reporting(warning, lambda _: self.draw_own()))

    def _lay_out(self) -> None:
        names = NAMES if self.controller.worklist.is_blinded else self.raters
        colours = zip(NAMES, names, COLOURS, strict=True)
        self.legend.setText(
            " · ".join(
                f'<span style="color:{colour}">■</span> {letter}'
                + ("" if letter == name else f" ({name})")
                for letter, name, colour in colours
            )
        )
        self.take_a.setToolTip("Take A's outline of the chosen line into the consensus")
        self.take_b.setToolTip("Take B's outline of the chosen line into the consensus")
        self.draw.setToolTip("Draw the outline of the chosen line anew")
        self.table.setModel(self.model)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setShowGrid(False)
        self.table.setMinimumHeight(LEAST_HEIGHT)
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            rows.setDefaultSectionSize(22)
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        layout = QGridLayout(self)
        layout.addWidget(self.legend, 0, 0)
        layout.addWidget(self.table, 1, 0, 3, 1)
        for row, button in enumerate((self.take_a, self.take_b, self.draw), 1):
            layout.addWidget(button, row, 1)
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
        if not session.locked and adopt(session, self.sessions):
            self.workspace.committed()
        self._overlay()
        self.model.show_pairs(pairs(first, second), session)

    def _rois(self, rater: str, session: Session) -> Any:
        item = self.controller.item(session.reading)
        path = self.controller.worklist.outlines_by(rater, item.truth)
        if path is None:
            msg = "One of the two raters has no outlines of this exam."
            raise MultifidusError(msg)
        reading = replace(session.reading, rater=NAMES[self.raters.index(rater)])
        return read_rois(path, session.exam).read_by(reading)

    def _forget(self) -> None:
        self._seen, self.sessions = None, None
        for layer in self.overlays:
            if layer in self.workspace.viewer.layers:
                self.workspace.viewer.layers.remove(layer)
        self.overlays = []
        self.model.show_pairs((), None)

    def _overlay(self) -> None:
        """Show both raters' outlines below those of the consensus; they cannot be edited."""
        assert self.sessions is not None and self._seen is not None  # noqa: S101, PT018
        active = self.workspace.viewer.layers.selection.active
        for name, colour, session in zip(NAMES, COLOURS, self.sessions, strict=True):
            shapes = [
                vertices_of(loop, index)
                for key in session.drawing.layer_keys()
                for index in session.drawing.slices_of(key)
                for loop in session.loops(key, index)
            ]
            layer = add_shapes(
                self.workspace.viewer,
                self._seen.series,
                shapes or None,
                shape_type="polygon",
                name=f"outlines of {name}",
                edge_width=EDGE_WIDTH,
                edge_color=colour,
                face_color="transparent",
                opacity=0.9,
            )
            layer.editable = False
            self.overlays.append(layer)
        self.workspace.viewer.layers.selection.active = active

    # --- what becomes of it --------------------------------------------------------------------

    def chosen(self) -> RaterPair | None:
        """Return the pair of the line that is chosen."""
        model = self.table.selectionModel()
        rows = model.selectedRows() if model is not None else []
        return self.model.pairs[rows[0].row()] if rows else None

    def _go_to(self, index: Index) -> None:
        pair = self.model.pairs[index.row()]
        self.workspace.canvas.go_to(pair.index)
        self.workspace.canvas.activate(pair.key, EDIT)

    def take(self, which: int) -> None:
        """Take the chosen outline of the first or the second rater."""
        pair, canvas = self.chosen(), self.workspace.canvas
        if pair is None or self.sessions is None:
            msg = "No line is chosen."
            raise MultifidusError(msg)
        if not pair.loops[which]:
            msg = f"{NAMES[which]} drew nothing there."
            raise MultifidusError(msg)
        if take(self.workspace.session, pair, which, self.sessions[which]):
            canvas.layer(pair.key)
            canvas.push(pair.key)
            canvas.refresh()
            self.workspace.committed()

    def draw_own(self) -> None:
        """Go to the chosen line's slice and begin to draw."""
        pair = self.chosen()
        if pair is None:
            msg = "No line is chosen."
            raise MultifidusError(msg)
        self.workspace.canvas.go_to(pair.index)
        self.annotator.edit_tools.draw(pair.key)

    def refresh(self) -> None:
        """Show which lines have a consensus now; the chosen line stays chosen."""
        if self.model.pairs:
            top, end = self.model.index(0, 0), self.model.index(len(self.model.pairs) - 1, 4)
            self.model.dataChanged.emit(top, end)
