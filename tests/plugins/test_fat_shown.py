"""Visible fat and the fat signal fraction beside each other: what is shown, and its names."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import numpy as np
import pytest
from napari_multifidus.controllers.motion import SYNC_MS
from napari_multifidus.controllers.shortcuts import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models import analysis
from napari_multifidus.models.fat_shown import WHY_THEY_DIFFER, shown_methods
from napari_multifidus.models.numbers import Numbers
from napari_multifidus.models.session import Session
from napari_multifidus.models.strokes import Tool
from napari_multifidus.views.numbers import beside_words, detail_words, fat_words
from napari_multifidus.views.outline_columns import as_tsv, columns_for
from napari_multifidus.views.outline_table import tip_of
from qtpy.QtTest import QTest

import multifidus as mf
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import MeasurementProtocol
from tests.plugins.conftest import SPACING
from tests.plugins.test_preview import assert_same
from tests.support.exams import axial_plane, circle, image_slice

AWAITED = "Fat signal fraction \N{HORIZONTAL ELLIPSIS}"
BOTH = ("pooled_otsu", "linear", "signal")
LOOPS = {
    LEAN: circle(6, 20, 4),
    FAT: circle(66, 20, 4),
    MULTIFIDUS_RIGHT: circle(36, 20, 12),
    MULTIFIDUS_LEFT: circle(36, 58, 13),
}


@pytest.fixture(scope="module")
def even_exam() -> Exam:
    """Return lean muscle with a streak of fat on both sides, and fat behind it."""
    row, column = np.indices((72, 80))
    pixels = np.where(row > 56, 400.0, 100.0)
    pixels[(abs(column - 20) < 3) | (abs(column - 58) < 3)] = 400.0
    pixels[row < 20] = 100.0
    noise = np.random.default_rng(5)
    items = [
        image_slice(
            (pixels + noise.normal(0, 4, pixels.shape)).round(),
            axial_plane(z=5.0 * n),
            uid=f"1.2.{n}",
        )
        for n in range(3)
    ]
    return Exam("S01", "pre", (Series("1.2", tuple(items), Weighting.T2),))


def drawn_on(exam: Exam, *methods: str, without: tuple[object, ...] = ()) -> Session:
    """Draw references and both muscles on slice 1."""
    made = Session(exam, exam.series[0], protocol=MeasurementProtocol(fat_methods=methods))
    for key, loop in LOOPS.items():
        if key not in without:
            made.put(key, 1, [loop])
    return made


@pytest.mark.parametrize(
    ("methods", "shown"),
    [
        (("pooled_otsu", "linear"), ("pooled_otsu",)),
        (BOTH, ("pooled_otsu", "signal")),
        (("signal",), ("signal",)),
        (("dixon", "signal", "linear", "otsu", "midpoint"), ("signal", "otsu")),
        (("linear", "pooled_otsu", "signal"), ("linear", "signal")),
        (("dixon",), ()),
    ],
)
def test_visible_fat_and_the_signal_fraction_are_shown_together(methods, shown):
    assert shown_methods(MeasurementProtocol(fat_methods=methods)) == shown


@pytest.mark.parametrize("methods", [("signal",), BOTH, ("signal", "midpoint")], ids="+".join)
def test_the_fraction_shown_is_that_of_the_table_and_waits_while_the_outline_moves(
    even_exam, methods
):
    session = drawn_on(even_exam, *methods)
    at_rest = session.analysis.numbers(MULTIFIDUS_LEFT, 1)
    roi = session.drawing.outlines[MULTIFIDUS_LEFT, 1][0]
    (row,) = (
        row
        for row in session.analysis.measure()
        if row.key == roi.key and row.quantity is Quantity.FF_SIGNAL_PCT
    )
    shown = {
        at_rest.fat_method: (at_rest.fat_pct, at_rest.fat_u_pct),
        at_rest.beside_method: (at_rest.beside_pct, at_rest.beside_u_pct),
    }
    assert shown["signal"] == (row.value, row.uncertainty)
    assert math.isfinite(row.value)
    assert math.isnan(at_rest.threshold) is (methods == ("signal",))
    assert_same(session.analysis.preview(MULTIFIDUS_LEFT, 1).numbers, at_rest)
    live = session.analysis.preview(MULTIFIDUS_LEFT, 1, [LOOPS[MULTIFIDUS_LEFT]]).numbers
    assert not at_rest.awaits_signal
    pending = {"awaits_signal": True, "flags": live.flags}
    if methods[0] == "signal":
        pending |= {"fat_pct": math.nan, "fat_u_pct": math.nan}
        words = fat_words(live)
    else:
        pending |= {"beside_pct": math.nan, "beside_u_pct": math.nan}
        words = beside_words(live)
    assert words == AWAITED
    # All other numbers are those of the table.
    assert_same(live, replace(at_rest, **pending))


def test_an_outline_in_motion_is_measured_without_another_calibration(even_exam, monkeypatch):
    session = drawn_on(even_exam, *BOTH)
    session.analysis.numbers(MULTIFIDUS_LEFT, 1)
    calls = []
    monkeypatch.setattr(analysis, "measure_calibrated", lambda *given: calls.append(given))
    found = [
        session.analysis.preview(MULTIFIDUS_LEFT, 1, [circle(36, 58, radius)]).numbers.fat_pct
        for radius in (13.0, 11.0, 9.0)
    ]
    assert not calls
    assert np.isfinite(found).all()
    # The streak takes up more of a smaller outline.
    assert found == sorted(found)


def test_the_first_muscle_of_a_slice_has_its_signal_fraction_when_it_is_finished(even_exam):
    session = drawn_on(even_exam, *BOTH)
    loop = [LOOPS[MULTIFIDUS_LEFT]]
    live = session.analysis.preview(MULTIFIDUS_LEFT, 2, loop).numbers
    assert live.awaits_signal
    assert Flag.SIGNAL_NOT_CALIBRATED not in live.flags
    assert fat_words(live).startswith("Visible fat ")
    assert beside_words(live) == AWAITED
    alone = replace(live, fat_pct=math.nan, fat_method="signal", beside_method="")
    assert fat_words(alone) == AWAITED
    session.put(MULTIFIDUS_LEFT, 2, loop)
    finished = session.analysis.numbers(MULTIFIDUS_LEFT, 2)
    assert not finished.awaits_signal
    assert math.isfinite(finished.beside_pct)
    assert finished.fat_pct == pytest.approx(live.fat_pct, abs=1)


def test_an_exam_that_cannot_be_calibrated_says_so_while_one_draws(exam):
    session = drawn_on(exam, *BOTH)
    live = session.analysis.preview(MULTIFIDUS_LEFT, 1, [circle(37, 58, 12)]).numbers
    assert Flag.SIGNAL_NOT_CALIBRATED in live.flags
    assert not live.awaits_signal
    assert beside_words(live) == "Fat signal fraction \N{EN DASH}"


NUMBERS = Numbers(
    area_mm2=893.4,
    fat_pct=3.2,
    fat_u_pct=1.3,
    fat_method="pooled_otsu",
    beside_pct=12.4,
    beside_u_pct=2.6,
    beside_method="signal",
)
NONE = {"fat_pct": math.nan, "beside_pct": math.nan}


def test_both_are_one_line_each_in_words():
    assert fat_words(NUMBERS) == "Visible fat 3 ± 1 %"
    assert beside_words(NUMBERS) == "Fat signal fraction 12 ± 3 %"
    assert detail_words(NUMBERS) == "8.93 cm² · 3.2 % pooled Otsu"
    only = replace(NUMBERS, fat_method="signal", beside_method="", beside_pct=math.nan)
    assert (fat_words(only), beside_words(only)) == ("Fat signal fraction 3 ± 1 %", "")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"flags": (Flag.NO_REFERENCE,), **NONE}, ("Fat: draw references", "")),
        (
            {"flags": (Flag.NO_REFERENCE,), "beside_pct": math.nan},
            ("Visible fat 3 ± 1 %", "Fat signal fraction: draw references"),
        ),
        (
            {"flags": (Flag.UNDETECTABLE,), "fat_pct": math.nan},
            ("Visible fat: undetectable", "Fat signal fraction 12 ± 3 %"),
        ),
        (
            {"flags": (Flag.SIGNAL_NOT_CALIBRATED,), "beside_pct": math.nan},
            ("Visible fat 3 ± 1 %", "Fat signal fraction \N{EN DASH}"),
        ),
    ],
    ids=["no references", "none for the signal", "no visible fat", "not calibrated"],
)
def test_a_line_without_a_number_says_what_is_missing(changed, words):
    numbers = replace(NUMBERS, **changed)
    assert (fat_words(numbers), beside_words(numbers)) == words


def test_the_table_of_outlines_names_and_copies_both(even_exam):
    session = drawn_on(even_exam, *BOTH)
    lines = session.analysis.outline_rows
    heads = [column.head for column in columns_for(lines)]
    assert heads[6:10] == ["Visible\nfat (%)", "±", "Fat signal\nfraction (%)", "±"]
    # The same columns again: what is selected in the table stays.
    assert columns_for(lines) is columns_for(lines[1:])
    rows = list(csv.DictReader(io.StringIO(as_tsv(lines)), delimiter="\t"))
    for row, line in zip(rows, lines, strict=True):
        if line.key.structure.is_muscle:
            numbers = line.numbers
            assert float(row["fat_pct"]) == numbers.fat_pct
            assert float(row["ff_signal_pct"]) == numbers.beside_pct
            assert float(row["ff_signal_u_pct"]) == numbers.beside_u_pct
            assert "visible fat by pooled otsu\nfat signal fraction by signal" in tip_of(line)
        else:
            assert row["fat_pct"] == row["ff_signal_pct"] == ""


def test_the_table_of_a_signal_fraction_alone_has_no_column_of_visible_fat(even_exam):
    lines = drawn_on(even_exam, "signal").analysis.outline_rows
    heads = [column.head for column in columns_for(lines)]
    assert "Fat signal\nfraction (%)" in heads
    assert "Visible\nfat (%)" not in heads
    assert "ff_signal_pct" in as_tsv(lines).splitlines()[0].split("\t")
    assert "fat_pct" not in as_tsv(lines).splitlines()[0].split("\t")


@pytest.mark.gui
def test_the_card_shows_both_and_says_why_they_differ(win, even_exam, tmp_path):
    mf.write_rois(drawn_on(even_exam, "signal").rois(), tmp_path / "S01_pre_R1_r1.outlines.json")
    win.open(even_exam, tmp_path)
    win.annotator.workspace.canvas.go_to(1)
    panel = win.dock.numbers.sides[MULTIFIDUS_LEFT.side]
    # By default both are shown.
    assert panel.fat.text().startswith("Visible fat ")
    assert panel.beside.text().startswith("Fat signal fraction ")
    win.annotator.outputs.choose_protocol("v0_1")
    assert panel.fat.text().startswith("Visible fat ")
    # Cards keep their height: a line without words keeps its place.
    assert not panel.beside.text()
    for methods in (BOTH, ("signal",)):
        file = tmp_path / f"{len(methods)}.toml"
        file.write_text(f"fat_methods = {list(methods)}\n", encoding="utf-8")
        win.annotator.outputs.choose_protocol(str(file))
        shown = win.annotator.workspace.session.analysis.numbers(MULTIFIDUS_LEFT, 1)
        lines = [line for line in (panel.fat, panel.beside) if line.text()]
        texts = [line.text() for line in lines]
        assert texts[-1] == (beside_words(shown) or fat_words(shown))
        assert texts[-1].startswith("Fat signal fraction ")
        assert texts[-1].endswith(" %")
        assert len(texts) == (2 if methods == BOTH else 1)
        assert (WHY_THEY_DIFFER in panel.beside.toolTip()) is (methods == BOTH)
        # One line each, however narrow the panel is.
        assert all(line.height() < 2 * line.fontMetrics().height() for line in lines)
        heads = [column.head for column in win.dock.table.lines.columns]
        assert "Fat signal\nfraction (%)" in heads
        win.dock.grab().save(str(tmp_path / f"card-{len(methods)}.png"))


@pytest.mark.gui
def test_the_fraction_waits_while_a_vertex_moves_and_is_the_table_s_afterwards(
    win, even_exam, tmp_path
):
    mf.write_rois(drawn_on(even_exam, *BOTH).rois(), tmp_path / "S01_pre_R1_r1.outlines.json")
    win.annotator.outputs.choose_protocol("default")
    win.open(even_exam, tmp_path)
    win.annotator.workspace.canvas.go_to(1)
    win.annotator.workspace.canvas.activate(MULTIFIDUS_LEFT, "direct")
    win.viewer.reset_view()
    panel, session = win.dock.numbers.sides[MULTIFIDUS_LEFT.side], win.annotator.workspace.session
    before, height = panel.beside.text(), panel.height()
    # The hand is told places in pixels of the exam of other tests.
    scale = np.array(even_exam.series[0].slices[1].plane.pixel_spacing_mm) / SPACING
    vertex = session.drawing.loops(MULTIFIDUS_LEFT, 1)[0][0]
    start, there = (
        tuple(map(float, place * scale)) for place in (vertex, vertex + np.array((5, 0)))
    )
    win.drag(start, there)
    visible = panel.fat.text()
    assert panel.beside.text() == AWAITED
    assert panel.height() == height
    # Held without motion, it goes on waiting.
    QTest.qWait(2 * SYNC_MS)
    assert panel.beside.text() == AWAITED
    win.release(there)
    shown = session.analysis.numbers(MULTIFIDUS_LEFT, 1)
    assert panel.beside.text() == beside_words(shown) != before
    assert panel.fat.text() == visible == fat_words(shown)
    assert not shown.awaits_signal
    assert panel.height() == height


@pytest.mark.gui
def test_a_vertex_that_is_put_back_leaves_no_numbers_of_its_way(win, even_exam, tmp_path):
    mf.write_rois(drawn_on(even_exam, *BOTH).rois(), tmp_path / "S01_pre_R1_r1.outlines.json")
    win.annotator.outputs.choose_protocol("default")
    win.open(even_exam, tmp_path)
    win.annotator.workspace.canvas.go_to(1)
    win.annotator.workspace.canvas.activate(MULTIFIDUS_LEFT, "direct")
    panel = win.dock.numbers.sides[MULTIFIDUS_LEFT.side]
    layer = win.layer(MULTIFIDUS_LEFT)
    words = lambda: (panel.area.text(), panel.fat.text(), panel.beside.text())  # noqa: E731
    at_rest, vertices = words(), layer.data[0].copy()
    moved = vertices.copy()
    moved[0, 1] += 5
    layer._data_view.edit(0, moved)  # noqa: SLF001 - as napari moves a vertex
    layer.refresh()
    assert words()[2] == AWAITED
    layer._data_view.edit(0, vertices)  # noqa: SLF001 - as napari moves a vertex
    layer.refresh()
    assert words() == (*at_rest[:2], AWAITED)
    win.wait(lambda: words() == at_rest)


@pytest.mark.gui
def test_a_stroke_that_is_given_up_leaves_no_numbers(win, even_exam, tmp_path):
    mf.write_rois(drawn_on(even_exam, *BOTH).rois(), tmp_path / "S01_pre_R1_r1.outlines.json")
    win.annotator.outputs.choose_protocol("default")
    win.open(even_exam, tmp_path)
    win.annotator.workspace.canvas.go_to(1)
    win.annotator.edit_tools.draw(MULTIFIDUS_LEFT)
    win.annotator.edit_tools.use(Tool.FREEHAND)
    panel = win.dock.numbers.sides[MULTIFIDUS_LEFT.side]
    at_rest = panel.area.text(), panel.fat.text(), panel.beside.text()
    way = [tuple(map(float, point)) for point in circle(36, 58, 8, 24)]
    win.send("MouseMove", way[0], pressed=False)
    win.send("MouseButtonPress", way[0])
    for point in way[1:]:
        win.send("MouseMove", point)
    win.wait(lambda: panel.beside.text() == AWAITED)
    win.press("Escape")
    win.release(way[-1])
    win.wait(lambda: (panel.area.text(), panel.fat.text(), panel.beside.text()) == at_rest)


@pytest.fixture(scope="module")
def diffuse_exam() -> Exam:
    """Return muscles whose pixels hold a third of fat each, unevenly; the lean reference none."""
    row, _ = np.indices((72, 80))
    noise = np.random.default_rng(6)
    share = np.clip(noise.normal(0.33, 0.10, (18, 20)), 0, 1).repeat(4, axis=0).repeat(4, axis=1)
    pixels = np.where(row > 56, 400.0, 100.0 + 300.0 * share)
    pixels[row < 20] = 100.0
    items = [
        image_slice(
            (pixels + noise.normal(0, 4, pixels.shape)).round(),
            axial_plane(z=5.0 * n),
            uid=f"1.2.{n}",
        )
        for n in range(3)
    ]
    return Exam("S01", "pre", (Series("1.2", tuple(items), Weighting.T2),))


@pytest.mark.parametrize("methods", [BOTH, ("signal", "otsu", "midpoint")], ids="+".join)
def test_diffuse_fat_is_said_with_the_fraction_that_shows_it(diffuse_exam, methods):
    session = drawn_on(diffuse_exam, *methods)
    # With all fat below and all lean tissue above, the joint field makes other flags of this image.
    session.set_protocol(replace(session.protocol, bias_correction="low_order"))
    at_rest = session.analysis.numbers(MULTIFIDUS_LEFT, 1)
    assert Flag.DIFFUSE_FAT in at_rest.flags
    assert set(session.analysis.preview(MULTIFIDUS_LEFT, 1).numbers.flags) == set(at_rest.flags)
    live = session.analysis.preview(MULTIFIDUS_LEFT, 1, [LOOPS[MULTIFIDUS_LEFT]]).numbers
    assert live.awaits_signal
    waiting = {Flag.DIFFUSE_FAT, Flag.CALIBRATION_AMBIGUOUS, Flag.CALIBRATION_UNCERTAIN}
    assert set(live.flags) == set(at_rest.flags) - waiting
