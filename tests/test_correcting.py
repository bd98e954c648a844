from dataclasses import replace

import numpy as np
import pytest

from multifidus.anatomy import Structure
from multifidus.flag import Flag
from multifidus.image import Weighting
from multifidus.measurement import Quantity
from multifidus.measuring import measure
from multifidus.phantom import PhantomSpec, make_phantom
from multifidus.protocol import BiasCorrection, MeasurementProtocol
from multifidus.report.bias import draw_corrections
from multifidus.roi import RoiSet

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


def test_a_correction_is_drawn_and_none_where_there_was_none(shaded, tmp_path):
    from PIL import Image

    made, rois = shaded
    ((name, caption),) = draw_corrections(made.exam, rois, LOW_ORDER, tmp_path)
    assert "low_order" in caption
    before, after, field = np.split(_panels(Image.open(tmp_path / name)), 3, axis=1)
    assert np.abs(before - after).max() > 20
    assert np.ptp(field) > 60
    assert draw_corrections(made.exam, rois, NONE, tmp_path) == []
    bare = without(rois, Structure.LEAN_REFERENCE)
    assert draw_corrections(made.exam, bare, LOW_ORDER, tmp_path) == []
    assert draw_corrections(made.exam, RoiSet(), LOW_ORDER, tmp_path) == []


def test_references_proposed_for_a_measurement_serve_its_picture_too(shaded, tmp_path):
    made, rois = shaded
    bare = without(without(rois, Structure.LEAN_REFERENCE), Structure.FAT_REFERENCE)
    proposing = replace(LOW_ORDER, propose_references=True)
    assert len(draw_corrections(made.exam, bare, proposing, tmp_path)) == 1


def _panels(image):
    """Cut the strip and the gaps away, grey values of three panels side by side."""
    from multifidus.report.bias import GAP, STRIP

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
