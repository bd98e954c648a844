"""The bar over the window: the exam, the steps of its reading, messages, what is saved."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QWidget,
)

from napari_multifidus._compat import Signal
from napari_multifidus.models.workflow import StepName, WorkflowStep
from napari_multifidus.views.icons import icon
from napari_multifidus.views.status import StatusLine
from napari_multifidus.views.style import GAP, ICON, MARGIN, TITLE, Palette, Tone, give
from napari_multifidus.views.widgets import ElidedLabel, button, label

SAVED_WIDTH, EXAM_WIDTH, WIDEST_EXAM, BUTTON_WIDTH = 100, 90, 260, 30

_TIPS = {
    StepName.LEVELS: "Mark levels on the sagittal image ( M )",
    StepName.REFERENCES: "Draw the next reference that the protocol needs ( G, H )",
    StepName.RIGHT: "Go to the next slice without the right multifidus, and draw it",
    StepName.LEFT: "Go to the next slice without the left multifidus, and draw it",
    StepName.DONE: "Finish: go on in the reading list, else write the tables",
}
_HINTS = {
    StepName.LEVELS: "Next: mark levels. Choose the level of each slice in the panel; where there "
    "is a sagittal image, press M and click the discs on it instead.",
    StepName.REFERENCES: "Next: draw the references that fat is measured by: G in pure muscle, "
    "H in fat.",
    StepName.RIGHT: "Next: the right multifidus. Press 0 to go there, click around the muscle, "
    "end with a double click.",
    StepName.LEFT: "Next: the left multifidus. Press 0 to go there, click around the muscle, "
    "end with a double click.",
    StepName.DONE: "No outline is missing.",
}
_NO_STEPS = "Open an exam: File > Open Folder or Open File, or File > Open Sample > multifidus."
PARTS = {
    "sagittal": "Show or hide the sagittal image",
    "previous": "Show or hide the previous exam of the same subject",
    "views": "Show or hide the sagittal and coronal sections of a volume",
    "results": "Show or hide results, grades, reading and help",
    "layers": "Show or hide napari's own layer list and controls",
}


class StepsLine(QWidget):
    """The steps of a reading, the next one highlighted; a click goes to a step.

    Attributes
    ----------
    wanted
        Emitted with the step that was clicked.
    """

    wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(label("next:", colour=Tone.QUIET, wrap=False))
        self.buttons: dict[StepName, QPushButton] = {}
        for name in StepName:
            if self.buttons:
                layout.addWidget(label("\N{RIGHTWARDS ARROW}", colour=Tone.QUIET, wrap=False))
            made = button(name.value, _TIPS[name])
            made.clicked.connect(lambda _=False, name=name: self.wanted.emit(name))
            give(made, step="open")
            layout.addWidget(made)
            self.buttons[name] = made
        self._shown: dict[StepName, WorkflowStep] | None = None
        self.show_steps(())

    def show_steps(self, steps: Iterable[WorkflowStep]) -> None:
        """Show the steps as they are; none where no exam is open."""
        found = {step.name: step for step in steps}
        if found == self._shown:
            return
        self._shown = found
        for name, made in self.buttons.items():
            step = found.get(name)
            made.setEnabled(step is not None)
            give(made, step=_state(step))
            made.setText(_words(name, step))
            made.setToolTip(_TIPS[name] if step is None else f"{_said(step)}\n{_TIPS[name]}")
            # Bold letters are wider, which Qt does not ask after when a style changes.
            made.updateGeometry()


def _words(name: StepName, step: WorkflowStep | None) -> str:
    if step is None or name is StepName.DONE:
        return name.value
    if step.is_complete:
        return f"✓ {name.value}"
    count = f" {step.done}/{step.of}" if step.of > 1 else ""
    return f"{'◐ ' if step.is_begun else ''}{name.value}{count}"


def _said(step: WorkflowStep) -> str:
    """Say how far a step is, in words."""
    if step.name is StepName.DONE:
        return "All that is asked for is there." if step.is_next else "Something is missing yet."
    if step.is_complete:
        return "Complete." if step.of else "Not asked for by the protocol."
    count = f": {step.done} of {step.of} done" if step.of > 1 else ""
    return f"{'Begun, not complete' if step.is_begun else 'Not begun'}{count}."


def _state(step: WorkflowStep | None) -> str:
    if step is None:
        return "open"
    if step.is_next:
        return "next"
    return "done" if step.is_complete else "begun" if step.is_begun else "open"


def hint_of(steps: Iterable[WorkflowStep]) -> str:
    """Say what to do next."""
    found = tuple(steps)
    return next((_HINTS[step.name] for step in found if step.is_next), "") if found else _NO_STEPS


class TopBar(QToolBar):
    """Stays over the window: the exam, the steps, the line of messages, what is saved.

    Attributes
    ----------
    toggled_part
        Emitted with the name of a part of the window to be shown or hidden.
    """

    toggled_part = Signal(str)

    def __init__(self, status: StatusLine, exam: QLabel) -> None:
        super().__init__("multifidus")
        self.setObjectName("multifidus top bar")
        self.setMovable(False)
        # It is part of the window: no menu hides it alone.
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.steps, self.status = StepsLine(), status
        self.parts = {name: self._part(name, tip) for name, tip in PARTS.items()}
        status.saved.setMinimumWidth(SAVED_WIDTH)
        status.saved.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        held = QWidget()
        held.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        layout = QGridLayout(held)
        layout.setContentsMargins(MARGIN, 0, MARGIN, 0)
        layout.setHorizontalSpacing(2 * GAP)
        layout.setVerticalSpacing(0)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        for made in self.parts.values():
            buttons.addWidget(made)
        layout.addWidget(exam, 0, 0)
        layout.addWidget(self.steps, 0, 1)
        layout.addWidget(status.saved, 0, 2)
        layout.addLayout(buttons, 0, 3)
        layout.addWidget(status, 1, 0, 1, 4)
        layout.setColumnStretch(2, 1)
        self.addWidget(held)

    def _part(self, name: str, tip: str) -> QPushButton:
        made = button("", tip, checkable=True, width=BUTTON_WIDTH)
        made.setAccessibleName(tip)
        made.setIconSize(QSize(ICON, ICON))
        made.clicked.connect(lambda _=False: self.toggled_part.emit(name))
        return made

    def allow_part(self, name: str, why_not: str) -> None:
        """Let a part be shown, or say why it cannot be."""
        made = self.parts[name]
        made.setEnabled(not why_not)
        made.setToolTip(f"{PARTS[name]}\nOff: {why_not}." if why_not else PARTS[name])

    def show_parts(self, shown: dict[str, bool]) -> None:
        """Show which parts of the window are there."""
        for name, is_shown in shown.items():
            self.parts[name].setChecked(is_shown)

    def wear(self, palette: Palette) -> None:
        """Draw the pictures in the colours of a theme."""
        for name, made in self.parts.items():
            made.setIcon(icon(name, palette.text, palette.line))
            made.setFixedWidth(palette.px(BUTTON_WIDTH))


def exam_label(words: str) -> ElidedLabel:
    """Make the text that names the exam."""
    made = ElidedLabel(words, px=TITLE, widest=WIDEST_EXAM)
    give(made, strong=True)
    made.setMinimumWidth(EXAM_WIDTH)
    return made
