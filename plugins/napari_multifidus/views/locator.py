"""The sagittal locator: where every slice cuts the spine, and which level it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QLabel, QWidget

from multifidus.data.anatomy import Level
from multifidus.data.landmark import Landmark, LandmarkKind
from napari_multifidus._compat import Signal
from napari_multifidus.controllers import shortcuts as keys
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.models.locator import Locator
from napari_multifidus.views.icons import icon
from napari_multifidus.views.sagittal import HELP, SagittalView
from napari_multifidus.views.style import MARGIN, Palette
from napari_multifidus.views.widgets import (
    WARNING_COLOUR,
    button,
    check_box,
    choice,
    grid,
    label,
    named,
)

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator
    from napari_multifidus.views.preferences import RaterSettings

TITLE = "Sagittal locator"
LEAST_WIDTH = 240
UPWARDS = "levels_upwards"


class LocatorPanel(QWidget):
    """The sagittal image of the exam that is open, and what marks its levels.

    Parameters
    ----------
    preferences
        Where the order of counting is remembered.

    Attributes
    ----------
    warning
        Emitted with a message about something wrong.
    marking_changed
        Emitted with whether levels are being marked, when that begins or ends.
    """

    warning = Signal(str)
    marking_changed = Signal(bool)

    def __init__(self, preferences: RaterSettings) -> None:
        super().__init__()
        self._preferences = preferences
        self.annotator: Annotator | None = None
        self.picture = SagittalView()
        self.picture.setToolTip(HELP)
        self.mark = button("Mark levels", f"Click one disc after another ( M )\n\n{HELP}")
        self.mark.setCheckable(True)
        self.prompt, self.note = label(), label(colour=WARNING_COLOUR)
        self.lines = button("", "Hide or show where the axial slices cut ( L )", checkable=True)
        self.lines.setAccessibleName("Cut lines")
        self._was_marking = False
        self.kind = choice(
            "What is marked: discs are enough; endplates give vertebral bodies as well",
            named(LandmarkKind),
        )
        self.level = choice("Level that the next click marks ( [ and ] )")
        self.series = choice("Sagittal series shown")
        self.order = choice(
            "Order in which levels are marked",
            [("from the sacrum up", ""), ("from the head down", "down")],
        )
        self.six = check_box(
            "L6 present", "Transitional anatomy: an L6, with the discs L5-L6 and L6-S1"
        )
        self.up = button("up one level", "Counting began one level too low: rename every landmark")
        self.down = button(
            "down one level", "Counting began one level too high: rename every landmark"
        )
        self._lay_out()
        self._wire()

    def _lay_out(self) -> None:
        self.setMinimumWidth(LEAST_WIDTH)
        # What is needed while marking only is there while marking only.
        self.options = QWidget()
        shift = QWidget()
        grid(shift, (QLabel("Shift labels"), 0, 0), (self.up, 0, 1), (self.down, 0, 2))
        grid(
            self.options,
            (self.kind, 0, 0),
            (self.level, 0, 1),
            (self.order, 1, 0),
            (self.six, 1, 1),
            (shift, 2, 0, 1, 2),
        )
        layout = grid(
            self,
            (self.series, 0, 0, 1, 3),
            (self.picture, 1, 0, 1, 3),
            (self.note, 2, 0, 1, 3),
            (self.mark, 3, 0),
            (self.prompt, 3, 1),
            (self.lines, 3, 2),
            (self.options, 4, 0, 1, 3),
        )
        layout.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        layout.setRowStretch(1, 1)
        layout.setColumnStretch(1, 1)

    def wear(self, palette: Palette) -> None:
        """Draw the picture of the button in the colours of a theme."""
        self.lines.setIcon(icon("lines", palette.text, palette.line))

    def _wire(self) -> None:
        self.picture.acted.connect(self.refresh)
        self.picture.jump_wanted.connect(self._jump)
        self.picture.message.connect(self.warning)
        # No lambdas: one that knows this widget keeps it for ever under PySide, in no window.
        self.picture.undo_wanted.connect(self._undo)
        self.picture.redo_wanted.connect(self._redo)
        self.mark.clicked.connect(self.set_marking)
        self.lines.clicked.connect(self._toggle_lines)
        self.kind.activated.connect(self._choose_kind)
        self.level.activated.connect(self._choose_level)
        self.series.activated.connect(self._choose_series)
        self.order.activated.connect(self._choose_order)
        self.six.clicked.connect(self._choose_six)
        self.up.clicked.connect(self._shift_up)
        self.down.clicked.connect(self._shift_down)

    # --- whom it follows -----------------------------------------------------------------------

    @property
    def model(self) -> Locator | None:
        """What is shown; None where no exam is open."""
        return self.picture.model

    def follow(self, annotator: Annotator) -> None:
        """Show what an annotator has open."""
        if annotator is self.annotator:
            return
        self.leave()
        self.annotator = annotator
        annotator.workspace.opened.connect(self.show_exam)
        annotator.workspace.selection_changed.connect(self.show_place)
        annotator.workspace.changed.connect(self.refresh)
        self.warning.connect(annotator.workspace.warning)
        self.show_exam()

    def leave(self) -> None:
        """Let go of the annotator."""
        if self.annotator is None:
            return
        self.annotator.workspace.opened.disconnect(self.show_exam)
        self.annotator.workspace.selection_changed.disconnect(self.show_place)
        self.annotator.workspace.changed.disconnect(self.refresh)
        self.warning.disconnect(self.annotator.workspace.warning)
        self.annotator = None
        self.picture.show_model(None)

    @property
    def _is_open(self) -> bool:
        return self.annotator is not None and self.annotator.workspace.is_open

    def show_exam(self) -> None:
        """Show the exam that is open now."""
        model = None
        if self.annotator is not None and self._is_open:
            session = self.annotator.workspace.session
            from_sacrum = self._preferences.value(UPWARDS) != "down"
            model = Locator(session, self._take_over, from_sacrum=from_sacrum)
        self.picture.show_model(model)
        self.series.clear()
        if self.annotator is not None and model is not None:
            self.series.addItems(self.annotator.workspace.names_of(model.choices))
        self.series.setVisible(self.series.count() > 1)
        self.show_place()

    def show_place(self) -> None:
        """Highlight the axial slice that is shown now."""
        if self.annotator is not None and self._is_open:
            self.picture.axial_index = self.annotator.workspace.canvas.index
        self.refresh()

    def refresh(self) -> None:
        """Show everything as it is now."""
        model = self.model
        self.lines.setChecked(self.picture.shows_lines)
        for part in (self.mark, self.kind, self.level, self.order, self.six, self.up, self.down):
            part.setEnabled(model is not None and _can_mark(model))
        if model is not None:
            self._show_state(model)
            self.note.setText(model.warning)
            self.note.setVisible(bool(model.warning))
        self._show_marking(marking=model is not None and model.state.is_marking)
        self.picture.update()

    def _show_marking(self, *, marking: bool) -> None:
        self.options.setVisible(marking)
        if marking != self._was_marking:
            self._was_marking = marking
            self.marking_changed.emit(marking)

    def _show_state(self, model: Locator) -> None:
        state = model.state
        self.mark.setChecked(state.is_marking)
        self.prompt.setText(f"Click the {model.prompt}" if state.is_marking else model.prompt)
        blocked = QSignalBlocker(self.level)
        names = [level.value for level in state.levels]
        if names != [self.level.itemText(n) for n in range(self.level.count())]:
            self.level.clear()
            self.level.addItems(names)
        self.level.setCurrentIndex(state.levels.index(state.level) if state.level else -1)
        del blocked
        self.kind.setCurrentIndex(self.kind.findData(state.kind.value))
        self.order.setCurrentIndex(0 if state.from_sacrum else 1)
        self.six.setChecked(state.has_l6)

    # --- what it does --------------------------------------------------------------------------

    def start_marking(self) -> None:
        """Mark levels from now on, by mouse or keyboard."""
        self.set_marking(marking=True)

    def set_marking(self, marking: bool) -> None:  # noqa: FBT001 - Qt's signal gives it
        """Mark by clicks, or go to slices by them."""
        if self.model is not None and _can_mark(self.model):
            self.model.set_marking(on=marking)
            self.picture.setFocus()
        self.refresh()

    def _toggle_lines(self, *_: object) -> None:
        self.picture.toggle_lines()
        self.refresh()

    def _take_over(self, landmarks: tuple[Landmark, ...]) -> None:
        if self.annotator is not None:
            with reported(self.warning):
                self.annotator.entries.set_landmarks(landmarks)

    def _jump(self, index: int) -> None:
        if self.annotator is not None and self._is_open:
            self.annotator.workspace.canvas.go_to(index)

    def _undo(self) -> None:
        self._press("Control-Z")

    def _redo(self) -> None:
        self._press("Control-Shift-Z")

    def _press(self, key: str) -> None:
        """Do what a key means in the viewer."""
        for shortcut in keys.SHORTCUTS if self.annotator is not None else ():
            if shortcut.key == key:
                with reported(self.warning):
                    shortcut.act(self.annotator)

    def _choose_kind(self) -> None:
        if self.model is not None:
            self.model.set_kind(LandmarkKind(self.kind.currentData()))
            self._go_on()

    def _choose_level(self) -> None:
        if self.model is not None:
            self.model.activate(self.model.state.kind, Level(self.level.currentText()))
            self.set_marking(marking=True)

    def _choose_series(self) -> None:
        if self.model is not None:
            self.model.choose_series(self.model.choices[self.series.currentIndex()])
            self._go_on()

    def _choose_order(self) -> None:
        down = self.order.currentData()
        self._preferences.keep(UPWARDS, down)
        if self.model is not None:
            self.model.set_direction(from_sacrum=not down)
            self._go_on()

    def _go_on(self) -> None:
        """Show the choice; while one marks, keys are for the sagittal image, else for the axial."""
        if self.model is not None and self.model.state.is_marking:
            self.picture.setFocus()
        self.refresh()

    def _choose_six(self, *_: object) -> None:
        if self.model is not None:
            with reported(self.warning):
                self.model.set_l6(has_l6=self.six.isChecked())
        self.refresh()

    def _shift_up(self) -> None:
        self._shift(-1)

    def _shift_down(self) -> None:
        self._shift(1)

    def _shift(self, down: int) -> None:
        if self.model is not None:
            with reported(self.warning):
                self.model.shift_levels(down)
            self.refresh()


def _can_mark(model: Locator) -> bool:
    return model.state.series is not None and not model.is_locked
