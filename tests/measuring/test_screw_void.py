"""Metal in the second exam of a pair without any change: it must read as no change.

The muscles, their fat and the noise level are the same before and after; after surgery screws void
signal. A rater outlines what is void or displaced; the outlines here enclose every pixel that the
screws changed, found without the program's own artefact outlines.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import shapely

from multifidus.data.anatomy import Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Exam, Series, Slice
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi_set import RoiSet
from multifidus.measuring.pipeline import measure
from multifidus.phantom import PhantomSpec, make_phantom
from multifidus.phantom.render import MUSCLE_VALUE
from tests.support.exams import outline

SPEC = PhantomSpec(
    seed=7, stacks=2, sagittal=False, snr=float("inf"), matrix=240, pixel_mm=0.9, shading=0.1
)
SNR = 18.0
VOID_MM = 20.0
METHODS = {"", "pooled_otsu"}
FI = Quantity.FI_PCT
PROTOCOL = MeasurementProtocol()


def noisy(item, seed):
    """Return a slice with Rician noise of its own."""
    rng = np.random.default_rng(seed)
    real, imaginary = rng.standard_normal((2, *item.shape)) * MUSCLE_VALUE / SNR
    return Slice.from_array(item.uid, item.plane, np.hypot(item.pixels + real, imaginary))


def noisy_exam(exam, seed):
    series = exam.series[0]
    slices = tuple(noisy(item, [seed, k]) for k, item in enumerate(series.slices))
    return Exam(exam.subject, exam.timepoint, (Series(series.uid, slices, series.weighting),))


def changed_by_metal(before, after):
    """Return outlines (row, column) around all pixels that differ, one hull a cluster."""
    from scipy.ndimage import binary_dilation, label

    differs = binary_dilation(before.pixels != after.pixels)
    clusters, count = label(binary_dilation(differs, iterations=2))
    for number in range(1, count + 1):
        pixels = np.argwhere(differs & (clusters == number))
        hull = shapely.MultiPoint(pixels).buffer(0.8).convex_hull
        yield np.array(hull.exterior.coords)[:-1]


@pytest.fixture(scope="module")
def pair():
    before, after = (make_phantom(replace(SPEC, screws=screws)) for screws in (False, True))
    slices = [phantom.exam.series[0].slices for phantom in (before, after)]
    drawn = [roi for roi in after.outlines if roi.key.structure is not Structure.ARTEFACT]
    metal = [
        outline(new, path, Structure.ARTEFACT, name=str(number), reading=after.outlines.reading)
        for old, new in zip(*slices, strict=True)
        for number, path in enumerate(changed_by_metal(old, new))
    ]
    return (
        (noisy_exam(before.exam, 1), before.outlines),
        (noisy_exam(after.exam, 2), replace(after.outlines, rois=(*drawn, *metal))),
        RoiSet(tuple(drawn), levels=after.outlines.levels, reading=after.outlines.reading),
    )


def numbers(exam, rois, protocol=PROTOCOL):
    """Return {(slice, structure, side): {quantity: measurement}} of the muscles."""
    found = {}
    for row in measure(exam, rois, protocol):
        key = row.key
        if key.structure.is_muscle and key.side is not Side.BOTH and row.method in METHODS:
            place = (row.provenance.slice_index, key.structure, key.side)
            found.setdefault(place, {})[row.quantity] = row
    return found


def test_the_void_is_as_large_as_a_screws(pair):
    (_, _), (_, rois), _ = pair
    widths = [
        2 * math.sqrt(roi.area_mm2 / math.pi)
        for roi in rois
        if roi.key.structure is Structure.ARTEFACT
    ]
    assert max(widths) >= VOID_MM


@pytest.fixture(scope="module")
def measured(pair):
    before, after, bare = pair
    return numbers(*before), numbers(*after), numbers(after[0], bare)


def changes(first, second, quantity):
    """Return the change of every muscle with its standard uncertainty."""
    return {
        place: (
            second[place][quantity].value - of[quantity].value,
            math.hypot(second[place][quantity].uncertainty, of[quantity].uncertainty),
        )
        for place, of in first.items()
    }


def valid_fraction(rows):
    return rows[Quantity.TCSA_MM2].provenance.valid_fraction


def test_no_area_changes_by_a_bit(measured):
    before, after, _ = measured
    assert set(before) == set(after)
    for place, rows in before.items():
        for quantity in (Quantity.TCSA_MM2, Quantity.TCSA_PIXEL_MM2):
            assert rows[quantity].value == after[place][quantity].value


def test_fat_changes_less_than_it_is_uncertain_even_in_half_a_muscle(measured):
    """Where muscles may be compared, by less than a point: the noise alone is new.

    Where metal hides much, the part that is left may be fatter than the whole: within 95 %.
    """
    before, after, _ = measured
    assert min(map(valid_fraction, after.values())) < 0.6
    for place, (change, uncertainty) in changes(before, after, Quantity.FI_PCT).items():
        assert abs(change) <= 1.96 * uncertainty < 14
        if valid_fraction(after[place]) >= PROTOCOL.minimal_valid_fraction:
            assert abs(change) < 1


def test_lean_area_changes_less_than_it_is_uncertain_wherever_it_may_be_compared(measured):
    before, after, _ = measured
    compared = 0
    for place, (change, uncertainty) in changes(before, after, Quantity.FCSA_MM2).items():
        hidden = valid_fraction(after[place]) < PROTOCOL.minimal_valid_fraction
        for quantity in (Quantity.FCSA_MM2, Quantity.FAT_CSA_MM2, Quantity.FI_PCT):
            flagged = Flag.VALID_FRACTION_LOW in after[place][quantity].flags
            assert flagged == hidden
        if not hidden:
            compared += valid_fraction(after[place]) < 1
            assert abs(change) <= uncertainty
    assert compared


def test_without_artefact_outlines_metal_reads_as_change(measured):
    before, _, bare = measured
    fat = changes(before, bare, Quantity.FI_PCT)
    lean = changes(before, bare, Quantity.FCSA_MM2)
    assert max(abs(change) for change, _ in fat.values()) > 5
    assert max(change for change, _ in lean.values()) > 50


def test_a_void_that_nobody_outlined_is_flagged_and_an_outlined_one_is_not(measured):
    before, after, bare = measured
    for rows in (*before.values(), *after.values()):
        assert not any(Flag.LOW_SIGNAL in row.flags for row in rows.values())
    hidden = {place for place, rows in after.items() if valid_fraction(rows) < 1}
    flagged = {place for place, rows in bare.items() if Flag.LOW_SIGNAL in rows[FI].flags}
    assert flagged
    assert flagged <= hidden
    for place in flagged:
        lost = 100 * (1 - valid_fraction(after[place]))
        # The outlines enclose the bright rims as well, and what is displaced but not dark.
        assert 3 < bare[place][FI].parameters["low_signal_pct"] < lost
    assert {place for place in hidden if valid_fraction(after[place]) < 0.8} <= flagged
