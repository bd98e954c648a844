"""The fat signal fraction of the phantom, whose fat is known, and the laws that it keeps."""

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

import multifidus as mf
from multifidus.data.anatomy import Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Slice, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import MeasurementProtocol
from multifidus.measuring.fat.signal.calibration import SignalCalibration
from multifidus.measuring.locate import place
from multifidus.measuring.pipeline import measure, measure_calibrated
from multifidus.measuring.slice_pixels import CoRegistered, SlicePixels
from multifidus.phantom import PhantomSpec, make_phantom

PROTOCOL = MeasurementProtocol(fat_methods=("signal",))


@pytest.fixture(scope="module")
def shaded():
    made = phantom()
    return made.exam, replace(made.outlines, landmarks=())


@lru_cache
def phantom():
    spec = PhantomSpec(
        stacks=1, slices_per_stack=2, sagittal=False, matrix=256, pixel_mm=0.86, shading=0.3
    )
    return make_phantom(spec)


def fractions(exam, rois, protocol=PROTOCOL):
    rows = [r for r in measure(exam, rois, protocol) if r.quantity is Quantity.FF_SIGNAL_PCT]
    return {(r.key.slice_uid, r.key.structure, r.key.side): r for r in rows}


@pytest.fixture(scope="module")
def plain(shaded):
    return fractions(*shaded)


def with_pixels(exam, change):
    """Return an exam of changed pixels."""
    (series,) = exam.series
    slices = tuple(
        Slice.from_array(item.uid, item.plane, change(item.pixels), item.thickness_mm)
        for item in series.slices
    )
    return mf.Exam(exam.subject, exam.timepoint, (replace(series, slices=slices),))


def without(rois, *structures):
    return replace(rois, rois=tuple(r for r in rois if r.key.structure not in structures))


def test_it_is_the_phantoms_fat_under_shading_within_its_uncertainty(plain):
    truth = {(t.slice_uid, t.structure, t.side): t.fat_pct for t in phantom().truth}
    errors = np.array([row.value - truth[key] for key, row in plain.items()])
    stated = np.array([row.uncertainty for row in plain.values()])
    assert len(errors) >= 12
    assert np.abs(errors).mean() < 2
    assert (np.abs(errors) < 2 * stated).all()
    assert stated.mean() < 6


def test_it_stands_in_a_row_of_its_own_with_its_parts(plain):
    row = next(iter(plain.values()))
    assert row.method == "signal"
    assert {
        "u_lean_level", "u_fat_level", "u_bias_field", "u_edge", "u_reference_fat", "u_boundary",
        "u_placement",
    } <= set(row.parameters)  # fmt: skip
    parts = [value for name, value in row.parameters.items() if name.startswith("u_")]
    assert row.uncertainty == pytest.approx(np.linalg.norm(parts))


def test_a_scanner_that_scales_its_numbers_changes_nothing(shaded, plain):
    exam, rois = shaded
    scaled = fractions(with_pixels(exam, lambda p: 3.7 * p), rois)
    for key, row in plain.items():
        assert scaled[key].value == pytest.approx(row.value, abs=1e-6)
        assert scaled[key].uncertainty == pytest.approx(row.uncertainty, abs=1e-6)


def test_the_order_of_outlines_changes_nothing(shaded, plain):
    exam, rois = shaded
    turned = replace(rois, rois=rois.rois[::-1])
    assert {k: r.value for k, r in plain.items()} == {
        k: r.value for k, r in fractions(exam, turned).items()
    }


def test_more_fat_is_more_fat(shaded, plain):
    """Signal of one muscle raised towards that of fat raises its fraction, and no other's much."""
    exam, rois = shaded
    roi = next(r for r in rois.rois if r.key.structure is Structure.MULTIFIDUS)
    weights = mf.coverage(roi.paths_mm, roi.plane, roi.shape)
    (series,) = exam.series
    bright = float(np.percentile(series.slices[0].pixels, 99))
    slices = tuple(
        Slice.from_array(
            item.uid, item.plane,
            item.pixels + 0.2 * weights * (bright - item.pixels)
            if item.uid == roi.key.slice_uid else item.pixels,
            item.thickness_mm,
        )
        for item in series.slices
    )  # fmt: skip
    changed = mf.Exam(exam.subject, exam.timepoint, (replace(series, slices=slices),))
    before, after = plain, fractions(changed, rois)
    key = (roi.key.slice_uid, roi.key.structure, roi.key.side)
    assert after[key].value > before[key].value + 5


@pytest.mark.parametrize("missing", [Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE])
def test_without_a_reference_there_is_none_and_that_is_said(shaded, missing):
    exam, rois = shaded
    for row in fractions(exam, without(rois, missing)).values():
        assert np.isnan(row.value)
        assert Flag.NO_REFERENCE in row.flags


def test_in_images_of_another_kind_it_is_refused_with_the_reason(shaded):
    exam, rois = shaded
    (series,) = exam.series
    water = mf.Exam(
        exam.subject, exam.timepoint, (replace(series, weighting=Weighting.DIXON_WATER),)
    )
    for row in fractions(water, rois).values():
        assert np.isnan(row.value)
        assert Flag.SIGNAL_NOT_CALIBRATED in row.flags
        assert "weighted" in row.parameters["signal_refusal"]


@pytest.mark.parametrize("weighting", [Weighting.T2, Weighting.DIXON_WATER, Weighting.STIR])
def test_without_references_the_row_says_no_more_than_that_of_linear_mixing(shaded, weighting):
    """By default every exam has both rows, a Dixon pair without references as well."""
    exam, rois = shaded
    (series,) = exam.series
    other = mf.Exam(exam.subject, exam.timepoint, (replace(series, weighting=weighting),))
    bare = without(rois, Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)
    rows = [row for row in measure(other, bare) if row.method in {"signal", "linear"}]
    assert {row.method for row in rows} == {"signal", "linear"}
    assert {row.flags for row in rows} == {(Flag.NO_REFERENCE,)}
    assert all(np.isnan(row.value) for row in rows)


def test_voids_are_left_out_and_counted(shaded, plain):
    exam, rois = shaded
    roi = next(
        r for r in rois.rois
        if r.key.structure is Structure.MULTIFIDUS and r.key.side is Side.LEFT
    )  # fmt: skip
    weights = mf.coverage(roi.paths_mm, roi.plane, roi.shape)
    rows, columns = np.nonzero(weights > 0.99)
    middle = int(np.median(rows)), int(np.median(columns))
    (series,) = exam.series

    def bored(item):
        pixels = item.pixels.copy()
        if item.uid == roi.key.slice_uid:
            pixels[middle[0] - 3 : middle[0] + 4, middle[1] - 3 : middle[1] + 4] = 1.0
        return pixels

    slices = tuple(
        Slice.from_array(i.uid, i.plane, bored(i), i.thickness_mm) for i in series.slices
    )
    drilled = mf.Exam(exam.subject, exam.timepoint, (replace(series, slices=slices),))
    key = (roi.key.slice_uid, roi.key.structure, roi.key.side)
    before, after = plain[key], fractions(drilled, rois)[key]
    assert after.parameters["n_void_pixels"] >= 25
    assert after.value == pytest.approx(before.value, abs=4)


def test_an_outline_drawn_anew_is_measured_by_the_exams_calibration(shaded):
    """As the window does with each vertex: equal to what the whole exam says of that outline."""
    exam, rois = shaded
    rows, calibration = measure_calibrated(exam, rois, PROTOCOL)
    roi = next(r for r in rois.rois if r.key.structure is Structure.MULTIFIDUS)
    (series,) = exam.series
    (index,) = (k for k, s in enumerate(series.slices) if s.uid == roi.key.slice_uid)
    placed = next(p for p in place(rois, exam) if p.roi.key == roi.key)
    read = SlicePixels.of(series, index, CoRegistered.of(exam), PROTOCOL).under(placed, [])
    group = calibration.of(read)
    alone = calibration.rows_of(group.bias_field.correct(read), *rois.level_of(roi))
    (live,) = (row for row in alone if row.quantity is Quantity.FF_SIGNAL_PCT)
    (whole,) = (
        row for row in rows
        if row.quantity is Quantity.FF_SIGNAL_PCT and row.key == roi.key
    )  # fmt: skip
    assert live.value == pytest.approx(whole.value, abs=1e-9)
    assert live.uncertainty == pytest.approx(whole.uncertainty, abs=1e-9)


@pytest.mark.parametrize(
    ("parts", "flags"),
    [
        ({"lean": 1.4, "fat_level": 4.5}, ()),
        ({"lean": 1.6}, (Flag.CALIBRATION_AMBIGUOUS,)),
        ({"fat_level": 6.1}, (Flag.CALIBRATION_UNCERTAIN,)),
        ({"lean": 1.4, "fat_level": 5.5, "shift": 2.0}, (Flag.CALIBRATION_UNCERTAIN,)),
        ({"lean": 6.1}, (Flag.CALIBRATION_AMBIGUOUS, Flag.CALIBRATION_UNCERTAIN)),
    ],
)
def test_a_calibration_that_leaves_much_open_is_flagged(plain, monkeypatch, parts, flags):
    measured = SignalCalibration.fraction
    sure = {"lean": 0.0, "fat_level": 0.0, "field": 0.0, "edge": 0.0, "shift": math.nan}
    monkeypatch.setattr(
        SignalCalibration,
        "fraction",
        lambda self, item: replace(measured(self, item), **{**sure, **parts}),
    )
    for key, row in fractions(phantom().exam, replace(phantom().outlines, landmarks=())).items():
        assert set(row.flags) - set(plain[key].flags) == set(flags)


@pytest.mark.parametrize(("each", "is_flagged"), [(0.1, False), (0.14, True), (0.6, False)])
def test_much_fat_in_pixels_that_are_mostly_lean_is_flagged(plain, monkeypatch, each, is_flagged):
    """Known by brightness alone, it may be brighter lean muscle as well."""
    measured = SignalCalibration.fraction

    def even(self, item):
        found = measured(self, item)
        pixels = np.full(len(found.pixels), each)
        return replace(found, value_pct=100 * each, pixels=pixels, lean=0.0)

    monkeypatch.setattr(SignalCalibration, "fraction", even)
    rows = fractions(phantom().exam, replace(phantom().outlines, landmarks=())).values()
    assert {Flag.CALIBRATION_AMBIGUOUS in row.flags for row in rows} == {is_flagged}


def test_chemical_shift_is_part_of_the_uncertainty_where_headers_state_it(shaded, plain):
    exam, rois = shaded
    (series,) = exam.series
    known = replace(
        series.acquisition, field_strength_t=1.5, pixel_bandwidth_hz=110.0, phase_axis="COL"
    )
    shown = mf.Exam(exam.subject, exam.timepoint, (replace(series, acquisition=known),))
    for key, row in fractions(shown, rois).items():
        assert row.parameters["u_chemical_shift"] > 0
        assert row.uncertainty > row.parameters["u_chemical_shift"]
        assert "u_chemical_shift" not in plain[key].parameters


def test_series_of_one_scale_may_differ_in_chemical_shift_whichever_comes_first(shaded):
    exam, rois = shaded
    (series,) = exam.series
    half = len(series.slices) // 2
    parts = {"1": series.slices[:half], "2": series.slices[half:]}

    def of_fat_level(shifted):
        known = replace(
            series.acquisition, field_strength_t=1.5, pixel_bandwidth_hz=110.0, phase_axis="COL"
        )
        both = tuple(
            replace(
                series, uid=uid, slices=slices, signal_group="one",
                acquisition=known if uid in shifted else series.acquisition,
            )
            for uid, slices in parts.items()
        )  # fmt: skip
        rows = fractions(replace(exam, series=both), rois)
        return {key: row.parameters["u_fat_level"] for key, row in rows.items()}

    assert of_fat_level("1") == of_fat_level("2") == of_fat_level("12") != of_fat_level("")


def test_a_fat_reference_outside_of_the_muscles_is_no_doubt_about_the_joint_field(shaded):
    """The field is fitted to fat references as well; linear mixing's field ends at the muscles."""
    exam, rois = shaded
    far = tuple(
        replace(r, paths_mm=tuple(path + 6 * r.plane.row_step_mm for path in r.paths_mm))
        if r.key.structure is Structure.FAT_REFERENCE
        else r
        for r in rois.rois
    )
    protocol = MeasurementProtocol(fat_methods=("linear", "signal"))
    both = measure(exam, replace(rois, rois=far), protocol)
    flags = {
        row.method: set(row.flags) for row in both if row.key.structure is Structure.MULTIFIDUS
    }
    assert Flag.REFERENCE_OUTSIDE_FIELD in flags["linear"]
    assert Flag.REFERENCE_OUTSIDE_FIELD not in flags["signal"]


@pytest.mark.parametrize("nothing", [math.nan, math.inf])
def test_pixels_without_a_value_count_nowhere(shaded, plain, nothing):
    """A seventh of all pixels is missing: the others say the same, and how surely they say it."""
    exam, rois = shaded
    # Regular, so that as much is missing of bright as of dark pixels; no row or column is whole.
    holed = with_pixels(
        exam,
        lambda p: np.where((np.arange(p.size).reshape(p.shape) + np.arange(len(p))[:, None]) % 7, p,
                           nothing),
    )  # fmt: skip
    found = fractions(holed, rois)
    differences = np.array([found[key].value - row.value for key, row in plain.items()])
    assert np.abs(differences).max() < 2.5
    assert abs(differences.mean()) < 0.5
    for key, row in found.items():
        assert 0.7 < row.uncertainty / plain[key].uncertainty < 1.5
        assert row.parameters["n_void_pixels"] <= plain[key].parameters["n_void_pixels"] + 5


def with_dark_references(exam, rois, share):
    marked = [r for r in rois if r.key.structure is Structure.LEAN_REFERENCE]

    def darkened(item):
        pixels = item.pixels.copy()
        for roi in marked:
            if roi.key.slice_uid == item.uid:
                inside = mf.coverage(roi.paths_mm, roi.plane, roi.shape) > 0
                pixels[inside] *= share
        return Slice.from_array(item.uid, item.plane, pixels, item.thickness_mm)

    (series,) = exam.series
    changed = replace(series, slices=tuple(map(darkened, series.slices)))
    return mf.Exam(exam.subject, exam.timepoint, (changed,))


@pytest.mark.parametrize("share", [0.03, 0.15, 0.25])
def test_a_lean_reference_in_air_or_bone_is_flagged(shaded, plain, share):
    exam, rois = shaded
    dark = with_dark_references(exam, rois, share)
    found = fractions(dark, rois)
    assert all(Flag.LEAN_REFERENCES_UNEQUAL in row.flags for row in found.values())
    assert not any(Flag.LEAN_REFERENCES_UNEQUAL in row.flags for row in plain.values())
    # Nor is the field that was fitted to it of use to thresholds.
    visible = [r for r in measure(dark, rois) if r.quantity is Quantity.FI_PCT]
    assert all("too dark" in row.parameters["joint_refusal"] for row in visible)
    # Every method that uses the references has the same reason to doubt.
    amounts = {Quantity.FI_PCT, Quantity.FF_LINEAR_PCT, Quantity.FF_SIGNAL_PCT}
    fat = [r for r in measure(dark, rois) if r.quantity in amounts]
    assert {r.quantity for r in fat} == amounts
    assert all(Flag.LEAN_REFERENCES_UNEQUAL in r.flags for r in fat)


@pytest.mark.parametrize("share", [0.3, 0.35, 0.4, 0.45])
def test_a_lean_reference_too_dark_to_be_like_any_muscle_is_a_doubt(shaded, share):
    exam, rois = shaded
    dark = with_dark_references(exam, rois, share)
    amounts = {Quantity.FI_PCT, Quantity.FF_LINEAR_PCT, Quantity.FF_SIGNAL_PCT}
    fat = [r for r in measure(dark, rois) if r.quantity in amounts]
    assert {r.quantity for r in fat} == amounts
    assert all(Flag.LEAN_REFERENCES_UNEQUAL in r.flags for r in fat)


def test_a_reference_on_a_slice_without_muscles_is_none_and_that_is_said(shaded):
    """Shading differs from slice to slice; only beside muscle does a reference tell it."""
    exam, rois = shaded
    first = exam.series[0].slices[0].uid
    # On the first slice fat references, everything else on the others.
    kept = [
        r for r in rois
        if (r.key.slice_uid == first) == (r.key.structure is Structure.FAT_REFERENCE)
    ]  # fmt: skip
    apart = replace(rois, rois=tuple(kept))
    found = fractions(exam, apart)
    assert found
    for row in found.values():
        assert Flag.SIGNAL_NOT_CALIBRATED in row.flags
        assert "slice with a muscle outline" in row.parameters["signal_refusal"]


def test_an_image_whose_lean_muscle_is_below_0_is_refused_for_that(shaded):
    exam, rois = shaded
    for row in fractions(with_pixels(exam, lambda p: p - p.mean() - 3 * p.std()), rois).values():
        assert Flag.SIGNAL_NOT_CALIBRATED in row.flags
        assert "not above 0" in row.parameters["signal_refusal"]


@pytest.mark.parametrize("is_outlined", [False, True])
def test_signal_piled_up_beside_metal_is_not_taken_for_fat(shaded, plain, is_outlined):
    """A screw in one muscle must not lower the fractions of all others."""
    exam, rois = shaded
    roi = next(r for r in rois.rois if r.key.structure is Structure.MULTIFIDUS)
    middle = np.concatenate(roi.paths).mean(0)
    (series,) = exam.series

    def screw(item):
        pixels = item.pixels.copy()
        if item.uid == roi.key.slice_uid:
            away = np.hypot(*(np.indices(item.shape) - middle[:, None, None]))
            pixels[away < 9] = 1.25 * np.percentile(pixels, 99)
            pixels[away < 6] = 0
        return Slice.from_array(item.uid, item.plane, pixels, item.thickness_mm)

    changed = replace(series, slices=tuple(map(screw, series.slices)))
    if is_outlined:
        turn = np.linspace(0, 2 * np.pi, 30, endpoint=False)
        path = middle + 6.5 * np.stack((np.sin(turn), np.cos(turn)), axis=1)
        key = replace(roi.key, structure=Structure.ARTEFACT, side=Side.NONE)
        artefact = replace(roi, key=key, paths_mm=(roi.plane.to_patient(path),))
        rois = replace(rois, rois=(*rois.rois, artefact))
    found = fractions(mf.Exam(exam.subject, exam.timepoint, (changed,)), rois)
    own = (roi.key.slice_uid, roi.key.structure, roi.key.side)
    others = [found[key].value - row.value for key, row in plain.items() if key != own]
    assert np.abs(others).max() < 1.5


def test_fat_around_that_is_brighter_than_in_muscles_changes_visible_fat_little(shaded):
    """Depots of one body differ in signal; the threshold is that of fat in muscle."""
    exam, rois = shaded

    def brightened(item):
        own = [r for r in rois if r.key.slice_uid == item.uid and r.key.structure.is_muscle]
        muscle = sum(mf.coverage(r.paths_mm, r.plane, r.shape) for r in own)
        return item.pixels * np.where(muscle > 0, 1.0, 1.2)

    (series,) = exam.series
    slices = tuple(
        Slice.from_array(i.uid, i.plane, brightened(i), i.thickness_mm) for i in series.slices
    )
    bright = mf.Exam(exam.subject, exam.timepoint, (replace(series, slices=slices),))
    before, after = (
        {r.key: r for r in measure(each, rois) if r.quantity is Quantity.FI_PCT}
        for each in (exam, bright)
    )
    changed = [after[key].value - row.value for key, row in before.items()]
    assert np.abs(changed).mean() < 0.4
    assert all(row.parameters["fat_in_muscle"] < 0.9 for row in after.values())
