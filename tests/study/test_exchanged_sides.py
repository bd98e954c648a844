"""Left and right exchanged between visits: found where areas tell, and never where they do not."""

import numpy as np
import pytest

from multifidus.data.roi import Reading
from multifidus.stats.change.study import spans_of, study_change
from multifidus.stats.values import Value
from multifidus.study.exchanged_sides import (
    SideArea,
    exchanged_sides,
    side_areas,
    with_exchanged_sides,
)
from tests.support.tables import measurements

LEVELS = ("L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1")


def visit(left, right, timepoint="pre", rater="AB", *, subject="S01"):
    return [
        SideArea(Reading(subject, timepoint, rater), "multifidus", level, side, float(mm2))
        for values, side in ((left, "left"), (right, "right"))
        for level, mm2 in zip(LEVELS, values, strict=False)
    ]


LEFT, RIGHT = (500, 600, 700, 800, 900), (400, 690, 560, 920, 760)


def test_sides_that_all_exchanged_their_areas_are_found_by_name():
    (found,) = exchanged_sides([*visit(LEFT, RIGHT), *visit(RIGHT, LEFT, "post")])
    assert found.subject == "S01"
    assert found.muscles == 5
    assert {by.timepoint for by in found.readings} == {"pre", "post"}
    assert "left and right look exchanged at post (rater AB" in found.in_words()


def test_the_one_of_three_visits_that_differs_is_named():
    areas = [*visit(LEFT, RIGHT), *visit(RIGHT, LEFT, "6 m"), *visit(LEFT, RIGHT, "12 m")]
    (found,) = exchanged_sides(areas)
    assert found.readings == {Reading("S01", "6 m", "AB")}
    assert "exchanged at 6 m (rater AB, reading 1) against 12 m" in found.in_words()


def test_one_rater_who_took_the_sides_the_wrong_way_round_is_named():
    areas = [
        *visit(LEFT, RIGHT), *visit(LEFT, RIGHT, rater="CD"),
        *visit(LEFT, RIGHT, "post"), *visit(RIGHT, LEFT, "post", "CD"),
    ]  # fmt: skip
    (found,) = exchanged_sides(areas)
    assert found.readings == {Reading("S01", "post", "CD")}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (LEFT, RIGHT),
        ((500, 600, 700, 800, 560), RIGHT),  # one side shrank
        ((400, 540, 560, 720, 760), RIGHT),  # all of one side shrank
        (RIGHT[:2] + LEFT[2:], LEFT[:2] + RIGHT[2:]),  # two exchanged, the rest stayed
    ],
)
def test_change_of_a_part_is_no_exchange(left, right):
    assert exchanged_sides([*visit(LEFT, RIGHT), *visit(left, right, "post")]) == ()


def test_the_symmetric_and_the_few_are_too_little_to_tell():
    even = (500, 600, 700, 800, 900)
    other = (510, 590, 705, 790, 910)
    assert exchanged_sides([*visit(even, other), *visit(other, even, "post")]) == ()
    two = [*visit(LEFT[:2], RIGHT[:2]), *visit(RIGHT[:2], LEFT[:2], "post")]
    assert exchanged_sides(two) == ()


def simulated(rng, subjects, *, swap=False, shrink=0.0):
    """People of two visits: asymmetries of 10 %, errors of 3 % each area, one side operated."""
    areas = []
    for n in range(subjects):
        size = rng.normal(700, 100, 5)
        skew = np.exp(rng.normal(0, 0.07) + rng.normal(0, 0.07, 5))
        shrunk = np.ones((2, 5))
        shrunk[rng.integers(2), rng.integers(3) : rng.integers(3, 6)] = 1 - shrink
        for timepoint, is_post in (("pre", False), ("post", True)):
            both = np.stack((size * skew, size)) * (shrunk if is_post else 1)
            both = both * np.exp(rng.normal(0, 0.03, both.shape))
            left, right = both[::-1] if swap and is_post else both
            areas += visit(left, right, timepoint, subject=f"S{n:04d}")
    return areas


@pytest.mark.parametrize("shrink", [0.0, 0.12, 0.37])
def test_in_simulated_people_hardly_any_is_doubted_without_reason(shrink):
    found = exchanged_sides(simulated(np.random.default_rng(1), 2000, shrink=shrink))
    assert len(found) <= 8


def test_in_simulated_people_who_are_asymmetric_enough_exchanges_are_found():
    found = exchanged_sides(simulated(np.random.default_rng(2), 500, swap=True))
    assert len(found) > 200


def test_change_names_who_may_have_been_exchanged():
    values = [
        Value(a.by.subject, a.by.timepoint, a.by.rater, 1, a.structure, a.side, a.level,
              "tcsa_mm2", "", a.mm2, extra={"order": "1" if a.by.timepoint == "pre" else "2"})
        for a in (*visit(LEFT, RIGHT), *visit(RIGHT, LEFT, "post"))
    ]  # fmt: skip
    study = study_change(values, spans_of(values), minimal_valid_fraction=0.95)
    assert any("Subject S01: left and right look exchanged" in text for text in study.problems)


def row(area, quantity="tcsa_mm2"):
    return {
        "subject": area.by.subject, "timepoint": area.by.timepoint, "rater": area.by.rater,
        "structure": area.structure, "level": area.level, "side": area.side, "flags": "few_points",
        "quantity": quantity, "value": area.mm2,
    }  # fmt: skip


def test_every_row_of_a_side_is_flagged_and_no_other():
    areas = [*visit(LEFT, RIGHT), *visit(RIGHT, LEFT, "6 m"), *visit(LEFT, RIGHT, "12 m")]
    other = visit(LEFT, RIGHT, "6 m", subject="S02")
    rows = [row(area, quantity) for area in (*areas, *other) for quantity in ("tcsa_mm2", "fi_pct")]
    rows.append({**row(areas[0]), "timepoint": "6 m", "side": "none", "structure": "disc"})
    rows = measurements(rows)
    flagged = [*with_exchanged_sides(rows, exchanged_sides(side_areas(rows)))]
    for one in flagged:
        by = one.key.reading
        concerned = (by.subject, by.timepoint) == ("S01", "6 m") and one.key.side != "none"
        assert one.flags == (("few_points", "sides_exchanged") if concerned else ("few_points",))
    assert len(flagged) == len(rows)
