import math
from dataclasses import replace

import numpy as np
import pytest

from multifidus.data.anatomy import Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.image import Slice, StoredPixels, Weighting
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Source
from multifidus.data.roi_set import RoiSet
from multifidus.measuring.locate import place
from multifidus.measuring.pipeline import measure
from multifidus.measuring.propose_references import _Scene, propose_references
from multifidus.phantom import PhantomSpec, make_phantom
from tests.support.exams import axial_plane, circle, exam_of, image_slice, outline

REFERENCES = (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)
SPEC = PhantomSpec(stacks=2, slices_per_stack=2, sagittal=False)


@pytest.fixture(scope="module")
def phantom():
    return make_phantom(SPEC)


def without_references(rois):
    """What raters leave who outline muscles and nothing else."""
    return replace(rois, rois=tuple(roi for roi in rois if roi.key.structure.is_muscle))


def fat_of(exam, rois, protocol=None):
    rows = measure(exam, rois, protocol)
    return {row.key: row for row in rows if row.quantity is Quantity.FI_PCT and row.key.side.value}


def mean_signal(exam, rois, structure):
    rows = measure(exam, rois)
    found = [
        row.value
        for row in rows
        if row.quantity is Quantity.MEAN_SI and row.key.structure is structure
    ]
    return np.mean(found)


@pytest.mark.parametrize("structure", REFERENCES)
def test_proposals_lie_in_the_tissue_that_they_are_of(phantom, structure):
    """Fat is four times as bright as lean muscle; the coil shades by 15 % either way."""
    bare = without_references(phantom.outlines)
    proposed = propose_references(phantom.exam, bare)
    drawn = mean_signal(phantom.exam, phantom.outlines, structure)
    assert mean_signal(phantom.exam, bare | proposed, structure) == pytest.approx(drawn, rel=0.1)


def test_proposals_are_drafts_on_the_side_that_they_name(phantom):
    proposed = propose_references(phantom.exam, without_references(phantom.outlines))
    middle = np.mean([roi.centroid_mm[0] for roi in without_references(phantom.outlines)])
    assert {roi.source for roi in proposed} == {Source.DRAFT}
    assert {roi.key.side for roi in proposed} == {Side.LEFT, Side.RIGHT}
    for roi in proposed:
        assert (roi.centroid_mm[0] > middle) == (roi.key.side is Side.LEFT)


def test_fat_by_proposed_references_is_that_by_drawn_ones_and_flagged(phantom):
    drawn = fat_of(phantom.exam, phantom.outlines)
    bare = without_references(phantom.outlines)
    proposing = MeasurementProtocol(propose_references=True)
    proposed = fat_of(phantom.exam, bare, proposing)
    assert set(proposed) == set(drawn)
    for key, row in proposed.items():
        assert row.value == pytest.approx(drawn[key].value, abs=1.5)
        assert Flag.REFERENCE_PROPOSED in row.flags
        assert Flag.REFERENCE_PROPOSED not in drawn[key].flags
    assert all(np.isnan(row.value) for row in fat_of(phantom.exam, bare).values())


def test_what_a_rater_drew_is_not_replaced(phantom):
    lean_only = replace(
        phantom.outlines,
        rois=tuple(
            roi for roi in phantom.outlines if roi.key.structure is not Structure.FAT_REFERENCE
        ),
    )
    rows = measure(phantom.exam, lean_only, MeasurementProtocol(propose_references=True))
    names = {(row.key.structure, row.key.name) for row in rows}
    assert (Structure.FAT_REFERENCE, "proposed") in names
    assert (Structure.LEAN_REFERENCE, "proposed") not in names


def test_a_proposal_that_was_taken_over_is_no_longer_flagged(phantom):
    bare = without_references(phantom.outlines)
    proposed = propose_references(phantom.exam, bare)
    taken = replace(proposed, rois=tuple(replace(r, source=Source.DRAFT_EDITED) for r in proposed))
    rows = fat_of(phantom.exam, bare | taken)
    assert not any(Flag.REFERENCE_PROPOSED in row.flags for row in rows.values())


@pytest.mark.parametrize("weighting", [Weighting.DIXON_WATER, Weighting.STIR])
def test_nothing_is_proposed_where_fat_is_not_bright(phantom, weighting):
    series = tuple(replace(item, weighting=weighting) for item in phantom.exam.series)
    exam = replace(phantom.exam, series=series)
    assert not len(propose_references(exam, without_references(phantom.outlines)))


def test_nothing_is_proposed_without_back_muscles(phantom):
    assert not len(propose_references(phantom.exam, RoiSet()))
    psoas = [roi for roi in phantom.outlines if roi.key.structure is Structure.PSOAS]
    assert not len(propose_references(phantom.exam, RoiSet(tuple(psoas))))


def test_proposals_do_not_depend_on_the_order_of_outlines(phantom):
    bare = without_references(phantom.outlines)
    turned = replace(bare, rois=bare.rois[::-1])
    assert propose_references(phantom.exam, bare) == propose_references(phantom.exam, turned)


def test_artefacts_are_kept_out_of(phantom):
    bare = without_references(phantom.outlines)
    first = propose_references(phantom.exam, bare)
    lean = next(roi for roi in first if roi.key.structure is Structure.LEAN_REFERENCE)
    hidden = replace(lean, key=replace(lean.key, structure=Structure.ARTEFACT, name=""))
    second = propose_references(phantom.exam, bare | RoiSet((hidden,)))
    for roi in second:
        apart = np.linalg.norm(roi.centroid_mm - hidden.centroid_mm)
        same_slice = roi.key.slice_uid == hidden.key.slice_uid
        assert not same_slice or apart > 6.5


def test_pixels_without_a_value_are_kept_out_of_and_spoil_no_others(phantom):
    bare = without_references(phantom.outlines)
    first = propose_references(phantom.exam, bare)
    uid = next(iter(first)).key.slice_uid

    def holed(item):
        pixels = item.pixels.copy()
        pixels[:4, :4] = np.nan
        for roi in first:
            if roi.key.slice_uid == item.uid:
                row, column = item.plane.to_pixels(roi.centroid_mm[None])[0].round().astype(int)
                pixels[row, column] = np.inf
        return replace(item, stored=StoredPixels(lambda: pixels))

    series = tuple(
        replace(one, slices=tuple(map(holed, one.slices))) for one in phantom.exam.series
    )
    second = propose_references(replace(phantom.exam, series=series), bare)
    assert {roi.key.structure for roi in second} == {roi.key.structure for roi in first}
    for old in (roi for roi in first if roi.key.slice_uid == uid):
        for new in (roi for roi in second if roi.key.slice_uid == uid):
            assert np.linalg.norm(new.centroid_mm - old.centroid_mm) > 3


def test_discs_are_averages_of_the_pixels_around():
    rng = np.random.default_rng(0)
    item = image_slice(rng.normal(size=(40, 50)), plane=axial_plane())
    muscle = outline(item, circle(20, 25, 12), side=Side.LEFT)
    scene = _Scene.of(place([muscle], exam_of(item)))
    means, spreads = scene._discs(2.0)  # noqa: SLF001 - what it averages is seen nowhere else
    row_mm, column_mm = item.plane.pixel_spacing_mm
    row, column = np.indices(item.shape)
    near = np.hypot((row - 21) * row_mm, (column - 26) * column_mm) <= 2.0
    assert means[21, 26] == pytest.approx(item.pixels[near].mean(), abs=1e-9)
    assert spreads[21, 26] == pytest.approx(item.pixels[near].std(), abs=1e-9)


def shaded(phantom, direction, strength):
    """Multiply an exam's signal by a plane of shading across the muscles, along patient x or y."""
    middle = np.mean([roi.centroid_mm for roi in phantom.outlines], axis=0)
    slices = []
    for item in phantom.exam.series[0].slices:
        places = item.plane.to_patient(np.indices(item.shape).reshape(2, -1).T)
        along = ((places - middle)[:, direction] / 50).clip(-1, 1).reshape(item.shape)
        gained = item.pixels * (1 + strength * along)
        slices.append(Slice.from_array(item.uid, item.plane, gained, item.thickness_mm))
    series = replace(phantom.exam.series[0], slices=tuple(slices))
    return replace(phantom.exam, series=(series,))


@pytest.fixture(scope="module")
def truth(phantom):
    return {(t.slice_uid, t.structure, t.side): t.fat_pct for t in phantom.truth}


SHADES = [(direction, strength) for direction in (0, 1) for strength in (0.35, 0.6, 0.8)]


@pytest.mark.parametrize("correction", ["low_order", "none"])
@pytest.mark.parametrize("shade", SHADES, ids=str)
def test_proposals_under_strong_shading_are_near_the_truth_or_no_number_with_the_reason(
    phantom, truth, shade, correction
):
    """A rule takes the darkest for lean and the brightest for fat: where shading decides which."""
    exam = shaded(phantom, *shade)
    protocol = MeasurementProtocol(propose_references=True, bias_correction=correction)
    rows = [
        row
        for row in measure(exam, without_references(phantom.outlines), protocol)
        if row.quantity in {Quantity.FI_PCT, Quantity.FF_LINEAR_PCT}
    ]
    given = [row for row in rows if not math.isnan(row.value)]
    for row in given:
        true = truth[row.key.slice_uid, row.key.structure, row.key.side]
        assert abs(row.value - true) < (12 if correction == "none" else 6)
    for row in rows:
        if not math.isnan(row.value):
            continue
        assert Flag.REFERENCE_INCONSISTENT in row.flags or Flag.UNDETECTABLE in row.flags
    if shade[1] >= 0.8:
        assert not given


def test_drawn_references_are_not_refused_for_shading_that_a_rule_cannot_stand(phantom):
    exam = shaded(phantom, 0, 0.8)
    rows = measure(exam, phantom.outlines)
    assert not any(Flag.REFERENCE_INCONSISTENT in row.flags for row in rows)
