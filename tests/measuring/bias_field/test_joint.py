"""Visible fat by the field that the fat signal fraction fits to lean muscle and fat."""

from dataclasses import replace

import numpy as np
import pytest

import multifidus as mf
from multifidus.data.anatomy import Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Slice, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import BiasCorrection, MeasurementProtocol
from multifidus.figures.bias_field import draw_bias_fields
from multifidus.measuring import calibration as calibrating
from multifidus.measuring.pipeline import measure, measure_calibrated
from multifidus.phantom import PhantomSpec, make_phantom

JOINT = MeasurementProtocol(bias_correction=BiasCorrection.JOINT)
LOW_ORDER = MeasurementProtocol(bias_correction=BiasCorrection.LOW_ORDER)
OF_OUTLINES = {
    Quantity.FI_PCT,
    Quantity.FAT_CSA_MM2,
    Quantity.FCSA_MM2,
    Quantity.FF_LINEAR_PCT,
    Quantity.FF_LINEAR_CLIPPED_PCT,
    Quantity.FF_SIGNAL_PCT,
}


@pytest.fixture(scope="module")
def shaded():
    spec = PhantomSpec(
        stacks=1, slices_per_stack=2, sagittal=False, matrix=256, pixel_mm=0.86, shading=0.3
    )
    made = make_phantom(spec)
    return made, replace(made.outlines, landmarks=())


def with_pixels(exam, change, **facts):
    """Return an exam of changed pixels."""
    (series,) = exam.series
    slices = tuple(
        Slice.from_array(item.uid, item.plane, change(item), item.thickness_mm)
        for item in series.slices
    )
    return mf.Exam(exam.subject, exam.timepoint, (replace(series, slices=slices, **facts),))


def fat(exam, rois, protocol, method="pooled_otsu"):
    """Return a method's rows of single outlines by their outline and quantity."""
    rows = [row for row in measure(exam, rois, protocol) if row.method == method]
    return {(row.key, row.quantity): row for row in rows if row.quantity in OF_OUTLINES}


def values(rows):
    """Return what rows say, but for the digest of their protocol."""
    return {
        key: (repr(row.value), repr(row.uncertainty), row.flags, dict(row.parameters))
        for key, row in rows.items()
    }


def without(rois, *structures):
    return replace(rois, rois=tuple(r for r in rois if r.key.structure not in structures))


def test_visible_fat_says_that_the_joint_field_was_used_and_is_near_the_truth(shaded):
    made, rois = shaded
    truth = {(t.slice_uid, t.structure, t.side): t.fat_pct for t in made.truth}
    rows = fat(made.exam, rois, JOINT)
    assert {row.parameters["bias_correction"] for row in rows.values()} == {"joint"}
    for (key, quantity), row in rows.items():
        if quantity is Quantity.FI_PCT:
            true = truth[key.slice_uid, key.structure, key.side]
            assert row.value == pytest.approx(true, abs=2)


@pytest.mark.parametrize("method", ["linear", "signal"])
def test_the_other_default_methods_are_what_they_are_by_the_field_of_lean_muscle(shaded, method):
    """Linear mixing stays as published; the signal fraction has the joint field by any protocol."""
    made, rois = shaded
    joint, plain = (
        values(fat(made.exam, rois, protocol, method)) for protocol in (JOINT, LOW_ORDER)
    )
    assert joint == plain


def test_where_fat_lies_in_the_field_of_a_surface_coil_it_is_nearer_the_truth(shaded):
    """The field of lean muscle knows nothing of the places of fat references."""
    made, rois = shaded
    muscles = [r for r in rois if r.key.structure is Structure.MULTIFIDUS]
    back = max(float(path[:, 1].max()) for roi in muscles for path in roi.paths_mm) + 30

    def coil(item):
        y = item.plane.to_patient(np.indices(item.shape).reshape(2, -1).T)[:, 1]
        gain = (1 + ((y - back) / 70) ** 2) ** -1.2
        return item.pixels * gain.reshape(item.shape)

    truth = {(t.slice_uid, t.structure, t.side): t.fat_pct for t in made.truth}
    back_muscles = {Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE}
    off = {}
    for protocol in (JOINT, LOW_ORDER):
        rows = fat(with_pixels(made.exam, coil), rois, protocol)
        off[protocol.bias_correction] = np.mean(
            [
                abs(row.value - truth[key.slice_uid, key.structure, key.side])
                for (key, quantity), row in rows.items()
                if quantity is Quantity.FI_PCT and key.structure in back_muscles
            ]
        )
    assert off["joint"] < off["low_order"]
    assert off["joint"] < 2


def test_what_shading_the_field_can_hold_changes_little(shaded):
    made, rois = shaded
    (series,) = made.exam.series
    middle = series.slices[0].plane.to_patient([[128, 128]])[0, 0]

    def across(item):
        x = item.plane.to_patient(np.indices(item.shape).reshape(2, -1).T)[:, 0]
        return item.pixels * np.exp(0.2 * (x - middle) / 40).reshape(item.shape)

    before, after = (fat(exam, rois, JOINT) for exam in (made.exam, with_pixels(made.exam, across)))
    for key, row in before.items():
        if key[1] is Quantity.FI_PCT:
            assert after[key].value == pytest.approx(row.value, abs=1)


def test_where_there_is_no_joint_field_it_is_as_by_the_field_of_lean_muscle_with_the_reason(shaded):
    """Otsu of each outline needs no references; the joint field does."""
    made, rois = shaded
    bare = without(rois, Structure.FAT_REFERENCE)
    protocols = [replace(each, fat_methods=("otsu", "linear")) for each in (JOINT, LOW_ORDER)]
    joint, plain = (fat(made.exam, bare, protocol, "otsu") for protocol in protocols)
    assert {row.parameters["bias_correction"] for row in joint.values()} == {"low_order"}
    assert {row.parameters["joint_refusal"] for row in joint.values()} == {
        "the references cannot be used"
    }
    for key, row in joint.items():
        assert (repr(row.value), row.flags) == (repr(plain[key].value), plain[key].flags)
        assert "joint_refusal" not in plain[key].parameters


def test_images_that_show_no_shading_of_lean_muscle_are_left_alone(shaded):
    made, rois = shaded
    exam = with_pixels(made.exam, lambda item: item.pixels, weighting=Weighting.DIXON_FAT)
    joint, plain = (values(fat(exam, rois, protocol)) for protocol in (JOINT, LOW_ORDER))
    assert joint == plain
    assert {item[3]["bias_correction"] for item in joint.values()} == {"none"}


def test_the_field_is_fitted_once_for_all_methods(shaded, monkeypatch):
    made, rois = shaded
    fitted = []

    def counted(members):
        fitted.append(len(members))
        return plain(members)

    plain = calibrating.calibrate_signal
    monkeypatch.setattr(calibrating, "calibrate_signal", counted)
    measure(made.exam, rois, JOINT)
    assert len(fitted) == 1


def test_it_is_fitted_for_visible_fat_alone_as_well(shaded):
    made, rois = shaded
    alone = fat(made.exam, rois, replace(JOINT, fat_methods=("pooled_otsu",)))
    beside = fat(made.exam, rois, JOINT)
    assert {key: (row.value, row.uncertainty) for key, row in alone.items()} == {
        key: (row.value, row.uncertainty) for key, row in beside.items()
    }


def test_a_reference_beyond_the_muscles_is_no_doubt_about_the_joint_field(shaded):
    made, rois = shaded
    far = tuple(
        replace(r, paths_mm=tuple(path + 4 * r.plane.row_step_mm for path in r.paths_mm))
        if r.key.structure is Structure.FAT_REFERENCE
        else r
        for r in rois.rois
    )
    moved = replace(rois, rois=far)
    for method, is_flagged in (("pooled_otsu", False), ("linear", True)):
        for row in fat(made.exam, moved, JOINT, method).values():
            assert (Flag.REFERENCE_OUTSIDE_FIELD in row.flags) is is_flagged


def test_on_a_slice_without_a_muscle_the_field_is_that_of_all_slices(shaded):
    """A reference may lie on a slice of its own."""
    made, rois = shaded
    first, second = made.exam.series[0].slices
    on_first = replace(rois, rois=tuple(r for r in rois if r.key.slice_uid == first.uid))
    _, calibration = measure_calibrated(made.exam, on_first, JOINT)
    (group,) = calibration.groups.values()
    own, other = group.bias_field.gain(first), group.bias_field.gain(second)
    assert np.isfinite(other).all()
    middle = slice(100, 156), slice(100, 156)
    assert np.abs(np.log(other / own))[middle].max() < 0.2


def test_a_correction_by_the_joint_field_is_drawn(shaded, tmp_path):
    made, rois = shaded
    _, calibration = measure_calibrated(made.exam, rois, JOINT)
    ((name, caption),) = draw_bias_fields(made.exam, rois, calibration, tmp_path)
    assert "lean muscle and fat" in caption
    assert (tmp_path / name).is_file()
