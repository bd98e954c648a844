"""Numbers that follow from others: truth by hand, from shapes and signals chosen for it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.clinical import Clinical
from multifidus.data.flags import Flag
from multifidus.data.geometry import Plane
from multifidus.data.image import Exam, Series, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading, Source
from multifidus.data.roi_set import Grade, NotMeasurable, Reason, RoiSet, SliceLevel
from multifidus.errors import RoiError
from multifidus.measuring.derived.combine import by_outline, shared
from multifidus.measuring.derived.comparisons import side_rows
from multifidus.measuring.fat.quality_checks import is_recent
from multifidus.measuring.pipeline import measure
from multifidus.phantom import PhantomSpec, make_phantom
from tests.support.exams import READER, axial_plane, box, circle, exam_of, image_slice, outline
from tests.support.strategies import numbers, rotations, simple_polygons

LEAN, FAT = 100.0, 400.0
SHAPE = (80, 100)
LEFT_BOX, RIGHT_BOX = box(10, 50, 29, 69), box(10, 20, 29, 35)
"""20 x 20 and 20 x 16 pixels of 0.25 mm2: 100 and 80 mm2."""

FIXED = MeasurementProtocol(("fixed",), fixed_threshold=250)


def pixels():
    """Return lean signal, a quarter of the left muscle and an eighth of the right one fat."""
    image = np.full(SHAPE, LEAN)
    image[10:15, 50:70] = FAT
    image[10:20, 20:24] = FAT
    image[60:70, 10:20] = 50.0
    image[60:70, 60:70] = 200.0
    image[40:50, 40:60] = 800.0
    return image


SLICE = image_slice(pixels())


def muscles(item=SLICE, **facts):
    # Boxes along pixels stand for what a label map gives.
    facts = {"level": Level.L4_L5, "source": Source.IMPORTED} | facts
    return (
        outline(item, LEFT_BOX, side=Side.LEFT, **facts),
        outline(item, RIGHT_BOX, side=Side.RIGHT, **facts),
    )


def derived(rois, exam=None, protocol=FIXED, **where):
    """Return {(quantity, side): measurement} of the multifidus."""
    rois = rois if isinstance(rois, RoiSet) else RoiSet(tuple(rois))
    rows = measure(exam or exam_of(SLICE), rois, protocol)
    wanted = {"structure": Structure.MULTIFIDUS} | where
    return {
        (row.quantity.value, row.key.side.value): row
        for row in rows
        if all(getattr(row.key, name) == value for name, value in wanted.items())
    }


def with_clinical(exam, **facts):
    return replace(exam, clinical=Clinical(**facts))


def test_both_sides_are_compared():
    rows = derived(muscles())
    both = {quantity: row.value for (quantity, side), row in rows.items() if side == "both"}
    assert both == pytest.approx(
        {
            "asymmetry_pct": 100 * (80 - 100) / 90,
            "asymmetry_max_pct": 20,
            "fcsa_asymmetry_pct": 100 * (70 - 75) / 72.5,
            "fcsa_asymmetry_max_pct": 100 * 5 / 75,
            "fi_difference_pct": 12.5 - 25,
            "storheim_grade": 0,
        }
    )
    grade = rows["storheim_grade", "both"]
    assert grade.parameters["fi_both_pct"] == pytest.approx(100 * (25 + 10) / 180)
    assert grade.method == "fixed"
    row = rows["asymmetry_pct", "both"]
    assert row.parameters == pytest.approx({"right": 80, "left": 100})
    assert (row.method, row.n_pixels, row.key.slice_uid) == ("", 720, SLICE.uid)


def test_what_compares_the_sides_is_as_uncertain_as_they_are():
    rows = derived(muscles())
    u = {
        (quantity, side): row.uncertainty / row.value
        for (quantity, side), row in rows.items()
        if quantity in {"tcsa_mm2", "fcsa_mm2"}
    }
    for name, area in (("asymmetry_pct", "tcsa_mm2"), ("fcsa_asymmetry_pct", "fcsa_mm2")):
        # Of s = 2 (R - L) / (R + L): both relative errors count, each by 4 R L / (R + L)^2.
        right, left = (rows[area, side].value for side in ("right", "left"))
        share = 400 * right * left / (right + left) ** 2
        expected = share * math.hypot(u[area, "right"], u[area, "left"])
        assert rows[name, "both"].uncertainty == pytest.approx(expected)
    fat = [rows["fi_pct", side].uncertainty for side in ("right", "left")]
    assert rows["fi_difference_pct", "both"].uncertainty == pytest.approx(math.hypot(*fat))
    assert math.isnan(rows["storheim_grade", "both"].uncertainty)


def test_one_side_alone_has_no_asymmetry():
    rows = derived(muscles()[:1])
    assert {side for _, side in rows} == {"left"}


def test_what_is_known_of_one_side_alone_is_not_compared():
    rows = measure(exam_of(SLICE), RoiSet(muscles()), FIXED)
    known = [r for r in rows if r.key.side is Side.RIGHT or r.quantity is not Quantity.FI_PCT]
    compared = {row.quantity for row in side_rows(by_outline(known), Clinical())}
    assert Quantity.FI_DIFFERENCE_PCT not in compared
    assert Quantity.ASYMMETRY_PCT in compared


def test_only_muscles_have_sides_to_compare():
    rois = [
        outline(SLICE, path, Structure.SUBCUTANEOUS_FAT, side)
        for path, side in ((LEFT_BOX, Side.LEFT), (RIGHT_BOX, Side.RIGHT))
    ]
    rows = derived(rois, structure=Structure.SUBCUTANEOUS_FAT)
    assert {side for _, side in rows} == {"left", "right"}


def test_undefined_fat_on_one_side_leaves_the_comparison_undefined_with_its_reason():
    rows = derived(muscles(), protocol=MeasurementProtocol(("pooled_otsu",)))
    for name in ("fcsa_asymmetry_pct", "fi_difference_pct", "storheim_grade"):
        row = rows[name, "both"]
        assert math.isnan(row.value)
        assert Flag.NO_REFERENCE in row.flags
        assert Flag.ZERO_DENOMINATOR not in row.flags
    assert rows["asymmetry_pct", "both"].flags == ()


def test_of_no_lean_muscle_at_all_there_is_no_asymmetry():
    rows = derived(muscles(), protocol=MeasurementProtocol(("fixed",), fixed_threshold=-1))
    row = rows["fcsa_asymmetry_pct", "both"]
    assert math.isnan(row.value)
    assert Flag.ZERO_DENOMINATOR in row.flags


OPERATED = {"operated_levels": (Level.L4_L5,)}


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        (Side.LEFT, (125.0, 100 * 75 / 70, 12.5)),
        (Side.RIGHT, (80.0, 100 * 70 / 75, -12.5)),
    ],
)
def test_the_operated_side_is_compared_with_the_other(side, expected):
    rows = derived(muscles(), with_clinical(exam_of(SLICE), operated_side=side, **OPERATED))
    names = (
        "operated_contralateral_pct",
        "fcsa_operated_contralateral_pct",
        "fi_operated_difference_pct",
    )
    assert [rows[name, "both"].value for name in names] == pytest.approx(expected)
    assert rows[names[0], "both"].parameters["operated_side"] == side.value


@pytest.mark.parametrize(
    "facts",
    [
        {"operated_side": Side.BOTH, **OPERATED},
        {"operated_side": Side.NONE, **OPERATED},
        {"operated_side": Side.LEFT, "operated_levels": (Level.L5_S1,)},
        {"operated_side": Side.LEFT},
        OPERATED,
    ],
    ids=["both", "midline", "another level", "no level", "no side"],
)
def test_without_one_operated_side_at_this_level_nothing_is_compared(facts):
    rows = derived(muscles(), with_clinical(exam_of(SLICE), **facts))
    assert not any("operated" in quantity for quantity, _ in rows)


def test_area_for_the_subjects_size():
    exam = with_clinical(exam_of(SLICE), height_cm=200.0, weight_kg=100.0)
    rows = derived(muscles(), exam)
    assert rows["tcsa_per_height2", "left"].value == pytest.approx(25)
    assert rows["tcsa_per_bmi", "left"].value == pytest.approx(4)
    rows = derived(muscles(), with_clinical(exam_of(SLICE), weight_kg=100.0))
    assert not any("_per_" in quantity for quantity, _ in rows)


def levels(*slices, level=Level.L4_L5):
    return tuple(SliceLevel(item.uid, level) for item in slices)


def test_an_area_is_related_to_the_disc_of_the_slice_before_any_other():
    above = image_slice(pixels(), axial_plane(z=4), uid="above")
    disc = outline(SLICE, box(40, 40, 49, 59), Structure.DISC)
    other = outline(above, box(40, 40, 59, 59), Structure.DISC)
    rois = RoiSet((*muscles(), disc, other), levels=levels(SLICE, above))
    row = derived(rois, exam_of(SLICE, above))["rcsa_disc_pct", "left"]
    assert row.value == pytest.approx(200)
    assert row.parameters == {"reference_mm2": 50, "reference_from": "slice", "n_outlines": 1}


def test_without_one_on_the_slice_the_level_is_asked_and_no_other_level():
    above = image_slice(pixels(), axial_plane(z=4), uid="above")
    far = image_slice(pixels(), axial_plane(z=40), uid="far")
    bodies = (
        outline(above, box(40, 40, 49, 59), Structure.VERTEBRAL_BODY),
        outline(far, box(40, 40, 59, 79), Structure.VERTEBRAL_BODY),
    )
    known = levels(above) + levels(far, level=Level.L3_L4)
    exam = exam_of(SLICE, above, far)
    rows = derived(RoiSet((*muscles(), *bodies), levels=known), exam)
    row = rows["rcsa_vertebral_body_pct", "right"]
    assert row.value == pytest.approx(160)
    assert row.parameters["reference_from"] == "level"
    unknown = derived(RoiSet((*muscles(level=None), *bodies), levels=known), exam)
    assert not any(quantity.startswith("rcsa") for quantity, _ in unknown)


def test_a_reference_of_another_reader_counts_for_nothing():
    other = Reading("S01", "pre", "CD", 1)
    rois = (
        outline(SLICE, box(40, 40, 49, 59), Structure.DISC, reading=other),
        outline(SLICE, box(40, 40, 49, 59), Structure.CSF, reading=other),
    )
    rows = derived((*muscles(), *rois))
    assert not any(quantity.startswith(("rcsa", "sir")) for quantity, _ in rows)


def psoas(item=SLICE, side=Side.LEFT, path=None, **facts):
    path = box(60, 60, 69, 69) if path is None else path
    return outline(item, path, Structure.PSOAS, side, **facts)


def test_signal_is_related_to_the_reference_of_the_same_side():
    right = psoas(side=Side.RIGHT, path=box(60, 10, 69, 19))
    rows = derived((*muscles(), psoas(), right))
    left_si = 0.25 * FAT + 0.75 * LEAN
    assert rows["sir_psoas", "left"].value == pytest.approx(left_si / 200)
    assert rows["sir_psoas", "right"].value == pytest.approx((0.125 * FAT + 0.875 * LEAN) / 50)
    assert rows["sir_psoas", "left"].parameters["reference_from"] == "slice and side"
    own = derived((*muscles(), psoas(), right), structure=Structure.PSOAS)
    assert ("sir_psoas", "left") not in own


def test_a_reference_of_no_side_serves_both_and_several_count_by_their_area():
    csf = outline(SLICE, box(40, 40, 49, 59), Structure.CSF)
    more = outline(SLICE, box(60, 60, 69, 69), Structure.CSF, name="more")
    rows = derived((*muscles(), csf, more))
    mean = (200 * 800 + 100 * 200) / 300
    for side, signal in (("left", 175.0), ("right", 137.5)):
        row = rows["sir_csf", side]
        assert row.value == pytest.approx(signal / mean)
        assert row.parameters == pytest.approx(
            {"reference_si": mean, "reference_from": "slice", "n_outlines": 2}
        )


def test_a_reference_elsewhere_in_the_exam_serves_if_its_signal_is_on_one_scale():
    here = image_slice(pixels(), uid="a")
    there = image_slice(pixels() * 3, axial_plane(z=40), uid="b")
    fat = outline(there, box(40, 40, 49, 59), Structure.SUBCUTANEOUS_FAT)
    rois = (*muscles(here), fat)
    one = Exam("S01", "pre", (Series("1", (here, there), Weighting.T2),))
    row = derived(rois, one)["sir_subcutaneous_fat", "left"]
    assert row.value == pytest.approx(175 / 2400)
    assert row.parameters["reference_from"] == "exam"
    apart = (Series("1", (here,), Weighting.T2), Series("2", (there,), Weighting.T2))
    assert ("sir_subcutaneous_fat", "left") not in derived(rois, Exam("S01", "pre", apart))
    grouped = tuple(replace(series, signal_group="g") for series in apart)
    found = derived(rois, Exam("S01", "pre", grouped))["sir_subcutaneous_fat", "left"]
    assert found.value == row.value


@pytest.mark.parametrize("hidden", [True, False], ids=["hidden", "dark"])
def test_a_reference_without_signal_divides_nothing(hidden):
    image = pixels()
    image[60:70, 60:70] = 0
    item = image_slice(image)
    metal = outline(item, box(58, 58, 72, 72), Structure.ARTEFACT)
    row = derived((*muscles(item), psoas(item), *((metal,) if hidden else ())), exam_of(item))
    assert math.isnan(row["sir_psoas", "left"].value)
    wanted = Flag.ARTEFACT if hidden else Flag.ZERO_DENOMINATOR
    assert wanted in row["sir_psoas", "left"].flags


def test_relative_areas_carry_the_uncertainty_of_both_areas_as_simulated():
    disc = outline(SLICE, box(40, 40, 49, 59), Structure.DISC)
    lower = outline(SLICE, box(55, 40, 64, 63), Structure.DISC, name="lower")
    rois = RoiSet((*muscles(), disc, lower))
    exam = with_clinical(exam_of(SLICE), height_cm=200.0, weight_kg=100.0)
    rows = derived(rois, exam)
    area = rows["tcsa_mm2", "left"]
    discs = [
        row
        for row in measure(exam, rois, FIXED)
        if row.quantity is Quantity.TCSA_MM2 and row.key.structure is Structure.DISC
    ]
    # Both discs are drawn by one hand: their errors go together, and not with the muscle's.
    draws = np.random.default_rng(0).normal(size=(2, 200_000)) / 100
    ours = area.value + area.uncertainty * draws[0]
    theirs = sum(row.value + row.uncertainty * draws[1] for row in discs) / 2
    row = rows["rcsa_disc_pct", "left"]
    assert row.uncertainty == pytest.approx(100 * (100 * ours / theirs).std(), rel=0.01)
    assert rows["tcsa_per_height2", "left"].uncertainty == pytest.approx(area.uncertainty / 4)
    assert rows["tcsa_per_bmi", "left"].uncertainty == pytest.approx(area.uncertainty / 25)


# --- volume ---------------------------------------------------------------------------------------


def stack(count, first=0.0, step=4.0, uid="s", **where):
    return [
        image_slice(pixels(), axial_plane(z=first + step * k, **where), uid=f"{uid}{k}")
        for k in range(count)
    ]


def volume_of(slices, outlined, exam=None):
    rois = [roi for item in outlined for roi in muscles(item)]
    rows = measure(exam or exam_of(*slices), RoiSet(tuple(rois)), FIXED)
    return {
        (row.key.side.value, row.provenance.slice_index): row
        for row in rows
        if row.quantity is Quantity.VOLUME_ML
    }


@pytest.mark.parametrize("tilt", [0, 25])
def test_the_volume_of_a_prism_is_area_times_length(tilt):
    angle = math.radians(tilt)
    slices = []
    for k in range(4):
        plane = axial_plane(tilt=tilt)
        origin = plane.origin_mm + 4.0 * k * plane.normal
        plane = Plane(origin, plane.row_step_mm, plane.column_step_mm)
        slices.append(image_slice(pixels(), plane, uid=f"s{k}"))
    assert slices[1].plane.origin_mm[2] == pytest.approx(4 * math.cos(angle))
    found = volume_of(slices, slices[1:])
    assert {key: row.value for key, row in found.items()} == pytest.approx(
        {("left", 1): 1.2, ("right", 1): 0.96, ("both", 1): 2.16}
    )
    row = found["left", 1]
    assert row.parameters == {"slice_step_mm": pytest.approx(4), "slice_indices": [1, 2, 3]}
    assert (row.key.slice_uid, row.n_pixels) == ("s1", 1200)
    assert row.provenance.level is Level.L4_L5
    assert Flag.NOT_CONTIGUOUS not in row.flags


def test_the_errors_of_a_volumes_slices_add_up():
    slices = stack(3)
    found = volume_of(slices, slices)
    rows = derived([roi for item in slices for roi in muscles(item)], exam_of(*slices))
    for side in ("left", "right"):
        u_area = rows["tcsa_mm2", side].uncertainty
        assert u_area > 0
        assert found[side, 0].uncertainty == pytest.approx(3 * u_area * 4.0 / 1000)
    both = found["left", 0].uncertainty + found["right", 0].uncertainty
    assert found["both", 0].uncertainty == pytest.approx(both)
    gap = volume_of(stack(4), [slices[0], slices[2]], exam_of(*stack(4)))
    assert all(math.isnan(row.uncertainty) for row in gap.values())


def test_one_slice_has_no_volume():
    slices = stack(3)
    assert volume_of(slices, slices[1:2]) == {}


def test_a_run_with_a_gap_is_refused():
    slices = stack(4)
    found = volume_of(slices, [slices[0], slices[2], slices[3]])
    assert all(math.isnan(row.value) for row in found.values())
    assert found["left", 0].flags == (Flag.NOT_CONTIGUOUS,)
    assert found["both", 0].flags == (Flag.NOT_CONTIGUOUS,)


@pytest.mark.parametrize("accident", ["forgotten", "named"])
def test_sides_outlined_on_different_slices_are_flagged_and_have_no_volume_together(accident):
    slices = stack(3)
    rois = [roi for item in slices for roi in muscles(item)]
    at = next(
        n
        for n, roi in enumerate(rois)
        if roi.key.side is Side.LEFT and roi.key.slice_uid == slices[0].uid
    )
    odd = rois.pop(at)
    if accident == "named":
        rois.append(replace(odd, key=replace(odd.key, name="x")))
    rows = measure(exam_of(*slices), RoiSet(tuple(rois)), FIXED)
    found = {row.key.side: row for row in rows if row.quantity is Quantity.VOLUME_ML}
    assert all(Flag.SLICES_DIFFER in row.flags for row in found.values())
    assert Flag.ZERO_DENOMINATOR not in found[Side.BOTH].flags
    assert found[Side.LEFT].value == pytest.approx(0.8)
    assert found[Side.RIGHT].value == pytest.approx(0.96)
    assert found[Side.RIGHT].uncertainty > 0
    assert math.isnan(found[Side.BOTH].value)
    assert math.isnan(found[Side.BOTH].uncertainty)


def test_a_side_that_has_one_slice_only_puts_the_volume_of_the_other_in_doubt():
    slices = stack(3)
    rois = [roi for item in slices for roi in muscles(item)]
    rois = [r for r in rois if r.key.side is Side.RIGHT or r.key.slice_uid == slices[1].uid]
    rows = measure(exam_of(*slices), RoiSet(tuple(rois)), FIXED)
    (row,) = (row for row in rows if row.quantity is Quantity.VOLUME_ML)
    assert (row.key.side, row.flags) == (Side.RIGHT, (Flag.SLICES_DIFFER,))


def test_a_side_outlined_alone_has_a_volume_beyond_doubt():
    slices = stack(3)
    rois = [r for item in slices for r in muscles(item) if r.key.side is Side.LEFT]
    rows = measure(exam_of(*slices), RoiSet(tuple(rois)), FIXED)
    (row,) = (row for row in rows if row.quantity is Quantity.VOLUME_ML)
    assert Flag.SLICES_DIFFER not in row.flags


@pytest.mark.parametrize(("gap", "flag"), [(8.0, Flag.SLICES_MISSING), (6.0, Flag.SLICES_UNEVEN)])
def test_a_stack_whose_slices_are_missing_or_uneven_is_refused(gap, flag):
    slices = [*stack(3), *stack(3, first=8.0 + gap, uid="t")]
    found = volume_of(slices, slices)
    assert {index for _, index in found} == {0, 3}
    for row in found.values():
        assert math.isnan(row.value)
        assert flag in row.flags


def test_stacks_at_angles_have_a_volume_each_and_never_one_together():
    slices = [*stack(2), *stack(2, first=30, uid="t")]
    steep = [
        image_slice(
            pixels(), replace_origin(axial_plane(tilt=20), (0, 0, 60.0 + 4 * k)), uid=f"u{k}"
        )
        for k in range(1)
    ]
    found = volume_of([*slices, *steep], [*slices, *steep])
    assert {key: row.value for key, row in found.items()} == pytest.approx(
        {
            ("left", 0): 0.8, ("right", 0): 0.64, ("both", 0): 1.44,
            ("left", 2): 0.8, ("right", 2): 0.64, ("both", 2): 1.44,
        }
    )  # fmt: skip


def replace_origin(plane, shift):
    return Plane(plane.origin_mm + np.array(shift), plane.row_step_mm, plane.column_step_mm)


def test_a_volume_over_two_levels_has_none():
    slices = stack(2)
    rois = (*muscles(slices[0]), *muscles(slices[1], level=Level.L5_S1))
    rows = measure(exam_of(*slices), RoiSet(rois), FIXED)
    (row, *_) = (row for row in rows if row.quantity is Quantity.VOLUME_ML)
    assert row.provenance.level is None


# --- regions --------------------------------------------------------------------------------------

REGIONS = tuple(f"fi_q{n}_pct" for n in (1, 2, 3, 4))
REGIONAL = replace(FIXED, regional_fat=True, minimal_coverage=0.0)


def ramp_slice(plane, shape=SHAPE, axis=0):
    """Return a slice whose signal is a patient coordinate, in millimetres."""
    row, column = np.indices(shape)
    points = plane.to_patient(np.stack((row.ravel(), column.ravel()), axis=1))
    return image_slice(points[:, axis].reshape(shape), plane)


@pytest.mark.parametrize(
    ("side", "path", "expected"),
    [
        # Columns grow to the patient's left; of 20 columns, the outer 8 are fat.
        (Side.LEFT, box(10, 50, 29, 69), (0, 0, 60, 100)),
        (Side.RIGHT, box(10, 20, 29, 39), (100, 60, 0, 0)),
    ],
)
def test_quarters_run_from_medial_to_lateral(side, path, expected):
    image = np.full(SHAPE, LEAN)
    image[:, 62:] = FAT
    image[:, 32:45] = FAT
    item = image_slice(image)
    rows = derived((outline(item, path, side=side),), exam_of(item), REGIONAL)
    assert [rows[name, side.value].value for name in REGIONS] == pytest.approx(expected)


def test_the_deepest_part_is_the_most_anterior():
    image = np.full(SHAPE, LEAN)
    image[10:12] = FAT
    item = image_slice(image)
    rows = derived(muscles(item), exam_of(item), REGIONAL)
    row = rows["fi_deep_pct", "left"]
    # Of 20 rows the deepest 3 are meant, and of these 2 are fat.
    assert row.value == pytest.approx(100 * 2 / 3)
    assert row.parameters["axis"] == "patient_y"
    assert row.parameters["cuts_mm"] == pytest.approx([-30 + 0.5 * 12.5])
    quarter = rows["fi_q2_pct", "right"].parameters
    assert quarter["cuts_mm"] == pytest.approx([-20 + 0.5 * edge for edge in (31.5, 27.5)])
    assert (quarter["axis"], quarter["threshold"]) == ("patient_x", 250)


@given(
    rotations(), simple_polygons(radius=9, centre=20), st.tuples(numbers(0.3, 2), numbers(0.3, 2))
)
@settings(max_examples=30)
def test_quarters_of_any_outline_on_any_plane_are_what_shapely_cuts(axes, path, spacing):
    plane = Plane((5, -30, 40), axes[:, 0] * spacing[0], axes[:, 1] * spacing[1])
    item = ramp_slice(plane, (48, 48))
    rows = derived(
        (outline(item, path, side=Side.LEFT),),
        exam_of(item),
        replace(REGIONAL, fixed_threshold=5.0),
    )
    names = {quantity for quantity, _ in rows if quantity.startswith("fi_")}
    if abs(plane.normal[2]) < max(abs(plane.normal[:2])):
        assert names == {"fi_pct"}
        return
    deep = rows["fi_deep_pct", "left"]
    pixels_xy = plane.to_patient(path)[:, :2]
    whole = shapely.Polygon(pixels_xy)
    found = [rows[name, "left"].parameters["cuts_mm"] for name in REGIONS]
    cuts = [found[0][0], found[1][1], found[2][1]]
    assert found == [cuts[:1], cuts[:2], cuts[1:], cuts[2:]]
    edges = [-1e3, *cuts, 1e3]
    for n, name in enumerate(REGIONS):
        part = whole.intersection(shapely.box(edges[n], -1e3, edges[n + 1], 1e3))
        assert part.area == pytest.approx(whole.area / 4, rel=1e-9)
        assert rows[name, "left"].parameters["axis"] == "patient_x"
    part = whole.intersection(shapely.box(-1e3, -1e3, 1e3, deep.parameters["cuts_mm"][0]))
    assert part.area == pytest.approx(0.15 * whole.area, rel=1e-9)
    mean = np.mean([rows[name, "left"].value for name in REGIONS])
    assert mean == pytest.approx(rows["fi_pct", "left"].value, abs=1e-6)


def test_regions_hold_the_visible_pixels_alone():
    # Metal hides the lateral half of the left muscle, and the fat in what is left is medial.
    image = np.full(SHAPE, LEAN)
    image[:, 50:55] = FAT
    item = image_slice(image)
    metal = outline(item, box(5, 60, 35, 75), Structure.ARTEFACT)
    rows = derived((*muscles(item), metal), exam_of(item), REGIONAL)
    assert rows["fi_pct", "left"].value == pytest.approx(50)
    values = [rows[name, "left"].value for name in REGIONS]
    assert values[:2] == pytest.approx([100, 0])
    assert all(map(math.isnan, values[2:]))
    assert Flag.UNDETECTABLE in rows["fi_q4_pct", "left"].flags
    assert rows["fi_q1_pct", "left"].n_pixels == 100


def test_a_dixon_pair_has_regions_too():
    fat, water = np.full(SHAPE, 20.0), np.full(SHAPE, 80.0)
    fat[:, 65:], water[:, 65:] = 90.0, 10.0
    slices = [image_slice(image, uid=name) for name, image in (("fat", fat), ("water", water))]
    exam = Exam(
        "S01",
        "pre",
        tuple(
            Series(item.uid, (item,), weighting)
            for item, weighting in zip(
                slices, (Weighting.DIXON_FAT, Weighting.DIXON_WATER), strict=True
            )
        ),
    )
    rows = measure(exam, RoiSet(muscles(slices[0])), MeasurementProtocol((), regional_fat=True))
    found = {
        row.quantity.value: row
        for row in rows
        if row.key.side is Side.LEFT and row.method == "dixon"
    }
    assert [found[name].value for name in REGIONS] == pytest.approx([20, 20, 20, 90])
    assert found["fi_deep_pct"].value == pytest.approx(20 * 0.75 + 90 * 0.25)
    assert found["fi_q1_pct"].parameters["form"] == "mean"
    assert "sum_fat" not in found["fi_q1_pct"].parameters


def test_a_muscle_of_no_side_has_a_deep_part_and_no_quarters():
    rows = derived((outline(SLICE, LEFT_BOX),), protocol=REGIONAL)
    found = {quantity for quantity, _ in rows if quantity.startswith("fi_")}
    assert found == {"fi_pct", "fi_deep_pct"}


def test_what_is_undetectable_of_a_muscle_is_so_of_its_parts_and_no_row_is_missing():
    lean = image_slice(np.full(SHAPE, LEAN) + np.random.default_rng(0).normal(size=SHAPE))
    protocol = MeasurementProtocol(("otsu", "gmm2", "clahe_otsu"), regional_fat=True)
    rows = measure(exam_of(lean), RoiSet(muscles(lean)), protocol)
    whole = {(r.method, r.key.side) for r in rows if r.quantity is Quantity.FI_PCT}
    assert len(whole) == 6
    for name in (*REGIONS, "fi_deep_pct"):
        parts = [row for row in rows if row.quantity == name]
        assert {(r.method, r.key.side) for r in parts} == {
            pair for pair in whole if pair[0] != "clahe_otsu"
        }
        assert all(math.isnan(row.value) and Flag.UNDETECTABLE in row.flags for row in parts)


def test_a_muscle_behind_metal_has_undefined_regions():
    metal = outline(SLICE, box(5, 45, 35, 75), Structure.ARTEFACT)
    rows = derived((*muscles(), metal), protocol=REGIONAL)
    for name in (*REGIONS, "fi_deep_pct"):
        assert math.isnan(rows[name, "left"].value)
        assert Flag.UNDETECTABLE in rows[name, "left"].flags
        assert rows[name, "right"].value >= 0


def test_regions_are_measured_when_asked_for_and_only_by_methods_of_one_threshold():
    assert not any("_q1_" in quantity for quantity, _ in derived(muscles()))
    protocol = replace(REGIONAL, fat_methods=("fixed", "pooled_otsu"))
    rows = measure(exam_of(SLICE), RoiSet(muscles()), protocol)
    regional = [row for row in rows if row.quantity is Quantity.FI_Q1_PCT]
    values = {(row.method, row.key.side.value): row.value for row in regional}
    assert values["fixed", "left"] == pytest.approx(25)
    assert math.isnan(values["pooled_otsu", "left"])
    assert all(Flag.NO_REFERENCE in row.flags for row in regional if row.method == "pooled_otsu")


# --- doubts, gaps, grades -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "recent"), [(None, False), (-3, False), (0, True), (83, True), (84, False)]
)
def test_an_exam_soon_after_surgery_is_told(days, recent):
    clinical = Clinical(days_since_surgery=days)
    assert is_recent(clinical, MeasurementProtocol()) is recent
    rows = derived(muscles(), replace(exam_of(SLICE), clinical=clinical))
    flagged = {quantity for (quantity, _), row in rows.items() if Flag.OEDEMA_WINDOW in row.flags}
    fat = {
        "fi_pct", "fat_csa_mm2", "fcsa_mm2", "fcsa_asymmetry_pct", "fcsa_asymmetry_max_pct",
        "fi_difference_pct", "storheim_grade",
    }  # fmt: skip
    assert flagged == (fat if recent else set())


def test_a_muscle_half_behind_metal_is_flagged_where_it_matters():
    metal = outline(SLICE, box(5, 45, 19, 75), Structure.ARTEFACT)
    rows = derived((*muscles(), metal))
    low = {key for key, row in rows.items() if Flag.VALID_FRACTION_LOW in row.flags}
    assert {side for _, side in low} == {"left", "both"}
    assert ("fcsa_mm2", "left") in low
    assert ("fcsa_asymmetry_pct", "both") in low
    assert ("tcsa_mm2", "left") not in low
    assert ("asymmetry_pct", "both") not in low
    tolerant = derived((*muscles(), metal), protocol=replace(FIXED, minimal_valid_fraction=0.5))
    assert not any(Flag.VALID_FRACTION_LOW in row.flags for row in tolerant.values())


def stated(**said):
    rois = RoiSet(muscles(), reading=READER, **said)
    rows = measure(exam_of(SLICE), rois, FIXED)
    return [row for row in rows if row.provenance.slice_index is None]


def gap(level, side, reason, structure=Structure.MULTIFIDUS):
    return NotMeasurable(level, side, structure, Reason(reason))


def test_what_cannot_be_measured_is_a_row_with_its_reason():
    rows = stated(
        not_measurable=(
            gap(Level.L5_S1, Side.BOTH, "metal"),
            gap(Level.L5_S1, Side.LEFT, "scar"),
            gap(Level.L3_L4, Side.RIGHT, "motion", Structure.PSOAS),
        )
    )
    found = [
        (row.provenance.level, row.key.structure.value, row.key.side.value, row.parameters)
        for row in rows
    ]
    assert found == [
        (Level.L3_L4, "psoas", "right", {"reason": "motion"}),
        (Level.L5_S1, "multifidus", "left", {"reason": "metal;scar"}),
        (Level.L5_S1, "multifidus", "right", {"reason": "metal"}),
    ]
    for row in rows:
        assert math.isnan(row.value)
        assert (row.quantity, row.flags) == (Quantity.TCSA_MM2, (Flag.NOT_MEASURABLE,))
        assert (row.key.reading, row.key.slice_uid) == (READER, "")
        assert row.provenance.protocol == FIXED.digest


def test_grades_that_a_rater_entered_are_rows():
    rows = stated(
        grades=(
            Grade("Goutallier", Level.L4_L5, Side.LEFT, 3),
            Grade("Goutallier", Level.L4_L5, Side.LEFT, 3),
            Grade("kjaer", Level.L4_L5, Side.LEFT, 1),
            Grade("goutallier", Level.L5_S1, Side.BOTH, 4),
        )
    )
    found = [
        (row.provenance.level.value, row.key.side.value, row.quantity.value, row.method, row.value)
        for row in rows
    ]
    assert found == [
        ("L4-L5", "left", "goutallier_grade", "", 3.0),
        ("L4-L5", "left", "visual_grade", "kjaer", 1.0),
        ("L5-S1", "both", "goutallier_grade", "", 4.0),
    ]


def test_two_grades_of_one_muscle_are_refused():
    with pytest.raises(RoiError, match=r"two grades of left L4-L5 by goutallier .*: 1 and 2"):
        stated(grades=tuple(Grade("goutallier", Level.L4_L5, Side.LEFT, n) for n in (1, 2)))


# --- the whole table ------------------------------------------------------------------------------


def everything():
    slices = stack(3)
    rois = [roi for item in slices for roi in muscles(item)]
    rois += [psoas(slices[0]), outline(slices[1], box(40, 40, 49, 59), Structure.DISC)]
    return exam_of(*slices), RoiSet(
        tuple(rois),
        levels=levels(*slices),
        not_measurable=tuple(gap(level, Side.LEFT, "metal") for level in (Level.L4, Level.L5_S1)),
        grades=tuple(Grade("goutallier", level, Side.LEFT, 1) for level in (Level.L4, Level.L5_S1)),
        reading=READER,
    )


def test_no_two_rows_have_one_key():
    exam, rois = everything()
    exam = with_clinical(exam, height_cm=180, weight_kg=80, operated_side=Side.LEFT, **OPERATED)
    protocol = replace(REGIONAL, fat_methods=("fixed", "otsu"))
    rows = measure(exam, rois, protocol)
    keys = [
        (row.key, row.provenance.level, row.quantity, row.method)
        if row.provenance.slice_index is None
        else (row.key, None, row.quantity, row.method)
        for row in rows
    ]
    assert len(set(keys)) == len(keys)
    assert {row.quantity for row in rows} >= {
        Quantity.VOLUME_ML, Quantity.FI_DEEP_PCT, Quantity.RCSA_DISC_PCT, Quantity.SIR_PSOAS,
        Quantity.OPERATED_CONTRALATERAL_PCT, Quantity.GOUTALLIER_GRADE, Quantity.TCSA_PER_BMI,
    }  # fmt: skip


@given(st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_the_order_of_outlines_changes_nothing(random):
    exam, rois = everything()
    expected = [repr(row) for row in measure(exam, rois, REGIONAL)]
    shuffled = list(rois.rois)
    random.shuffle(shuffled)
    again = replace(
        rois,
        rois=tuple(shuffled),
        not_measurable=rois.not_measurable[::-1],
        grades=rois.grades[::-1],
    )
    assert [repr(row) for row in measure(exam, again, REGIONAL)] == expected


def test_numbers_of_several_outlines_say_what_these_share():
    rois = (
        outline(SLICE, LEFT_BOX, side=Side.LEFT, roi_rule=RoiRule.FASCIAL),
        outline(
            SLICE, RIGHT_BOX, side=Side.RIGHT, roi_rule=RoiRule.MUSCLE_BORDER, source=Source.DRAFT
        ),
    )
    rows = derived(rois)
    origin = rows["asymmetry_pct", "both"].provenance
    assert (origin.roi_rule, origin.source) == (RoiRule.UNKNOWN, None)
    assert origin.image_sha256 == SLICE.sha256()
    assert origin.outline_sha256 not in {roi.sha256() for roi in rois}
    assert len(origin.outline_sha256) == 64
    assert Flag.DRAFT_UNEDITED in rows["asymmetry_pct", "both"].flags
    assert shared([origin]) == origin
    outside = replace(origin, valid_fraction=math.nan, slice_position=SlicePosition.PEDICLE)
    both = shared([origin, outside])
    assert math.isnan(both.valid_fraction)
    assert both.slice_position is SlicePosition.UNKNOWN
    assert shared([origin, replace(origin, valid_fraction=0.5)]).valid_fraction == 0.5


def test_no_pixel_is_lost_or_counted_twice_between_quarters():
    item = image_slice(pixels())
    roi = outline(item, circle(20, 60, 8.3), side=Side.LEFT)
    rows = derived((roi,), exam_of(item), REGIONAL)
    values = [rows[name, "left"].value for name in REGIONS]
    assert np.mean(values) == pytest.approx(rows["fi_pct", "left"].value)


def test_regions_of_the_phantom_hold_the_fat_that_was_put_there():
    """Truth from points of the anatomy itself, sorted by where they lie: no outline, no pixel."""
    spec = PhantomSpec(
        seed=3, stacks=1, slices_per_stack=1, sagittal=False, snr=math.inf, shading=0.0
    )
    phantom = make_phantom(spec)
    item = phantom.exam.series[0].slices[0]
    row, column = np.indices(np.array(item.shape) * 4)
    fine = np.stack((row.ravel(), column.ravel()), axis=1) / 4 - 0.375
    points = item.plane.to_patient(fine)
    uvs = phantom.subject.to_spine(points)
    rows = measure(
        phantom.exam, phantom.outlines, MeasurementProtocol(("midpoint",), regional_fat=True)
    )
    for pattern in phantom.subject.patterns_at(Level.L5_S1):
        muscle = pattern.muscle
        inside = muscle.solid.contains(*uvs)
        fat = pattern.contains(*(part[inside] for part in uvs))
        x, y = points[inside, 0], points[inside, 1]
        order = np.argsort(x if muscle.side is Side.LEFT else -x)
        quarters = [100 * part.mean() for part in np.array_split(fat[order], 4)]
        deep = 100 * fat[np.argsort(y)[: round(0.15 * len(y))]].mean()
        found = {
            one.quantity: one.value
            for one in rows
            if (one.key.structure, one.key.side) == (muscle.structure, muscle.side)
            and one.method == "midpoint"
        }
        values = [found[Quantity(name)] for name in (*REGIONS, "fi_deep_pct")]
        assert values == pytest.approx([*quarters, deep], abs=1.5)
