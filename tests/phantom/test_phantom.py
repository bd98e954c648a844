"""The phantom: is its truth true, and are its images what the truth says?"""

import hashlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.geometry import Orientation, tilt_deg
from multifidus.data.image import Weighting
from multifidus.errors import ProtocolError
from multifidus.measuring.coverage import coverage
from multifidus.phantom import PhantomSpec, Sex, Variant, make_phantom
from multifidus.phantom.fat import FatPattern, StreakField
from multifidus.phantom.muscles import muscles
from multifidus.phantom.render import MUSCLE_VALUE
from multifidus.phantom.solid import ellipse, sized
from multifidus.phantom.spine import DISCS, lumbar_spine
from multifidus.phantom.truth import Section, muscle_truth

CSA_TOLERANCE = 5e-4
"""Relative distance that an outline of 360 points may keep from the true area."""

FAT_TOLERANCE_PCT = 1.0
"""Points by which pixels at a muscle's edge, which see the fat outside, may change its fat."""

COARSE = {"matrix": 32, "pixel_mm": 5.0, "slices_per_stack": 1, "sagittal": False}
"""Images too coarse to look at, where truth and outlines alone are asked for."""


made = cache(make_phantom)


def coarse(**changes):
    """A phantom of which several tests look at truth and outlines."""
    return made(PhantomSpec(**COARSE, **changes))


@pytest.fixture(scope="module")
def exam_phantom():
    spec = PhantomSpec(stacks=2, slices_per_stack=2, sagittal_slices=1, matrix=32, pixel_mm=5.0)
    return make_phantom(spec)


@pytest.fixture(scope="module")
def clean():
    """A finely sampled slice of the lower back without noise and shading."""
    spec = PhantomSpec(
        stacks=1, slices_per_stack=1, matrix=576, pixel_mm=0.25, sagittal=False, dixon=True
    )
    return make_phantom(replace(spec, snr=float("inf"), shading=0.0))


def truth_of(phantom, structure, levels=DISCS, sides=(Side.LEFT, Side.RIGHT)):
    """The truth about one muscle in the middle of every disc, by level and side."""
    return {
        (grid.level, pattern.muscle.side): muscle_truth(
            Section.of(phantom.subject, pattern, grid), grid.level, uid, 0
        )
        for uid, grid in phantom.grids.items()
        if phantom.exam.series[0] is phantom.exam.find_slice(uid)[0]
        and grid.slice_position is SlicePosition.MID_DISC
        and grid.level in levels
        for pattern in phantom.subject.patterns_at(grid.level)
        if pattern.muscle.structure is structure and pattern.muscle.side in sides
    }


def true_muscle(phantom, structure, level, side):
    """The truth about one muscle of one side in the middle of one disc."""
    return truth_of(phantom, structure, (level,), (side,))[level, side]


@cache
def coarse_truth(structure, **changes):
    """The same of a phantom that several tests look at."""
    return truth_of(coarse(**changes), structure)


def outline_of(phantom, slice_uid, muscle):
    (found,) = (
        roi
        for roi in phantom.outlines
        if roi.key.slice_uid == slice_uid
        and (roi.key.structure, roi.key.side) == (muscle.structure, muscle.side)
    )
    return found


@pytest.mark.parametrize("tilts", [(0, 5, 10, 15, 20), (25, 30, 0, 30, 30), (-10, -5, 2, 12, 28)])
def test_outlines_enclose_the_true_area_at_every_tilt(tilts):
    phantom = coarse(tilts_deg=tilts, seed=3)
    compared = 0
    for uid, grid in phantom.grids.items():
        assert tilt_deg(grid.plane.normal) == pytest.approx(
            dict(zip(DISCS, tilts, strict=True))[grid.level]
        )
        for pattern in phantom.subject.patterns_at(grid.level):
            outline = outline_of(phantom, uid, pattern.muscle)
            area = Section.of(phantom.subject, pattern, grid).csa_mm2
            assert outline.n_points >= 128
            assert outline.area_mm2 == pytest.approx(area, rel=CSA_TOLERANCE)
            compared += 1
    assert compared == 4 * 8 + 6


def test_tilting_a_slice_makes_the_muscle_larger():
    straight, steep = (
        true_muscle(
            make_phantom(PhantomSpec(tilts_deg=(tilt,), stacks=1, still=True, **COARSE)),
            Structure.MULTIFIDUS,
            Level.L5_S1,
            Side.LEFT,
        )
        for tilt in (24.0, 49.0)
    )
    assert straight.spine_tilt_deg == pytest.approx(0, abs=0.01)
    assert 1.02 < steep.csa_mm2 / straight.csa_mm2 < 1.25


def test_areas_are_those_of_men_and_of_women():
    men, women = (coarse(variant=Variant.HEALTHY, sex=sex) for sex in Sex)
    for structure, level, side, area, within in (
        (Structure.MULTIFIDUS, Level.L3_L4, Side.LEFT, 700, 0.05),
        (Structure.MULTIFIDUS, Level.L5_S1, Side.RIGHT, 1100, 0.05),
        (Structure.ERECTOR_SPINAE, Level.L1_L2, Side.LEFT, 1960, 0.03),
        (Structure.ERECTOR_SPINAE, Level.L5_S1, Side.LEFT, 940, 0.03),
    ):
        found = true_muscle(men, structure, level, side).csa_mm2
        assert found == pytest.approx(area, rel=within)
    smaller = true_muscle(women, Structure.MULTIFIDUS, Level.L4_L5, Side.LEFT)
    assert 500 < smaller.csa_mm2 < 620


@pytest.mark.parametrize(
    ("variant", "usual", "at_l5_s1"),
    [(Variant.HEALTHY, (13, 22), (26, 32)), (Variant.PATIENT, (23, 60), (40, 60))],
)
def test_fat_is_in_the_published_ranges(variant, usual, at_l5_s1):
    truth = coarse_truth(Structure.MULTIFIDUS, variant=variant)
    for (level, _), row in truth.items():
        low, high = at_l5_s1 if level is Level.L5_S1 else usual
        assert low <= row.fat_pct <= high
        assert row.lean_csa_mm2 == pytest.approx(row.csa_mm2 * (1 - row.fat_pct / 100))


@pytest.mark.parametrize(
    ("variant", "operated", "adjacent"),
    [(Variant.POST_OPEN, 0.63, 0.71), (Variant.POST_MIS, 0.88, 0.91)],
)
def test_surgery_costs_the_lean_muscle_that_fan_et_al_found(variant, operated, adjacent):
    before, after = (
        coarse_truth(Structure.MULTIFIDUS, variant=v, still=True)
        for v in (Variant.PATIENT, variant)
    )
    for (level, side), row in before.items():
        ratio = after[level, side].lean_csa_mm2 / row.lean_csa_mm2
        if level is Level.L4_L5:
            assert ratio == pytest.approx(operated, abs=0.01)
        elif level in {Level.L3_L4, Level.L5_S1}:
            assert ratio == pytest.approx(adjacent, abs=0.01)
        else:
            assert 0.9 < ratio <= 1.01


def test_spine_coordinates_lead_there_and_back():
    spine = lumbar_spine()
    places = np.random.default_rng(5).uniform((-90, -70, -95), (90, 95, 125), (5000, 3))
    back = np.column_stack(spine.to_spine(spine.to_anatomy(places)))
    assert np.abs(back - places).max() < 1e-9


def test_a_disc_is_a_plane_with_the_tilt_of_the_spine():
    spine = lumbar_spine()
    places = np.random.default_rng(6).uniform((-40, -30, -71), (40, 80, -71), (50, 3))
    points = spine.to_anatomy(places)
    centred = points - points.mean(axis=0)
    normal = np.linalg.svd(centred)[2][2]
    assert np.abs(centred @ normal).max() < 1e-9
    assert tilt_deg(normal) == pytest.approx(24.0)


def test_a_round_solid_has_the_area_it_is_given():
    solid = sized(ellipse(), [(0.0, 0.0, 900.0, 1.0)] * 9)
    assert solid.shape.unit_area == pytest.approx(np.pi / 4)
    _, _, width, height = solid.box.at(np.zeros(1))[:, 0]
    assert np.pi / 4 * width * height == pytest.approx(900.0)


def test_fat_comes_first_deep_and_medial():
    phantom = coarse(stacks=1, still=True)
    pattern = phantom.subject.patterns[0]
    (u0, u1), (v0, v1), _ = pattern.muscle.solid.bounds(-71.0, -71.0)
    grid = np.meshgrid(np.arange(u0, u1, 0.25), np.arange(v0, v1, 0.25))
    u, v = (axis.ravel() for axis in grid)
    s = np.full_like(u, -71.0)
    inside = pattern.muscle.solid.contains(u, v, s)
    u, v, s = u[inside], v[inside], s[inside]
    fat = pattern.contains(u, v, s)
    assert fat[v < np.median(v)].mean() > fat[v > np.median(v)].mean() + 0.1
    assert fat[u < np.median(u)].mean() > fat[u > np.median(u)].mean() + 0.05


def test_exam_has_angled_stacks_and_a_sagittal_series_in_one_frame_of_reference():
    phantom = make_phantom(
        PhantomSpec(matrix=32, pixel_mm=5.0, slices_per_stack=2, sagittal_slices=1)
    )
    axial, sagittal = phantom.exam.series
    assert [len(stack.slices) for stack in axial.stacks] == [2] * 5
    assert [stack.slice_step_mm for stack in axial.stacks] == pytest.approx([4.4] * 5, abs=1e-5)
    assert axial.orientation is Orientation.AXIAL
    assert sagittal.orientation is Orientation.SAGITTAL
    assert axial.frame_of_reference_uid == sagittal.frame_of_reference_uid
    tilts = {g.level: tilt_deg(g.plane.normal) for g in phantom.grids.values() if g.level}
    assert 15 <= tilts[Level.L5_S1] <= 30
    assert tilts[Level.L5_S1] > tilts[Level.L4_L5] > tilts[Level.L1_L2]


def test_outlines_say_all_that_a_measurement_needs(exam_phantom):
    outlines = exam_phantom.outlines
    assert {mark.level for mark in outlines.landmarks} == set(DISCS)
    assert {typed.level for typed in outlines.levels} == {Level.L4_L5, Level.L5_S1}
    structures = {roi.key.structure for roi in outlines}
    assert {Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.DISC} <= structures
    for roi in outlines:
        assert not roi.key.structure.is_muscle or roi.roi_rule is RoiRule.FASCIAL
        if roi.key.side is Side.LEFT:
            mirrored = replace(roi.key, side=Side.RIGHT)
            (right,) = (other for other in outlines if other.key == mirrored)
            assert roi.centroid_mm[0] > right.centroid_mm[0]


@pytest.mark.parametrize("sex", Sex)
@pytest.mark.parametrize("variant", Variant)
def test_references_are_pure(sex, variant):
    phantom = coarse(sex=sex, variant=variant)
    for structure, signal in ((Structure.LEAN_REFERENCE, 4), (Structure.FAT_REFERENCE, 2)):
        places = [
            roi.centroid_mm + part * (roi.paths_mm[0] - roi.centroid_mm)
            for roi in phantom.outlines
            if roi.key.structure is structure
            for part in (0.3, 0.7, 1.0)
        ]
        assert (phantom.subject.tissues(np.concatenate(places)) == signal).all()


def test_muscles_do_not_overlap():
    phantom = coarse()
    grid = np.mgrid[-110:110:1.0, -60:95:1.0, -75:75:7.5].reshape(3, -1)
    count = sum(p.muscle.solid.contains(*grid).astype(int) for p in phantom.subject.patterns)
    assert count.max() == 1


def pixel_hash(phantom):
    digest = hashlib.sha256()
    for series in phantom.exam.series:
        for item in series.slices:
            digest.update(item.sha256().encode())
    return digest.hexdigest()


def test_the_seed_decides_everything():
    muscle = muscles(Variant.PATIENT, Sex.MALE)[0]
    streaks = [FatPattern.calibrated(muscle, StreakField.from_seed(4), 4) for _ in range(2)]
    assert (streaks[0].field.sheets == streaks[1].field.sheets).all()
    assert (streaks[0].level.table == streaks[1].level.table).all()
    spec = PhantomSpec(stacks=1, slices_per_stack=1, matrix=64, pixel_mm=3.0, sagittal=False)
    first, again = (make_phantom(spec) for _ in range(2))
    assert pixel_hash(first) == pixel_hash(again)
    assert first.outlines == again.outlines
    assert first.truth == again.truth
    assert pixel_hash(make_phantom(replace(spec, seed=1))) != pixel_hash(first)


def test_noise_has_the_asked_for_strength():
    spec = PhantomSpec(
        stacks=1, slices_per_stack=1, sagittal=False, shading=0.0, matrix=256, snr=15.0
    )
    noisy, quiet = (
        make_phantom(replace(spec, snr=snr)).exam.series[0].slices[0].pixels
        for snr in (15.0, float("inf"))
    )
    sigma = MUSCLE_VALUE / 15.0
    muscle, air = quiet == MUSCLE_VALUE, quiet == 0
    assert muscle.sum() > 3000
    assert (noisy - quiet)[muscle].std() == pytest.approx(sigma, rel=0.03)
    # Rician: sqrt(signal^2 + sigma^2) in muscle to second order, Rayleigh in air.
    assert noisy[muscle].mean() == pytest.approx(MUSCLE_VALUE + sigma**2 / 360, abs=0.5)
    assert noisy[air].mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.03)


def test_shading_falls_towards_the_front():
    spec = PhantomSpec(
        stacks=1, slices_per_stack=1, sagittal=False, snr=float("inf"), matrix=128, pixel_mm=1.7
    )
    flat, shaded = (
        make_phantom(replace(spec, shading=shading)).exam.series[0].slices[0].pixels
        for shading in (0.0, 0.25)
    )
    fat = flat == 4 * MUSCLE_VALUE
    gain = np.where(fat, shaded / np.where(fat, flat, 1), np.nan)
    assert 1.15 < np.nanmax(gain) <= 1.25
    assert np.nanmin(gain) == pytest.approx(0.75, abs=0.01)
    assert np.nanmean(gain[-50:]) > np.nanmean(gain[:50])


def test_pixels_hold_the_true_fat(clean):
    item = clean.exam.series[0].slices[0]
    mixing = (item.pixels / MUSCLE_VALUE - 1) / (clean.spec.contrast - 1)
    for side in (Side.LEFT, Side.RIGHT):
        row = true_muscle(clean, Structure.MULTIFIDUS, Level.L5_S1, side)
        weights = coverage(outline_of(clean, row.slice_uid, row).paths_mm, item.plane, item.shape)
        found = 100 * (weights * mixing).sum() / weights.sum()
        assert found == pytest.approx(row.fat_pct, abs=FAT_TOLERANCE_PCT)


def test_dixon_pixels_hold_the_true_ratio(clean):
    series = {found.weighting: found for found in clean.exam.series}
    water, fat = (
        series[weighting].slices[0] for weighting in (Weighting.DIXON_WATER, Weighting.DIXON_FAT)
    )
    assert water.plane == fat.plane == clean.exam.series[0].slices[0].plane
    row = true_muscle(clean, Structure.MULTIFIDUS, Level.L5_S1, Side.LEFT)
    weights = coverage(outline_of(clean, row.slice_uid, row).paths_mm, fat.plane, fat.shape)
    total_fat, total_water = (weights * fat.pixels).sum(), (weights * water.pixels).sum()
    found = 100 * total_fat / (total_fat + total_water)
    assert found == pytest.approx(row.dixon_ff_ratio_pct, abs=FAT_TOLERANCE_PCT)


def test_averaging_through_the_slice_blurs():
    spec = PhantomSpec(
        stacks=1, slices_per_stack=1, sagittal=False, snr=float("inf"), matrix=96, pixel_mm=2.0
    )
    thin, thick = (
        make_phantom(replace(spec, through_plane=n)).exam.series[0].slices[0].pixels for n in (1, 3)
    )
    assert (thin != thick).any()
    assert thick.mean() == pytest.approx(thin.mean(), rel=0.02)


def test_screws_void_the_signal_but_not_the_truth():
    spec = PhantomSpec(
        variant="post_open", stacks=2, slices_per_stack=1, sagittal=False, matrix=192, pixel_mm=1.0
    )
    plain, screwed = make_phantom(spec), make_phantom(replace(spec, screws=True))
    areas = [[row.csa_mm2 for row in phantom.truth] for phantom in (plain, screwed)]
    assert areas[0] == areas[1]
    voids = [roi for roi in screwed.outlines if roi.key.structure is Structure.ARTEFACT]
    assert {roi.key.side for roi in voids} == {Side.LEFT, Side.RIGHT}
    for roi in voids:
        width = np.ptp(roi.paths_mm[0][:, 0])
        assert 14 <= width <= 24
        series, index = screwed.exam.find_slice(roi.key.slice_uid)
        weights = coverage(roi.paths_mm, roi.plane, roi.shape)
        inside = series.slices[index].pixels[weights > 0.99]
        assert inside.mean() < 0.15 * MUSCLE_VALUE


@pytest.mark.parametrize(
    "wrong", [{"contrast": 1.0}, {"stacks": 6}, {"tilts_deg": (1.0,)}, {"seed": -1}]
)
def test_impossible_specs_are_refused(wrong):
    with pytest.raises(ProtocolError):
        PhantomSpec(**wrong)
