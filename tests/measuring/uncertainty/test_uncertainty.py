import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from multifidus.data.anatomy import Side, Structure
from multifidus.data.image import Exam, Series, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.roi_set import RoiSet
from multifidus.measuring.pipeline import measure
from multifidus.measuring.uncertainty.components import Tracing, area_variance
from tests.support.exams import axial_plane, box, circle, exam_of, image_slice, outline

LEAN, FAT = 100.0, 400.0
EVERY = tuple(sorted({*FatMethod} - {FatMethod.SIGNAL, FatMethod.FIXED, FatMethod.DIXON}))
RADIUS = 14.0


def pixels(noise=6.0, seed=0):
    """Return muscle with a band of fat through it and a rim of fat at one side."""
    rng = np.random.default_rng(seed)
    image = np.full((90, 110), LEAN)
    image[:, 48:54] = FAT
    image[20:60, 70:95] = FAT
    image[:, 60] = (LEAN + FAT) / 2
    return image + noise * rng.normal(size=image.shape)


def slice_of(plane=None, noise=6.0):
    return image_slice(pixels(noise), plane)


def outlines(item, radius=RADIUS):
    return RoiSet(
        (
            outline(item, circle(40, 50, radius, points=120), side=Side.LEFT),
            outline(item, box(70, 5, 84, 20), Structure.LEAN_REFERENCE),
            outline(item, box(30, 78, 50, 92), Structure.FAT_REFERENCE),
        )
    )


def muscle_rows(item=None, protocol=None, rois=None):
    item = item or slice_of()
    protocol = protocol or MeasurementProtocol(fat_methods=EVERY)
    rows = measure(exam_of(item), rois or outlines(item), protocol)
    return [row for row in rows if row.key.structure is Structure.MULTIFIDUS]


def parts(row):
    return {name: value for name, value in row.parameters.items() if name.startswith("u_")}


def of(rows, quantity, method=""):
    return next(row for row in rows if row.quantity is quantity and row.method == method)


def test_a_map_is_as_uncertain_as_the_dixon_fractions_that_it_shows():
    rng = np.random.default_rng(4)
    share = np.clip(0.1 + (pixels(0) > 250) * 0.7 + 0.02 * rng.normal(size=(90, 110)), 0.01, 0.99)
    names = ("fat", "water", "map")
    fat, water, of_map = (
        image_slice(one, uid=name)
        for one, name in zip(
            (1000 * share, 1000 - 1000 * share, 10 * 100 * share), names, strict=True
        )
    )
    kinds = (Weighting.DIXON_FAT, Weighting.DIXON_WATER, Weighting.PDFF)
    series = tuple(
        Series(item.uid, (item,), kind, unit="[ppth]" if item is of_map else "")
        for item, kind in zip((fat, water, of_map), kinds, strict=True)
    )
    rows = measure(Exam("S01", "pre", series), outlines(fat))
    dixon = next(r for r in rows if r.quantity is Quantity.DIXON_FF_MEAN_PCT)
    mapped = next(r for r in rows if r.quantity is Quantity.PDFF_MEAN_PCT)
    assert mapped.value == pytest.approx(dixon.value)
    assert mapped.uncertainty == pytest.approx(dixon.uncertainty)
    assert parts(mapped) == pytest.approx(parts(dixon))
    assert set(parts(mapped)) == {"u_boundary", "u_placement", "u_noise"}


AREAS_AND_FAT = {
    Quantity.TCSA_MM2, Quantity.TCSA_PIXEL_MM2, Quantity.TCSA_COS_MM2, Quantity.VALID_CSA_MM2,
    Quantity.FI_PCT, Quantity.FAT_CSA_MM2, Quantity.FCSA_MM2, Quantity.FF_LINEAR_PCT,
    Quantity.FF_LINEAR_CLIPPED_PCT,
}  # fmt: skip


def test_every_area_and_fat_value_has_an_uncertainty_made_of_its_parts():
    rows = [row for row in muscle_rows() if row.quantity in AREAS_AND_FAT]
    assert {row.method for row in rows if row.quantity is Quantity.FI_PCT} == set(EVERY) - {
        "linear"
    }
    for row in rows:
        if math.isnan(row.value):
            assert math.isnan(row.uncertainty), row
            continue
        assert row.uncertainty > 0
        assert row.uncertainty == pytest.approx(math.hypot(*parts(row).values()))


def test_parts_stand_where_they_apply():
    rows = muscle_rows()
    assert set(parts(of(rows, Quantity.TCSA_MM2))) == {"u_boundary"}
    assert set(parts(of(rows, Quantity.TCSA_PIXEL_MM2))) == {"u_boundary", "u_partial_volume"}
    shared = {"u_boundary", "u_placement", "u_threshold", "u_shading"}
    assert set(parts(of(rows, Quantity.FI_PCT, "pooled_otsu"))) == shared | {"u_partial_volume"}
    assert set(parts(of(rows, Quantity.FF_LINEAR_PCT, "linear"))) == shared
    # Its threshold rests on no reference.
    assert "u_threshold" not in parts(of(rows, Quantity.FI_PCT, "otsu"))
    assert math.isnan(of(rows, Quantity.MEAN_SI).uncertainty)


def test_an_area_is_as_uncertain_as_its_perimeter_says():
    protocol = MeasurementProtocol(tracing_sd_mm=0.4, tracing_offset_mm=0.1)
    row = of(muscle_rows(protocol=protocol), Quantity.TCSA_MM2)
    length = 2 * 120 * math.sin(math.pi / 120) * RADIUS * 0.5
    expected = math.sqrt(area_variance([length], Tracing(0.4, 5.0, 0.1)))
    assert row.uncertainty == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("field", "within"), [("low_order", 1e-6), ("joint", 1e-2)])
@settings(max_examples=20, deadline=None)
@given(st.floats(-40, 40), st.floats(-200, 200))
def test_where_the_slice_lies_and_how_it_is_tilted_changes_nothing(field, within, tilt, z):
    """Of the joint field little: its polynomial is one of the patient's axes, with a prior."""
    protocol = MeasurementProtocol(
        fat_methods=("pooled_otsu", "linear"), tilt_axis="patient_z", bias_correction=field
    )
    plain = muscle_rows(protocol=protocol)
    moved = muscle_rows(slice_of(axial_plane(z=z, tilt=tilt)), protocol)
    for one, other in zip(plain, moved, strict=True):
        if one.quantity is Quantity.TCSA_COS_MM2:
            expected = one.uncertainty * abs(math.cos(math.radians(tilt)))
        else:
            expected = one.uncertainty
        assert other.uncertainty == pytest.approx(expected, rel=within, nan_ok=True)


def test_careless_tracing_is_said_to_be_less_certain_and_changes_no_value():
    careful, careless = (
        muscle_rows(protocol=MeasurementProtocol(tracing_sd_mm=sd)) for sd in (0.2, 2.0)
    )
    for one, other in zip(careful, careless, strict=True):
        assert one.value == pytest.approx(other.value, nan_ok=True)
        if one.quantity in AREAS_AND_FAT:
            assert one.uncertainty < other.uncertainty


def test_fat_and_lean_area_and_their_share_agree_on_what_is_uncertain():
    rows = muscle_rows()
    valid = of(rows, Quantity.VALID_CSA_MM2).value
    share, fat, lean = (
        parts(of(rows, quantity, "pooled_otsu"))
        for quantity in (Quantity.FI_PCT, Quantity.FAT_CSA_MM2, Quantity.FCSA_MM2)
    )
    for name in set(share) - {"u_boundary"}:
        assert fat[name] == lean[name] == pytest.approx(valid * share[name] / 100)
    area = parts(of(rows, Quantity.TCSA_MM2))["u_boundary"]
    # A tracing moves fat and lean muscle together: neither by more than all of it, about.
    assert max(fat["u_boundary"], lean["u_boundary"]) < 1.3 * area


def test_without_references_what_they_tell_is_not_stated():
    item = slice_of()
    alone = RoiSet((outline(item, circle(40, 50, RADIUS, points=120)),))
    rows = muscle_rows(item, MeasurementProtocol(fat_methods=("otsu",)), alone)
    assert set(parts(of(rows, Quantity.FI_PCT, "otsu"))) == {
        "u_boundary", "u_placement", "u_partial_volume",
    }  # fmt: skip


def test_the_same_input_gives_the_same_bytes_twenty_times():
    item = slice_of()
    found = {tuple(repr(row.uncertainty) for row in muscle_rows(item)) for _ in range(20)}
    assert len(found) == 1


def dixon_rows(fat_image, water_image):
    fat, water = image_slice(fat_image, uid="fat"), image_slice(water_image, uid="water")
    exam = Exam(
        "S01", "pre",
        (Series("f", (fat,), Weighting.DIXON_FAT), Series("w", (water,), Weighting.DIXON_WATER)),
    )  # fmt: skip
    rois = RoiSet((outline(fat, circle(40, 50, RADIUS, points=120)),))
    rows = measure(exam, rois, MeasurementProtocol(fat_methods=()))
    names = (Quantity.DIXON_FF_MEAN_PCT, Quantity.DIXON_FF_RATIO_PCT)
    return [of(rows, name, "dixon") for name in names]


def test_dixon_fractions_have_a_boundary_a_place_and_noise():
    fat = pixels() - LEAN + 20
    for row in dixon_rows(fat, 320 - fat):
        assert set(parts(row)) == {"u_boundary", "u_placement", "u_noise"}
        assert row.uncertainty == pytest.approx(math.hypot(*parts(row).values()))


def test_dixon_fractions_of_one_even_tissue_are_certain():
    even = np.full((90, 110), 50.0)
    for row in dixon_rows(even, 3 * even):
        assert row.value == pytest.approx(25)
        assert row.uncertainty == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("nothing", [math.nan, math.inf])
def test_pixels_without_a_value_on_the_outline_take_no_part_of_the_uncertainty_away(nothing):
    image = pixels()
    image[::7, ::5] = nothing
    whole, holed = muscle_rows(), muscle_rows(image_slice(image))
    for quantity, method in ((Quantity.FF_LINEAR_PCT, "linear"), (Quantity.FI_PCT, "pooled_otsu")):
        wanted, found = (parts(of(rows, quantity, method)) for rows in (whole, holed))
        assert found.keys() == wanted.keys()
        assert found["u_boundary"] == pytest.approx(wanted["u_boundary"], rel=0.3)
