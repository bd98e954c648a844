"""Scales beside the rescale: pairs of different slopes, Philips' own, real-world maps."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.sequence import Sequence as Items
from pydicom.valuerep import DSfloat

from multifidus.data.flags import Flag
from multifidus.data.image import Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.roi_set import RoiSet
from multifidus.io.read import read_exam
from multifidus.measuring.dixon_pairs import pairings
from multifidus.measuring.pipeline import measure
from tests.support.dicoms import SERIES, classic, enhanced, item, write
from tests.support.exams import axial_plane, circle, outline

SHAPE = (30, 40)
PLANE = axial_plane(tilt=10)

# A fat fraction of exactly 0.3, in stored values that would give 1700 / 3100 = 0.548.
STORED = {"FAT": 1700, "WATER": 1400}
SLOPE = {"FAT": 0.6, "WATER": 1.7}


def half(kind, change=lambda dataset, kind: None, series=None):
    """Return one image of a Dixon pair, in the one series of all or in a series of its own."""
    dataset = classic(PLANE, np.full(SHAPE, STORED[kind], np.uint16), len(kind))
    dataset.ImageType = ["DERIVED", "PRIMARY", "DIXON", kind]
    dataset.RescaleSlope, dataset.RescaleIntercept = DSfloat(SLOPE[kind]), DSfloat(0)
    if series is not None:
        dataset.SeriesInstanceUID = series
        dataset.SOPInstanceUID = f"{series}.{len(kind)}"
    change(dataset, kind)
    return dataset


def pair(folder, change=lambda dataset, kind: None):
    for kind in STORED:
        write(half(kind, change), folder / f"{kind}.dcm")
    return read_exam(folder)


def fat_fraction(exam):
    (fat,) = (series for series in exam.series if series.weighting is Weighting.DIXON_FAT)
    rows = measure(exam, RoiSet((outline(fat.slices[0], circle(15, 20, 8)),)))
    return next(row for row in rows if row.quantity is Quantity.DIXON_FF_RATIO_PCT)


def test_a_pair_of_different_slopes_gives_the_true_fat_fraction(tmp_path):
    assert STORED["FAT"] / sum(STORED.values()) == pytest.approx(0.548, abs=5e-4)
    row = fat_fraction(pair(tmp_path))
    assert row.value == pytest.approx(30, abs=1e-9)
    assert row.flags == ()


def philips(scale):
    def change(dataset, kind):
        dataset.Manufacturer = "Philips Medical Systems"
        block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
        block.add_new(0x0E, "FL", scale[kind])

    return change


def mapped(slope):
    def change(dataset, kind):
        dataset.RealWorldValueMappingSequence = Items(
            [item(RealWorldValueIntercept=0.0, RealWorldValueSlope=slope[kind])]
        )

    return change


@pytest.mark.parametrize(
    ("change", "flags"),
    [
        # RS x SS, or RS over the map's slope: one number for both images, or not.
        (philips({"FAT": 2 / 0.6, "WATER": 2 / 1.7}), ()),
        (philips({"FAT": 2.0, "WATER": 2.0}), (Flag.SCALE_UNVERIFIED,)),
        (mapped({"FAT": 0.6 / 3, "WATER": 1.7 / 3}), ()),
        (mapped({"FAT": 0.6, "WATER": 1.0}), (Flag.SCALE_UNVERIFIED,)),
    ],
)
def test_scales_that_differ_beside_the_rescale_are_flagged(tmp_path, change, flags):
    row = fat_fraction(pair(tmp_path, change))
    assert row.value == pytest.approx(30, abs=1e-9)
    assert row.flags == flags


def test_anothers_private_element_is_no_philips_scale(tmp_path):
    def change(dataset, kind):
        philips({"FAT": 2.0, "WATER": 3.0})(dataset, kind)
        dataset.Manufacturer = "ACME"

    assert fat_fraction(pair(tmp_path, change)).flags == ()


def test_frames_of_one_enhanced_object_are_a_pair_by_their_own_slopes(tmp_path):
    pixels = np.stack([np.full(SHAPE, STORED[kind], np.uint16) for kind in STORED])
    groups = [
        {
            "MRImageFrameTypeSequence": item(FrameType=["DERIVED", "PRIMARY", "DIXON", kind]),
            "PixelValueTransformationSequence": item(
                RescaleSlope=DSfloat(SLOPE[kind]), RescaleIntercept=DSfloat(0)
            ),
        }
        for kind in STORED
    ]
    dataset = enhanced([PLANE, PLANE], pixels, groups)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "T1", "MIXED"]
    write(dataset, tmp_path / "a.dcm")
    row = fat_fraction(read_exam(tmp_path))
    assert (row.value, row.flags) == (pytest.approx(30, abs=1e-9), ())


@pytest.mark.parametrize(
    "facts",
    [
        ({"AcquisitionTime": "101500.5"}, {"AcquisitionTime": "103000"}),
        ({"AcquisitionNumber": 3}, {"AcquisitionNumber": 4}),
        ({"TemporalPositionIdentifier": 1}, {"TemporalPositionIdentifier": 2}),
        ({"RepetitionTime": DSfloat(4000)}, {"RepetitionTime": DSfloat(3000)}),
    ],
)
def test_repeats_are_paired_by_what_the_scanner_wrote(tmp_path, facts):
    for n, known in enumerate(facts):
        for m, kind in enumerate(STORED):
            dataset = half(kind, series=f"{SERIES}.{2 * m + n}")
            for name, value in known.items():
                setattr(dataset, name, value)
            write(dataset, tmp_path / f"{n}{kind}.dcm")
    found = {uid: item.partner.uid for uid, item in pairings(read_exam(tmp_path)).items()}
    fats, waters = ([f"{SERIES}.{2 * m + n}" for n in range(2)] for m in range(2))
    assert found == dict(zip((*fats, *waters), (*waters, *fats), strict=True))


def test_repeats_that_nothing_tells_apart_are_not_paired(tmp_path):
    for n in range(2):
        for m, kind in enumerate(STORED):
            write(half(kind, series=f"{SERIES}.{2 * m + n}"), tmp_path / f"{n}{kind}.dcm")
    found = pairings(read_exam(tmp_path))
    assert len(found) == 4
    assert all("2 " in item.problem and item.partner is None for item in found.values())


def fraction_map(folder, stored=400, token="FAT_FRACTION", **facts):  # noqa: S107 - a word
    dataset = classic(PLANE, np.full(SHAPE, stored, np.uint16))
    dataset.ImageType = ["DERIVED", "PRIMARY", "DIXON", token]
    for name, value in facts.items():
        setattr(dataset, name, value)
    write(dataset, folder / "a.dcm")
    (series,) = read_exam(folder).series
    return series


def unit_map(code, slope, intercept=0.0, quantity=""):
    entry = item(
        RealWorldValueIntercept=intercept,
        RealWorldValueSlope=slope,
        MeasurementUnitsCodeSequence=Items([item(CodeValue=code)]),
    )
    if quantity:
        concept = item(ConceptCodeSequence=Items([item(CodeValue=quantity)]))
        entry.QuantityDefinitionSequence = Items([concept])
    return Items([entry])


@pytest.mark.parametrize(
    ("facts", "value", "unit"),
    [
        ({"RealWorldValueMappingSequence": unit_map("%", 0.1, -2.0)}, 38.0, "%"),
        ({"RealWorldValueMappingSequence": unit_map("1", 0.001)}, 0.4, "1"),
        ({"RealWorldValueMappingSequence": unit_map("ms", 0.001)}, 400.0, ""),
        ({"RescaleSlope": DSfloat(0.1), "RescaleType": "%"}, 40.0, "%"),
        ({"RescaleSlope": DSfloat(0.1), "RescaleType": "US"}, 40.0, ""),
        ({}, 400.0, ""),
    ],
)
def test_fat_fraction_maps_take_the_scale_that_is_declared(tmp_path, facts, value, unit):
    series = fraction_map(tmp_path, RescaleIntercept=DSfloat(0), **facts)
    assert series.weighting is Weighting.FAT_FRACTION
    assert series.slices[0].pixels[0, 0] == pytest.approx(value)
    assert series.unit == unit


@pytest.mark.parametrize(
    ("code", "weighting"),
    [
        ("129100", Weighting.FAT_FRACTION),
        ("129101", Weighting.DIXON_IN_PHASE),
        ("129102", Weighting.DIXON_OPPOSED_PHASE),
        ("129103", Weighting.NO_SIGNAL),
    ],
)
def test_dicoms_own_codes_of_quantities_tell_the_contrast(tmp_path, code, weighting):
    maps = unit_map("%", 1.0, quantity=code)
    series = fraction_map(tmp_path, 30, "M", RealWorldValueMappingSequence=maps)
    assert series.weighting is weighting
