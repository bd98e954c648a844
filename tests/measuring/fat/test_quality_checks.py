"""What is doubtful about a muscle's fat: seen by a threshold, by mixing, in a void."""

from dataclasses import replace

import numpy as np
import pytest

from multifidus.data.anatomy import Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.roi_set import RoiSet
from multifidus.measuring.fat.quality_checks import with_mixing
from multifidus.measuring.pipeline import measure
from multifidus.phantom import PhantomSpec, make_phantom
from multifidus.study.summary import summary_rows
from tests.support.exams import circle, exam_of, image_slice, outline

DEFAULT = MeasurementProtocol()
PLAIN = MeasurementProtocol(bias_correction="none")
FAT_ROWS = {
    Quantity.FI_PCT,
    Quantity.FAT_CSA_MM2,
    Quantity.FCSA_MM2,
    Quantity.FF_LINEAR_PCT,
    Quantity.FF_LINEAR_CLIPPED_PCT,
    Quantity.FF_SIGNAL_PCT,
}
MUSCLE, OTHER = circle(60, 40, 30), circle(60, 170, 30)
ROWS, COLUMNS = np.indices((120, 210))


def within(row, column, radius):
    return np.hypot(ROWS - row, COLUMNS - column) < radius


def exam_and_outlines(pixels):
    """A muscle at each edge of the image; lean muscle and fat, one below the other, between."""
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((2, *pixels.shape)) * 5
    item = image_slice(np.hypot(pixels + noise[0], noise[1]))
    rois = (
        outline(item, MUSCLE, side=Side.RIGHT),
        outline(item, OTHER, side=Side.LEFT),
        outline(item, circle(30, 110, 12), Structure.LEAN_REFERENCE),
        outline(item, circle(90, 110, 12), Structure.FAT_REFERENCE),
    )
    return exam_of(item), RoiSet(rois)


def _muscles():
    return within(60, 40, 34) | within(60, 170, 34)


def lean():
    pixels = np.full(ROWS.shape, 100.0)
    pixels[within(90, 110, 16)] = 400.0
    return pixels


def diffuse(share):
    pixels = lean()
    pixels[_muscles()] = 100 + 300 * share
    return pixels


def streaky():
    pixels = lean()
    pixels[_muscles() & (COLUMNS % 10 < 2)] = 400.0
    return pixels


def measured(pixels, protocol=PLAIN):
    exam, rois = exam_and_outlines(pixels)
    return [row for row in measure(exam, rois, protocol) if row.key.side is Side.RIGHT]


def flagged(rows, flag):
    return {(row.quantity, row.method) for row in rows if flag in row.flags}


def test_fat_that_shares_its_pixels_with_muscle_is_flagged_on_the_rows_of_all_methods():
    rows = measured(diffuse(0.2))
    values = {row.quantity: row.value for row in rows}
    assert values[Quantity.FI_PCT] < 1
    assert values[Quantity.FF_LINEAR_PCT] == pytest.approx(20, abs=1)
    found = flagged(rows, Flag.DIFFUSE_FAT)
    assert {quantity for quantity, _ in found} == FAT_ROWS
    assert {method for _, method in found} == {"pooled_otsu", "signal", "linear"}


def test_the_level_s_row_of_the_summary_carries_the_flag():
    (row,) = summary_rows(measured(diffuse(0.2)), PLAIN)
    assert "diffuse_fat" in row["flags"].split(";")


@pytest.mark.parametrize("pixels", [lean(), streaky()], ids=["lean", "streaks"])
def test_lean_muscle_and_streaks_of_fat_are_not_flagged(pixels):
    rows = measured(pixels)
    assert not flagged(rows, Flag.DIFFUSE_FAT) | flagged(rows, Flag.FAT_METHODS_DIFFER)


@pytest.mark.parametrize("method", ["pooled_otsu", "midpoint"])
def test_a_threshold_is_held_against_mixing_that_nobody_asked_for(method):
    protocol = replace(PLAIN, fat_methods=(method,))
    rows = measured(diffuse(0.2), protocol)
    assert {row.method for row in rows} == {"", method}
    assert (Quantity.FI_PCT, method) in flagged(rows, Flag.DIFFUSE_FAT)
    alone = measured(diffuse(0.2), replace(PLAIN, fat_methods=(method, "linear")))
    assert {row.quantity: repr(row.value) for row in rows} == {
        row.quantity: repr(row.value) for row in alone if row.method in {"", method}
    }


def test_where_there_is_a_signal_fraction_the_threshold_is_held_against_that():
    """The same fat by all: what linear mixing alone says of the muscle flags its own rows only."""
    rows = measured(diffuse(0.2))
    by_quantity = {row.quantity: row for row in rows}
    cut, signal = by_quantity[Quantity.FI_PCT], by_quantity[Quantity.FF_SIGNAL_PCT]
    apart = signal.value - cut.value
    parts = [v for n, v in cut.parameters.items() if n[:2] == "u_" and n != "u_partial_volume"]
    limit = max(float(np.hypot(np.linalg.norm(parts), signal.uncertainty)), 2.0)
    assert (Flag.DIFFUSE_FAT in cut.flags) == (Flag.DIFFUSE_FAT in signal.flags) == (apart > limit)
    assert Flag.DIFFUSE_FAT in by_quantity[Quantity.FF_LINEAR_PCT].flags


def test_mixing_alone_is_held_against_nothing():
    protocol = replace(PLAIN, fat_methods=("linear",))
    assert with_mixing(protocol) is protocol
    assert not flagged(measured(diffuse(0.2), protocol), Flag.DIFFUSE_FAT)
    assert with_mixing(replace(PLAIN, fat_methods=("otsu",))).fat_methods == (FatMethod.OTSU,)


def test_muscle_darker_than_the_lean_reference_is_flagged_as_another_disagreement():
    pixels = lean()
    pixels[_muscles()] = 70.0
    rows = measured(pixels)
    assert not flagged(rows, Flag.DIFFUSE_FAT) | flagged(rows, Flag.LOW_SIGNAL)
    assert (Quantity.FF_LINEAR_PCT, "linear") in flagged(rows, Flag.FAT_METHODS_DIFFER)


def with_void():
    pixels = streaky()
    pixels[within(60, 50, 9)] = 0.0
    return pixels


def test_a_void_that_nobody_outlined_is_flagged_with_its_share_on_all_that_rests_on_signal():
    rows = measured(with_void())
    found = {quantity for quantity, _ in flagged(rows, Flag.LOW_SIGNAL)}
    assert found == FAT_ROWS | {Quantity.MEAN_SI, Quantity.VALID_CSA_MM2}
    (fat,) = (row for row in rows if row.quantity is Quantity.FI_PCT)
    assert fat.parameters["low_signal_pct"] == pytest.approx(100 * 9**2 / 30**2, rel=0.05)


def test_a_void_outlined_as_artefact_is_not_flagged():
    exam, rois = exam_and_outlines(with_void())
    item = exam.series[0].slices[0]
    metal = outline(item, circle(60, 50, 10), Structure.ARTEFACT)
    rows = measure(exam, replace(rois, rois=(*rois, metal)), PLAIN)
    assert not flagged(rows, Flag.LOW_SIGNAL)


def test_without_references_a_void_is_told_by_the_muscle_itself():
    exam, rois = exam_and_outlines(with_void())
    bare = RoiSet(tuple(roi for roi in rois if roi.key.structure.is_muscle))
    protocol = replace(PLAIN, fat_methods=("fixed",), fixed_threshold=250.0)
    rows = measure(exam, bare, protocol)
    assert (Quantity.FI_PCT, "fixed") in flagged(rows, Flag.LOW_SIGNAL)


def test_fat_is_dark_on_a_water_image_and_no_void_but_water_and_fat_together_show_one():
    fat = np.where(streaky() > 200, 100.0, 5.0)
    water = np.where(streaky() > 200, 5.0, 100.0)
    for is_void in (False, True):
        kept = np.where(within(60, 50, 9) & is_void, 0.02, 1.0)
        images = [image_slice(each * kept, uid=uid) for each, uid in ((fat, "1.1"), (water, "1.2"))]
        kinds = (Weighting.DIXON_FAT, Weighting.DIXON_WATER)
        series = tuple(
            Series(f"9.{n}", (item,), kind)
            for n, (item, kind) in enumerate(zip(images, kinds, strict=True))
        )
        rois = RoiSet((outline(images[1], MUSCLE, side=Side.RIGHT),))
        rows = measure(Exam("S01", "pre", series), rois)
        found = {quantity for quantity, _ in flagged(rows, Flag.LOW_SIGNAL)}
        assert (Quantity.DIXON_FF_MEAN_PCT in found) == is_void


PHANTOM = {"stacks": 2, "slices_per_stack": 1, "sagittal": False, "matrix": 240, "pixel_mm": 0.9}


@pytest.mark.parametrize("facts", [{}, {"shading": 0.3}, {"snr": 8.0}, {"contrast": 2.5}], ids=str)
@pytest.mark.parametrize("variant", ["healthy", "patient", "post_open"])
def test_the_phantom_s_streaks_and_noise_raise_no_doubt(variant, facts):
    made = make_phantom(PhantomSpec(variant=variant, seed=5, **PHANTOM, **facts))
    raised = {flag for row in measure(made.exam, made.outlines) for flag in row.flags}
    assert not raised & {
        Flag.DIFFUSE_FAT,
        Flag.FAT_METHODS_DIFFER,
        Flag.LOW_SIGNAL,
        Flag.AREA_IMPLAUSIBLE,
        Flag.REFERENCE_OUTSIDE_FIELD,
        Flag.REFERENCE_INCONSISTENT,
        Flag.FEW_POINTS,
    }


@pytest.mark.real_data
def test_the_real_dixon_exam_as_a_t2_like_image_is_mostly_flagged_diffuse(shared_data):
    """S = W + 4 F: hardly a voxel is more than half fat; mixing sees what a threshold misses."""
    rows = [
        row
        for row in measure(*_t2_like(shared_data / "a01_real_lumbar_dixon_TUM01"), DEFAULT)
        if row.key.structure is Structure.MULTIFIDUS and row.key.side in {Side.LEFT, Side.RIGHT}
    ]
    own = {q: [row for row in rows if row.quantity is q] for q in FAT_ROWS}
    # The field of lean muscle is refused here; by the joint field some voxels are fat.
    assert np.mean([row.value for row in own[Quantity.FI_PCT]]) < 1.5
    assert np.mean([row.value for row in own[Quantity.FF_LINEAR_PCT]]) > 3
    for quantity in (Quantity.FI_PCT, Quantity.FF_SIGNAL_PCT):
        share = np.mean([Flag.DIFFUSE_FAT in row.flags for row in own[quantity]])
        assert share > 0.8
        assert not any(Flag.LOW_SIGNAL in row.flags for row in own[quantity])
        assert not any(Flag.AREA_IMPLAUSIBLE in row.flags for row in own[quantity])


def _t2_like(folder):
    """Return the exam as one T2-like series, with its manual outlines and references."""
    from multifidus.io.outlines import read_rois
    from multifidus.io.read import read_exam
    from multifidus.measuring.propose_references import propose_references

    pair = read_exam(fat=folder / "fat.nii.gz", water=folder / "water.nii.gz", pair_by="index")
    rois = read_rois(folder / "label_fatgrid.nii.gz", pair, labels="lpm")
    fat, water = (
        next(series for series in pair.series if series.weighting is kind)
        for kind in (Weighting.DIXON_FAT, Weighting.DIXON_WATER)
    )
    slices = tuple(
        Slice.from_array(one.uid, one.plane, other.pixels + 4 * one.pixels, one.thickness_mm)
        for one, other in zip(fat.slices, water.slices, strict=True)
    )
    exam = Exam(pair.subject, pair.timepoint, (Series(fat.uid, slices, Weighting.T2),))
    return exam, rois | propose_references(exam, rois)
