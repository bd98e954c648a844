"""The sagittal locator: where every slice cuts the spine, and which level it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSettings, QSignalBlocker
from qtpy.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QPushButton, QWidget

from multifidus.data.anatomy import Level
from multifidus.data.landmark import Landmark, LandmarkKind
from napari_multifidus._compat import Signal
from napari_multifidus.controllers import shortcuts as keys
from napari_multifidus.controllers.error_messages import told
from napari_multifidus.models.locator import LocatorModel
from napari_multifidus.views.sagittal import SagittalView

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator

TITLE = "Sagittal locator"
UPWARDS = "levels_upwards"

HELP = """\
M  mark levels by clicks, or end it
arrows  move the point by 1 mm, with Shift by 5 mm
Enter  mark where the point is, and go on
]  next level
[  level before
Delete  delete the mark of the level in hand
Page up, Page down, wheel  other sagittal slices
Ctrl and wheel  enlarge
.  next slice
,  slice before
Ctrl-Z, Ctrl-Shift-Z  take back, do again"""
"""The keys of the sagittal image, while it has the focus."""


class LocatorPanel(QWidget):
    """The sagittal image of the exam that is open, and what marks its levels.

    Parameters
    ----------
    preferences
        Where the order of counting is remembered.

    Attributes
    ----------
    complained
        Emitted with a message about something wrong.
    """

    warning = Signal(str)

    def __init__(self, preferences: QSettings) -> None:
        super().__init__()
        self._preferences = preferences
        self.annotator: Annotator | None = None
        self.picture = SagittalView()
        self.mark = QPushButton("Mark levels")
        self.hand, self.words = QLabel(), QLabel()
        self.kind, self.level, self.series = QComboBox(), QComboBox(), QComboBox()
        self.order, self.six = QComboBox(), QCheckBox("with L6")
        self.up, self.down = QPushButton("all one up"), QPushButton("all one down")
        self._lay_out()
        self._wire()

    def _lay_out(self) -> None:
        self.setMinimumWidth(240)
        self.mark.setCheckable(True)
        self.mark.setToolTip("Click the discs, one after another ( M )")
        self.picture.setToolTip(HELP)
        for kind in LandmarkKind:
            self.kind.addItem(kind.replace("_", " "), kind.value)
        self.kind.setToolTip("What is marked: discs are enough; endplates name vertebrae as well")
        self.level.setToolTip("The level that the next click marks ( [ and ] )")
        self.series.setToolTip("Which sagittal series is shown")
        self.order.addItem("from the sacrum up", "")
        self.order.addItem("from the head down", "down")
        self.order.setToolTip("In which order levels are asked for")
        self.six.setToolTip("Transitional anatomy: an L6, with the discs L5-L6 and L6-S1")
        self.up.setToolTip("The count began one level too low: rename every mark")
        self.down.setToolTip("The count began one level too high: rename every mark")
        for label in (self.hand, self.words):
            label.setWordWrap(True)
        layout = QGridLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.series, 0, 0, 1, 2)
        layout.addWidget(self.picture, 1, 0, 1, 2)
        layout.addWidget(self.words, 2, 0, 1, 2)
        layout.addWidget(self.mark, 3, 0)
        layout.addWidget(self.hand, 3, 1)
        layout.addWidget(self.kind, 4, 0)
        layout.addWidget(self.level, 4, 1)
        layout.addWidget(self.order, 5, 0)
        layout.addWidget(self.six, 5, 1)
        layout.addWidget(self.up, 6, 0)
        layout.addWidget(self.down, 6, 1)
        layout.setRowStretch(1, 1)

    def _wire(self) -> None:
        self.picture.acted.connect(self.refresh)
        self.picture.jump_wanted.connect(self._jump)
        self.picture.message.connect(self.warning)
        # No lambdas: one that knows this widget keeps it for ever under PySide, in no window.
        self.picture.undo_wanted.connect(self._undo)
        self.picture.redo_wanted.connect(self._redo)
        self.mark.clicked.connect(self.set_marking)
        self.kind.activated.connect(self._choose_kind)
        self.level.activated.connect(self._choose_level)
        self.series.activated.connect(self._choose_series)
        self.order.activated.connect(self._choose_order)
        self.six.clicked.connect(self._choose_six)
        self.up.clicked.connect(self._recount_up)
        self.down.clicked.connect(self._recount_down)

    # --- whom it follows -----------------------------------------------------------------------

    @property
    def model(self) -> LocatorModel | None:
        """What is shown; None where no exam is open."""
        return self.picture.model

    def follow(self, annotator: Annotator) -> None:
        """Show what an annotator has open."""
        if annotator is self.annotator:
            return
        self.leave()
        self.annotator = annotator
        annotator.opened.connect(self.show_exam)
        annotator.selection_changed.connect(self.show_place)
        annotator.changed.connect(self.refresh)
        self.warning.connect(annotator.warning)
        self.show_exam()

    def leave(self) -> None:
        """Let go of the annotator."""
        if self.annotator is None:
            return
        self.annotator.opened.disconnect(self.show_exam)
        self.annotator.selection_changed.disconnect(self.show_place)
        self.annotator.changed.disconnect(self.refresh)
        self.warning.disconnect(self.annotator.warning)
        self.annotator = None
        self.picture.show_model(None)

    def show_exam(self) -> None:
        """Show the exam that is open now."""
        session = self.annotator.session if self.annotator is not None else None
        model = None
        if session is not None:
            upwards = self._preferences.value(UPWARDS, "") != "down"
            model = LocatorModel(session, self._take_over, upwards=upwards)
        self.picture.show_model(model)
        self.series.clear()
        for series in model.choices if model is not None else ():
            name = series.weighting.value.replace("_", " ")
            self.series.addItem(f"sagittal {name}, {len(series.slices)} slices")
        self.series.setVisible(self.series.count() > 1)
        self.show_place()

    def show_place(self) -> None:
        """Highlight the axial slice that is shown now."""
        canvas = self.annotator.canvas if self.annotator is not None else None
        if self.model is not None and canvas is not None:
            self.model.current = canvas.index
        self.refresh()

    def refresh(self) -> None:
        """Show everything as it is now."""
        model = self.model
        works = model is not None and model.series is not None and not model.is_locked
        for part in (self.mark, self.kind, self.level, self.order, self.six, self.up, self.down):
            part.setEnabled(works)
        if model is not None:
            self._show_hand(model)
            wrong = model.problem or model.note
            self.words.setText(wrong)
            self.words.setVisible(bool(wrong))
            self.words.setStyleSheet("font-size: 12px; color: #ffb000;")
        self.picture.update()

    def _show_hand(self, model: LocatorModel) -> None:
        self.mark.setChecked(model.marking)
        self.hand.setText(f"click the {model.hand_words}" if model.marking else model.hand_words)
        blocked = QSignalBlocker(self.level)
        self.level.clear()
        for level in model.levels:
            self.level.addItem(level.value)
        self.level.setCurrentIndex(model.levels.index(model.hand) if model.hand else -1)
        del blocked
        self.kind.setCurrentIndex(self.kind.findData(model.kind.value))
        self.order.setCurrentIndex(0 if model.upwards else 1)
        self.six.setChecked(model.six)

    # --- what it does --------------------------------------------------------------------------

    def start_marking(self) -> None:
        """Mark levels from now on, by mouse or keyboard."""
        self.set_marking(marking=True)

    def set_marking(self, marking: bool) -> None:  # noqa: FBT001 - Qt's signal gives it
        """Mark by clicks, or go to slices by them."""
        if self.model is not None and self.model.series is not None and not self.model.is_locked:
            self.model.marking = marking
            if marking and self.model.hand is None:
                self.model.step(1)
            self.picture.setFocus()
        self.refresh()

    def _take_over(self, landmarks: tuple[Landmark, ...]) -> None:
        if self.annotator is not None:
            self.annotator.set_landmarks(landmarks)

    def _jump(self, index: int) -> None:
        if self.annotator is not None and self.annotator.canvas is not None:
            self.annotator.canvas.go_to(index)

    def _undo(self) -> None:
        self._press("Control-Z")

    def _redo(self) -> None:
        self._press("Control-Shift-Z")

    def _press(self, key: str) -> None:
        """Do what a key means in the viewer."""
        for shortcut in keys.SHORTCUTS if self.annotator is not None else ():
            if shortcut.key == key:
                shortcut.act(self.annotator)

    def _choose_kind(self) -> None:
        if self.model is not None:
            self.model.set_kind(LandmarkKind(self.kind.currentData()))
            self.refresh()

    def _choose_level(self) -> None:
        if self.model is not None:
            self.model.take(Level(self.level.currentText()))
            self.set_marking(marking=True)

    def _choose_series(self) -> None:
        if self.model is not None:
            self.model.choose(self.model.choices[self.series.currentIndex()])
            self.refresh()

    def _choose_order(self) -> None:
        down = self.order.currentData()
        self._preferences.setValue(UPWARDS, down)
        if self.model is not None:
            self.model.set_direction(upwards=not down)
            self.refresh()

    @told
    def _choose_six(self, *_: object) -> None:
        try:
            if self.model is not None:
                self.model.set_six(six=self.six.isChecked())
        finally:
            self.refresh()

    def _recount_up(self) -> None:
        self._recount(-1)

    def _recount_down(self) -> None:
        self._recount(1)

    @told
    def _recount(self, down: int) -> None:
        if self.model is not None:
            self.model.recount(down)
            self.refresh()
