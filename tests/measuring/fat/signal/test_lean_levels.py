import math

import pytest

from multifidus.measuring.fat.signal.lean_levels import UNLIKE, MuscleSignal, lean_levels


def outline(muscle, level, spread, references=(), *, n_pixels=900):
    return MuscleSignal(muscle, level, spread, 0.01, n_pixels, tuple(references))


LEAN = 0.035


def test_even_muscles_at_the_references_level_are_lean():
    found = lean_levels([outline(m, 0.0, LEAN, [0.0]) for m in "abcd" for _ in range(3)])
    assert all(abs(each.mean) < 0.02 for each in found.by_muscle.values())
    assert found.diffuse < 0.1


def test_an_even_muscle_that_is_brighter_has_brighter_lean_tissue():
    bright = math.log(1.15)
    found = lean_levels(
        [outline("a", 0.0, LEAN, [0.0]) for _ in range(3)]
        + [outline("b", bright, LEAN) for _ in range(3)]
    )
    assert found.by_muscle["a"].mean == pytest.approx(0.0, abs=0.03)
    assert found.by_muscle["b"].mean == pytest.approx(bright, abs=0.03)


def test_uneven_muscles_above_their_references_hold_fat_and_so_do_the_references():
    shown = [(0.25, 0.12), (0.35, 0.16), (0.18, 0.09), (0.4, 0.18)]
    found = lean_levels(
        [
            outline(m, level, spread, [0.05])
            for m, (level, spread) in zip("abcd", shown, strict=True)
        ]
    )
    assert found.diffuse > 0.9
    # Nothing is taken for brighter lean tissue, and lean is below the references.
    assert all(each.mean < 0.03 for each in found.by_muscle.values())


def test_brighter_and_only_a_little_uneven_is_told_with_an_uncertainty_that_says_so():
    sure = lean_levels([outline("a", 0.0, LEAN, [0.0]), outline("b", 0.14, LEAN)])
    unsure = lean_levels([outline("a", 0.0, LEAN, [0.0]), outline("b", 0.14, 0.065)])
    assert unsure.by_muscle["b"].sd > 1.5 * sure.by_muscle["b"].sd


def test_all_signals_brighter_by_one_factor_move_all_levels_by_it():
    shown = [("a", 0.02, 0.04, [0.0]), ("b", 0.1, 0.06, []), ("a", 0.04, 0.05, [-0.02])]
    plain = lean_levels([outline(m, v, s, r) for m, v, s, r in shown])
    moved = lean_levels([outline(m, v - 0.1, s, [x - 0.1 for x in r]) for m, v, s, r in shown])
    for muscle, level in plain.by_muscle.items():
        assert moved.by_muscle[muscle].mean == pytest.approx(level.mean - 0.1, abs=1e-3)
        assert moved.by_muscle[muscle].sd == pytest.approx(level.sd, rel=0.02)


def test_the_order_of_outlines_says_nothing():
    shown = [outline("a", 0.02, 0.04, [0.0]), outline("b", 0.1, 0.06), outline("c", 0.3, 0.15)]
    one, other = lean_levels(shown), lean_levels(shown[::-1])
    for muscle, level in one.by_muscle.items():
        assert other.by_muscle[muscle].mean == pytest.approx(level.mean, abs=1e-9)


@pytest.mark.parametrize(
    "silent", [outline("b", math.nan, math.nan), outline("b", 0.3, 0.1, n_pixels=12)]
)
def test_a_muscle_that_shows_nothing_has_the_common_level_and_is_unsure(silent):
    found = lean_levels([outline("a", 0.0, LEAN, [0.0]) for _ in range(4)] + [silent])
    assert found.by_muscle["b"].mean == pytest.approx(found.common.mean, abs=0.02)
    assert found.by_muscle["b"].sd > 0.07


def test_references_outside_of_every_outline_hold_the_level():
    shown = [outline("a", 0.12, 0.04)]
    assert lean_levels(shown, [0.0, 0.0, 0.0]).common.mean < lean_levels(shown).common.mean


def test_many_slices_of_one_exam_are_not_many_exams():
    """What is unsure on three slices of four muscles stays unsure on thirty."""
    few = [outline(m, 0.06, 0.05, [0.03]) for m in "abcd" for _ in range(3)]
    sure, still = lean_levels(few), lean_levels(few * 10)
    assert still.by_muscle["a"].mean == pytest.approx(sure.by_muscle["a"].mean, abs=1e-6)
    assert still.by_muscle["a"].sd == pytest.approx(sure.by_muscle["a"].sd, rel=1e-6)


def test_only_muscles_that_no_level_explains_contradict_the_references():
    more_even = lean_levels([outline(m, 0.0, 0.003, [0.0]) for m in "ab"])
    assert more_even.explained > -1
    far_brighter = lean_levels([outline(m, 1.1, LEAN) for m in "ab"])
    assert far_brighter.explained < UNLIKE
    assert lean_levels([outline("a", math.nan, math.nan, n_pixels=3)]).explained == 0
