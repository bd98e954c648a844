"""Exams that benchmarks of fat rely on: what is said to be true of them is."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from shapely import Polygon, union_all

import multifidus as mf
from benchmarks.accuracy import real_dixon
from benchmarks.accuracy.scenes import FACTORS, QUIET, Made, Scene, make, vary
from benchmarks.accuracy.scenes.curves import Grid, cover_all, smooth_noise
from benchmarks.accuracy.scenes.exam import anatomy_of
from benchmarks.accuracy.scenes.patterns import streaks
from benchmarks.accuracy.scenes.real_pattern import make_real, scene
from benchmarks.accuracy.scenes.scene import Pattern, Place, Shading, Void
from benchmarks.accuracy.scenes.sheet import show
from multifidus import Level, Side, Structure

pytestmark = pytest.mark.slow

SEED = 4
MUSCLES = {Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE}

POINTS_PCT = 0.5
"""What pixels on the border of an outline may change its mean fat by."""


@pytest.fixture(scope="module")
def neutral() -> Made:
    return make(Scene(), SEED)


@pytest.fixture(scope="module")
def quiet() -> Made:
    return make(QUIET, SEED)


def images(made: Made) -> list[np.ndarray]:
    return [item.pixels for item in made.exam.series[0].slices]


def outlined(made: Made, structure: Structure, side: Side | None = None) -> list[mf.Roi]:
    return [
        roi for roi in made.rois if roi.key.structure is structure and side in {None, roi.key.side}
    ]


def weights(roi: mf.Roi) -> np.ndarray:
    return mf.coverage(roi.paths_mm, roi.plane, roi.shape)


def pixels_of(made: Made, roi: mf.Roi) -> np.ndarray:
    series, index = made.exam.find_slice(roi.key.slice_uid)
    return series.slices[index].pixels


def fat_by_signal(made: Made, roi: mf.Roi) -> float:
    """Return the mean of an outline between lean muscle and fat, in percent."""
    weight = weights(roi)
    signal = (weight * pixels_of(made, roi)).sum() / weight.sum()
    return 100 * (signal - 1) / (made.scene.fat.contrast - 1)


def test_one_scene_and_seed_give_one_exam(neutral):
    again = make(Scene(), SEED)
    for one, other in zip(images(neutral), images(again), strict=True):
        np.testing.assert_array_equal(one, other)
    assert again.rois == neutral.rois
    assert again.truth == neutral.truth
    other = make(Scene(), SEED + 1)
    assert list(other.truth.values()) != list(neutral.truth.values())


@pytest.mark.parametrize(
    "changes", [{"contrast": 8.0}, {"erector_pct": 15.0}, {"snr": 6.0}, {"shift_px": 2.0},
                {"shading": Shading.ARRAY, "shading_pct": 60.0}, {"bits": 8}]
)  # fmt: skip
def test_a_person_keeps_anatomy_and_fat_when_a_factor_of_the_image_changes(neutral, changes):
    made = make(Scene().but(**changes), SEED)
    assert made.truth == neutral.truth
    assert made.rois == neutral.rois
    assert not np.array_equal(images(made)[1], images(neutral)[1])


def test_lean_muscle_has_no_fat_and_one_signal():
    made = make(QUIET.but(pattern=Pattern.LEAN), SEED)
    assert set(made.truth.values()) == {0.0}
    for roi in outlined(made, Structure.MULTIFIDUS):
        inside = pixels_of(made, roi)[weights(roi) > 0.999]
        np.testing.assert_allclose(inside, 1.0, atol=1e-5)


def test_signal_of_a_pixel_mixes_lean_muscle_and_fat_by_volume(quiet):
    contrast = quiet.scene.fat.contrast
    for roi in [roi for roi in quiet.rois if roi.key.structure in MUSCLES]:
        inside = weights(roi) > 0.999
        fat_pct = 100 * (pixels_of(quiet, roi)[inside] - 1) / (contrast - 1)
        np.testing.assert_allclose(fat_pct, quiet.fat_pct[roi.key.slice_uid][inside], atol=1e-3)


def test_mean_signal_of_an_outline_gives_its_true_fat():
    # Small pixels on the border bring little of what lies outside into the outline.
    made = make(QUIET.but(pattern=Pattern.BOTH, spacing_mm=0.2), SEED)
    for roi in outlined(made, Structure.MULTIFIDUS):
        assert fat_by_signal(made, roi) == pytest.approx(made.truth[roi.key], abs=POINTS_PCT)


def test_mean_signal_of_an_outline_gives_the_fat_that_perfect_pixels_show(quiet):
    for roi in outlined(quiet, Structure.MULTIFIDUS):
        found = fat_by_signal(quiet, roi)
        # Pixels on the border hold a little fascia, which is dark.
        assert found == pytest.approx(quiet.pixel_truth[roi.key], abs=0.3)


@pytest.mark.parametrize(("side", "width"), [(Side.LEFT, 0.8), (Side.RIGHT, 3.0), (Side.LEFT, 6.0)])
def test_true_fat_of_streaks_is_the_area_that_their_union_has_in_the_outline(side, width):
    scene = QUIET.but(streak_mm=width)
    anatomy = anatomy_of(scene, SEED, 1)
    key = (Structure.MULTIFIDUS, side)
    paths = streaks(anatomy, key, scene.fat, seed=SEED, number=1)
    muscle = Polygon(anatomy.borders_mm[key])
    fat = union_all([Polygon(path).buffer(0) for path in paths]).intersection(muscle)
    made = make(scene, SEED)
    roi = next(roi for roi in outlined(made, key[0], side) if roi.level is Level.L4_L5)
    assert roi.area_mm2 == pytest.approx(muscle.area, rel=1e-9)
    assert made.truth[roi.key] == pytest.approx(100 * fat.area / muscle.area, abs=0.2)


def test_true_fat_of_marbling_is_the_same_on_a_finer_grid():
    scene = QUIET.but(pattern=Pattern.DIFFUSE)
    coarse, fine = (make(scene.but(spacing_mm=mm), SEED) for mm in (0.8, 0.3))
    for key, pct in coarse.truth.items():
        assert fine.truth[key] == pytest.approx(pct, abs=0.1)


def test_true_fat_is_counted_in_the_outline_as_traced(quiet):
    made = make(QUIET.but(tracing_mm=0.3), SEED)
    for roi in outlined(made, Structure.MULTIFIDUS):
        exact = next(each for each in quiet.rois if each.key == roi.key)
        assert roi.area_mm2 == pytest.approx(exact.area_mm2, rel=0.08)
        assert made.truth[roi.key] != quiet.truth[roi.key]
        assert made.pixel_truth[roi.key] == pytest.approx(made.truth[roi.key], abs=1.5)


def test_outlines_have_plausible_areas_and_sides(neutral):
    bounds = {Structure.MULTIFIDUS: (330, 1200), Structure.ERECTOR_SPINAE: (400, 2300)}
    for structure, (low, high) in bounds.items():
        found = outlined(neutral, structure)
        assert Counter(roi.level for roi in found) == dict.fromkeys(
            (Level.L3_L4, Level.L4_L5, Level.L5_S1), 2
        )
        for roi in found:
            assert low < roi.area_mm2 < high
            assert roi.n_points >= 60
        for left in outlined(neutral, structure, Side.LEFT):
            right = next(
                roi for roi in outlined(neutral, structure, Side.RIGHT) if roi.level is left.level
            )
            assert left.centroid_mm[0] > right.centroid_mm[0] + 15


def test_small_muscles_have_an_area_of_a_square_centimetre_and_a_half():
    made = make(Scene().but(small=True, tracing_mm=0.0), SEED)
    for roi in outlined(made, Structure.MULTIFIDUS):
        assert roi.area_mm2 == pytest.approx(150, rel=0.01)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_samples_lie_in_lean_muscle_and_in_subcutaneous_fat(seed):
    made = make(Scene(), seed)
    lean, fat = (
        outlined(made, kind) for kind in (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE)
    )
    assert set(Counter(roi.key.slice_uid for roi in lean).values()) == {2}
    assert set(Counter(roi.key.slice_uid for roi in fat).values()) <= {1, 2}
    found = []
    for roi in (*lean, *fat):
        weight = weights(roi)
        pct = float((weight * made.fat_pct[roi.key.slice_uid]).sum() / weight.sum())
        if roi.key.structure is Structure.FAT_REFERENCE:
            assert pct > 85
        else:
            assert 20 < weight.sum() < 62
            found.append(pct)
    assert 0 < np.mean(found) < 12


def test_without_references_only_muscles_are_outlined():
    made = make(Scene().but(references=False), SEED)
    assert {roi.key.structure for roi in made.rois} == MUSCLES
    made = make(Scene().but(references=False, subcutaneous=True), SEED)
    for roi in outlined(made, Structure.SUBCUTANEOUS_FAT):
        pct = made.fat_pct[roi.key.slice_uid][weights(roi) > 0.999]
        assert pct.mean() > 90
        assert roi.n_points >= 60


@pytest.mark.parametrize("shading", [Shading.PLANE, Shading.SURFACE, Shading.ARRAY])
def test_the_signal_of_lean_muscle_falls_by_the_stated_amount(shading):
    scene = QUIET.but(pattern=Pattern.LEAN, shading=shading, shading_pct=40.0)
    made = make(scene, SEED)
    for item in made.exam.series[0].slices:
        muscles = [roi for roi in made.rois if roi.key.slice_uid == item.uid]
        inside = sum(weights(roi) for roi in muscles if roi.key.structure in MUSCLES) > 0.999
        signal = item.pixels[inside]
        assert 1 - signal.min() / signal.max() == pytest.approx(0.4, abs=0.03)


def test_each_slice_has_a_gain_of_its_own_where_there_is_shading():
    made = make(QUIET.but(pattern=Pattern.LEAN, shading=Shading.PLANE, shading_pct=20.0), SEED)
    means = [
        np.mean([
            pixels_of(made, roi)[weights(roi) > 0.999].mean()
            for roi in outlined(made, Structure.MULTIFIDUS) if roi.key.slice_uid == item.uid
        ])
        for item in made.exam.series[0].slices
    ]  # fmt: skip
    assert len(set(np.round(means, 3))) == 3
    assert all(0.88 < mean < 1.12 for mean in means)


def test_noise_is_that_of_the_stated_ratio_and_of_rician_kind():
    scene = QUIET.but(pattern=Pattern.LEAN, snr=12.0)
    made = make(scene, SEED)
    lean = np.concatenate([
        pixels_of(made, roi)[weights(roi) > 0.999] for roi in outlined(made, Structure.MULTIFIDUS)
    ])  # fmt: skip
    assert lean.mean() / lean.std() == pytest.approx(12, rel=0.05)
    air = images(made)[1][-4:]
    # The mean of a Rayleigh distribution.
    assert air.mean() == pytest.approx(np.sqrt(np.pi / 2) / 12, rel=0.05)


def test_lean_levels_differ_as_stated():
    scene = QUIET.but(pattern=Pattern.LEAN, erector_pct=-15.0, right_pct=8.0)
    made = make(scene, SEED)
    for roi in made.rois:
        if roi.key.structure in MUSCLES:
            wanted = (0.85 if roi.key.structure is Structure.ERECTOR_SPINAE else 1.0) * (
                1.08 if roi.key.side is Side.RIGHT else 1.0
            )
            inside = pixels_of(made, roi)[weights(roi) > 0.999]
            np.testing.assert_allclose(inside, wanted, atol=1e-5)


def test_lean_signal_rises_from_deep_to_superficial_as_stated():
    made = make(QUIET.but(pattern=Pattern.LEAN, gradient_pct=30.0), SEED)
    for roi in outlined(made, Structure.MULTIFIDUS):
        inside = pixels_of(made, roi)[weights(roi) > 0.999]
        assert inside.min() == pytest.approx(0.85, abs=0.02)
        assert inside.max() == pytest.approx(1.15, abs=0.02)


def test_fat_is_displaced_by_whole_pixels_and_water_is_not():
    scene = QUIET.but(contrast=3.0)
    still, moved = (images(make(scene.but(shift_px=n), SEED))[1] for n in (0.0, 2.0))
    without = images(make(scene.but(contrast=0.0), SEED))[1]
    np.testing.assert_allclose((moved - without)[2:-2], (still - without)[:-4], atol=1e-4)


@pytest.mark.parametrize("void", [Void.METAL, Void.FLOW, Void.AIR])
def test_what_has_no_signal_is_neither_fat_nor_muscle(void):
    scene = Scene().but(void=void, pct=40.0)
    drawn, undrawn, whole = (
        make(each, SEED) for each in (scene, scene.but(void_drawn=False), scene.but(void=Void.NONE))
    )
    assert outlined(drawn, Structure.ARTEFACT)
    assert not outlined(undrawn, Structure.ARTEFACT)
    for roi in outlined(drawn, Structure.MULTIFIDUS):
        if roi.key.side is Side.RIGHT:
            assert drawn.truth[roi.key] == undrawn.truth[roi.key] == whole.truth[roi.key]
        else:
            assert drawn.truth[roi.key] != undrawn.truth[roi.key]
            assert undrawn.truth[roi.key] == pytest.approx(whole.truth[roi.key], abs=6)
    hidden = max(outlined(drawn, Structure.ARTEFACT), key=lambda roi: roi.area_mm2)
    assert pixels_of(drawn, hidden)[weights(hidden) > 0.999].min() < 0.5 * np.median(
        pixels_of(drawn, hidden)
    )


def test_fat_may_lie_beside_lamina_and_spinous_process():
    even, deep = (
        make(Scene().but(pattern=Pattern.DIFFUSE, place=place, pct=20.0), SEED)
        for place in (Place.EVEN, Place.MEDIAL_DEEP)
    )

    def excess(made: Made) -> float:
        roi = outlined(made, Structure.MULTIFIDUS, Side.LEFT)[0]
        weight, fat = weights(roi), made.fat_pct[roi.key.slice_uid]
        column = np.arange(fat.shape[1])
        medial = column < (weight.sum(axis=0) @ column) / weight.sum()
        inner, outer = (
            (weight * fat * part).sum() / (weight * part).sum() for part in (medial, ~medial)
        )
        return inner - outer

    assert excess(deep) > excess(even) + 10


@pytest.mark.parametrize(("bits", "top"), [(8, 250), (12, 3600)])
def test_pixels_are_whole_numbers_that_fit_their_bits(bits, top):
    found = np.concatenate([image.ravel() for image in images(make(Scene().but(bits=bits), SEED))])
    np.testing.assert_array_equal(found, np.round(found))
    assert (found.min() >= 0, found.max()) == (True, top)


def test_true_fat_of_persons_runs_from_little_to_sixty_percent():
    found = [
        pct
        for seed in range(6)
        for key, pct in make(Scene(), seed).truth.items()
        if key.structure is Structure.MULTIFIDUS
    ]
    assert min(found) < 12
    assert 50 < max(found) < 65


def test_a_wanted_content_is_met():
    for pattern in (Pattern.STREAKS, Pattern.DIFFUSE, Pattern.BOTH):
        made = make(QUIET.but(pattern=pattern, pct=20.0), SEED)
        assert all(abs(pct - 20) < 1.2 for pct in made.truth.values())


def test_scenes_of_a_comparison_have_names_of_their_own_and_differ_in_one_factor():
    cells = list(vary())
    assert len({cell.name for cell in cells}) == len(cells)
    assert len({cell.scene for cell in cells}) == len(cells)
    base = {cell.pattern: cell.scene for cell in cells if not cell.factor}
    for cell in cells:
        if cell.factor in FACTORS:
            assert cell.scene == base[cell.pattern].but(**FACTORS[cell.factor][cell.level])


def test_an_unknown_factor_or_word_is_refused():
    with pytest.raises(KeyError):
        Scene().but(colour="red")
    with pytest.raises(mf.MultifidusError, match="striped"):
        Scene().but(pattern="striped")
    assert Scene().but(pattern="both").fat.pattern is Pattern.BOTH


def test_exam_and_outlines_are_accepted_by_the_library(neutral, tmp_path):
    path = tmp_path / "S4.outlines.json"
    mf.write_rois(neutral.rois, path)
    assert len(mf.read_rois(path, neutral.exam)) == len(neutral.rois)
    rows = mf.measure(neutral.exam, neutral.rois)
    areas = {row.key: row.value for row in rows if row.quantity is mf.Quantity.TCSA_MM2}
    for roi in outlined(neutral, Structure.MULTIFIDUS):
        assert areas[roi.key] == pytest.approx(roi.area_mm2)


def test_a_wide_streak_that_lies_beside_its_muscle_is_no_error():
    made = make(Scene().but(streak_mm=6.0), 204_001)
    assert 0 < min(made.truth.values()) < 5


def test_paths_that_overlap_cover_their_union():
    grid = Grid((0.0, 0.0), 0.5, (200, 220))
    rng = np.random.default_rng(3)
    turn = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    ring = np.column_stack((np.cos(turn), np.sin(turn)))
    paths = np.stack([
        rng.uniform(10, 90, 2) + rng.uniform(2, 9) * ring * (1 + 0.2 * rng.random((20, 1)))
        for _ in range(25)
    ])  # fmt: skip
    found = cover_all(grid, paths).mask.sum() * (0.5 / 4) ** 2
    assert found == pytest.approx(union_all([Polygon(path) for path in paths]).area, rel=2e-3)


def test_smooth_noise_has_unit_variance_and_does_not_depend_on_the_grid():
    axes = np.arange(-80, 80, 0.5), np.arange(-80, 80, 0.5)
    field = smooth_noise(axes, np.random.default_rng(1), 4.0)
    assert field.std() == pytest.approx(1, abs=0.12)
    finer = smooth_noise((axes[0][10:20], axes[1][30:35]), np.random.default_rng(1), 4.0)
    np.testing.assert_allclose(finer, field[10:20, 30:35], atol=1e-5)


def test_a_slice_is_shown_with_its_outlines(neutral):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    show(axes, "neutral", neutral, 1)
    assert len(axes.lines) >= 6


@pytest.mark.real_data
@pytest.mark.skipif(not real_dixon.available(), reason="there is no Dixon exam")
def test_fat_of_a_real_person_is_the_ratio_of_fat_to_fat_and_water_in_the_labels():
    import nibabel

    made = make_real(scene(4.0, bits=0))
    fat, water, labels = (
        np.asarray(nibabel.load(real_dixon.FOLDER / f"{name}.nii.gz").dataobj)
        for name in ("fat", "water", "label_fatgrid")
    )
    fat = fat / 1.5492
    ratios = sorted(
        100 * fat[own].sum() / (fat + water)[own].sum()
        for value in (2, 3)
        for k in range(labels.shape[2])
        if (own := (labels == value) & (np.arange(labels.shape[2]) == k)).any()
    )
    known = sorted(pct for key, pct in made.truth.items() if key.structure is Structure.MULTIFIDUS)
    np.testing.assert_allclose(known, ratios, rtol=1e-6)
    total = sum(item.pixels.sum() for item in made.exam.series[0].slices)
    assert total == pytest.approx((water + 4.0 * fat).sum(), rel=1e-9)
    assert {roi.key.structure for roi in made.rois} == {
        *MUSCLES, Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE
    }  # fmt: skip
