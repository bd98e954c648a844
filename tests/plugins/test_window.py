"""The plugin in a real viewer, with a real mouse."""

from __future__ import annotations

import numpy as np
import pytest
from napari_multifidus._compat import open_dock
from napari_multifidus.controllers.motion import SYNC_MS
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.redraw import Redraw
from napari_multifidus.models.shapes import LEAN, PROBLEM_COLOUR
from napari_multifidus.models.workflow import StepName
from napari_multifidus.reader import NOTHING, read_images, read_outlines
from napari_multifidus.views.preferences import TOOL, RaterSettings
from qtpy.QtCore import QPointF
from qtpy.QtTest import QTest

import multifidus as mf
from multifidus.data.anatomy import Level, SlicePosition
from multifidus.data.measurement import Quantity
from tests.plugins.conftest import SPACING
from tests.support.exams import circle
from tests.support.napari_window import copy_shapes, finish_shape, paste_shapes, slice_numbers

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]

SQUARE = [(20.0, 10.0), (20.0, 30.0), (50.0, 30.0), (50.0, 10.0)]
PIXEL_MM2 = SPACING[0] * SPACING[1]
POOLED = ("", "pooled_otsu")


def area_mm2(window, key, index):
    return window.annotator.workspace.session.analysis.numbers(key, index).area_mm2


def test_an_exam_is_shown_outlined_and_gone_through_in_the_window(win, exam, tmp_path):
    win.open(exam, tmp_path)
    an_ellipse_is_measured_as_it_is(win)
    win.annotator.edit_tools.clear()
    a_polygon_is_drawn_by_clicks_measured_and_saved(win, exam, tmp_path)
    the_patients_right_is_drawn_on_the_left_of_the_screen(win, exam)
    parts_of_the_window_are_hidden_and_shown_by_their_buttons(win)
    win.annotator.workspace.canvas.go_to(0)
    the_steps_over_the_window_say_what_is_next_and_go_there(win)
    the_slider_shows_no_number_that_counts_from_0(win)


def a_polygon_is_drawn_by_clicks_measured_and_saved(win, exam, tmp_path):
    win.annotator.display.step(3)
    win.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
    win.draw(SQUARE)
    assert area_mm2(win, MULTIFIDUS_RIGHT, 3) == pytest.approx(600 * PIXEL_MM2, rel=0.03)
    panel = win.dock.numbers.sides[MULTIFIDUS_RIGHT.side]
    assert panel.detail.text() == f"{area_mm2(win, MULTIFIDUS_RIGHT, 3) / 100:.2f} cm²"
    assert "references" in panel.fat.text()
    win.wait(lambda: win.dock.status.saved.text().startswith("✓ saved"))
    file = tmp_path / "S01_pre_R1_r1.outlines.json"
    (roi,) = mf.read_rois(file, exam)
    assert roi.key.slice_uid == exam.series[0].slices[3].uid
    assert roi.area_mm2 == pytest.approx(area_mm2(win, MULTIFIDUS_RIGHT, 3))


def test_numbers_follow_a_vertex_while_it_is_dragged(win, exam, session, tmp_path):
    file = tmp_path / "S01_pre_R1_r1.outlines.json"
    session.put(MULTIFIDUS_RIGHT, 2, [np.array(SQUARE)])
    mf.write_rois(session.rois(), file)
    win.open(exam, tmp_path)
    win.annotator.workspace.canvas.go_to(2)
    win.annotator.workspace.canvas.activate(MULTIFIDUS_RIGHT, "direct")
    win.layer(MULTIFIDUS_RIGHT).selected_data = {0}
    panel = win.dock.numbers.sides[MULTIFIDUS_RIGHT.side]
    seen = []
    win.annotator.workspace.outline_moved.connect(
        lambda *_: seen.append((panel.detail.text(), panel.fat.text()))
    )
    before = panel.detail.text()
    win.drag((50.0, 30.0), (58.0, 36.0))
    assert len(seen) >= 4
    assert len({area for area, _ in seen}) >= 4
    assert all("%" in fat for _, fat in seen)
    # Nothing is taken over before the button is released, however long the hand rests.
    QTest.qWait(3 * SYNC_MS)
    assert win.annotator.workspace.session.drawing.outlines[MULTIFIDUS_RIGHT, 2][
        0
    ].area_mm2 == pytest.approx(600 * PIXEL_MM2)
    live = panel.detail.text()
    win.release((58.0, 36.0))
    # The threshold may have moved with the outline; the area has not.
    assert panel.detail.text().split(" · ")[0] == live.split(" · ")[0] != before.split(" · ")[0]
    rows = mf.measure(exam, win.annotator.workspace.session.rois())
    key = win.annotator.workspace.session.drawing.outlines[MULTIFIDUS_RIGHT, 2][0].key
    found = {row.quantity: row.value for row in rows if row.key == key}
    doubt = {
        row.quantity: row.uncertainty for row in rows if row.key == key and row.method in POOLED
    }
    area, fat = Quantity.TCSA_MM2, Quantity.FI_PCT
    assert panel.area.text() == f"{found[area] / 100:.1f} ± {doubt[area] / 100:.1f} cm²"
    assert panel.fat.text().startswith(f"Visible fat {found[fat]:.0f}"[:13])
    assert f"± {doubt[fat]:.1f}"[:3] in panel.fat.text()
    assert panel.detail.text() == f"{found[area] / 100:.2f} cm² · {found[fat]:.1f} % pooled Otsu"


def test_a_crossing_outline_is_red_not_measured_and_not_lost(win, exam, tmp_path, messages):
    win.open(exam, tmp_path)
    win.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
    win.draw(SQUARE)
    win.annotator.edit_tools.edit()
    win.layer(MULTIFIDUS_RIGHT).selected_data = {0}
    win.drag((20.0, 30.0), (60.0, 20.0))
    red = tuple(int(PROBLEM_COLOUR[i : i + 2], 16) / 255 for i in (1, 3, 5))
    # Red at once, while the hand still moves.
    np.testing.assert_allclose(win.layer(MULTIFIDUS_RIGHT).edge_color[0][:3], red, atol=0.01)
    win.release((60.0, 20.0))
    panel = win.dock.numbers.sides[MULTIFIDUS_RIGHT.side]
    assert panel.fat.text() == "not measured"
    assert "crosses itself" in panel.detail.text()
    drawn = win.annotator.workspace.session.drawing.loops(MULTIFIDUS_RIGHT, 0)[0]
    win.empty()
    assert not mf.read_rois(tmp_path / "S01_pre_R1_r1.outlines.json", exam).rois

    win.open(exam, tmp_path)
    np.testing.assert_array_equal(
        win.annotator.workspace.session.drawing.loops(MULTIFIDUS_RIGHT, 0)[0], drawn
    )
    assert any("Restored" in text and "crosses itself" in text for text in messages)
    np.testing.assert_allclose(win.layer(MULTIFIDUS_RIGHT).edge_color[0][:3], red, atol=0.01)
    # Mended, it is an outline again, in its own colour.
    win.annotator.edit_tools.edit()
    win.layer(MULTIFIDUS_RIGHT).selected_data = {0}
    win.drag((60.0, 20.0), (20.0, 30.0))
    win.release((20.0, 30.0))
    assert area_mm2(win, MULTIFIDUS_RIGHT, 0) == pytest.approx(600 * PIXEL_MM2, rel=0.03)
    assert not np.allclose(win.layer(MULTIFIDUS_RIGHT).edge_color[0][:3], red, atol=0.01)


def test_what_is_seen_is_what_is_reported(win, exam, tmp_path):
    win.open(exam, tmp_path)
    win.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
    win.draw([(12.0, 8.0), (20.0, 60.0), (35.0, 30.0), (66.0, 70.0), (60.0, 12.0)])
    reported = area_mm2(win, MULTIFIDUS_RIGHT, 0)
    layer = win.layer(MULTIFIDUS_RIGHT)
    layer.mode = "pan_zoom"
    layer.selected_data = set()
    layer.face_color, layer.edge_width, layer.opacity = "#00ff00", 0, 1.0
    for name in ("slice", "left", "right"):
        win.viewer.canvas.overlays[f"multifidus_{name}"].visible = False
    win.viewer.canvas.overlays.scale_bar.visible = False
    picture = win.viewer.screenshot(flash=False)
    assert picture[..., :3].mean() > 1
    green = (picture[..., 1] > 250) & (picture[..., 0] < 5) & (picture[..., 2] < 5)
    assert green.sum() / win.viewer.scene.camera.zoom**2 == pytest.approx(reported, rel=0.005)


def the_patients_right_is_drawn_on_the_left_of_the_screen(win, exam):
    low, high = win.at(30, 10), win.at(30, 70)
    plane = exam.series[0].slices[0].plane
    ((x_low, *_), (x_high, *_)) = plane.to_patient([(30, 10), (30, 70)])
    assert low.x() < high.x()
    assert x_low < x_high
    overlays = win.viewer.canvas.overlays
    assert (overlays["multifidus_right"].text, overlays["multifidus_left"].text) == ("R", "L")
    assert str(overlays["multifidus_right"].position) == "middle_left"
    assert str(overlays["multifidus_left"].position) == "middle_right"


def test_however_pixels_are_stored_the_right_is_drawn_on_the_left(win, tmp_path):
    pixels = np.random.default_rng(1).normal(100, 10, (64, 64))
    for number, (row_step, column_step) in enumerate(
        (
            ((0, 0.8, 0), (-0.8, 0, 0)),
            ((0, -0.8, 0.1), (-0.8, 0, 0)),
            ((0.8, 0, 0), (0, 0.8, 0)),
            ((-0.8, 0, 0), (0, -0.8, 0)),
        )
    ):
        middle = np.array(row_step) * 31.5 + np.array(column_step) * 31.5
        plane = mf.Plane(-middle, row_step, column_step)
        series = mf.Series("1.2", (mf.Slice.from_array("1.2.3", plane, pixels),))
        win.empty()
        win.open(mf.Exam("S01", "pre", (series,)), tmp_path / str(number))
        win.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
        height, width = win.viewer.canvas.size
        x, y = width / 2 - 150, height / 2 + 120
        win.draw([QPointF(x + dx, y + dy) for dx, dy in ((0, 0), (60, 0), (60, 50), (0, 50))])
        (roi,) = win.annotator.workspace.session.drawing.outlines[MULTIFIDUS_RIGHT, 0]
        # LPS: right is -x, posterior is +y.
        assert roi.centroid_mm[0] < -5, (row_step, column_step)
        assert roi.centroid_mm[1] > 5, (row_step, column_step)


def test_a_pasted_shape_is_taken_over_although_nothing_announces_it(
    no_window, exam, tmp_path, qtbot
):
    no_window.open(exam, tmp_path)
    no_window.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
    no_window.draw(SQUARE)
    layer = no_window.layer(MULTIFIDUS_RIGHT)
    layer.mode = "select"
    layer.selected_data = {0}
    copy_shapes(layer)
    no_window.annotator.display.step(1)
    paste_shapes(layer)
    session = no_window.annotator.workspace.session
    qtbot.waitUntil(lambda: bool(session.drawing.loops(MULTIFIDUS_RIGHT, 1)))
    assert area_mm2(no_window, MULTIFIDUS_RIGHT, 1) == pytest.approx(
        area_mm2(no_window, MULTIFIDUS_RIGHT, 0), rel=1e-6
    )


def test_a_removed_layer_keeps_its_outlines(no_window, exam, tmp_path):
    no_window.open(exam, tmp_path)
    no_window.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
    no_window.draw(SQUARE)
    no_window.viewer.layers.remove(no_window.layer(MULTIFIDUS_RIGHT))
    assert area_mm2(no_window, MULTIFIDUS_RIGHT, 0) > 0
    no_window.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
    assert len(no_window.layer(MULTIFIDUS_RIGHT).data) == 1


def test_giving_up_a_polygon_leaves_nothing(no_window, exam, tmp_path):
    no_window.open(exam, tmp_path)
    no_window.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
    for corner in SQUARE[:2]:
        no_window.click(corner)
    finish_shape(no_window.layer(MULTIFIDUS_RIGHT))
    no_window.annotator.workspace.flush()
    assert not no_window.annotator.workspace.session.drawing.loops(MULTIFIDUS_RIGHT, 0)
    assert not list(tmp_path.iterdir())
    # napari keeps colour and features of the shape that went; they are in nobody's way.
    for corner in SQUARE[:2]:
        no_window.click(corner)
    finish_shape(no_window.layer(MULTIFIDUS_RIGHT))
    no_window.draw(SQUARE)
    no_window.annotator.workspace.canvas.push(MULTIFIDUS_RIGHT)
    no_window.annotator.workspace.canvas.push(MULTIFIDUS_RIGHT)
    assert len(no_window.layer(MULTIFIDUS_RIGHT).data) == 1
    orange = no_window.layer(MULTIFIDUS_RIGHT).edge_color
    assert orange.shape == (1, 4)
    assert orange[0, 0] > orange[0, 2]


def test_an_open_path_is_closed_and_a_line_is_no_outline(no_window, exam, tmp_path, qtbot):
    no_window.open(exam, tmp_path)
    corners = np.array([(0.0, *corner) for corner in SQUARE])
    layer = no_window.annotator.workspace.canvas.layer(MULTIFIDUS_RIGHT)
    layer.add_paths([corners])
    qtbot.waitUntil(lambda: [str(kind) for kind in layer.shape_type] == ["polygon"])
    assert area_mm2(no_window, MULTIFIDUS_RIGHT, 0) == pytest.approx(600 * PIXEL_MM2)
    line = no_window.annotator.workspace.canvas.layer(MULTIFIDUS_LEFT)
    line.add_lines([corners[:2]])
    assert "2 points" in no_window.annotator.workspace.session.drawing.problem(MULTIFIDUS_LEFT, 0)
    no_window.annotator.workspace.canvas.push(MULTIFIDUS_LEFT)
    assert len(line.data) == 1


def test_a_shape_across_slices_is_said_and_not_measured(no_window, exam, tmp_path):
    no_window.open(exam, tmp_path)
    corners = np.array([(n, *corner) for n, corner in enumerate(SQUARE)])
    no_window.annotator.workspace.canvas.layer(MULTIFIDUS_RIGHT).add_polygons([corners])
    assert "several slices" in no_window.messages[-1]
    assert not no_window.annotator.workspace.session.drawing.layer_keys()


def an_ellipse_is_measured_as_it_is(win):
    layer = win.layer(MULTIFIDUS_RIGHT)
    win.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
    layer.mode = "add_ellipse"
    win.drag((20.0, 10.0), (50.0, 30.0))
    win.release((50.0, 30.0))
    assert area_mm2(win, MULTIFIDUS_RIGHT, 0) == pytest.approx(
        np.pi * 15 * 10 * PIXEL_MM2, rel=0.03
    )
    reported = area_mm2(win, MULTIFIDUS_RIGHT, 0)
    win.wait(lambda: [str(kind) for kind in layer.shape_type] == ["polygon"])
    assert area_mm2(win, MULTIFIDUS_RIGHT, 0) == reported


def the_steps_over_the_window_say_what_is_next_and_go_there(win):
    dock, steps = win.dock, win.dock.bar.steps.buttons
    assert steps[StepName.LEVELS].property("step") == "next"
    steps[StepName.LEVELS].click()
    assert dock.locator.isVisible()
    win.annotator.entries.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    assert steps[StepName.REFERENCES].property("step") == "next"
    assert "references" in dock.status.message.text()
    steps[StepName.REFERENCES].click()
    assert win.annotator.workspace.canvas.active == LEAN
    win.annotator.workspace.session.put(MULTIFIDUS_RIGHT, 0, [circle(36, 20, 12)])
    win.annotator.workspace.canvas.push(MULTIFIDUS_RIGHT)
    win.annotator.workspace.committed()
    steps[StepName.LEFT].click()
    assert win.annotator.workspace.canvas.active == MULTIFIDUS_LEFT
    assert win.annotator.edit_tools.tool == "polygon"
    # What is drawn already is to be changed.
    steps[StepName.RIGHT].click()
    assert win.annotator.workspace.canvas.active == MULTIFIDUS_RIGHT
    assert win.annotator.edit_tools.tool == "edit"


def test_messages_go_by_themselves_but_not_what_is_wrong_with_the_drawing(win, exam, tmp_path):
    line = win.dock.status
    assert line.message.text().startswith("Open an exam:")
    win.open(exam, tmp_path)
    win.annotator.edit_tools.undo()
    assert line.message.text() == "Nothing to undo."
    line.close_message.click()
    assert line.message.text().startswith("Next:")
    # That is not closed, but mended.
    line.show_standing("Not measured: an outline crosses itself.")
    assert not line.close_message.isVisibleTo(line)
    line.show_warning("The folder cannot be written.")
    assert line.close_message.isVisibleTo(line)
    line.close_message.click()
    assert line.message.text() == "Not measured: an outline crosses itself."
    assert not line.close_message.isVisibleTo(line)
    # Nothing of it goes into another exam.
    win.attempt(win.annotator.edit_tools.clear)
    win.annotator.opener.close()
    assert line.message.text().startswith("Open an exam:")


def parts_of_the_window_are_hidden_and_shown_by_their_buttons(win):
    buttons = win.dock.bar.parts
    assert not buttons["layers"].isChecked()
    win.wait(buttons["previous"].isEnabled)
    # Stacks of slices are no volume.
    assert [name for name, made in buttons.items() if not made.isEnabled()] == ["views"]
    for name, made in buttons.items():
        if not made.isEnabled():
            continue
        before = win.dock.parts.shown()[name]
        made.click()
        assert win.dock.parts.shown()[name] is not before
        assert made.isChecked() is not before
        made.click()
        assert win.dock.parts.shown()[name] is before


def test_how_a_person_works_is_kept_from_session_to_session(win, exam, tmp_path):
    win.annotator.edit_tools.advances = True
    win.open(exam, tmp_path)
    for key in ("Q", "U", "Shift+W"):
        win.press(key)
    win.dock.feedback.grades.scheme_said.emit("kjaer")
    win.annotator.workspace.redrawing.usual = Redraw.PIECE
    win.annotator.workspace.preferred.emit()
    win.empty()
    # The hand of these tests stops the window from going on by itself; here nothing is set.
    win.close_dock()
    win.dock = open_dock(win.viewer)
    kept = win.annotator
    assert not kept.edit_tools.advances
    assert kept.edit_tools.drawing == "freehand"
    assert kept.grading.scheme == "kjaer"
    assert not kept.grading.is_on
    assert kept.workspace.redrawing.usual is Redraw.PIECE
    # Nor is it kept for the tests that follow.
    win.close_dock()
    win.__dict__.clear()


def test_what_is_chosen_while_no_exam_is_open_is_kept_for_the_rater_of_now(win, exam, tmp_path):
    tools, field = win.annotator.edit_tools, win.dock.reading.rater
    win.open(exam, tmp_path)
    win.press("Q")
    win.press("Y")
    assert RaterSettings("R1").value(TOOL) == "livewire"
    win.empty()
    assert not win.annotator.workspace.is_open
    for rater, act in (
        ("N1", lambda: (field.setText("N1"), field.editingFinished.emit())),
        ("N2", lambda: setattr(win.annotator.workspace, "rater", "N2")),
    ):
        act()
        assert (win.annotator.workspace.rater, field.text()) == (rater, rater)
        tools.drawing = "freehand"
        win.annotator.workspace.preferred.emit()
        assert RaterSettings(rater).value(TOOL) == "freehand"
        assert RaterSettings("R1").value(TOOL) == "livewire"
    field.setText("R1")
    field.editingFinished.emit()
    assert tools.drawing == "livewire"
    # Nobody outlines without a name.
    field.setText(" ")
    field.editingFinished.emit()
    assert win.annotator.workspace.rater == "R1"


def test_each_rater_works_as_they_chose_and_a_new_one_as_was_chosen_last(win, exam, tmp_path):
    """Two raters share one account of a computer in many departments."""
    win.open(exam, tmp_path)
    annotator, opener = win.annotator, win.annotator.opener
    order = win.dock.locator.order

    def ways():
        tools, usual = annotator.edit_tools, annotator.workspace.redrawing.usual
        return tools.drawing, usual, annotator.grading.scheme, order.currentIndex()

    def choose(key, usual, scheme, counted):
        win.press("Q")
        win.press(key)
        annotator.workspace.redrawing.usual = usual
        annotator.grading.set_scheme(scheme)
        order.setCurrentIndex(counted)
        order.activated.emit(counted)
        return ways()

    first = choose("U", Redraw.PIECE, "kjaer", 1)
    opener.set_reading("A/B", 1)
    assert ways() == first
    second = choose("Y", Redraw.REPLACE, "goutallier", 0)
    assert [a != b for a, b in zip(first, second, strict=True)] == [True] * 4
    for rater, chosen in (("R1", first), ("A/B", second), ("C", second)):
        opener.set_reading(rater, 1)
        assert ways() == chosen
    # The next session begins as its rater left it, not as the last one on the account did.
    assert [RaterSettings(rater).value(TOOL) for rater in ("R1", "A/B")] == [
        first[0], second[0],
    ]  # fmt: skip


def the_slider_shows_no_number_that_counts_from_0(win):
    numbers = slice_numbers(win.viewer)
    assert len(numbers) == 9
    win.annotator.display.step(2)
    assert not any(shown.isVisible() for shown in numbers)
    # Axes that come later count no differently, and without an exam the slider is napari's.
    win.viewer.add_image(np.zeros((2, 3, 4, 5)))
    win.wait(lambda: not any(shown.isVisible() for shown in slice_numbers(win.viewer)))
    win.annotator.opener.close()
    assert not any(shown.isHidden() for shown in slice_numbers(win.viewer))


def test_what_cannot_be_opened_is_said_in_the_line_and_not_over_the_image(
    win, exam, tmp_path, monkeypatch
):
    monkeypatch.setattr("napari_multifidus._compat.current_viewer", lambda: win.viewer)
    monkeypatch.setattr("napari_multifidus._compat.notify", lambda *_, **__: pytest.fail("toast"))
    broken = tmp_path / "broken.nii"
    broken.write_bytes(b"not an image")
    wrong = tmp_path / "AB.outlines.json"
    wrong.write_text("{}")
    win.open(exam, tmp_path / "exam")
    for path, read in ((broken, read_images), (wrong, read_outlines)):
        win.dock.status.forget()
        assert read(str(path)) == NOTHING
        assert path.name in win.dock.status.board.shown
