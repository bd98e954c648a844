"""The comparison of fat methods on the same images: its arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy import fat_compared_page, fat_peers
from benchmarks.accuracy.fat_outlines import Answer, Outline, cases
from benchmarks.accuracy.fat_peers import PHANTOMS, REAL, SCENES, phantom_cell
from benchmarks.accuracy.peers import Peer


def outline(cell, truth, **answers):
    known = {name: Answer(value, 1.0) for name, value in answers.items()}
    return Outline(cell, 1, "multifidus", truth, 0.0, known)


BY_PATTERN, SPREAD = "## By how fat lies", "## How much it varies"


def cells(page, section, label):
    """Return the cells of a row by the heads of their columns."""
    lines = [line for line in page.split(section)[1].splitlines() if line.startswith("|")]
    row = next(line for line in lines if line.startswith(f"| {label} |"))
    heads, found = ([part.strip() for part in line.split("|")] for line in (lines[0], row))
    return dict(zip(heads, found, strict=True))


FOUND = [
    outline("streaks", 8, signal=9, linear=7),
    outline("streaks", 20, signal=19, linear=14),
    outline("diffuse", 12, signal=10, linear=8),
    outline(REAL[0], 10, signal=10, linear=6),
    outline(phantom_cell(*PHANTOMS[0][:1], *PHANTOMS[0][1], PHANTOMS[0][2]), 30, signal=31),
]


def test_a_method_is_held_against_the_signal_fraction_and_the_truth_on_the_same_outlines():
    page = fat_compared_page.text(FOUND)
    linear = cells(page, BY_PATTERN, "`linear`")
    assert linear["streaks"] == "-3.5 (-3.5)"
    assert linear["real pattern"] == "-4.0 (-4.0)"
    assert not linear["phantom"]
    assert cells(page, SPREAD, "`linear`")["streaks"] == "1.5 (3.5)"
    assert cells(page, BY_PATTERN, "`signal`")["streaks"] == "(+0.0)"
    assert cells(page, BY_PATTERN, "outlines")["streaks"] == "2"


def test_amounts_are_of_the_second_generator_alone():
    found = cells(fat_compared_page.text(FOUND), "## By how much fat there is", "outlines")
    assert [found[name] for name in fat_compared_page.LEVELS] == ["1", "2", "0"]


def test_the_guide_finds_the_tables_it_takes_over():
    page = fat_compared_page.text(FOUND)
    for name in ("by pattern", "by amount"):
        table = page.split(f"<!-- {name} -->")[1].split(f"<!-- end of {name} -->")[0]
        assert table.strip().startswith("| method |")


def test_outlines_that_the_guard_lets_through_are_counted():
    refused, kept = (
        outline("streaks", 8, signal=9, **{fat_peers.GUARD: value}) for value in (np.nan, 20)
    )
    page = fat_compared_page.text([refused, kept, kept, kept])
    found = cells(page, BY_PATTERN, "presets that look at one outline give a number")
    assert found["streaks"] == "75 %"


def test_muscles_that_a_mixture_of_three_calls_fat_as_a_whole_are_counted():
    name = "MuscleMap gmm, 3 components"
    whole, part = (outline("lean", 1, signal=1, **{name: value}) for value in (100, 20))
    page = fat_compared_page.text([whole, part, part])
    assert "95 % of it in 1 of 3 (lean) outlines" in page
    assert "95 % of it in none of these outlines" in fat_compared_page.text([part])


def test_cells_are_known_and_imaging_varies_in_each_pattern():
    assert set(SCENES) | set(REAL) <= set(cases())
    assert {str(cases()[name].pattern) for name in SCENES} == set(fat_compared_page.PATTERNS)


def test_slices_of_a_muscle_are_parted_together_and_counted_apart():
    above_mean = Peer("x", lambda values, _: values > values.mean(), by_muscle=True)
    parts = [np.array([0.0, 10.0]), np.array([10.0, 10.0, 10.0, 0.0])]
    found = list(fat_peers.shares(above_mean, ["a", "b"], parts, 0))
    assert found == [("a", "x", pytest.approx(50)), ("b", "x", pytest.approx(75))]


def test_a_rule_without_an_answer_gives_none_to_any_slice():
    silent = Peer("x", lambda *_: None, by_muscle=True)
    ((_, _, pct),) = fat_peers.shares(silent, ["a"], [np.zeros(3)], 0)
    assert np.isnan(pct)
