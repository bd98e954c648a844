"""The results table: its lines, its order, its filters, and what a spreadsheet gets."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace

import pytest
from napari_multifidus.controllers.shortcuts import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.numbers import Numbers
from napari_multifidus.views.help import (
    FRAME,
    Highlight,
    TourPanel,
    TourStep,
    is_first_run,
    remember_tour,
)
from napari_multifidus.views.numbers import (
    FlagList,
    NumbersPanel,
    area_words,
    asymmetry_words,
    fat_words,
    stated,
)
from napari_multifidus.views.outline_columns import as_tsv, columns_for
from napari_multifidus.views.outline_table import OutlineTablePanel
from napari_multifidus.views.reading import ProtocolPanel
from qtpy.QtCore import QSettings, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from multifidus.data.anatomy import Level, Side
from multifidus.data.flags import Flag
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import MeasurementProtocol
from multifidus.io.protocol_toml import load_protocol, preset_texts
from tests.plugins.test_session import BOW_TIE
from tests.support.exams import circle

pytestmark = pytest.mark.gui


@pytest.fixture
def table(qtbot, session):
    """Return the table of a session with a small left muscle on slice 3 that is doubtful."""
    session.set_level(2, Level.L4_L5)
    session.put(MULTIFIDUS_LEFT, 3, [circle(36, 58, 9, 8)])
    session.set_grade("goutallier", Level.L4_L5, Side.RIGHT, 3)
    made = OutlineTablePanel()
    qtbot.addWidget(made)
    made.show_lines(session.analysis.outline_rows)
    made.resize(700, 300)
    made.show()
    return made


def _show(panel, key, preview):
    panel.show_numbers(key, preview.numbers)
    panel.histogram.show_preview(key, preview)


def place_of(table, head):
    """Return the place of the first column with a heading."""
    return [column.head for column in table.lines.columns].index(head)


def shown(table, head):
    rows = range(table.view.shown.rowCount())
    return [table.view.shown.index(row, place_of(table, head)).data() for row in rows]


def choose(table, head, words):
    box = table.filters[head]
    box.setCurrentIndex(box.findText(words))
    box.activated.emit(box.currentIndex())


def test_every_outline_has_a_line_with_the_numbers_of_the_table(table, session):
    rows = {(row.key, row.quantity, row.method): row for row in session.analysis.measure()}
    for line in session.analysis.outline_rows:
        roi = session.drawing.outlines[line.key, line.slice_index][0]
        area = rows[roi.key, Quantity.TCSA_MM2, ""]
        assert line.numbers.area_mm2 == area.value
        assert line.numbers.area_u_mm2 == area.uncertainty
        if line.key.structure.is_muscle:
            fat = rows[roi.key, Quantity.FI_PCT, "pooled_otsu"]
            assert (line.numbers.fat_pct, line.numbers.fat_u_pct) == (fat.value, fat.uncertainty)
    assert shown(table, "Slice") == ["3", "3", "3", "3", "4"]
    assert shown(table, "Grade").count("3") == 1


def test_a_heading_sorts_by_value_and_what_is_undefined_comes_last(table):
    table.view.sortByColumn(place_of(table, "Area\n(cm²)"), Qt.SortOrder.AscendingOrder)
    areas = [float(text) for text in shown(table, "Area\n(cm²)")]
    assert areas == sorted(areas)
    table.view.sortByColumn(place_of(table, "Visible\nfat (%)"), Qt.SortOrder.AscendingOrder)
    fats = shown(table, "Visible\nfat (%)")
    assert fats[-2:] == ["", ""]
    assert [float(text) for text in fats[:-2]] == sorted(float(text) for text in fats[:-2])


def test_filters_show_what_is_asked_for_and_nothing_else(table):
    choose(table, "structure", "multifidus")
    assert shown(table, "Structure") == ["multifidus"] * 3
    choose(table, "side", "left")
    assert shown(table, "Side") == ["left"] * 2
    choose(table, "level", "L4-L5")
    assert shown(table, "Slice") == ["3"]
    choose(table, "level", "all levels")
    assert len(shown(table, "Slice")) == 2


def test_only_doubtful_lines_are_shown_on_request(table, session):
    session.put(MULTIFIDUS_RIGHT, 4, [BOW_TIE])
    table.show_lines(session.analysis.outline_rows)
    table.flagged.setChecked(True)
    lines = table.view.shown.lines
    assert all(line.numbers.flags or line.numbers.problem for line in lines)
    few = [line for line in lines if Flag.FEW_POINTS in line.numbers.flags]
    assert [line.slice_index for line in few] == [3]
    assert any("crosses itself" in text for text in shown(table, "Flags"))


def test_filters_stay_while_one_draws(table, session):
    choose(table, "side", "left")
    session.put(MULTIFIDUS_LEFT, 5, [circle(36, 58, 9)])
    table.show_lines(session.analysis.outline_rows)
    assert shown(table, "Slice") == ["3", "4", "6"]


def test_copying_gives_a_spreadsheet_every_digit(table, session):
    table.view.setFocus()
    QTest.keyClick(table.view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    text = QApplication.clipboard().text()
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    assert len(rows) == 5
    for row, line in zip(rows, session.analysis.outline_rows, strict=True):
        assert float(row["area_mm2"]) == line.numbers.area_mm2
        assert row["fat_pct"] == ("" if math.isnan(line.numbers.fat_pct) else row["fat_pct"])
        assert row["flags"] == ";".join(line.numbers.flags)
        assert int(row["slice"]) == line.slice_index + 1
    assert {row["grades"] for row in rows} == {"", "goutallier 3"}


def test_chosen_lines_alone_are_copied_in_the_order_of_the_screen(table):
    table.view.sortByColumn(place_of(table, "Area\n(cm²)"), Qt.SortOrder.DescendingOrder)
    for row in (0, 2):
        where = table.view.visualRect(table.view.shown.index(row, 0)).center()
        QTest.mouseClick(
            table.view.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.ControlModifier,
            where,
        )
    wanted = [table.view.shown.line(row) for row in (0, 2)]
    assert table.view.lines_to_copy() == wanted
    assert as_tsv(wanted).count("\n") == 3


def test_a_click_goes_there_in_any_order(table, qtbot):
    table.view.sortByColumn(place_of(table, "Area\n(cm²)"), Qt.SortOrder.DescendingOrder)
    chosen = []
    table.chosen.connect(chosen.append)
    where = table.view.visualRect(table.view.shown.index(1, 2)).center()
    QTest.mouseClick(table.view.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert chosen == [table.view.shown.line(1)]


def test_a_tooltip_says_what_the_cells_have_no_room_for(table):
    table.flagged.setChecked(True)
    row = shown(table, "Slice").index("4")
    tip = table.view.shown.index(row, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "multifidus left" in tip
    assert Flag.FEW_POINTS.meaning in tip
    assert Flag.FEW_POINTS.remedy in tip


def test_what_a_spreadsheet_would_take_for_a_formula_is_text(session):
    session.put(MULTIFIDUS_LEFT, 3, [BOW_TIE])
    session.set_grade("=1+1", Level.L4_L5, Side.LEFT, 1)
    session.set_level(2, Level.L4_L5)
    rows = session.analysis.outline_rows
    lines = as_tsv(rows).splitlines()
    assert all(len(line.split("\t")) == len(columns_for(rows)) for line in lines)
    assert not any(cell.startswith("=") for line in lines for cell in line.split("\t"))
    assert any("'=1+1 1" in line for line in lines)


# --- numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "doubt", "decimals", "words"),
    [
        (8.934, 0.31, 1, "8.9 ± 0.3"),
        (23.4, 4.1, 0, "23 ± 4"),
        (0.502, 0.042, 1, "0.50 ± 0.04"),
        (3.21, 0.4, 0, "3.2 ± 0.4"),
        (8.934, math.nan, 1, "8.93"),
        (0.0, 0.0, 0, "0 ± 0"),
    ],
)
def test_a_number_has_the_decimals_that_its_uncertainty_asks_for(value, doubt, decimals, words):
    assert stated(value, doubt, decimals) == words


def test_numbers_in_words():
    numbers = Numbers(area_mm2=893.4, area_u_mm2=31.0, fat_pct=23.4, fat_u_pct=4.1)
    assert area_words(numbers) == "8.9 ± 0.3 cm²"
    assert fat_words(numbers) == "Visible fat 23 ± 4 %"
    assert fat_words(replace(numbers, fat_method="linear")) == "Fat fraction 23 ± 4 %"
    assert fat_words(Numbers(flags=(Flag.NO_REFERENCE,))) == "Fat: draw references"
    assert asymmetry_words(-3.21) == "Asymmetry 3.2 %, left larger"
    assert asymmetry_words(6.21, 4.4) == "Asymmetry 6 ± 4 %, right larger"
    # No side is said to be larger where the uncertainty does not tell.
    assert asymmetry_words(3.21, 4.4) == "Asymmetry 3 ± 4 %, within its uncertainty"
    assert asymmetry_words(-0.2, 5.0) == "Asymmetry 0 ± 5 %, within its uncertainty"
    assert asymmetry_words(math.nan, math.nan) == "Asymmetry \N{EN DASH}"


def test_doubts_are_named_with_meaning_and_remedy(qtbot):
    made = FlagList()
    qtbot.addWidget(made)
    made.show_flags((Flag.FEW_POINTS, Flag.TILT_OVER_LIMIT))
    assert made.words == ("▲ few points", "▲ tilt over limit")
    assert (
        made.lines[1].toolTip() == f"{Flag.TILT_OVER_LIMIT.meaning} {Flag.TILT_OVER_LIMIT.remedy}"
    )
    made.show_flags((Flag.TOUCHES_BORDER,))
    assert made.words == ("▲ touches border",)
    # The lines that say nothing keep their place, so that nothing below them moves.
    assert not made.lines[1].toolTip()
    made.show_flags(list(Flag)[:5])
    assert made.words[-1] == "▲ 3 more"
    assert list(Flag)[4].meaning in made.lines[-1].toolTip()


def test_the_histogram_paints_fat_beyond_the_line(qtbot, session):
    panel = NumbersPanel()
    qtbot.addWidget(panel)
    preview = session.analysis.preview(MULTIFIDUS_LEFT, 2)
    _show(panel, MULTIFIDUS_LEFT, preview)
    view = panel.histogram
    view.resize(400, 100)
    picture = view.grab().toImage()
    colours = [
        [picture.pixelColor(x, y).name() for x in range(picture.width())]
        for y in range(picture.height())
    ]
    line = {x for row in colours for x, colour in enumerate(row) if colour == "#ffffff"}
    fat = {x for row in colours for x, colour in enumerate(row) if colour == "#cc3c8c"}
    lean = {x for row in colours[:-16] for x, colour in enumerate(row) if colour == "#56b4e9"}
    assert lean
    assert fat
    assert max(lean) <= max(line)
    assert min(line) <= min(fat)
    share = (preview.numbers.threshold - preview.ranges.low) / (
        preview.ranges.high - preview.ranges.low
    )
    wide = picture.width() / 400
    assert sum(line) / len(line) / wide == pytest.approx(4 + share * 392, abs=2)
    # The references' ranges lie below, each in the colour of its outlines.
    for name, (low, _) in (("#1fd6a2", preview.ranges.lean), ("#f0e442", preview.ranges.fat)):
        found = [x for row in colours for x, colour in enumerate(row) if colour == name]
        share = (low - preview.ranges.low) / (preview.ranges.high - preview.ranges.low)
        assert min(found) / wide == pytest.approx(4 + share * 392, abs=2)
    assert "fat threshold" in view.words


def test_a_histogram_of_nothing_is_empty(qtbot, session):
    panel = NumbersPanel()
    qtbot.addWidget(panel)
    _show(panel, MULTIFIDUS_LEFT, session.analysis.preview(MULTIFIDUS_LEFT, 5))
    assert panel.histogram.words == "Signal of the active outline"
    panel.histogram.grab()
    _show(panel, LEAN, session.analysis.preview(LEAN, 2))
    panel.histogram.grab()
    assert panel.histogram.words == f"Signal of {LEAN.words}"
    assert FAT.words == "fat reference"


# --- protocol --------------------------------------------------------------------------------


def test_the_form_offers_every_preset_and_begins_with_the_cores_default(qtbot):
    panel = ProtocolPanel()
    qtbot.addWidget(panel)
    names = [panel.box.itemData(n) for n in range(panel.box.count())]
    assert names == [*preset_texts(), ""]
    assert panel.box.currentData() == "default"
    assert load_protocol("default") == MeasurementProtocol()
    assert panel.about.text() == "Default settings"
    assert MeasurementProtocol().digest in panel.about.toolTip()


def test_a_chosen_protocol_is_asked_for_and_shown_once_it_is_in_force(qtbot, tmp_path):
    panel = ProtocolPanel()
    qtbot.addWidget(panel)
    wanted = []
    panel.wanted.connect(wanted.append)
    name = next(name for name in preset_texts() if name != "default")
    panel.box.setCurrentIndex(panel.box.findData(name))
    panel.box.activated.emit(panel.box.currentIndex())
    assert wanted == [name]
    panel.show_protocol(str(tmp_path / "mine.toml"), MeasurementProtocol(minimal_points=30))
    assert panel.box.currentText() == "mine.toml"
    assert panel.about.text() == "minimal_points = 30"
    panel.show_protocol("default", MeasurementProtocol())
    assert panel.box.currentText() == "default"


# --- tour ------------------------------------------------------------------------------------


def test_the_tour_goes_on_back_and_ends_and_frames_what_it_speaks_of(qtbot):
    holder = QWidget()
    qtbot.addWidget(holder)
    targets = [QLabel("one", holder), QLabel("two", holder)]
    for place, target in enumerate(targets):
        target.setGeometry(20, 20 + 60 * place, 80, 30)
    tour = TourPanel([TourStep(f"step {n}", "words", lambda n=n: targets[n]) for n in range(2)])
    qtbot.addWidget(tour)
    tour.start()
    assert tour.title.text() == "1 of 2: step 0"
    assert not tour.back.isEnabled()
    assert tour.highlight.target is targets[0]
    assert tour.highlight.geometry() == targets[0].geometry().adjusted(-FRAME, -FRAME, FRAME, FRAME)
    QTest.mouseClick(tour.on, Qt.MouseButton.LeftButton)
    assert tour.highlight.target is targets[1]
    assert tour.on.text() == "Done"
    QTest.mouseClick(tour.back, Qt.MouseButton.LeftButton)
    assert tour.place == 0
    with qtbot.waitSignal(tour.ended):
        QTest.mouseClick(tour.skip, Qt.MouseButton.LeftButton)
    assert not tour.is_running
    assert not tour.isVisible()


def test_a_frame_stays_around_what_it_frames_and_lets_the_mouse_through(qtbot):
    holder, frame = QWidget(), Highlight()
    qtbot.addWidget(holder)
    target, other = QPushButton("press", holder), QPushButton("other", holder)
    other.setGeometry(20, 0, 200, 19)
    holder.resize(300, 100)
    holder.show()
    frame.surround(target)
    target.setGeometry(20, 20, 200, 50)
    QApplication.processEvents()
    around = target.geometry().adjusted(-FRAME, 0, FRAME, FRAME)
    # One pixel lies between it and the other one, and nothing of the frame on that.
    around.setTop(other.geometry().bottom() + 1)
    assert frame.geometry() == around
    with qtbot.waitSignal(target.clicked):
        QTest.mouseClick(target, Qt.MouseButton.LeftButton)
    frame.surround(None)
    assert frame.parent() is None
    # A window has nothing around it, and the frame is none of its own.
    frame.surround(holder)
    assert not frame.isVisible()


def test_the_tour_is_remembered(tmp_path):
    settings = QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat)
    assert is_first_run(settings)
    remember_tour(settings)
    assert not is_first_run(QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
