"""Help: a tour of the window, and the table of keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qtpy.QtCore import QEvent, QObject, QRect, QSettings, Qt
from qtpy.QtWidgets import (
    QDialog,
    QDockWidget,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_multifidus._compat import Signal
from napari_multifidus.controllers import shortcuts as keys
from napari_multifidus.views.style import Tone, give
from napari_multifidus.views.widgets import button, grid, label

SEEN = "tour_seen"
KEYS_SIZE = (560, 640)

FRAME = 3
"""Width of the frame around what the tour speaks of, in pixels; the gap between parts is wider."""


@dataclass(frozen=True, slots=True)
class TourStep:
    """One step of the tour.

    Attributes
    ----------
    target
        Returns the widget that it is about.
    """

    title: str
    words: str
    target: Callable[[], QWidget]


class Highlight(QFrame):
    """A frame around a widget, in the gap between it and others; the mouse passes through it."""

    def __init__(self) -> None:
        super().__init__()
        self.target: QWidget | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def surround(self, target: QWidget | None) -> None:
        """Frame another widget; None frames nothing."""
        if self.target is not None:
            self.target.removeEventFilter(self)
        self.target = target
        if target is None:
            self.hide()
            self.setParent(None)
            return
        target.installEventFilter(self)
        # On the widget itself it would lie over the controls at its edges.
        self.setParent(target.parentWidget())
        if self.parentWidget() is None:
            # A window of its own has nothing around it.
            return
        self._fit()
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Stay around the widget."""
        if event is not None and event.type() in {QEvent.Type.Resize, QEvent.Type.Move}:
            self._fit()
        return bool(super().eventFilter(watched, event))

    def _fit(self) -> None:
        parent = self.parentWidget()
        if self.target is None or parent is None:
            return
        around = self.target.geometry().adjusted(-FRAME, -FRAME, FRAME, FRAME)
        around &= parent.rect()
        direct = Qt.FindChildOption.FindDirectChildrenOnly
        for other in parent.findChildren(QWidget, options=direct):
            if other not in {self, self.target} and other.isVisible():
                _keep_off(around, self.target.geometry(), other.geometry())
        self.setGeometry(around)


def _keep_off(around: QRect, target: QRect, other: QRect) -> None:
    """Take from the room around a target what belongs to another widget beside it."""
    if not around.intersects(other):
        return
    if other.bottom() < target.top():
        around.setTop(other.bottom() + 1)
    elif other.top() > target.bottom():
        around.setBottom(other.top() - 1)
    elif other.right() < target.left():
        around.setLeft(other.right() + 1)
    elif other.left() > target.right():
        around.setRight(other.left() - 1)


class TourPanel(QFrame):
    """The tour: a panel that stays out of the way, and a frame around what it speaks of."""

    ended = Signal()

    def __init__(self, steps: Sequence[TourStep]) -> None:
        super().__init__()
        self.steps = tuple(steps)
        self.place = -1
        self.highlight = Highlight()
        self.title, self.words = label(px=13, bold=True), label()
        self.skip = button("Skip", "End the tour; the button Tour starts it again")
        self.back, self.on = button("Back", "Previous step"), button("Next", "Next step")
        give(self, framed=Tone.WARNING)
        buttons = QHBoxLayout()
        for made in (self.skip, self.back, self.on):
            buttons.addWidget(made)
        layout = QVBoxLayout(self)
        layout.addWidget(self.title)
        layout.addWidget(self.words)
        layout.addLayout(buttons)
        self.back.clicked.connect(lambda _=False: self.go_to(self.place - 1))
        self.on.clicked.connect(lambda _=False: self.go_to(self.place + 1))
        self.skip.clicked.connect(lambda _=False: self.end())
        self.hide()

    @property
    def is_running(self) -> bool:
        """Whether a step is shown."""
        return self.place >= 0

    def start(self) -> None:
        """Begin with the first step."""
        self.go_to(0)

    def go_to(self, place: int) -> None:
        """Show a step; beyond the last one the tour ends."""
        if place >= len(self.steps):
            self.end()
            return
        self.place = max(place, 0)
        step = self.steps[self.place]
        self.title.setText(f"{self.place + 1} of {len(self.steps)}: {step.title}")
        self.words.setText(step.words)
        self.back.setEnabled(self.place > 0)
        last = self.place + 1 == len(self.steps)
        self.on.setText("Done" if last else "Next")
        self.skip.setVisible(not last)
        self.show()
        target = step.target()
        _bring_into_sight(target)
        self.highlight.surround(target)

    def end(self) -> None:
        """End the tour."""
        self.place = -1
        self.highlight.surround(None)
        self.hide()
        self.ended.emit()


def _bring_into_sight(target: QWidget) -> None:
    parent = target.parentWidget()
    while parent is not None:
        if isinstance(parent, QTabWidget):
            pages = (parent.widget(n) for n in range(parent.count()))
            for page in pages:
                if page is not None and page.isAncestorOf(target):
                    parent.setCurrentWidget(page)
        if isinstance(parent, QScrollArea):
            parent.ensureWidgetVisible(target)
        if isinstance(parent, QDockWidget) and parent.isHidden():
            parent.show()
            parent.raise_()
        parent = parent.parentWidget()


class ShortcutsDialog(QDialog):
    """Every key, in a window that may stay open beside the work."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("multifidus: keys")
        self.setModal(False)
        shown = keys.rows()
        self.table = QTableWidget(len(shown), 2)
        self.table.setHorizontalHeaderLabels(["Key", "Action"])
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setAlternatingRowColors(True)
        for row, cells in enumerate(shown):
            for column, words in enumerate(cells):
                self.table.setItem(row, column, QTableWidgetItem(words))
        rows, columns = self.table.verticalHeader(), self.table.horizontalHeader()
        if rows is not None and columns is not None:
            rows.hide()
            columns.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            columns.setStretchLastSection(True)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table)
        self.resize(*KEYS_SIZE)


class HelpPanel(QWidget):
    """The ways to help."""

    tour_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.tour = button("Tour", "Short tour of this window")
        self.keys = button("Keys", "All keys, in a window that can stay open")
        self.table: ShortcutsDialog | None = None
        layout = grid(self, (QLabel("Help"), 0, 0), (self.tour, 0, 1), (self.keys, 0, 2))
        layout.setColumnStretch(1, 1)
        layout.setColumnStretch(2, 1)
        self.tour.clicked.connect(lambda _=False: self.tour_wanted.emit())
        self.keys.clicked.connect(lambda _=False: self.show_keys())

    def show_keys(self) -> None:
        """Show the table of keys."""
        if self.table is None:
            self.table = ShortcutsDialog(self)
        self.table.show()
        self.table.raise_()


def is_first_run(settings: QSettings) -> bool:
    """Whether nobody has seen the tour, to its end or to where they left it."""
    return str(settings.value(SEEN, "")) != "yes"


def remember_tour(settings: QSettings) -> None:
    """Note that the tour was seen."""
    settings.setValue(SEEN, "yes")
    settings.sync()
