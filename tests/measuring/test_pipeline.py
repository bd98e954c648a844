import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from multifidus.data.anatomy import Level, Side, SlicePosition, Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series, Slice, StoredPixels, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.roi import Reading, Source
from multifidus.data.roi_set import RoiSet, SliceLevel
from multifidus.errors import RoiError
from multifidus.io.measurements_csv import tidy_row
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import METHODS
from multifidus.measuring.pipeline import measure
from multifidus.version import VERSION
from tests.support.exams import READER, axial_plane, box, circle, exam_of, image_slice, outline
from tests.support.strategies import even_odd, nested_paths, simple_polygons

LEAN, FAT = 100.0, 400.0
SHAPE = (80, 100)
MUSCLE = box(10, 50, 29, 69)
"""20 x 20 pixels of 0.25 mm2: 100 mm2."""


def lumbar_pixels(noise=0.0, seed=0):
    """Return lean signal everywhere, a quarter of the muscle fat, a fat reference at the right."""
    pixels = np.full(SHAPE, LEAN)
    pixels[10:15, 50:70] = FAT
    pixels[40:60, 80:95] = FAT
    return pixels + noise * np.random.default_rng(seed).normal(size=SHAPE)


def lumbar_slice(noise=0.0, **where):
    return image_slice(lumbar_pixels(noise), **where)


SLICE = lumbar_slice(plane=axial_plane(tilt=15))


def references(item=SLICE):
    return (
        outline(item, box(60, 5, 69, 14), Structure.LEAN_REFERENCE),
        outline(item, box(42, 82, 55, 92), Structure.FAT_REFERENCE),
    )


def left_muscle(item=SLICE, path=MUSCLE, **facts):
    # Boxes along pixels stand for what a label map gives; drawn by hand they have few points.
    return outline(item, path, side=Side.LEFT, **{"source": Source.IMPORTED, **facts})


def measured(rois, item=SLICE, protocol=None, **where):
    """Return {quantity: measurement} of the first muscle, or of the outline that ``where`` says."""
    rows = measure(exam_of(item), rois if isinstance(rois, RoiSet) else RoiSet(rois), protocol)
    wanted = {"structure": Structure.MULTIFIDUS} | where
    return {
        row.quantity: row
        for row in rows
        if all(getattr(row.key, name) == value for name, value in wanted.items())
    }


def as_rows(measurements):
    # NaN equals nothing, not even itself; as text it does.
    return [
        tidy_row(row) | {"value": repr(row.value), "uncertainty": repr(row.uncertainty)}
        for row in measurements
    ]


def test_a_muscle_of_known_size_and_fat_is_measured_exactly():
    rows = measured((left_muscle(), *references()))
    # It is fitted, not computed: of one small muscle it is what its uncertainty says.
    fitted = rows.pop(Quantity.FF_SIGNAL_PCT)
    assert fitted.value == pytest.approx(25, abs=min(fitted.uncertainty, 2))
    values = {quantity.value: row.value for quantity, row in rows.items()}
    assert values == pytest.approx(
        {
            "tcsa_mm2": 100,
            "tcsa_pixel_mm2": 100,
            "tcsa_cos_mm2": 100 * math.cos(math.radians(15)),
            "valid_csa_mm2": 100,
            "mean_si": 0.25 * FAT + 0.75 * LEAN,
            "fi_pct": 25,
            "ff_linear_pct": 25,
            "ff_linear_clipped_pct": 25,
            "fat_csa_mm2": 25,
            "fcsa_mm2": 75,
        },
        rel=1e-9,
    )
    assert rows.pop(Quantity.TCSA_COS_MM2).flags == (Flag.TILT_UNKNOWN,)
    assert all(row.flags == () for row in rows.values())
    assert {row.n_pixels for row in rows.values()} == {400}


def test_every_row_says_where_it_comes_from():
    roi = left_muscle(level=Level.L4_L5, slice_position=SlicePosition.MID_DISC)
    protocol = MeasurementProtocol(minimal_points=4)
    rows = measured((roi, *references()), protocol=protocol)
    origin = rows[Quantity.FI_PCT].provenance
    assert (origin.series, origin.slice_index) == ("1.2", 0)
    assert (origin.level, origin.slice_position) == (Level.L4_L5, SlicePosition.MID_DISC)
    assert origin.tilt_deg == pytest.approx(15)
    assert origin.valid_fraction == 1
    assert (origin.protocol, origin.version) == (protocol.digest, VERSION)
    assert origin.image_sha256 == SLICE.sha256()
    assert origin.outline_sha256 == roi.sha256()
    parameters = rows[Quantity.FI_PCT].parameters
    assert (parameters["basis"], parameters["n_pixels_muscle"]) == ("exam", 400)
    assert (parameters["mean_lean"], parameters["mean_fat"]) == pytest.approx((LEAN, FAT))
    assert LEAN < parameters["threshold"] < FAT


def test_pixels_mostly_outside_the_outline_say_nothing_about_its_fat():
    # The outline's border runs at a quarter of the pixels along it: these lie in the fat around.
    pixels = np.full(SHAPE, FAT)
    pixels[10:30, 50:70] = LEAN
    pixels[60:70, 5:15] = LEAN
    item = image_slice(pixels)
    muscle = left_muscle(item, box(9.75, 49.75, 29.25, 69.25))
    rows = measured((muscle, *references(item)), item)
    assert rows[Quantity.FI_PCT].value == 0
    assert rows[Quantity.FF_LINEAR_PCT].value == pytest.approx(0, abs=1e-9)
    assert rows[Quantity.VALID_CSA_MM2].value == pytest.approx(20.5**2 / 4)
    assert rows[Quantity.VALID_CSA_MM2].n_pixels == 22**2
    assert rows[Quantity.FI_PCT].n_pixels == 20**2
    rim = 20.5**2 - 20**2
    assert rows[Quantity.MEAN_SI].value == pytest.approx((400 * LEAN + rim * FAT) / 20.5**2)
    all_pixels = MeasurementProtocol(minimal_coverage=0)
    rows = measured((muscle, *references(item)), item, all_pixels)
    assert rows[Quantity.FI_PCT].value == pytest.approx(100 * rim / 20.5**2)


def test_only_muscles_have_fat():
    rois = RoiSet((left_muscle(), outline(SLICE, circle(40, 30, 9), Structure.VERTEBRAL_BODY)))
    body = measured(rois, structure=Structure.VERTEBRAL_BODY)
    assert set(body) == {
        Quantity.TCSA_MM2, Quantity.TCSA_PIXEL_MM2, Quantity.TCSA_COS_MM2, Quantity.VALID_CSA_MM2,
        Quantity.MEAN_SI,
    }  # fmt: skip


def test_a_level_typed_for_the_slice_stands_on_the_row():
    rois = RoiSet((left_muscle(),), levels=(SliceLevel(SLICE.uid, Level.L5_S1),))
    assert measured(rois)[Quantity.TCSA_MM2].provenance.level is Level.L5_S1


@given(nested_paths(radius=9, centre=20))
def test_lean_and_fat_make_up_the_valid_area_of_every_outline(paths):
    item = lumbar_slice(noise=30)
    protocol = MeasurementProtocol(("fixed", "pooled_otsu"), fixed_threshold=110)
    muscle = outline(item, paths, name="drawn")
    rows = measure(exam_of(item), RoiSet((muscle, *references(item))), protocol)
    area = even_odd(paths).area * item.plane.pixel_area_mm2
    found = {(row.quantity, row.method): row.value for row in rows if row.key.name == "drawn"}
    assert found[Quantity.TCSA_MM2, ""] == pytest.approx(area, rel=1e-9)
    valid = found[Quantity.VALID_CSA_MM2, ""]
    assert valid == pytest.approx(area, rel=1e-9)
    if math.isnan(found[Quantity.FI_PCT, "fixed"]):
        # A sliver: no pixel lies inside by half.
        assert even_odd(paths).buffer(-0.5).is_empty
        return
    for method in protocol.fat_methods:
        lean, fat, share = (
            found[quantity, method.value]
            for quantity in (Quantity.FCSA_MM2, Quantity.FAT_CSA_MM2, Quantity.FI_PCT)
        )
        assert lean + fat == pytest.approx(valid, rel=1e-12)
        assert share == pytest.approx(100 * fat / valid, rel=1e-12)


def test_an_artefact_takes_pixels_from_fat_and_never_from_the_total_area():
    # The metal hides the five fat rows of the muscle.
    metal = outline(SLICE, box(5, 45, 14, 75), Structure.ARTEFACT)
    rows = measured((left_muscle(), metal, *references()))
    assert rows[Quantity.TCSA_MM2].value == pytest.approx(100)
    assert rows[Quantity.TCSA_PIXEL_MM2].value == pytest.approx(100)
    assert rows[Quantity.VALID_CSA_MM2].value == pytest.approx(75)
    assert rows[Quantity.FI_PCT].value == pytest.approx(0)
    assert rows[Quantity.FCSA_MM2].value == pytest.approx(75)
    assert rows[Quantity.MEAN_SI].value == pytest.approx(LEAN)
    assert rows[Quantity.FI_PCT].provenance.valid_fraction == pytest.approx(0.75)
    del rows[Quantity.TCSA_COS_MM2]
    assert all(Flag.ARTEFACT in row.flags for row in rows.values())
    low = {row.method for row in rows.values() if Flag.VALID_FRACTION_LOW in row.flags}
    assert low == {row.method for row in rows.values()} - {""}


def test_an_artefact_is_measured_like_every_outline_and_hides_nothing_of_itself():
    metal = outline(SLICE, box(5, 45, 14, 75), Structure.ARTEFACT, source=Source.IMPORTED)
    rows = measured((metal,), structure=Structure.ARTEFACT)
    assert rows[Quantity.VALID_CSA_MM2].value == pytest.approx(rows[Quantity.TCSA_MM2].value)
    assert rows[Quantity.VALID_CSA_MM2].flags == ()


def test_an_artefact_that_another_rater_saw_hides_nothing():
    metal = outline(SLICE, box(5, 45, 14, 75), Structure.ARTEFACT, reading=Reading("S01", "pre"))
    rows = measured((left_muscle(), metal))
    assert rows[Quantity.VALID_CSA_MM2].value == pytest.approx(100)


def test_a_muscle_wholly_behind_metal_has_an_area_and_no_fat():
    metal = outline(SLICE, box(0, 40, 40, 80), Structure.ARTEFACT)
    rows = measured((left_muscle(), metal, *references()))
    assert rows[Quantity.TCSA_MM2].value == pytest.approx(100)
    assert rows[Quantity.VALID_CSA_MM2].value == 0
    for quantity in (Quantity.FI_PCT, Quantity.FCSA_MM2, Quantity.FAT_CSA_MM2, Quantity.MEAN_SI):
        assert math.isnan(rows[quantity].value)
    assert Flag.UNDETECTABLE in rows[Quantity.FI_PCT].flags


@given(
    nested_paths(radius=9, centre=20),
    st.lists(nested_paths(radius=7, centre=24), min_size=1, max_size=2),
)
def test_the_valid_area_is_what_artefacts_leave_of_the_outline(paths, artefacts):
    item = image_slice(lumbar_pixels())
    hidden = even_odd(artefacts[0])
    for other in artefacts[1:]:
        hidden = hidden.union(even_odd(other))
    region = even_odd(paths)
    overlap = region.intersection(hidden).area
    assume(overlap == 0 or overlap > 1e-6)
    metals = [
        outline(item, artefact, Structure.ARTEFACT, name=str(n))
        for n, artefact in enumerate(artefacts)
    ]
    row = measured((left_muscle(item, paths), *metals), item)[Quantity.VALID_CSA_MM2]
    pixel = item.plane.pixel_area_mm2
    assert row.value == pytest.approx((region.area - overlap) * pixel, rel=1e-9, abs=1e-9)
    assert (Flag.ARTEFACT in row.flags) == (overlap > 0)


def test_an_artefact_elsewhere_does_not_change_a_single_bit():
    metal = outline(SLICE, circle(50, 20, 6), Structure.ARTEFACT)
    eight = np.array([(20, 60), (12, 54), (12, 66), (20, 60), (28, 66), (28, 54)], dtype=np.float64)
    crossing = eight[[0, 1, 2, 3, 5, 4]]
    for path in (circle(20, 60, 8.3), eight, crossing):
        alone = measured((left_muscle(path=path),))
        beside = measured((left_muscle(path=path), metal))
        assert beside[Quantity.VALID_CSA_MM2] == alone[Quantity.VALID_CSA_MM2]
        assert beside[Quantity.MEAN_SI] == alone[Quantity.MEAN_SI]


def test_a_figure_of_eight_keeps_both_lobes_beside_an_artefact():
    eight = np.array([(20, 60), (12, 54), (12, 66), (20, 60), (28, 54), (28, 66)], dtype=np.float64)
    metal = outline(SLICE, box(10, 50, 13, 75), Structure.ARTEFACT)
    row = measured((left_muscle(path=eight), metal))[Quantity.VALID_CSA_MM2]
    region = even_odd([eight[:3], eight[3:]])
    hidden = region.intersection(even_odd([box(10, 50, 13, 75)])).area
    assert row.value == pytest.approx((region.area - hidden) * SLICE.plane.pixel_area_mm2)


FLAGS = {
    Flag.FEW_POINTS: {"path": circle(30, 50, 8, points=12)},
    Flag.TOUCHES_BORDER: {"path": circle(8, 50, 7.8)},
    Flag.OUTSIDE_IMAGE: {"path": circle(5, 50, 8)},
    Flag.DRAFT_UNEDITED: {"path": circle(30, 50, 8), "source": Source.DRAFT},
}


@pytest.mark.parametrize("flag", FLAGS)
def test_a_doubtful_outline_is_measured_and_flagged(flag):
    rows = measured((left_muscle(**FLAGS[flag]),))
    assert flag in rows[Quantity.TCSA_MM2].flags
    others = set(FLAGS) - {flag} - ({Flag.TOUCHES_BORDER} if flag is Flag.OUTSIDE_IMAGE else set())
    assert not others & set(rows[Quantity.TCSA_MM2].flags)


@pytest.mark.parametrize(
    "facts",
    [
        {"path": circle(30, 50, 8)},
        {"path": box(10, 20, 29, 39)},
        {"path": box(1, 1, 78, 98)},
        {"path": circle(30, 50, 8), "source": Source.DRAFT_EDITED},
    ],
    ids=["many points", "along pixels", "one pixel from the border", "edited draft"],
)
def test_an_outline_beyond_doubt_has_no_flag(facts):
    assert measured((left_muscle(**facts),))[Quantity.TCSA_MM2].flags == ()


def test_an_outline_partly_outside_keeps_its_area_and_its_pixels_are_those_inside():
    row = measured((left_muscle(path=box(-10, 50, 9, 69)),))
    assert row[Quantity.TCSA_MM2].value == pytest.approx(100)
    assert row[Quantity.VALID_CSA_MM2].value == pytest.approx(50)
    assert row[Quantity.TCSA_PIXEL_MM2].value == pytest.approx(50)
    assert row[Quantity.TCSA_MM2].provenance.valid_fraction == 1


@given(nested_paths(radius=12.0, centre=20.0), st.booleans(), simple_polygons(centre=20.0))
def test_the_valid_fraction_is_1_unless_something_is_hidden_and_never_more(paths, hides, hidden):
    rois = [left_muscle(path=paths)]
    if hides:
        rois.append(outline(SLICE, hidden, Structure.ARTEFACT))
    row = measured(rois)[Quantity.TCSA_MM2]
    fraction = row.provenance.valid_fraction
    assert fraction <= 1
    assert fraction == 1 or Flag.ARTEFACT in row.flags


def test_an_outline_wholly_outside_has_an_area_and_nothing_else():
    row = measured((left_muscle(path=box(-30, 50, -11, 69)),))
    assert row[Quantity.TCSA_MM2].value == pytest.approx(100)
    assert row[Quantity.VALID_CSA_MM2].value == 0
    assert math.isnan(row[Quantity.MEAN_SI].value)
    assert math.isnan(row[Quantity.TCSA_MM2].provenance.valid_fraction)


def test_without_references_pooled_fat_is_undefined_and_says_so():
    rows = measured((left_muscle(),))
    for quantity in (Quantity.FI_PCT, Quantity.FAT_CSA_MM2, Quantity.FCSA_MM2):
        assert math.isnan(rows[quantity].value)
        assert rows[quantity].flags == (Flag.NO_REFERENCE,)
    assert rows[Quantity.TCSA_MM2].flags == ()


def test_each_method_gives_rows_of_its_own():
    protocol = MeasurementProtocol(("otsu", "fixed", "pooled_otsu"), fixed_threshold=250)
    rows = measure(exam_of(SLICE), RoiSet((left_muscle(), *references())), protocol)
    found = {row.method: row for row in rows if row.quantity is Quantity.FI_PCT}
    assert {method: row.value for method, row in found.items()} == pytest.approx(
        {"otsu": 25, "fixed": 25, "pooled_otsu": 25}
    )
    assert found["fixed"].parameters.items() >= {"threshold": 250, "basis": "given"}.items()
    assert found["otsu"].parameters["basis"] == "outline"


def plain(*methods, **settings):
    """Return a protocol of these methods that takes the image as it is."""
    return MeasurementProtocol(methods, bias_correction="none", **settings)


EVERY_METHOD = plain(*FatMethod, fixed_threshold=250)
BY_REFERENCES = sorted(
    name
    for name, method in METHODS.items()
    if Need.LEAN_REFERENCE in method.needs and name != FatMethod.SIGNAL
)


def test_every_method_finds_the_fat_of_two_plain_tissues():
    pixels = lumbar_pixels(noise=3)
    item = image_slice(pixels)
    rois = RoiSet((left_muscle(item), *references(item)))
    rows = measure(exam_of(item), rois, EVERY_METHOD)
    found = {
        row.method: row
        for row in rows
        if row.quantity
        in {
            Quantity.FI_PCT,
            Quantity.FF_LINEAR_PCT,
            Quantity.FF_SIGNAL_PCT,
            Quantity.DIXON_FF_MEAN_PCT,
        }
    }
    assert set(found) == set(FatMethod)
    dixon = found.pop("dixon")
    assert math.isnan(dixon.value)
    assert dixon.flags == (Flag.NO_DIXON_PAIR,)
    for method, row in found.items():
        assert row.value == pytest.approx(25, abs=1), method
        # One small muscle of one slice leaves the bias field, and so the fraction, uncertain.
        uncertain = (Flag.CALIBRATION_UNCERTAIN,) if method == FatMethod.SIGNAL else ()
        assert row.flags == uncertain, method
        assert row.parameters["basis"] in {"exam", "outline", "given"}
    assert found["mean_ksd"].parameters["lean_sd_multiple"] == 3
    assert found["midpoint"].parameters["median_fat"] == pytest.approx(FAT, abs=2)
    assert found["kmeans3"].parameters["undefined_pct"] >= 0
    assert found["gmm2"].parameters["class_means"] == pytest.approx([LEAN, FAT], abs=2)
    assert found["clahe_otsu"].parameters["bias_correction"] == "none"
    lean = pixels[60:70, 5:15]
    assert found["circle_max"].parameters["threshold"] == lean.max()


def test_a_lean_muscle_has_no_fat_or_no_answer_by_every_method():
    item = image_slice(LEAN + np.random.default_rng(1).normal(0, 8, SHAPE))
    bright = lumbar_slice(noise=8)
    pixels = item.pixels.copy()
    pixels[40:60, 80:95] = bright.pixels[40:60, 80:95]
    item = image_slice(pixels)
    rois = RoiSet((left_muscle(item), *references(item)))
    for row in measure(exam_of(item), rois, EVERY_METHOD):
        if row.quantity is Quantity.FI_PCT:
            assert row.value < 3 or Flag.UNDETECTABLE in row.flags, row.method
        elif row.quantity is Quantity.FF_LINEAR_PCT:
            assert row.value == pytest.approx(0, abs=1)


@pytest.mark.parametrize("method", BY_REFERENCES)
def test_methods_with_references_have_no_answer_without_them(method):
    rows = measured((left_muscle(),), protocol=plain(method))
    quantity = Quantity.FF_LINEAR_PCT if method == "linear" else Quantity.FI_PCT
    assert math.isnan(rows[quantity].value)
    assert rows[quantity].flags == (Flag.NO_REFERENCE,)


def test_references_on_another_series_are_not_used_and_that_is_said():
    other = image_slice(3 * lumbar_pixels(), uid="9")
    exam = Exam("S01", "pre", (*exam_of(SLICE).series, Series("5.6", (other,), Weighting.T1)))
    rois = RoiSet((left_muscle(), *references(other)))
    rows = measure(exam, rois, plain("pooled_otsu"))
    (row,) = (row for row in rows if row.quantity is Quantity.FI_PCT)
    assert math.isnan(row.value)
    assert row.flags == (Flag.NO_REFERENCE, Flag.REFERENCE_ELSEWHERE)


def test_references_the_wrong_way_round_give_no_number():
    lean, fat = references()
    swapped = (
        outline(SLICE, box(42, 82, 55, 92), Structure.LEAN_REFERENCE),
        outline(SLICE, box(60, 5, 69, 14), Structure.FAT_REFERENCE),
    )
    rows = measured((left_muscle(), *swapped), protocol=plain("pooled_otsu", "linear"))
    for quantity in (Quantity.FI_PCT, Quantity.FF_LINEAR_PCT):
        assert math.isnan(rows[quantity].value)
        assert rows[quantity].flags == (Flag.REFERENCE_INVERTED,)
    assert not math.isnan(measured((left_muscle(), lean, fat))[Quantity.FI_PCT].value)


@pytest.mark.parametrize(
    ("path", "flagged"),
    [
        (box(10, 58, 14, 69), True),
        (box(5, 66, 14, 80), True),
        (box(10, 70, 14, 80), False),
        (box(60, 14, 69, 20), True),
        (box(62, 15, 66, 20), False),
    ],
    ids=["in muscle", "part in muscle", "beside muscle", "part in lean", "beside lean"],
)
def test_a_fat_reference_on_a_muscle_or_on_the_lean_reference_is_flagged(path, flagged):
    lean, _ = references()
    fat = outline(SLICE, path, Structure.FAT_REFERENCE)
    row = measured((left_muscle(), lean, fat))[Quantity.FI_PCT]
    assert (Flag.REFERENCE_OVERLAPS_MUSCLE in row.flags) == flagged


def test_a_fat_reference_on_another_slice_overlaps_nothing():
    slices = [lumbar_slice(plane=axial_plane(z=4.0 * k), uid=f"1.{k}") for k in range(2)]
    lean, _ = references(slices[0])
    fat = outline(slices[1], box(10, 50, 14, 69), Structure.FAT_REFERENCE)
    rows = measure(exam_of(*slices), RoiSet((left_muscle(slices[0]), lean, fat)))
    (row,) = (row for row in rows if row.quantity is Quantity.FI_PCT)
    assert row.flags == ()


def stored_slice(pixels, slope=1.0):
    stored = StoredPixels(lambda: pixels, slope=slope)
    return Slice("1.2.3", axial_plane(), pixels.shape, stored, 4.0)


@pytest.mark.parametrize("slope", [1.0, 0.37])
@pytest.mark.parametrize(
    ("gain", "flagged"), [(1, False), (10, True), (25, True)], ids=["no", "partly", "wholly"]
)
def test_a_saturated_fat_reference_is_flagged(gain, flagged, slope):
    pixels = lumbar_pixels(noise=12) * gain
    pixels = np.clip(np.rint(pixels), 0, 4095).astype(np.uint16)
    item = stored_slice(pixels, slope)
    row = measured((left_muscle(item), *references(item)), item)[Quantity.FI_PCT]
    assert (Flag.REFERENCE_SATURATED in row.flags) == flagged


@pytest.mark.parametrize(("value", "flagged"), [(4095, True), (255, True), (4000, False)])
def test_fat_of_one_value_is_saturated_where_that_is_the_last_value_there_is(value, flagged):
    pixels = np.where(lumbar_pixels() > LEAN, value, 100).astype(np.uint16)
    item = stored_slice(pixels)
    row = measured((left_muscle(item), *references(item)), item)[Quantity.FI_PCT]
    assert (Flag.REFERENCE_SATURATED in row.flags) == flagged


def test_fat_of_one_value_in_a_noisy_image_is_saturated():
    pixels = np.minimum(lumbar_pixels(noise=8), 380)
    pixels[40:60, 80:95] = 380
    item = image_slice(pixels)
    row = measured((left_muscle(item), *references(item)), item)[Quantity.FI_PCT]
    assert Flag.REFERENCE_SATURATED in row.flags


def test_an_outline_whose_classes_are_not_as_far_apart_as_the_references_is_undetectable():
    # Two plain classes, but a tenth as far apart as fat is from muscle.
    pixels = lumbar_pixels()
    pixels[10:15, 50:70] = LEAN + (FAT - LEAN) / 10
    item = image_slice(pixels)
    rois = (left_muscle(item), *references(item))
    row = measured(rois, item, plain("otsu"))[Quantity.FI_PCT]
    assert math.isnan(row.value)
    assert row.flags == (Flag.UNDETECTABLE,)
    alone = measured(rois[:1], item, plain("otsu"))[Quantity.FI_PCT]
    assert alone.value == pytest.approx(25)


def test_a_method_that_cuts_through_a_class_is_flagged():
    # Half lean, a quarter halfway, a quarter fat: of three classes only the brightest is fat.
    pixels = lumbar_pixels(noise=4)
    pixels[15:20, 50:70] += 190
    item = image_slice(pixels)
    row = measured((left_muscle(item),), item, plain("kmeans3"))[Quantity.FI_PCT]
    assert row.value == pytest.approx(25, abs=0.5)
    assert row.parameters["undefined_pct"] == pytest.approx(25, abs=0.5)
    assert row.flags == (Flag.CLASSES_UNCLEAR,)


def test_dixon_may_be_asked_for_by_name():
    fat, water = np.full(SHAPE, 20.0), np.full(SHAPE, 80.0)
    exam = dixon_exam(fat, water)
    rois = RoiSet((left_muscle(exam.series[0].slices[0]),))
    default, named = (
        [
            (row.quantity, row.value, row.flags, row.method)
            for row in measure(exam, rois, protocol)
            if row.method == "dixon"
        ]
        for protocol in (MeasurementProtocol(), MeasurementProtocol(("pooled_otsu", "dixon")))
    )
    assert default == named
    assert len(named) == 2


@pytest.mark.parametrize(("methods", "expected"), [((), set()), (("otsu",), {"otsu"})])
def test_only_the_methods_of_the_protocol_are_used(methods, expected):
    rois = RoiSet((left_muscle(), *references()))
    rows = measure(exam_of(SLICE), rois, MeasurementProtocol(methods))
    assert {row.method for row in rows} - {""} == expected


def test_a_row_carries_the_doubts_of_its_series_and_of_its_own_stack_alone():
    straight = [lumbar_slice(plane=axial_plane(z=4.4 * k), uid=f"s{k}") for k in range(3)]
    # Positions straight along z, planes tilted: shifted sideways from one to the next.
    sheared = [
        lumbar_slice(plane=axial_plane(z=60 + 4.4 * k, tilt=20), uid=f"t{k}") for k in range(3)
    ]
    series = Series("1.2", (*straight, *sheared), flags=(Flag.SCALE_UNVERIFIED,))
    rows = measure(
        Exam("S01", "pre", (series,)),
        RoiSet((left_muscle(straight[1]), left_muscle(sheared[2]))),
        MeasurementProtocol(fat_methods=(), tilt_axis="patient_z", tilt_limit_deg=20),
    )
    flags = {(row.key.slice_uid, row.flags) for row in rows}
    assert flags == {
        ("s1", (Flag.SCALE_UNVERIFIED,)),
        ("t2", (Flag.SCALE_UNVERIFIED, Flag.STACK_SHEARED)),
    }


def test_one_threshold_serves_both_sides_and_all_slices_of_a_reading():
    slices = [lumbar_slice(noise=8, plane=axial_plane(z=4.0 * k), uid=f"1.{k}") for k in range(3)]
    muscles = [
        outline(item, path, side=side)
        for item in slices
        for side, path in ((Side.LEFT, MUSCLE), (Side.RIGHT, box(10, 20, 29, 39)))
    ]
    rows = measure(exam_of(*slices), RoiSet((*muscles, *references(slices[0]))))
    thresholds = {row.parameters["threshold"] for row in rows if row.quantity is Quantity.FI_PCT}
    assert len(thresholds) == 1
    values = {row.key.side: row.value for row in rows if row.quantity is Quantity.FI_PCT}
    assert values == pytest.approx({Side.LEFT: 25, Side.RIGHT: 0})


def test_each_reading_has_a_threshold_of_its_own_references():
    other = Reading("S01", "pre", "CD", 1)
    rois = (left_muscle(), *references(), left_muscle(reading=other))
    rows = measure(exam_of(SLICE), RoiSet(rois))
    found = {row.key.reading: row.value for row in rows if row.quantity is Quantity.FI_PCT}
    assert found[READER] == pytest.approx(25)
    assert math.isnan(found[other])


def dixon_exam(fat, water):
    first, second = image_slice(fat, uid="fat"), image_slice(water, uid="water")
    return Exam(
        "S01",
        "pre",
        (Series("f", (first,), Weighting.DIXON_FAT), Series("w", (second,), Weighting.DIXON_WATER)),
    )


@pytest.mark.parametrize("drawn_on", [0, 1], ids=["fat", "water"])
def test_a_dixon_pair_gives_both_fat_fractions(drawn_on):
    fat, water = np.full(SHAPE, 20.0), np.full(SHAPE, 80.0)
    fat[10:15, 50:70], water[10:15, 50:70] = 270.0, 30.0
    exam = dixon_exam(fat, water)
    item = exam.series[drawn_on].slices[0]
    rows = {row.quantity: row for row in measure(exam, RoiSet((left_muscle(item),)))}
    assert rows[Quantity.DIXON_FF_MEAN_PCT].value == pytest.approx(0.25 * 90 + 0.75 * 20)
    ratio = (0.25 * 270 + 0.75 * 20) / (0.25 * 300 + 0.75 * 100)
    assert rows[Quantity.DIXON_FF_RATIO_PCT].value == pytest.approx(100 * ratio)
    sums = rows[Quantity.DIXON_FF_RATIO_PCT].parameters
    assert sums["weight"] == pytest.approx(400)
    assert sums["sum_fat"] / sums["sum_fat_water"] == pytest.approx(ratio)
    assert rows[Quantity.DIXON_FF_MEAN_PCT].method == "dixon"


def swapped_rows(*structures, muscle=0.2, reference=0.95):
    """Measure a pair whose files were swapped: lean muscle at the left, fat at the right."""
    water, fat = np.full(SHAPE, 1000 * muscle), np.full(SHAPE, 1000 * (1 - muscle))
    water[40:60, 80:95], fat[40:60, 80:95] = 1000 * reference, 1000 * (1 - reference)
    exam = dixon_exam(fat, water)
    item = exam.series[0].slices[0]
    more = [outline(item, path, kind) for kind, path in zip(structures, SWAPPED_AT, strict=False)]
    protocol = MeasurementProtocol(("dixon",), regional_fat=True)
    rows = measure(exam, RoiSet((left_muscle(item), *more)), protocol)
    return [row for row in rows if row.method == "dixon" and row.key.structure == "multifidus"]


SWAPPED_AT = box(42, 82, 55, 92), box(60, 5, 69, 14)
OF_FAT, OF_LEAN = Structure.FAT_REFERENCE, Structure.LEAN_REFERENCE


@pytest.mark.parametrize(
    "structures", [(OF_FAT, OF_LEAN), (OF_FAT,), (Structure.SUBCUTANEOUS_FAT,)]
)
def test_water_and_fat_that_references_show_to_be_swapped_give_no_number(structures):
    rows = swapped_rows(*structures)
    assert len(rows) == 2 + 5
    for row in rows:
        assert math.isnan(row.value)
        assert math.isnan(row.uncertainty)
        assert row.flags == (Flag.WATER_FAT_SWAPPED,)
        assert not row.parameters.get("sum_fat")


def test_a_lean_reference_alone_shows_a_swap_as_well():
    water, fat = np.full(SHAPE, 200.0), np.full(SHAPE, 800.0)
    exam = dixon_exam(fat, water)
    item = exam.series[0].slices[0]
    lean = outline(item, box(60, 5, 69, 14), Structure.LEAN_REFERENCE)
    rows = measure(exam, RoiSet((left_muscle(item), lean)))
    (row,) = (row for row in rows if row.quantity is Quantity.DIXON_FF_MEAN_PCT)
    assert math.isnan(row.value)
    assert row.flags == (Flag.WATER_FAT_SWAPPED,)


def test_muscles_of_more_fat_than_water_are_measured_and_doubted():
    for row in swapped_rows():
        assert row.value == pytest.approx(80)
        assert row.flags == (Flag.WATER_FAT_SWAPPED,)
    # Where references agree with the images, a fatty muscle is a fatty muscle.
    for row in swapped_rows(OF_FAT, muscle=0.3, reference=0.05):
        assert row.value == pytest.approx(70)
        assert row.flags == ()


def test_of_pixels_without_a_value_there_is_no_signal_and_a_flag_says_so():
    image = lumbar_pixels()
    image[5:40, 45:75] = np.nan
    rows = measured((left_muscle(image_slice(image)),), image_slice(image))
    assert math.isnan(rows[Quantity.MEAN_SI].value)
    assert rows[Quantity.MEAN_SI].flags == (Flag.UNDETECTABLE,)
    assert rows[Quantity.TCSA_MM2].flags == ()


@pytest.mark.parametrize("kind", [0, 1], ids=["lean", "fat"])
def test_references_of_few_pixels_are_flagged_where_fat_rests_on_them(kind):
    corners = ((60, 5), (42, 82))
    kinds = (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)
    whole = references()[1 - kind]

    def flags(*sizes):
        top, left = corners[kind]
        small = [
            outline(SLICE, box(top + 7 * n, left, top + 7 * n + size - 1, left + 4), kinds[kind],
                    name=str(n))
            for n, size in enumerate(sizes)
        ]  # fmt: skip
        return measured((left_muscle(), whole, *small))[Quantity.FI_PCT].flags

    assert Flag.REFERENCE_SMALL in flags(5)
    assert Flag.REFERENCE_SMALL not in flags(6)
    assert Flag.REFERENCE_SMALL not in flags(3, 3)


def test_dixon_pixels_without_signal_are_no_zero_percent():
    fat, water = np.zeros(SHAPE), np.zeros(SHAPE)
    rows = measure(dixon_exam(fat, water), RoiSet((left_muscle(image_slice(fat, uid="fat")),)))
    (row,) = (row for row in rows if row.quantity is Quantity.DIXON_FF_MEAN_PCT)
    assert math.isnan(row.value)
    assert Flag.UNDETECTABLE in row.flags
    assert row.n_pixels == 0


@pytest.mark.parametrize("weighting", [Weighting.DIXON_FAT, Weighting.DIXON_WATER])
def test_half_a_dixon_pair_has_no_fat_fraction(weighting):
    exam = exam_of(SLICE, weighting=weighting)
    quantities = {row.quantity for row in measure(exam, RoiSet((left_muscle(),)))}
    assert Quantity.DIXON_FF_MEAN_PCT not in quantities


@given(st.permutations(range(9)))
@settings(max_examples=30)
def test_the_order_of_outlines_does_not_change_a_single_bit(order):
    slices = [lumbar_slice(noise=20, plane=axial_plane(z=4.0 * k), uid=f"1.{k}") for k in range(2)]
    rois = [
        *(left_muscle(item, circle(20, 60, 9.7)) for item in slices),
        *(outline(item, circle(20, 29.5, 9.1), side=Side.RIGHT) for item in slices),
        outline(slices[0], circle(64, 9, 5), Structure.LEAN_REFERENCE),
        outline(slices[1], circle(62, 12, 6), Structure.LEAN_REFERENCE),
        outline(slices[1], circle(50, 87, 6), Structure.FAT_REFERENCE),
        outline(slices[0], circle(14, 66, 4), Structure.ARTEFACT, name="a"),
        outline(slices[0], circle(17, 64, 4), Structure.ARTEFACT, name="b"),
    ]
    exam = exam_of(*slices)
    protocol = MeasurementProtocol(("pooled_otsu", "otsu"))
    expected = as_rows(measure(exam, RoiSet(tuple(rois)), protocol))
    found = measure(exam, RoiSet(tuple(rois[i] for i in order)), protocol)
    assert as_rows(found) == expected


@given(simple_polygons(radius=9, centre=20))
def test_two_copies_of_one_exam_give_the_same_rows(path):
    rows = [
        as_rows(measure(exam_of(item), RoiSet((left_muscle(item, path),))))
        for item in (lumbar_slice(noise=3), lumbar_slice(noise=3))
    ]
    assert rows[0] == rows[1]


def test_swapped_sides_are_refused():
    rois = (left_muscle(path=box(10, 20, 29, 39)), outline(SLICE, MUSCLE, side=Side.RIGHT))
    with pytest.raises(RoiError, match="Left and right are swapped"):
        measure(exam_of(SLICE), RoiSet(rois))


def test_an_outline_of_another_exam_is_refused():
    stranger = image_slice(lumbar_pixels(), axial_plane(z=500), uid="9.9")
    with pytest.raises(RoiError, match="fits no slice of exam S01 pre"):
        measure(exam_of(SLICE), RoiSet((left_muscle(stranger),)))


def test_nothing_outlined_is_nothing_measured():
    assert len(measure(exam_of(SLICE), RoiSet())) == 0


def many_slices(uids):
    """Return an exam so large that its pixels are thinned out, and its outlines."""
    rng = np.random.default_rng(5)
    slices, rois = [], []
    for n, uid in enumerate(uids):
        pixels = rng.normal(LEAN, 8, (100, 120)) * np.linspace(1, 1.4, 120)
        pixels[5:15, 5 * n : 5 * n + 40] *= 4
        item = image_slice(pixels, axial_plane(z=4.0 * n), uid=uid)
        slices.append(item)
        for side, left in ((Side.RIGHT, 5), (Side.LEFT, 65)):
            facts = {"side": side, "source": Source.IMPORTED}
            rois.append(outline(item, box(5, left, 49, left + 44), **facts))
    rois.append(outline(slices[0], box(60, 30, 70, 40), Structure.LEAN_REFERENCE))
    rois.append(outline(slices[0], box(7, 10, 13, 30), Structure.FAT_REFERENCE))
    return exam_of(*slices), RoiSet(tuple(rois))


def test_what_slices_are_called_changes_no_number():
    names = [f"1.2.{n}" for n in range(8)]
    spelt = [f"9.{n}" for n in (4, 11, 2, 7, 5, 1, 3, 9)]
    ours, theirs = (measure(*many_slices(uids)) for uids in (names, spelt))
    renamed = dict(zip(spelt, names, strict=True))

    def known(row):
        key = replace(row.key, slice_uid=renamed.get(row.key.slice_uid, row.key.slice_uid))
        return replace(row, key=key, provenance=replace(row.provenance, outline_sha256=""))

    assert any(row.parameters.get("bias_correction") == "low_order" for row in ours)
    # As text, in which NaN equals NaN.
    assert sorted(str(known(row)) for row in theirs) == sorted(str(known(row)) for row in ours)
