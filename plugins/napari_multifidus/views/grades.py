"""Visual grades of the level shown."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from multifidus.data.anatomy import Level, Side
from napari_multifidus._compat import Signal
from napari_multifidus.models.grading import SCHEMES, most_of, words_of
from napari_multifidus.models.shapes import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, colour_of
from napari_multifidus.views.widgets import button, choice, grid, label

BUTTON_WIDTH, LABEL_WIDTH = 28, 40
SIDES = ((Side.RIGHT, "right", MULTIFIDUS_RIGHT), (Side.LEFT, "left", MULTIFIDUS_LEFT))

Grades = Mapping[tuple[str, Level, Side], int]


class SideGrades(QWidget):
    """A button for every grade of one side; pressed again, it deletes the grade."""

    graded = Signal(object, object)

    def __init__(self, side: Side, words: str, colour: str) -> None:
        super().__init__()
        self.side = side
        self.buttons: list[QPushButton] = []
        name = label(words, px=13, colour=colour, bold=True)
        name.setFixedWidth(LABEL_WIDTH)
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2)
        self._layout.addWidget(name)
        self._layout.addStretch(1)

    def offer(self, scheme: str) -> None:
        """Offer the grades of a scheme; of one that is not known, as many as fit."""
        count = most_of(scheme) + 1 if scheme in SCHEMES else len(SCHEMES["goutallier"].words)
        while len(self.buttons) < count:
            value = len(self.buttons)
            made = button(str(value), checkable=True, width=BUTTON_WIDTH)
            made.clicked.connect(
                lambda on, value=value: self.graded.emit(self.side, value if on else None)
            )
            self.buttons.append(made)
            self._layout.insertWidget(self._layout.count() - 1, made)
        for value, made in enumerate(self.buttons):
            made.setVisible(value < count)
            means = words_of(scheme, value)
            made.setToolTip(f"{self.side.value} {value}: {means}" if means else str(value))

    def show_grade(self, grade: int | None) -> None:
        """Show the grade that was given."""
        for value, made in enumerate(self.buttons):
            made.setChecked(value == grade)


class GradesPanel(QWidget):
    """The scheme, the grades of both sides, and the way to grade by keys."""

    graded = Signal(object, object)
    scheme_said = Signal(str)
    keys_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.scheme = choice(
            "Grading scheme; the name of another one can be typed",
            [(scheme.title, scheme.name) for scheme in SCHEMES.values()],
        )
        self.scheme.setEditable(True)
        self.keys = button("Keys", checkable=True)
        self.sides = {side: SideGrades(side, words, colour_of(key)) for side, words, key in SIDES}
        layout = grid(
            self,
            (QLabel("Scheme"), 0, 0),
            (self.scheme, 0, 1, 1, 2),
            (self.keys, 0, 3),
            (self.sides[Side.RIGHT], 1, 0, 1, 4),
            (self.sides[Side.LEFT], 2, 0, 1, 4),
        )
        layout.setColumnStretch(1, 1)
        for panel in self.sides.values():
            panel.graded.connect(self.graded.emit)
        self.scheme.activated.connect(self._say_scheme)
        line = self.scheme.lineEdit()
        if line is not None:
            line.editingFinished.connect(self._say_scheme)
        self.keys.clicked.connect(lambda _=False: self.keys_wanted.emit())
        self.show_grades(self.chosen, None, {})

    @property
    def chosen(self) -> str:
        """Name of the scheme in use."""
        place = self.scheme.findText(self.scheme.currentText())
        if place >= 0 and self.scheme.itemData(place):
            return str(self.scheme.itemData(place))
        return self.scheme.currentText().strip()

    def _say_scheme(self) -> None:
        self.scheme_said.emit(self.chosen)

    def show_grades(self, scheme: str, level: Level | None, grades: Grades) -> None:
        """Show the grades of a level; without one nothing can be graded."""
        blocked = QSignalBlocker(self.scheme)
        place = self.scheme.findData(scheme)
        if place >= 0:
            self.scheme.setCurrentIndex(place)
        else:
            self.scheme.setEditText(scheme)
        del blocked
        for side, panel in self.sides.items():
            panel.offer(scheme)
            panel.setEnabled(level is not None)
            panel.setToolTip("" if level is not None else "No level is assigned to this slice")
            panel.show_grade(grades.get((scheme, level, side)) if level is not None else None)

    def show_mode(self, *, on: bool) -> None:
        """Show whether digits grade."""
        self.keys.setChecked(on)
