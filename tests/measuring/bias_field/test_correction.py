from dataclasses import replace

import numpy as np
import pytest

from multifidus.data.anatomy import Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Slice, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import BiasCorrection, MeasurementProtocol
from multifidus.data.roi_set import RoiSet
from multifidus.figures.bias_field import draw_bias_fields
from multifidus.measuring.bias_field.low_order import Refusal
from multifidus.measuring.pipeline import measure, measure_calibrated
from multifidus.phantom import PhantomSpec, make_phantom

NONE = MeasurementProtocol(bias_correction=BiasCorrection.NONE)
LOW_ORDER = MeasurementProtocol(bias_correction=BiasCorrection.LOW_ORDER)


@pytest.fixture(scope="module")
def shaded():
    spec = PhantomSpec(
        stacks=1, slices_per_stack=2, sagittal=False, matrix=192, pixel_mm=1.2, shading=0.3
    )
    made = make_phantom(spec)
    return made, replace(made.outlines, landmarks=())


def found(made, rois, protocol, quantity=Quantity.FI_PCT):
    return [row for row in measure(made.exam, rois, protocol) if row.quantity is quantity]


def errors(made, rois, protocol):
    truth = {(t.slice_uid, t.structure, t.side): t.fat_pct for t in made.truth}
    return [
        abs(row.value - truth[row.key.slice_uid, row.key.structure, row.key.side])
        for row in found(made, rois, protocol)
    ]


def test_fat_under_shading_is_nearer_the_truth_when_it_is_corrected(shaded):
    assert np.mean(errors(*shaded, LOW_ORDER)) < np.mean(errors(*shaded, NONE))


def test_what_was_done_stands_on_the_row(shaded):
    for protocol in (NONE, LOW_ORDER):
        rows = found(*shaded, protocol)
        assert {row.parameters["bias_correction"] for row in rows} == {protocol.bias_correction}
        assert not any(Flag.BIAS_NOT_CORRECTED in row.flags for row in rows)
    gains = {row.key.structure: row.parameters["bias_gain"] for row in rows}
    # The coil lies on the back, and the psoas in front.
    assert gains[Structure.PSOAS] < 0.95
    assert gains[Structure.ERECTOR_SPINAE] > 1.02


@pytest.mark.parametrize("quantity", [Quantity.TCSA_MM2, Quantity.VALID_CSA_MM2, Quantity.MEAN_SI])
def test_areas_signal_and_hash_are_of_the_image_as_it_is(shaded, quantity):
    plain, corrected = (found(*shaded, protocol, quantity) for protocol in (NONE, LOW_ORDER))
    for one, other in zip(plain, corrected, strict=True):
        assert (one.value, one.provenance.image_sha256) == (
            other.value, other.provenance.image_sha256,
        )  # fmt: skip


def without(rois, structure):
    return replace(rois, rois=tuple(r for r in rois if r.key.structure is not structure))


def test_without_lean_muscle_to_fit_nothing_is_corrected_and_that_is_said(shaded):
    made, rois = shaded
    bare = without(rois, Structure.LEAN_REFERENCE)
    fixed = {"fat_methods": ("fixed",), "fixed_threshold": 400.0}
    rows = found(made, bare, MeasurementProtocol(**fixed))
    plain = found(made, bare, MeasurementProtocol(**fixed, bias_correction="none"))
    assert all(Flag.BIAS_NOT_CORRECTED in row.flags for row in rows)
    assert [row.value for row in rows] == [row.value for row in plain]
    assert not any(Flag.BIAS_NOT_CORRECTED in row.flags for row in plain)
    assert {row.parameters["bias_correction"] for row in rows} == {"none"}


def test_a_number_that_is_missing_anyway_is_not_doubted_as_well(shaded):
    made, rois = shaded
    rows = found(made, without(rois, Structure.LEAN_REFERENCE), LOW_ORDER)
    assert all(row.flags == (Flag.NO_REFERENCE,) for row in rows)


def test_images_that_show_no_shading_of_lean_muscle_are_left_alone(shaded):
    made, rois = shaded
    series = tuple(replace(s, weighting=Weighting.DIXON_FAT) for s in made.exam.series)
    exam = replace(made.exam, series=series)
    rows = [row for row in measure(exam, rois, LOW_ORDER) if row.quantity is Quantity.FI_PCT]
    assert {row.parameters["bias_correction"] for row in rows} == {"none"}
    assert not any(Flag.BIAS_NOT_CORRECTED in row.flags for row in rows)


def test_n4_corrects_as_well_and_says_so(shaded):
    pytest.importorskip("SimpleITK")
    rows = found(*shaded, MeasurementProtocol(bias_correction=BiasCorrection.N4))
    assert {row.parameters["bias_correction"] for row in rows} == {"n4"}
    gains = [row.parameters["bias_gain"] for row in rows]
    assert np.mean(np.log(gains)) == pytest.approx(0, abs=0.1)
    assert len(set(gains)) == len(gains)


def drawn(exam, rois, protocol, folder):
    """Draw what was corrected when these outlines were measured."""
    return draw_bias_fields(exam, rois, measure_calibrated(exam, rois, protocol)[1], folder)


def test_a_correction_is_drawn_and_none_where_there_was_none(shaded, tmp_path):
    from PIL import Image

    made, rois = shaded
    ((name, caption),) = drawn(made.exam, rois, LOW_ORDER, tmp_path)
    assert "a smooth field fitted to lean muscle" in caption
    before, after, field = np.split(_panels(Image.open(tmp_path / name)), 3, axis=1)
    assert np.abs(before - after).max() > 20
    assert np.ptp(field) > 60
    assert drawn(made.exam, rois, NONE, tmp_path) == []
    bare = without(rois, Structure.LEAN_REFERENCE)
    assert drawn(made.exam, bare, LOW_ORDER, tmp_path) == []
    assert drawn(made.exam, RoiSet(), LOW_ORDER, tmp_path) == []


def test_references_proposed_for_a_measurement_serve_its_picture_too(shaded, tmp_path):
    made, rois = shaded
    bare = without(without(rois, Structure.LEAN_REFERENCE), Structure.FAT_REFERENCE)
    proposing = replace(LOW_ORDER, propose_references=True)
    assert len(drawn(made.exam, bare, proposing, tmp_path)) == 1


def _panels(image):
    """Cut the strip and the gaps away, grey values of three panels side by side."""
    from multifidus.figures.bias_field import GAP, STRIP

    grey = np.asarray(image.convert("L"), dtype=float)[STRIP:]
    width = (grey.shape[1] - 2 * GAP) // 3
    return np.hstack([grey[:, n * (width + GAP) :][:, :width] for n in range(3)])


def test_a_threshold_given_is_one_of_the_image_as_it_is(shaded):
    """Whatever else the protocol names, the numbers are those without correction."""
    given = {
        "fat_methods": ("pooled_otsu", "fixed"),
        "fixed_threshold": 400.0,
        "regional_fat": True,
    }
    plain, corrected = (
        [
            row
            for row in measure(shaded[0].exam, shaded[1], replace(protocol, **given))
            if row.method == "fixed" and row.key.structure.is_muscle
        ]
        for protocol in (NONE, LOW_ORDER)
    )
    assert len(plain) == len(corrected) > 0
    for one, other in zip(plain, corrected, strict=True):
        assert one.quantity is other.quantity
        assert one.value == other.value
        assert other.parameters.get("bias_correction", "none") == "none"
        assert "bias_gain" not in other.parameters
        for name in ("threshold", "u_boundary", "u_placement"):
            assert one.parameters.get(name) == other.parameters.get(name)


def refused_rows(made, rois, changed, protocol=LOW_ORDER):
    """Measure outlines on an exam whose signal was multiplied by a field."""
    series = made.exam.series[0]
    slices = tuple(
        Slice.from_array(item.uid, item.plane, item.pixels * changed(item), item.thickness_mm)
        for item in series.slices
    )
    exam = replace(made.exam, series=(replace(series, slices=slices),))
    rows = measure(exam, rois, protocol)
    return [row for row in rows if row.quantity in {Quantity.FI_PCT, Quantity.FF_LINEAR_PCT}]


def under(rois, item, structure):
    from multifidus.measuring.coverage import coverage_box

    found = np.zeros(item.shape)
    for roi in rois:
        if roi.key.structure is structure and roi.key.slice_uid == item.uid:
            found += coverage_box(roi.paths, item.shape).full(item.shape)
    return found > 0


def across(item):
    """Return how far each pixel lies to the patient's left."""
    places = item.plane.to_patient(np.indices(item.shape).reshape(2, -1).T)
    return (places - places.mean(axis=0))[:, 0].reshape(item.shape)


def test_references_that_would_become_unequal_are_the_reason_given_not_too_little_muscle(shaded):
    made, rois = shaded
    rows = refused_rows(
        made, rois, lambda item: np.where(under(rois, item, Structure.LEAN_REFERENCE), 1.7, 1.0)
    )
    assert {row.parameters["bias_refusal"] for row in rows} == {Refusal.UNEQUAL}
    for row in rows:
        assert {Flag.BIAS_NOT_CORRECTED, Flag.LEAN_REFERENCES_UNEQUAL} <= {*row.flags}
    assert "too little" not in Flag.BIAS_NOT_CORRECTED.meaning


def test_shading_too_strong_is_the_reason_given(shaded):
    made, rois = shaded
    # A threshold that is given has a number whatever shading does to the references.
    fixed = MeasurementProtocol(fat_methods=("fixed",), fixed_threshold=400.0)
    rows = refused_rows(made, rois, lambda item: np.exp(across(item) / 60), fixed)
    assert {row.parameters["bias_refusal"] for row in rows} == {Refusal.STRONG}
    for row in rows:
        assert {Flag.BIAS_NOT_CORRECTED, Flag.SHADING_STRONG} <= {*row.flags}


def test_too_little_lean_muscle_is_a_reason_of_its_own(shaded):
    made, rois = shaded
    bare = without(rois, Structure.LEAN_REFERENCE)
    fixed = MeasurementProtocol(fat_methods=("fixed",), fixed_threshold=400.0)
    rows = found(made, bare, fixed)
    assert {row.parameters["bias_refusal"] for row in rows} == {Refusal.NO_REFERENCE}
    beside = {Flag.SHADING_STRONG, Flag.SHADING_UNCLEAR, Flag.LEAN_REFERENCES_UNEQUAL}
    assert not beside & {flag for row in rows for flag in row.flags}


def test_what_was_corrected_has_no_reason_why_not(shaded):
    assert not any("bias_refusal" in row.parameters for row in found(*shaded, LOW_ORDER))


def moved(rois, by_mm):
    """Return the outlines with their fat references moved away from the body's midline."""

    def away(roi):
        if roi.key.structure is not Structure.FAT_REFERENCE:
            return roi
        shift = np.array((np.sign(roi.centroid_mm[0]) * by_mm, 0.0, 0.0))
        column = roi.plane.column_step_mm
        steps = float(shift @ column) / float(column @ column)
        return replace(roi, paths_mm=tuple(path + steps * column for path in roi.paths_mm))

    return replace(rois, rois=tuple(map(away, rois)))


def test_a_fat_reference_outside_the_fitted_region_is_flagged_where_fat_rests_on_it(shaded):
    made, rois = shaded
    methods = ("pooled_otsu", "linear", "midpoint", "circle_max", "mean_ksd", "otsu")
    protocol = replace(LOW_ORDER, fat_methods=methods)
    for by_mm, flagged in ((0.0, set()), (40.0, {"pooled_otsu", "linear", "midpoint"})):
        rows = [
            row
            for row in measure(made.exam, moved(rois, by_mm), protocol)
            if row.quantity in {Quantity.FI_PCT, Quantity.FF_LINEAR_PCT}
        ]
        outside = [row for row in rows if Flag.REFERENCE_OUTSIDE_FIELD in row.flags]
        assert {row.method for row in outside} == flagged
        noted = {row.method for row in rows if "reference_outside_mm" in row.parameters}
        assert noted == flagged
        for row in outside:
            assert by_mm - 15 < row.parameters["reference_outside_mm"] < by_mm + 15


def test_without_a_fitted_region_no_reference_is_outside_of_it(shaded):
    made, rois = shaded
    rows = found(made, moved(rois, 40.0), NONE)
    assert not any(Flag.REFERENCE_OUTSIDE_FIELD in row.flags for row in rows)
