"""Images of one exam in a real viewer: one is seen, and the canvas says which."""

from __future__ import annotations

from dataclasses import replace

import pytest
from napari_multifidus.controllers.shortcuts import SHORTCUTS
from napari_multifidus.models.display_images import WindowPreset
from napari_multifidus.models.opening import METADATA

from multifidus.data.image import Exam, Weighting
from tests.plugins.conftest import make_series
from tests.plugins.test_display_images import weighted

pytestmark = [
    pytest.mark.gui,
    pytest.mark.filterwarnings("error:Private attribute access:FutureWarning"),
]


def label(win) -> str:
    return win.viewer.canvas.overlays["multifidus_contrast"].text


def seen(win) -> list[str]:
    return [layer.name for layer in win.images if layer.visible]


def press(win, key: str) -> None:
    (act,) = (shortcut.act for shortcut in SHORTCUTS if shortcut.key == key)
    act(win.annotator)


@pytest.fixture
def dixon_exam() -> Exam:
    t1 = replace(make_series("1.4"), weighting=Weighting.T1)
    fat, water = (
        weighted(uid, kind, value)
        for uid, kind, value in (
            ("1.2", Weighting.DIXON_FAT, 30.0),
            ("1.3", Weighting.DIXON_WATER, 90.0),
        )
    )
    other = make_series("1.5", (0.0, 0.0))
    return Exam("S01", "pre", (make_series("1.1"), fat, water, t1, other))


def test_one_key_goes_through_all_images_of_the_slices(win, dixon_exam, tmp_path):
    win.open(dixon_exam, tmp_path)
    assert label(win) == "T2 (1 of 5)"
    found = []
    for _ in range(5):
        found.append(label(win).split(" (")[0])
        assert seen(win) == [f"axial {found[-1]}"]
        assert win.dock.image.contrast.currentText() == found[-1]
        press(win, "Shift-O")
    assert found[3:] == ["Dixon water", "fat fraction of the Dixon pair"]
    assert label(win) == "T2 (1 of 5)"
    # What is outlined stays what it was.
    assert win.annotator.workspace.session.series.weighting is Weighting.T2
    panel = win.dock.image.contrast
    panel.setCurrentIndex(4)
    panel.activated.emit(4)
    assert label(win).startswith("fat fraction")
    (layer,) = (layer for layer in win.images if layer.visible)
    assert list(layer.contrast_limits) == [0, 100]
    assert layer.data.mean() == pytest.approx(25)


def test_grey_levels_are_chosen_by_key_and_by_name(win, exam, tmp_path):
    win.open(exam, tmp_path)
    (layer,) = (layer for layer in win.images if layer.visible)
    automatic = list(layer.contrast_limits)
    press(win, "Shift-G")
    assert label(win) == "T2 · full range window"
    assert list(layer.contrast_limits) == [layer.data.min(), layer.data.max()]
    grey = win.dock.image.grey
    grey.setCurrentIndex(grey.findData(WindowPreset.MUSCLE.value))
    grey.activated.emit(0)
    assert "muscle window" in label(win)
    assert layer.contrast_limits[1] < layer.data.max()
    press(win, "Shift-G")
    press(win, "Shift-G")
    assert list(layer.contrast_limits) == automatic
    assert label(win) == "T2"


def test_another_series_brings_its_own_images(win, tmp_path):
    t1 = replace(make_series("1.4", (0.0,)), weighting=Weighting.T1)
    both = Exam("S01", "pre", (make_series("1.1"), t1, make_series("1.5", (0.0,))))
    win.open(both, tmp_path)
    assert label(win) == "T2"
    assert not win.dock.image.contrast.isEnabled()
    win.annotator.opener.choose_series(both.series[2])
    assert label(win) == "T2 (1 of 2)"
    assert [layer.metadata[METADATA].series.uid for layer in win.images if layer.visible] == ["1.5"]
    press(win, "Shift-O")
    assert label(win) == "T1 (2 of 2)"
    win.annotator.opener.close()
    assert label(win) == ""
    press(win, "Shift-O")
    press(win, "Shift-G")
