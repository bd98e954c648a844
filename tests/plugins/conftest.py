"""A small exam of three angled stacks, a viewer of its own settings, and a hand on the mouse."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

# Whole before PySide6: that one looks into modules as they are imported, and pydantic, of which
# pytest's filter of warnings has imported a part, cannot be looked into halfway.
import pydantic.fields  # noqa: F401
import pytest

from tests.support.screens import own_screen

# Nobody's own settings are read or written: napari keeps none without a file.
os.environ.setdefault("NAPARI_CONFIG", "")
os.environ.setdefault("NAPARI_ASYNC", "0")

# Windows of two programs on one screen would take the focus from each other.
_SCREEN = own_screen() if "PYTEST_XDIST_WORKER" in os.environ else None

from napari_multifidus._compat import swapping_layers  # noqa: E402
from napari_multifidus._shaders import keep_shaders  # noqa: E402
from napari_multifidus.controllers.shortcuts import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT  # noqa: E402
from napari_multifidus.models.opening import METADATA, OpenedExam, layer_data  # noqa: E402
from napari_multifidus.models.session import Session  # noqa: E402
from napari_multifidus.models.shapes import LayerKey  # noqa: E402

from multifidus.data.anatomy import Side, Structure  # noqa: E402
from multifidus.data.geometry import Plane  # noqa: E402
from multifidus.data.image import Exam, Series, Slice, Weighting  # noqa: E402
from multifidus.data.roi import Reading  # noqa: E402
from multifidus.data.roi_set import RoiSet  # noqa: E402
from tests.support.exams import axial_plane, circle  # noqa: E402
from tests.support.napari_model import ViewerWithoutWindow  # noqa: E402
from tests.support.napari_window import know_view, qt_canvas, qt_window  # noqa: E402

ROWS, COLUMNS = 72, 80
TILTS = (18.0, 18.0, 4.0, 4.0, -12.0, -12.0)
SPACING = (0.8, 0.7)
LEAN_SI, FAT_SI = 100.0, 400.0

__all__ = ["FAT", "LEAN", "MULTIFIDUS_LEFT", "MULTIFIDUS_RIGHT", "LayerKey", "Side", "Structure"]


def pytest_unconfigure() -> None:
    """Take away the screen that was made for these tests."""
    if _SCREEN is not None:
        _SCREEN.terminate()
        _SCREEN.wait()


def make_series(uid: str = "1.2", tilts: tuple[float, ...] = TILTS) -> Series:
    """Return lean signal with fat in every third column and all around row 60."""
    rng = np.random.default_rng(7)
    slices = []
    for number, tilt in enumerate(tilts):
        pixels = np.full((ROWS, COLUMNS), LEAN_SI)
        pixels[:, ::3] = FAT_SI
        pixels[:12] = LEAN_SI
        pixels[60:] = FAT_SI
        pixels += rng.normal(0, 10, pixels.shape)
        place = 40.0 * (number // 2) + 4.0 * (number % 2)
        plane = axial_plane(place, tilt, SPACING)
        slices.append(Slice.from_array(f"{uid}.{number}", plane, pixels.round(), 4.0))
    return Series(uid, tuple(slices), Weighting.T2)


@pytest.fixture
def exam() -> Exam:
    return Exam("S01", "pre", (make_series(),))


@pytest.fixture
def session(exam: Exam) -> Session:
    """Return a session with both references and both muscles on slice 2."""
    made = Session(exam, exam.series[0], RoiSet(reading=Reading("S01", "pre", "R1", 1)))
    for key, loop in (
        (LEAN, circle(6, 20, 4)),
        (FAT, circle(66, 20, 4)),
        (MULTIFIDUS_RIGHT, circle(36, 20, 12)),
        (MULTIFIDUS_LEFT, circle(36, 58, 13)),
    ):
        made.put(key, 2, [loop])
    return made


def make_sagittal(uid: str = "5.1", count: int = 3) -> Series:
    """Return slices 6 mm apart around the middle of the axial ones; discs are dark bands."""
    rows, columns, mm = 55, 30, 2.0
    slices = []
    for number in range(count):
        pixels = np.full((rows, columns), 300.0)
        pixels[::9] = 60.0
        pixels[:, :4] = pixels[:, -4:] = 500.0
        x = (number - count // 2) * 6.0 + 8.0
        plane = Plane((x, -30.0, 95.0), (0.0, 0.0, -mm), (0.0, mm, 0.0))
        slices.append(Slice.from_array(f"{uid}.{number}", plane, pixels, 6.0))
    return Series(uid, tuple(slices), Weighting.T2)


@pytest.fixture
def locator_exam() -> Exam:
    """Return the exam with a sagittal series beside it."""
    return Exam("S01", "pre", (make_series(), make_sagittal()))


@pytest.fixture
def locator_session(locator_exam: Exam) -> Session:
    return Session(locator_exam, locator_exam.series[0])


@pytest.fixture(autouse=True)
def own_preferences(tmp_path_factory: pytest.TempPathFactory) -> None:
    from qtpy.QtCore import QSettings

    folder = str(tmp_path_factory.mktemp("preferences"))
    QSettings.setPath(QSettings.Format.IniFormat, QSettings.Scope.UserScope, folder)


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect what the plugin says in its line of messages, and where it has no window."""
    from napari_multifidus.views.status import StatusLine

    said: list[str] = []

    def notify(message: str, *, bad: bool) -> None:
        said.append(message)

    def listening(show: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
        def listen(line: Any, words: str) -> None:
            said.append(words)
            show(line, words)

        return listen

    monkeypatch.setattr("napari_multifidus._compat.notify", notify)
    for name in ("show_message", "show_warning"):
        monkeypatch.setattr(StatusLine, name, listening(getattr(StatusLine, name)))
    return said


class Window:
    """A viewer with the plugin in it, and a hand on its mouse."""

    def __init__(self, viewer: Any, wait: Callable[[Callable[[], bool]], None]) -> None:
        from napari_multifidus._compat import open_dock

        self.viewer = viewer
        self.wait = wait
        self.dock = open_dock(viewer)
        # Most tests look at what they have just drawn.
        self.annotator.edit_tools.advances = False

    @property
    def annotator(self) -> Any:
        return self.dock.annotator

    def open(self, exam: Exam, folder: Path, outlines: Path | None = None) -> None:
        """Open an exam as if it had been read from a folder."""
        for data, attributes, _ in layer_data(OpenedExam(exam, exam.series[0], folder, outlines)):
            self.viewer.add_image(data, **attributes)
        self.wait(lambda: self.annotator.workspace.is_open)

    def look(self) -> None:
        """Let layers know how large they are seen, which painting would."""
        if not qt_window(self.viewer).updatesEnabled():
            know_view(self.viewer)

    def attempt(self, act: Callable[..., Any], *args: Any, **how: Any) -> None:
        """Do what a button would: what goes wrong is said in the window."""
        from napari_multifidus.controllers.reported_errors import reported

        with reported(self.annotator.workspace.warning):
            act(*args, **how)

    def close(self) -> None:
        """Close the viewer and let go of it."""
        self.viewer.close()
        self.__dict__.clear()

    def close_dock(self) -> None:
        """Close the plugin and leave the viewer open."""
        self.dock.close()
        self.viewer.window.remove_dock_widget(self.dock)

    def empty(self) -> None:
        """Close the exam and take every layer away."""
        # What napari collects when layers go can wait for the end of the file, where all of it is.
        gc.freeze()
        # One swap for both; napari's own clear() would end it and begin another.
        with swapping_layers(self.viewer):
            self.annotator.opener.close()
            while self.viewer.layers:
                self.viewer.layers.pop()
        qt_window(self.viewer).activateWindow()

    @property
    def images(self) -> list[Any]:
        return [layer for layer in self.viewer.layers if METADATA in layer.metadata]

    def layer(self, key: LayerKey) -> Any:
        return self.annotator.workspace.canvas.layer(key)

    @property
    def canvas(self) -> Any:
        return qt_canvas(self.viewer).canvas.native

    def at(self, row: float, column: float) -> Any:
        """Where a pixel of the image is on the screen."""
        from qtpy.QtCore import QPointF

        camera = self.viewer.scene.camera
        middle = np.array(self.viewer.canvas.size) / 2
        y, x = (np.array((row, column)) * SPACING - np.array(camera.center)[-2:]) * camera.zoom
        return QPointF(middle[1] + x, middle[0] + y)

    def send(self, kind: str, point: Any, *, pressed: bool = True) -> None:
        """Send a mouse event to a pixel of the image, or to a place on the canvas."""
        from qtpy.QtCore import QEvent, QPointF, Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtWidgets import QApplication

        place = self.at(*point) if isinstance(point, tuple) else point
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        moving = kind == "MouseMove"
        event = QMouseEvent(
            getattr(QEvent.Type, kind),
            place,
            QPointF(self.canvas.mapToGlobal(place.toPoint())),
            none if moving else left,
            left if pressed else none,
            Qt.KeyboardModifier.NoModifier,
        )
        self.look()
        QApplication.sendEvent(self.canvas, event)
        QApplication.processEvents()

    def click(self, point: Any) -> None:
        self.send("MouseMove", point, pressed=False)
        self.send("MouseButtonPress", point)
        self.send("MouseButtonRelease", point, pressed=False)

    def draw(self, corners: list[Any]) -> None:
        """Draw a polygon by clicks, the last one double."""
        for corner in corners:
            self.click(corner)
        self.send("MouseMove", corners[-1], pressed=False)
        self.send("MouseButtonDblClick", corners[-1])
        self.send("MouseButtonRelease", corners[-1], pressed=False)

    def drag(self, start: tuple[float, float], end: tuple[float, float], moves: int = 6) -> None:
        """Press at one pixel and move to another; the button stays down."""
        self.send("MouseMove", start, pressed=False)
        self.send("MouseButtonPress", start)
        for share in np.linspace(0, 1, moves + 1)[1:]:
            row, column = np.array(start) + share * (np.array(end) - np.array(start))
            # The canvas looks at the mouse every few milliseconds only, and a mouse moves on.
            self.wait(lambda here=(float(row), float(column)): self._is_moved_to(here))

    def _is_moved_to(self, here: tuple[float, float]) -> bool:
        """Move the mouse and return whether the viewer has noticed."""
        self.send("MouseMove", here)
        return self.sees_mouse_at(*here)

    def press(self, keys: str) -> None:
        """Press a key on the canvas, such as ``Ctrl+Shift+Z``."""
        from qtpy.QtGui import QKeySequence
        from qtpy.QtTest import QTest
        from qtpy.QtWidgets import QApplication

        chord = QKeySequence(keys)[0]
        QTest.keyClick(self.canvas, chord.key(), chord.keyboardModifiers())
        QApplication.processEvents()

    def sees_mouse_at(self, row: float, column: float) -> bool:
        """Whether the viewer knows that the mouse is there, to a pixel of the screen."""
        away = np.array(self.viewer.cursor.position[-2:]) - np.array((row, column)) * SPACING
        return bool(np.abs(away).max() * self.viewer.scene.camera.zoom < 2)

    def release(self, point: tuple[float, float]) -> None:
        self.send("MouseButtonRelease", point, pressed=False)


@pytest.fixture(scope="session", autouse=True)
def shaders_kept(qapp: Any) -> None:
    """Let vispy read and link shaders as it does where ``multifidus annotate`` opens a window."""
    keep_shaders()


@pytest.fixture(scope="session")
def one_viewer(qapp: Any) -> Iterator[Any]:
    """Return one viewer for all files: a new one takes two seconds, its closing another."""
    import napari

    viewer = napari.Viewer(show=True)
    gc.collect()
    yield viewer
    gc.unfreeze()
    viewer.close()
    qapp.processEvents()


@pytest.fixture(scope="module")
def shared_viewer(one_viewer: Any, qapp: Any) -> Iterator[Any]:
    """Return a viewer for a whole file, as new: the plugin is opened in it by the first test."""
    from napari._qt.dialogs.qt_notification import NapariQtNotification

    main = qt_window(one_viewer)
    main.setUpdatesEnabled(True)
    size, theme, keys = main.size(), one_viewer.theme, dict(one_viewer.keymap)
    yield one_viewer
    one_viewer.layers.clear()
    for panel in list(one_viewer.window.dock_widgets.values()):
        panel.close()
    one_viewer.window.remove_dock_widget("all")
    for name in [name for name in one_viewer.canvas.overlays if name.startswith("multifidus")]:
        del one_viewer.canvas.overlays[name]
    # What napari says over the image stays for seconds, and would have the keys of the next file.
    for toast in main.findChildren(NapariQtNotification):
        toast.close()
    one_viewer.theme, one_viewer.keymap = theme, keys
    one_viewer.dims.reset()
    main.showNormal()
    main.resize(size)
    qapp.processEvents()
    gc.unfreeze()
    gc.collect()


@pytest.fixture
def win(
    shared_viewer: Any, qtbot: Any, messages: list[str], request: pytest.FixtureRequest
) -> Iterator[Window]:
    """Return the shared viewer with the plugin open and nothing else.

    It lies open on the screen, but nothing of it is painted except the image at the end, unless the
    test is marked ``painted``: painting takes two thirds of a click, and few tests look at it.
    """
    main = qt_window(shared_viewer)
    painted = request.node.get_closest_marker("painted") is not None or "PAINTED" in os.environ
    main.setUpdatesEnabled(painted)
    # napari collects garbage when layers go; what is here now will stay anyway.
    gc.freeze()
    made = Window(shared_viewer, lambda done: qtbot.waitUntil(done, timeout=5000))
    made.annotator.workspace.rater = "R1"
    made.annotator.edit_tools.drawing = "add_polygon"
    made.annotator.edit_tools.advances = False
    yield made
    if made.__dict__:
        # An image that cannot be painted fails here, in every test.
        made.canvas.grabFramebuffer()
        main.setUpdatesEnabled(False)
        made.empty()


@pytest.fixture
def no_window(qapp: Any) -> Iterator[ViewerWithoutWindow]:
    """Return a viewer without a window, with the plugin's annotator in it."""
    made = ViewerWithoutWindow()
    yield made
    made.annotator.opener.close()


@pytest.fixture
def window(qtbot: Any, messages: list[str]) -> Iterator[Callable[[], Window]]:
    """Return a maker of new viewers with the plugin open; none may survive its closing."""
    import napari

    made: list[Window] = []
    held: list[weakref.ref[Any]] = []

    def make() -> Window:
        viewer = napari.Viewer(show=True)
        made.append(Window(viewer, lambda done: qtbot.waitUntil(done, timeout=5000)))
        held.append(weakref.ref(made[-1].annotator))
        return made[-1]

    yield make
    for item in made:
        if item.__dict__:
            item.close()
    made.clear()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and all(ref() is None for ref in held))
