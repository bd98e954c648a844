"""Which pictures of measured slices are kept, in what format, and the one from the side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from multifidus import read_exam, read_rois
from multifidus.data.drawing import PictureFormat, PictureStyle
from multifidus.data.flags import Flag
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.figures.overlay import draw_overlays
from multifidus.figures.picture_files import (
    SAGITTAL,
    is_picture_stem,
    read_thumbnail,
    read_thumbnails,
)
from multifidus.figures.sagittal import LINE, draw_sagittal, draw_side_views
from multifidus.measuring.locate import place
from multifidus.measuring.pipeline import measure_calibrated
from multifidus.sample_data import sample_dir

PROTOCOL = MeasurementProtocol(fat_methods=("pooled_otsu",), bias_correction="none")


@pytest.fixture(scope="module")
def measured():
    """Return an exam, its multifidus outlines on three slices, and their rows without flags."""
    exam = read_exam(sample_dir() / "S01_pre")
    rois = read_rois(sample_dir() / "S01_pre.outlines.json", exam)
    some = {"multifidus", "lean_reference", "fat_reference"}
    placed = [item for item in place(rois, exam) if item.roi.key.structure in some]
    rois = replace(rois, rois=tuple(item.roi for item in placed if item.index in {1, 4, 7}))
    rois = rois.read_by(Reading("S01", "pre", "AB"))
    rows, _ = measure_calibrated(exam, rois, PROTOCOL)
    return exam, rois, [replace(row, flags=()) for row in rows]


@pytest.mark.parametrize(("form", "kind"), [("jpeg", "JPEG"), ("webp", "WEBP"), ("png", "PNG")])
def test_large_pictures_have_the_format_that_was_asked_for(measured, tmp_path, form, kind):
    drawing = PictureStyle(format=PictureFormat(form))
    drawn = draw_overlays(*measured, tmp_path, drawing=drawing)
    assert len(drawn) == 3
    for name, _ in drawn:
        with Image.open(tmp_path / name) as picture:
            assert picture.format == kind
            assert picture.width >= 900


def test_of_flagged_slices_alone_pictures_are_kept(measured, tmp_path):
    exam, rois, rows = measured
    first = rows[0].provenance.slice_index
    flagged = [
        row.with_flags(Flag.FEW_POINTS) if row.provenance.slice_index == first else row
        for row in rows
    ]
    drawing = PictureStyle(only_flagged=True)
    assert draw_overlays(exam, rois, rows, tmp_path, drawing=drawing) == []
    ((name, _),) = draw_overlays(exam, rois, flagged, tmp_path, drawing=drawing)
    assert name.endswith(f"slice{first:03d}.jpg")


def test_small_pictures_are_small_and_show_the_muscles_close(measured, tmp_path):
    draw_overlays(*measured, tmp_path)
    found = list(read_thumbnails(tmp_path))
    assert len(found) == 3
    for one in found:
        assert one.path.stat().st_size < 20_000
        assert max(one.shape) <= 400
        # Multifidus of both sides and 22 mm around it, not the whole back.
        assert 60 < one.shape[1] * one.pixel_mm[1] < 170
        with Image.open(one.path) as picture:
            assert (picture.height, picture.width) == one.shape


def test_the_picture_from_the_side_shows_each_measured_slice_where_it_lies(measured, tmp_path):
    exam, rois, _ = measured
    placed = place(rois, exam)
    picture, pixel_mm = draw_sagittal(exam, rois, placed, {})
    yellow = np.abs(np.asarray(picture).astype(int) - LINE).max(axis=2) < 8
    rows = np.flatnonzero(yellow.any(axis=1))
    # Three lines, apart as the slices are: the middle of each along the column of the image.
    column = np.flatnonzero(yellow[:, picture.width // 2])
    lines = np.split(column, np.flatnonzero(np.diff(column) > 1) + 1)
    assert len(lines) == 3
    middles = [line.mean() * pixel_mm[0] for line in lines]
    heights = sorted(
        {item.slice.plane.to_patient([[item.slice.shape[0] / 2] * 2])[0, 2] for item in placed}
    )
    assert middles[2] - middles[0] == pytest.approx(heights[2] - heights[0], abs=12)
    assert len(rows) > 0


def test_it_is_named_as_pictures_are_and_no_thumbnail_of_a_slice(measured, tmp_path):
    ((name, caption),) = draw_side_views(*measured, tmp_path)
    assert name == f"S01_pre_AB_r1{SAGITTAL}.jpg"
    assert caption == "S01 · pre · measured slices from the side"
    assert is_picture_stem(name.removesuffix(".jpg"))
    assert read_thumbnail(tmp_path / "small" / name).subject == "S01"
    assert list(read_thumbnails(tmp_path)) == []


def test_an_exam_without_a_sagittal_series_has_none(measured, tmp_path):
    exam, rois, rows = measured
    used = {item.series.uid for item in place(rois, exam)}
    axial = replace(exam, series=tuple(one for one in exam.series if one.uid in used))
    assert draw_side_views(axial, rois, rows, tmp_path) == []
