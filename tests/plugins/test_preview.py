"""What is shown in motion is what is measured at rest."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from napari_multifidus.controllers.shortcuts import FAT, LEAN, MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT
from napari_multifidus.models.numbers import Numbers, asymmetry_pct, asymmetry_uncertainty
from napari_multifidus.models.preview import cached
from napari_multifidus.models.session import Session
from napari_multifidus.models.shapes import LayerKey

import multifidus as mf
from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series, Weighting
from multifidus.data.protocol import BiasCorrection, FatMethod, MeasurementProtocol
from multifidus.measuring.bias_field.correction import BiasField
from multifidus.measuring.bias_field.low_order import LowOrderField
from tests.plugins.conftest import FAT_SI, LEAN_SI, make_series
from tests.support.exams import axial_plane, circle, exam_of, image_slice

ARTEFACT = LayerKey(Structure.ARTEFACT)
PROTOCOLS = [
    MeasurementProtocol(),
    MeasurementProtocol(bias_correction="low_order"),
    MeasurementProtocol(fat_methods=("linear", "signal")),
    MeasurementProtocol(fat_methods=("otsu", "pooled_otsu")),
    MeasurementProtocol(fat_methods=("linear",)),
    MeasurementProtocol(fat_methods=("linear", "pooled_otsu")),
    MeasurementProtocol(fat_methods=("clahe_otsu",)),
    MeasurementProtocol(fat_methods=("fixed", "linear"), fixed_threshold=250.0),
    MeasurementProtocol(fat_methods=("dixon",)),
    MeasurementProtocol(fat_methods=(), minimal_points=100, tilt_limit_deg=1.0),
]


def drawn_on(exam: Exam, protocol: MeasurementProtocol | None = None) -> Session:
    """Draw references, both muscles and an artefact on slice 2."""
    made = Session(exam, exam.series[0], protocol=protocol)
    for key, loop in (
        (LEAN, circle(6, 20, 4)),
        (FAT, circle(66, 20, 4)),
        (ARTEFACT, circle(30, 60, 4)),
        (MULTIFIDUS_RIGHT, circle(36, 20, 12)),
        (MULTIFIDUS_LEFT, circle(36, 58, 13)),
    ):
        made.put(key, 2, [loop])
    made.set_level(2, Level.L4_L5)
    return made


def assert_same(first: Numbers, second: Numbers) -> None:
    for name in Numbers.__slots__:
        ours, theirs = getattr(first, name), getattr(second, name)
        if isinstance(ours, float) and math.isnan(ours):
            assert math.isnan(theirs), name
        elif isinstance(ours, float):
            # Paths in motion come back from millimetres, which rounds them.
            assert ours == pytest.approx(theirs, rel=1e-9), name
        else:
            assert ours == theirs, name


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda p: "+".join(p.fat_methods) or "areas")
@pytest.mark.parametrize("key", [MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, LEAN, ARTEFACT])
def test_an_outline_at_rest_has_the_numbers_of_the_table(exam, protocol, key):
    session = drawn_on(exam, protocol)
    numbers = session.analysis.numbers(key, 2)
    assert numbers is not None
    assert numbers.area_u_mm2 > 0
    assert_same(session.analysis.preview(key, 2).numbers, numbers)


@pytest.mark.parametrize("protocol", PROTOCOLS[:3], ids=lambda p: p.fat_methods[0])
def test_an_outline_that_moves_is_measured_by_the_thresholds_that_were(exam, protocol):
    session = drawn_on(exam, protocol)
    before = session.analysis.numbers(MULTIFIDUS_LEFT, 2)
    moved = [circle(38, 57, 11)]
    live = session.analysis.preview(MULTIFIDUS_LEFT, 2, moved).numbers
    assert live.area_mm2 == pytest.approx(before.area_mm2 * (11 / 13) ** 2, rel=1e-9)
    # Otsu's threshold is the outline's own; the exam's stays what it was.
    if protocol.fat_methods[0] is FatMethod.POOLED_OTSU:
        assert live.threshold == before.threshold
    session.put(MULTIFIDUS_LEFT, 2, moved)
    after = session.analysis.numbers(MULTIFIDUS_LEFT, 2)
    assert live.area_mm2 == pytest.approx(after.area_mm2, rel=1e-12)
    assert live.fat_pct == pytest.approx(after.fat_pct, abs=1.0)


def test_the_first_muscle_has_fat_before_it_is_finished(exam):
    session = Session(exam, exam.series[0])
    session.put(LEAN, 2, [circle(6, 20, 4)])
    session.put(FAT, 2, [circle(66, 20, 4)])
    live = session.analysis.preview(MULTIFIDUS_LEFT, 2, [circle(36, 58, 13)]).numbers
    session.put(MULTIFIDUS_LEFT, 2, [circle(36, 58, 13)])
    assert_same(live, session.analysis.numbers(MULTIFIDUS_LEFT, 2))
    assert live.fat_pct == pytest.approx(100 / 3, abs=3)


def test_a_pair_that_is_none_in_the_exam_is_none_in_motion():
    """The water image lies on another grid on another slice; on this one it would fit."""
    fat = replace(make_series("1.2"), weighting=Weighting.DIXON_FAT)
    water = make_series("1.3")
    moved = replace(water.slices[0], plane=make_series("1.5", (30.0,)).slices[0].plane)
    water = Series("1.3", (moved, *water.slices[1:]), Weighting.DIXON_WATER)
    session = drawn_on(Exam("S01", "pre", (fat, water)))
    at_rest = session.analysis.numbers(MULTIFIDUS_LEFT, 2)
    assert math.isnan(at_rest.dixon_pct)
    assert Flag.DIXON_UNPAIRED in at_rest.flags
    live = session.analysis.preview(MULTIFIDUS_LEFT, 2, [circle(37, 58, 12)]).numbers
    assert math.isnan(live.dixon_pct)
    assert Flag.DIXON_UNPAIRED in live.flags


def test_a_true_pair_is_measured_in_motion():
    fat = replace(make_series("1.2"), weighting=Weighting.DIXON_FAT)
    water = replace(make_series("1.3"), weighting=Weighting.DIXON_WATER)
    session = drawn_on(Exam("S01", "pre", (fat, water)))
    # Both images are alike: half of the signal is fat.
    assert session.analysis.preview(MULTIFIDUS_LEFT, 2).numbers.dixon_pct == pytest.approx(
        50, abs=1
    )
    assert_same(
        session.analysis.preview(MULTIFIDUS_LEFT, 2).numbers,
        session.analysis.numbers(MULTIFIDUS_LEFT, 2),
    )


def test_where_nothing_can_be_measured_there_is_the_area_alone(exam):
    session = drawn_on(exam)
    session.put(MULTIFIDUS_LEFT, 2, [circle(36, 12, 8)])
    session.put(MULTIFIDUS_RIGHT, 2, [circle(36, 58, 8)])
    assert "swapped" in session.analysis.refusal
    live = session.analysis.preview(MULTIFIDUS_LEFT, 2, [circle(36, 12, 9)]).numbers
    assert live.area_mm2 > 0
    assert math.isnan(live.fat_pct)


def test_the_histogram_holds_every_pixel_once_and_parts_them_as_the_number_does(exam):
    session = drawn_on(exam)
    preview = session.analysis.preview(MULTIFIDUS_LEFT, 2)
    for bins in (8, 48):
        counts = preview.counts(bins)
        assert counts.shape == (bins,)
        assert counts.sum() == pytest.approx(preview.weights.sum())
    share = preview.weights[preview.is_fat].sum() / preview.weights.sum()
    assert 100 * share == pytest.approx(preview.numbers.fat_pct)
    ranges = preview.ranges
    assert ranges.low < ranges.lean[0] < LEAN_SI < ranges.lean[1] < preview.numbers.threshold
    assert preview.numbers.threshold < ranges.fat[0] < FAT_SI < ranges.fat[1] < ranges.high


def test_without_references_the_histogram_spans_the_pixels(exam):
    session = Session(exam, exam.series[0], protocol=MeasurementProtocol(fat_methods=("otsu",)))
    session.put(MULTIFIDUS_LEFT, 2, [circle(36, 58, 13)])
    preview = session.analysis.preview(MULTIFIDUS_LEFT, 2)
    assert preview.ranges.lean is None
    assert preview.ranges.low < LEAN_SI < preview.numbers.threshold < FAT_SI < preview.ranges.high
    assert preview.counts().sum() == pytest.approx(preview.weights.sum())


def test_what_is_no_outline_has_a_reason_and_no_pixels(exam):
    session = drawn_on(exam)
    bow_tie = np.array([(20.0, 10.0), (40.0, 30.0), (40.0, 10.0), (20.0, 30.0)])
    preview = session.analysis.preview(MULTIFIDUS_LEFT, 2, [bow_tie])
    assert "crosses itself" in preview.numbers.problem
    assert not len(preview.values)
    assert not preview.counts().any()
    nothing = session.analysis.preview(MULTIFIDUS_LEFT, 5)
    assert math.isnan(nothing.numbers.area_mm2)
    assert not nothing.counts().any()


def test_asymmetry_is_the_tables(exam):
    session = drawn_on(exam)
    right, left = (session.analysis.numbers(key, 2) for key in (MULTIFIDUS_RIGHT, MULTIFIDUS_LEFT))
    (row,) = [row for row in session.analysis.measure() if row.quantity == "asymmetry_pct"]
    assert asymmetry_pct(right, left) == row.value < 0
    assert asymmetry_uncertainty(right, left) == row.uncertainty > 0
    assert math.isnan(asymmetry_uncertainty(right, None))
    assert math.isnan(asymmetry_pct(right, None))


def test_another_protocol_measures_again(exam):
    session = drawn_on(exam)
    before = session.analysis.numbers(MULTIFIDUS_LEFT, 2)
    assert session.analysis.preview(MULTIFIDUS_LEFT, 2).numbers.fat_method == "pooled_otsu"
    wanted = MeasurementProtocol(fat_methods=("fixed",), fixed_threshold=1000.0)
    assert session.set_protocol(wanted)
    assert not session.set_protocol(wanted)
    assert session.analysis.numbers(MULTIFIDUS_LEFT, 2).fat_pct == 0 < before.fat_pct
    assert_same(
        session.analysis.preview(MULTIFIDUS_LEFT, 2).numbers,
        session.analysis.numbers(MULTIFIDUS_LEFT, 2),
    )
    rows = mf.measure(exam, session.rois(), wanted)
    assert [row.value for row in session.analysis.measure()] == pytest.approx(
        [row.value for row in rows], nan_ok=True
    )
    # It is no part of what can be taken back.
    session.undo()
    assert session.protocol == wanted


def test_a_grade_is_said_changed_taken_back_and_kept(session):
    level = Level.L4_L5
    session.commit()
    assert session.set_grade("goutallier", level, Side.LEFT, 2)
    session.commit()
    assert not session.set_grade("goutallier", level, Side.LEFT, 2)
    assert session.set_grade("goutallier", level, Side.LEFT, 3)
    session.commit()
    assert session.drawing.own_grades == {("goutallier", level, Side.LEFT): 3}
    (row,) = [row for row in session.analysis.measure() if row.quantity == "goutallier_grade"]
    assert (row.value, row.key.side, row.provenance.level) == (3.0, Side.LEFT, level)
    session.undo()
    assert session.drawing.own_grades == {("goutallier", level, Side.LEFT): 2}
    session.redo()
    assert session.set_grade("goutallier", level, Side.LEFT, None)
    assert not session.rois().grades


def test_a_grade_stands_on_the_lines_of_its_level_and_side(session):
    session.set_level(2, Level.L4_L5)
    session.set_grade("goutallier", Level.L4_L5, Side.LEFT, 4)
    session.set_grade("kjaer", Level.L3_L4, Side.LEFT, 1)
    grades = {line.key: line.grades for line in session.analysis.outline_rows}
    assert grades[MULTIFIDUS_LEFT] == (("goutallier", 4),)
    assert grades[MULTIFIDUS_RIGHT] == grades[LEAN] == ()


@pytest.mark.parametrize(("scheme", "value"), [("goutallier", 5), ("kjaer", 3), ("", 1)])
def test_a_grade_that_a_scheme_does_not_have_is_refused(session, scheme, value):
    with pytest.raises(mf.errors.RoiError, match="grade"):
        session.set_grade(scheme, Level.L4_L5, Side.LEFT, value)


def test_a_scheme_that_is_not_known_has_any_grade_that_a_key_can_say(session):
    assert session.set_grade("mine", Level.L4_L5, Side.LEFT, 9)
    rows = [row for row in session.analysis.measure() if row.quantity == "visual_grade"]
    assert [(row.method, row.value) for row in rows] == [("mine", 9.0)]


def test_shading_that_is_remembered_is_shading_that_is_worked_out():
    rng = np.random.default_rng(3)
    item = make_series().slices[2]
    corners = item.plane.to_patient([(0, 0), (71, 79)])
    field = LowOrderField(
        corners.mean(axis=0),
        corners.min(axis=0) - 5,
        corners.max(axis=0) + 5,
        2,
        rng.normal(0, 0.002, 10),
        100,
        0.0,
    )
    plain = BiasField(BiasCorrection.LOW_ORDER, low_order=field)
    quick = cached(plain)
    for centre in ((5, 5), (36, 40), (40, 45), (71, 79), (0, 79), (36, 40)):
        places = np.clip(rng.integers(-9, 10, (40, 2)) + centre, 0, (71, 79))
        np.testing.assert_allclose(quick.at(item, places), plain.at(item, places), rtol=1e-12)
    assert np.ptp(quick.at(item, np.array([(0, 0), (71, 79)]))) > 0
    assert not len(quick.at(item, np.empty((0, 2), int)))
    without = BiasField(BiasCorrection.NONE)
    assert cached(without) is without


@pytest.mark.parametrize("methods", [("pooled_otsu",), ("linear", "pooled_otsu")], ids=str)
def test_doubts_of_a_muscle_s_fat_and_area_are_shown_while_it_moves(methods):
    """Muscle of one signal between lean and fat, of which a part is void; drawn by four clicks."""
    row, column = np.indices((76, 80))
    pixels = np.where(row < 20, 100.0, np.where(row > 56, 400.0, 160.0))
    pixels[np.hypot(row - 36, column - 20) < 4] = 0.0
    noisy = pixels + np.random.default_rng(3).normal(0, 3, pixels.shape)
    items = [image_slice(noisy, axial_plane(z=5.0 * n), uid=f"1.2.{n}") for n in range(3)]
    protocol = MeasurementProtocol(fat_methods=methods, bias_correction="none")
    session = drawn_on(exam_of(*items), protocol)
    right = MULTIFIDUS_RIGHT
    session.put(ARTEFACT, 2, [circle(5, 70, 2)])
    session.put(right, 2, [np.array([(26, 10), (26, 30), (46, 30), (46, 10)])])
    wanted = {Flag.DIFFUSE_FAT, Flag.LOW_SIGNAL, Flag.FEW_POINTS}
    assert wanted <= {*session.analysis.preview(right, 2).numbers.flags}
    assert {*session.analysis.preview(right, 2).numbers.flags} == {
        *session.analysis.numbers(right, 2).flags
    }
