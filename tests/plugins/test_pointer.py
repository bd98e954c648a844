"""The hand over a canvas, event by event, on a widget of its own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from napari_multifidus.controllers.pointer import Pointer, PointerCallbacks
from napari_multifidus.models.canvas_map import CORNERS, CanvasMap
from qtpy.QtCore import QCoreApplication, QEvent, QPointF, Qt
from qtpy.QtGui import QEnterEvent, QInputDevice, QMouseEvent, QPointingDevice, QTabletEvent
from qtpy.QtWidgets import QWidget

pytestmark = pytest.mark.gui

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
COMPRESSIONS = (
    Qt.ApplicationAttribute.AA_CompressHighFrequencyEvents,
    Qt.ApplicationAttribute.AA_CompressTabletEvents,
)
KEYS = Qt.KeyboardModifier.NoModifier

finite = st.floats(-500, 500)


class Canvas(QWidget):
    """A widget that notes what reaches it."""

    def __init__(self):
        super().__init__()
        self.setMouseTracking(True)
        self.reached, self.places = [], []

    def event(self, event):
        # One that enters is no mouse event of its own everywhere.
        if isinstance(event, QMouseEvent | QTabletEvent):
            self.reached.append(event.type())
            self.places.append((event.position().x(), event.position().y()))
        return super().event(event)


@pytest.fixture
def canvas(qtbot):
    made = Canvas()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def told():
    return []


@pytest.fixture
def pointer(canvas, told):
    """Return a pointer whose double clicks end something after the first."""
    clicks = iter([False, True])
    calls = PointerCallbacks(
        lambda: True, lambda: told.append("frame"), lambda: next(clicks), lambda: None
    )
    made = Pointer(canvas, calls)
    yield made
    made.close()


def mouse(canvas, kind, at, held=LEFT):
    place = QPointF(*at)
    event = QMouseEvent(kind, place, QPointF(canvas.mapToGlobal(place)), LEFT, held, KEYS)
    QCoreApplication.sendEvent(canvas, event)


def pen(canvas, x, y):
    device = QPointingDevice(
        "pen",
        7,
        QInputDevice.DeviceType.Stylus,
        QPointingDevice.PointerType.Pen,
        QInputDevice.Capability.Position,
        1,
        1,
    )
    place = QPointF(x, y)
    event = QTabletEvent(
        QEvent.Type.TabletMove, device, place, place, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, KEYS, LEFT, LEFT
    )
    QCoreApplication.sendEvent(canvas, event)
    return event.isAccepted()


def compressions():
    return [QCoreApplication.testAttribute(each) for each in COMPRESSIONS]


def test_every_move_of_a_stroke_is_recorded_and_reaches_nobody_else(canvas, pointer):
    before = compressions()
    assert before[0]
    mouse(canvas, QEvent.Type.MouseMove, (1.0, 1.0), NONE)
    assert len(pointer.taken()) == 0
    pointer.record()
    assert compressions() == [False, False]
    way = [(n * 0.5, 100.0 - n) for n in range(500)]
    for place in way:
        mouse(canvas, QEvent.Type.MouseMove, place)
    np.testing.assert_array_equal(pointer.taken(), way)
    assert len(pointer.taken()) == 0
    # A button that went up unseen ends no stroke, and draws none.
    mouse(canvas, QEvent.Type.MouseMove, (7.0, 8.0), NONE)
    assert len(pointer.taken()) == 0
    assert pointer.at == (7.0, 8.0)
    pointer.stop()
    assert compressions() == before
    mouse(canvas, QEvent.Type.MouseMove, (3.0, 4.0))
    assert len(pointer.taken()) == 0
    assert canvas.reached == [QEvent.Type.MouseMove] * 3


@pytest.fixture
def taken(canvas):
    """Return whether a tool is in hand, and the pointer that asks."""
    state = {"wants": True}
    calls = PointerCallbacks(lambda: state["wants"], lambda: None, lambda: False, lambda: None)
    made = Pointer(canvas, calls)
    yield state, made
    made.close()


def cross(canvas, *, into):
    here = QPointF(1.0, 1.0)
    event = QEnterEvent(here, here, here) if into else QEvent(QEvent.Type.Leave)
    QCoreApplication.sendEvent(canvas, event)


def test_moves_are_compressed_unless_a_stroke_may_begin(canvas, taken):
    state, pointer = taken
    before, off = compressions(), [False, False]
    assert before[0]
    cross(canvas, into=True)
    assert compressions() == off
    # Another layer is the active one.
    state["wants"] = False
    pointer.follow()
    assert compressions() == before
    state["wants"] = True
    pointer.follow()
    assert compressions() == off
    # A stroke that leads out of the image is recorded to its end.
    pointer.record()
    cross(canvas, into=False)
    assert compressions() == off
    pointer.stop()
    assert compressions() == before
    cross(canvas, into=True)
    pointer.close()
    assert compressions() == before


class NativeMove(QMouseEvent):
    """A move as the window system sends it."""

    def __init__(self, x, y):
        place = QPointF(x, y)
        super().__init__(QEvent.Type.MouseMove, place, place, NONE, NONE, KEYS)

    def spontaneous(self):
        return True


def test_of_moves_that_hover_the_last_is_sent_with_the_frame(canvas, pointer, qtbot):
    waits = [pointer.eventFilter(canvas, NativeMove(n, n)) for n in range(50)]
    assert waits[0] is False
    # A machine that is held up for a frame lets another one through.
    assert sum(waits) > 40
    assert pointer.at == (49.0, 49.0)
    assert canvas.reached == []
    qtbot.waitUntil(lambda: canvas.places == [(49.0, 49.0)])


def test_a_move_that_waits_comes_before_whatever_follows(canvas, pointer):
    waits = [pointer.eventFilter(canvas, NativeMove(n, n)) for n in range(50)]
    assert waits[-1]
    mouse(canvas, QEvent.Type.MouseButtonPress, (60.0, 60.0))
    assert canvas.reached == [QEvent.Type.MouseMove, QEvent.Type.MouseButtonPress]
    assert canvas.places == [(49.0, 49.0), (60.0, 60.0)]


def test_a_pen_is_recorded_with_its_digits_and_once(canvas, pointer):
    assert not pen(canvas, 1.25, 2.5)
    pointer.record()
    for n in range(4):
        assert pen(canvas, n + 0.25, n + 0.125)
        mouse(canvas, QEvent.Type.MouseMove, (n, n))
    np.testing.assert_array_equal(pointer.taken(), [(n + 0.25, n + 0.125) for n in range(4)])


def test_frames_are_told_of_once_however_many_moves_there_are(canvas, pointer, told, qtbot):
    pointer.record()
    pointer.tell()
    told.clear()
    for n in range(200):
        mouse(canvas, QEvent.Type.MouseMove, (n, n))
    assert told == []
    qtbot.waitUntil(lambda: told == ["frame"])


def test_a_double_click_is_a_press_unless_it_ends_something(canvas, pointer):
    for reaches in ([QEvent.Type.MouseButtonPress], []):
        canvas.reached.clear()
        mouse(canvas, QEvent.Type.MouseButtonDblClick, (5.0, 6.0))
        assert canvas.reached == reaches
        assert pointer.at == (5.0, 6.0)


@given(
    arrays(np.float64, 2, elements=finite),
    arrays(np.float64, (2, 2), elements=st.floats(-3, 3)),
    arrays(np.float64, (9, 2), elements=finite),
)
@settings(deadline=None)
def test_the_map_of_the_canvas_goes_there_and_back(origin, steps, points):
    steps = steps + 7 * np.eye(2)[::-1]
    shown = CanvasMap.of(np.array(CORNERS) @ steps + origin)
    pixels = shown.pixels(points)
    np.testing.assert_allclose(pixels, points @ steps + origin, atol=1e-6)
    np.testing.assert_allclose(shown.points(pixels), points, atol=1e-6)
    assert shown.is_same(CanvasMap(shown.origin, shown.steps))
    assert not shown.is_same(None)
    assert not shown.is_same(CanvasMap(shown.origin + 1, shown.steps))
