"""The sagittal locator with a real mouse and real keys, beside a real viewer."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from napari_multifidus.models.locator import Locator
from napari_multifidus.models.opening import OpenedExam, layer_data
from napari_multifidus.models.session import Session
from napari_multifidus.views.locator import LocatorPanel
from napari_multifidus.views.preferences import RaterSettings
from napari_multifidus.views.sagittal import SagittalView
from napari_multifidus.views.slice import NOT_SET
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

import multifidus as mf
from multifidus.data.anatomy import Level
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi_set import RoiSet
from multifidus.sample_data import sample_dir
from tests.support.napari_window import qt_canvas, qt_window

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
NONE, SHIFT, CTRL = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
)


class Hand:
    """A hand on the mouse over a sagittal picture."""

    def __init__(self, picture: SagittalView) -> None:
        self.picture = picture

    def at(self, place) -> QPoint:
        return self.picture.to_screen(place).toPoint()

    def click(self, place, button=LEFT) -> None:
        QTest.mouseClick(self.picture, button, NONE, self.at(place))

    def drag(self, start, end) -> None:
        QTest.mousePress(self.picture, LEFT, NONE, self.at(start))
        for share in np.linspace(0, 1, 6)[1:]:
            between = np.array(start) + share * (np.array(end) - np.array(start))
            QTest.mouseMove(self.picture, self.at(between))
        QApplication.processEvents()

    def release(self, place) -> None:
        QTest.mouseRelease(self.picture, LEFT, NONE, self.at(place))

    def wheel(self, place, turns: int, modifiers=NONE) -> None:
        point = QPointF(self.at(place))
        event = QWheelEvent(
            point,
            QPointF(self.picture.mapToGlobal(point.toPoint())),
            QPoint(),
            QPoint(0, 120 * turns),
            Qt.MouseButton.NoButton,
            modifiers,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(self.picture, event)

    def key(self, key, modifiers=NONE) -> None:
        QTest.keyClick(self.picture, key, modifiers)
        if modifiers != NONE:
            # Qt goes on thinking that Ctrl and Shift are held until another key says otherwise.
            QTest.keyRelease(self.picture, Qt.Key.Key_Control, NONE)


@pytest.fixture
def picture(qtbot, locator_session):
    made = SagittalView()
    qtbot.addWidget(made)
    made.resize(300, 550)
    made.show_model(Locator(locator_session))
    made.show()
    return made


@pytest.fixture
def hand(picture):
    return Hand(picture)


@pytest.fixture(scope="module")
def sample():
    folder = sample_dir()
    exam = mf.read_exam(folder / "S01_pre")
    return exam, mf.read_rois(folder / "S01_pre.outlines.json", exam)


def colours(picture: SagittalView) -> np.ndarray:
    """Return what is seen, (rows, columns, 3)."""
    image = picture.grab().toImage()
    found = [
        [image.pixelColor(x, y).getRgb()[:3] for x in range(0, image.width(), 2)]
        for y in range(0, image.height(), 2)
    ]
    return np.array(found)


def test_places_on_the_screen_come_back(picture):
    for place in ((0.0, 0.0), (20.0, 31.0), (60.0, 110.0)):
        assert picture.to_place(picture.to_screen(place)) == pytest.approx(place)


def test_a_click_on_a_line_asks_for_its_slice(picture, hand):
    asked = []
    picture.jump_wanted.connect(asked.append)
    for line in picture.model.scene.lines:
        hand.click(line.ends.mean(axis=0))
    assert asked == [line.slice_index for line in picture.model.scene.lines]
    hand.click((2.0, 2.0))
    assert len(asked) == len(picture.model.scene.lines)


def test_the_line_in_hand_is_seen(picture):
    picture.axial_index = 2
    picture.update()
    yellow = (np.abs(colours(picture) - (240, 228, 66)).max(axis=-1) < 12).sum()
    assert yellow > 60
    picture.axial_index = 99
    assert (np.abs(colours(picture) - (240, 228, 66)).max(axis=-1) < 12).sum() == 0


def test_marks_are_set_moved_and_deleted_by_the_mouse(picture, hand):
    session = picture.model.session
    picture.model.set_marking(on=True)
    hand.click((20.0, 90.0))
    hand.click((22.0, 55.0))
    assert [mark.level for mark in session.drawing.landmarks] == [Level.L5_S1, Level.L4_L5]
    picture.model.set_marking(on=False)
    hand.drag((22.0, 55.0), (26.0, 50.0))
    # Nothing is taken over before the button is released.
    assert picture.model.scene.landmarks[1].place == pytest.approx((22, 55), abs=0.2)
    hand.release((26.0, 50.0))
    assert picture.model.scene.landmarks[1].place == pytest.approx((26, 50), abs=0.2)
    hand.click((26.0, 50.0), RIGHT)
    assert [mark.level for mark in session.drawing.landmarks] == [Level.L5_S1]
    assert picture.model.state.level is Level.L4_L5
    hand.click((20.0, 90.0))
    assert picture.model.state.level is Level.L5_S1


def test_the_keyboard_marks_the_whole_spine(picture, hand):
    model = picture.model
    hand.key(Qt.Key.Key_M)
    assert model.state.is_marking
    start = model.cursor.copy()
    hand.key(Qt.Key.Key_Down, SHIFT)
    hand.key(Qt.Key.Key_Down, SHIFT)
    hand.key(Qt.Key.Key_Left)
    assert model.cursor == pytest.approx(np.add(start, (-1, 10)))
    hand.key(Qt.Key.Key_Return)
    for _ in range(3):
        hand.key(Qt.Key.Key_Up, SHIFT)
    hand.key(Qt.Key.Key_Return)
    assert len(model.session.drawing.landmarks) == 2
    hand.key(Qt.Key.Key_BracketLeft)
    assert model.state.level is Level.L4_L5
    hand.key(Qt.Key.Key_Delete)
    assert [mark.level for mark in model.session.drawing.landmarks] == [Level.L5_S1]
    hand.key(Qt.Key.Key_Escape)
    assert not model.state.is_marking
    undone, redone = [], []
    picture.undo_wanted.connect(lambda: undone.append("undone"))
    picture.redo_wanted.connect(lambda: redone.append("redone"))
    hand.key(Qt.Key.Key_Z, CTRL)
    hand.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert (undone, redone) == (["undone"], ["redone"])


def test_the_wheel_scrolls_and_enlarges_around_the_mouse(picture, hand):
    before = picture.model.state.index
    hand.wheel((20.0, 50.0), -1)
    assert picture.model.state.index == before + 1
    hand.key(Qt.Key.Key_PageUp)
    assert picture.model.state.index == before
    point = picture.to_screen((20.0, 50.0))
    hand.wheel((20.0, 50.0), 1, CTRL)
    assert picture.zoom == pytest.approx(1.25)
    assert picture.to_place(QPointF(point.toPoint())) == pytest.approx(
        (20, 50), abs=0.5 / picture.scale
    )
    hand.drag((20.0, 50.0), (25.0, 50.0))
    hand.release((25.0, 50.0))
    assert picture.middle is not None
    hand.wheel((20.0, 50.0), -1, CTRL)
    assert picture.zoom == 1
    assert picture.middle is None


def test_tooltips_say_what_lies_under_the_mouse(picture):
    line = picture.model.scene.lines[3]
    at = picture.to_screen(line.ends.mean(axis=0))
    assert picture.words_at(at) == "slice 4: click to go there"
    picture.model.place((20.0, 90.0))
    words = picture.words_at(picture.to_screen((20.0, 90.0)))
    assert words == "disc centre of L5-S1: drag to move, right-click to delete"
    picture.model.scroll(2)
    assert "off this sagittal slice" not in words
    assert picture.words_at(QPointF(1, 1)) == ""


def test_shared_landmarks_cannot_be_moved_by_the_mouse(picture, hand, locator_session):
    mark = Landmark(LandmarkKind.DISC_CENTRE, Level.L4_L5, (8.0, 0.0, 40.0))
    shared = RoiSet(landmarks=(mark,))
    session = Session(locator_session.exam, locator_session.series, shared=shared)
    picture.show_model(Locator(session))
    said = []
    picture.message.connect(said.append)
    place = tuple(picture.model.scene.landmarks[0].place)
    hand.drag(place, (place[0] + 10, place[1] + 10))
    hand.release((place[0] + 10, place[1] + 10))
    hand.click(place, RIGHT)
    assert said == ["L4-L5 is shared by all raters and locked."] * 2
    assert picture.model.scene.landmarks[0].place == pytest.approx(place)
    white = (colours(picture) > 250).all(axis=-1)
    assert white.any()


def test_without_a_sagittal_series_or_an_exam_nothing_happens(picture, hand, exam):
    for model in (None, Locator(Session(exam, exam.series[0]))):
        picture.show_model(model)
        QTest.mouseClick(picture, LEFT, NONE, QPoint(50, 50))
        QTest.mouseMove(picture, QPoint(60, 60))
        picture.wheelEvent(None)
        hand.key(Qt.Key.Key_M)
        assert picture.words_at(QPointF(50, 50)) == ""
        assert not picture.grab().isNull()


# --- in the window ---------------------------------------------------------------------------


def open_sample(win, exam, folder, shared=()):
    opened = OpenedExam(exam, exam.series[0], folder, shared=shared)
    for data, attributes, _ in layer_data(opened):
        win.viewer.add_image(data, **attributes)
    win.wait(lambda: win.annotator.workspace.is_open)
    win.wait(win.dock.locator.isVisible)
    return win.dock.locator


def test_true_discs_clicked_in_the_window_name_every_slice_at_once(win, sample, tmp_path):
    exam, perfect = sample
    locator = open_sample(win, exam, tmp_path)
    hand = Hand(locator.picture)
    levels = {said.slice_uid: said.level for said in perfect.levels}
    centre = {mark.level: mark.position_mm for mark in perfect.landmarks}
    qt_window(win.viewer).activateWindow()
    QTest.mouseClick(locator.mark, LEFT)
    assert locator.model.state.is_marking
    model, session = locator.model, win.annotator.workspace.session
    while model.state.level is not None:
        hand.click(model.scene.projection.to_view(centre[model.state.level][None])[0])
    assert not locator.mark.isChecked()
    assert [session.analysis.level_of(n)[0] for n in range(len(session.series.slices))] == [
        levels[item.uid] for item in session.series.slices
    ]
    # A click on a line goes to its slice; levels are seen there, in the window and in the canvas.
    line = model.scene.lines[-1]
    hand.click(line.ends[0] + 0.03 * (line.ends[1] - line.ends[0]))
    assert win.annotator.workspace.canvas.index == line.slice_index
    assert locator.picture.axial_index == line.slice_index
    level = levels[session.series.slices[line.slice_index].uid]
    assert win.dock.slice_level.level.currentData() == level.value
    assert level.value in win.viewer.canvas.overlays["multifidus_slice"].text
    # What is typed wins, and taking it back brings the landmarks' level again.
    box = win.dock.slice_level.level
    for typed, shown in (("L1", "L1"), (NOT_SET, level.value)):
        box.setCurrentText(typed)
        box.activated.emit(0)
        assert box.currentData() == shown
        assert shown in win.viewer.canvas.overlays["multifidus_slice"].text
    win.annotator.display.step(-1)
    assert locator.picture.axial_index == line.slice_index - 1
    # What was marked is saved by itself, and seen again.
    win.wait(lambda: win.dock.status.saved.text().startswith("✓ saved"))
    (file,) = tmp_path.glob("*.outlines.json")
    assert mf.read_rois(file, exam).landmarks == session.drawing.landmarks
    win.empty()
    assert locator.model is None
    again = open_sample(win, exam, tmp_path)
    assert len(again.model.scene.landmarks) == 5


def test_shared_levels_are_shown_and_locked_in_the_window(win, sample, tmp_path):
    exam, perfect = sample
    file = tmp_path / "shared.json"
    mf.write_rois(RoiSet(landmarks=perfect.landmarks), file)
    locator = open_sample(win, exam, tmp_path, shared=(file,))
    assert not locator.mark.isEnabled()
    assert "locked" in locator.prompt.text()
    assert all(mark.is_locked for mark in locator.model.scene.landmarks)
    assert win.annotator.workspace.session.analysis.level_of(0)[0] is not None


def test_the_key_opens_the_locator_and_what_contradicts_is_said(win, sample, tmp_path):
    exam, _ = sample
    locator = open_sample(win, exam, tmp_path)
    win.viewer.window.remove_dock_widget(locator)
    assert locator.parent() is None
    win.annotator.entries.mark_levels()
    assert locator.isVisible()
    assert locator.model.state.is_marking
    locator.model.place((60.0, 40.0))
    locator.model.place((60.0, 90.0))
    assert "out of order" in locator.note.text()
    # It stays over the window until it is mended; a message would be replaced by the next.
    assert win.dock.obstacle.isVisible()
    assert "out of order" in win.dock.obstacle.words.text()
    words = win.viewer.canvas.overlays["multifidus_warnings"].text.split()
    assert "out of order" in " ".join(words)


def test_choices_of_the_panel_reach_the_model(win, sample, tmp_path, messages):
    exam, _ = sample
    locator = open_sample(win, exam, tmp_path)
    model = locator.model
    locator.order.setCurrentIndex(1)
    locator.order.activated.emit(1)
    assert model.state.level is Level.L1_L2
    locator.six.click()
    assert model.state.has_l6
    locator.level.setCurrentIndex(locator.level.findText("L6-S1"))
    locator.level.activated.emit(0)
    assert (model.state.level, model.state.is_marking) == (Level.L6_S1, True)
    model.place((60.0, 40.0))
    locator.down.click()
    assert "no level below it" in messages[-1]
    locator.up.click()
    assert win.annotator.workspace.session.drawing.landmarks[0].level is Level.L5_L6
    locator.kind.setCurrentIndex(locator.kind.findData("cage"))
    locator.kind.activated.emit(0)
    assert model.state.kind is LandmarkKind.CAGE


def test_without_a_sagittal_series_typed_levels_remain(win, exam, tmp_path):
    win.open(exam, tmp_path)
    locator = win.dock.locator
    win.annotator.entries.mark_levels()
    assert "no sagittal series" in locator.note.text()
    assert not locator.mark.isEnabled()
    win.dock.slice_level.level.setCurrentText("L4-L5")
    win.dock.slice_level.level.activated.emit(0)
    assert win.annotator.workspace.session.analysis.level_of(0)[0] is Level.L4_L5


def test_the_order_of_counting_is_remembered(qtbot, tmp_path):
    preferences = RaterSettings("R1")
    for _ in range(2):
        locator = LocatorPanel(preferences)
        qtbot.addWidget(locator)
        locator.order.setCurrentIndex(1)
        locator._choose_order()  # noqa: SLF001 - as a person chooses
        assert preferences.value("levels_upwards") == "down"


def test_what_was_marked_is_taken_back_and_done_again(win, sample, tmp_path):
    exam, _ = sample
    locator = open_sample(win, exam, tmp_path)
    hand, session = Hand(locator.picture), win.annotator.workspace.session
    locator.model.set_direction(from_sacrum=True)
    locator.start_marking()
    hand.click((60.0, 150.0))
    hand.click((60.0, 115.0))
    before = session.drawing.landmarks
    hand.drag((60.0, 115.0), (66.0, 118.0))
    hand.release((66.0, 118.0))
    moved = session.drawing.landmarks
    assert [mark.level for mark in moved] == [Level.L5_S1, Level.L4_L5]
    hand.key(Qt.Key.Key_Z, CTRL)
    assert session.drawing.landmarks == before
    assert locator.model.scene.landmarks[1].place == pytest.approx((60, 115), abs=1.0)
    for _ in range(2):
        hand.key(Qt.Key.Key_Z, CTRL)
    assert session.drawing.landmarks == ()
    assert session.analysis.level_of(0)[0] is None
    for _ in range(3):
        hand.key(Qt.Key.Key_Z, CTRL | SHIFT)
    assert session.drawing.landmarks == moved


def test_an_archive_dropped_on_the_viewer_is_opened_and_located(win, sample, tmp_path):
    path = tmp_path / "exam.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted((sample_dir() / "S01_pre").rglob("*.dcm")):
            archive.write(file, file.relative_to(sample_dir()))
    dropped = QMimeData()
    dropped.setUrls([QUrl.fromLocalFile(str(path))])
    target = qt_canvas(win.viewer)
    event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, dropped, LEFT, NONE)
    # Qt delivers a drop only at the end of a drag by a window system.
    target.dropEvent(event)
    win.wait(lambda: win.annotator.workspace.is_open)
    win.wait(win.dock.locator.isVisible)
    assert len(win.annotator.workspace.session.series.slices) == len(sample[0].series[0].slices)
    assert win.annotator.workspace.file.path.parent == tmp_path / "exam_outlines"
