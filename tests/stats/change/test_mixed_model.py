"""The mixed model of change: what it finds, what it leaves out, and that it invents nothing."""

import json
import math

import numpy as np
import pytest
import scipy.stats
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.errors import StatisticsError
from multifidus.stats.change import mixed_model as models, random_intercept
from multifidus.stats.change.document import plain_model
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.change.mixed_model import Muscle, fit_trajectories
from tests.stats.change.test_change import VALID, cohort, row
from tests.stats.change.test_change_study import ordered, written
from tests.support.tables import values_of

SIZES = {"L3-L4": 800, "L4-L5": 950, "L5-S1": 1100}


def model_changes(rows, timepoints=("pre", "post"), factor="", choice=ReadingChoice()):  # noqa: B008
    return models.model_changes(
        values_of(rows), timepoints, factor, choice, minimal_valid_fraction=VALID
    )


def only(rows, *how):
    ((found,), problems) = model_changes(rows, *how)
    assert not problems
    return found


def by_name(found):
    return {term.name: term for term in found.terms}


def unchanged(n=20, seed=5, readable=lambda person, level, side, size: True):
    """Return a study in which nothing changes, and muscles that cannot be read after surgery."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(n):
        own = 100 * rng.normal()
        for level, mean in SIZES.items():
            for side in ("left", "right"):
                size = mean + own + 40 * rng.normal()
                where = {"level": level, "side": side}
                rows.append(row(f"S{person:02}", "pre", size + 10 * rng.normal(), **where))
                if readable(person, level, side, size):
                    rows.append(row(f"S{person:02}", "post", size + 10 * rng.normal(), **where))
    return rows


def l5_s1_lost_in_half(person, level, side, size):
    return level != "L5-S1" or person % 2 == 0


def large_ones_lost(person, level, side, size):
    return size < 1050


@pytest.mark.parametrize("lost", [l5_s1_lost_in_half, large_ones_lost])
@pytest.mark.parametrize("factor", ["", "zone", "level", "side"])
def test_muscles_that_cannot_be_read_after_surgery_invent_no_change(lost, factor, tmp_path):
    """The level's mean falls by 50 mm2 where its largest muscles drop out; no muscle's does."""
    rows = ordered(unchanged(readable=lost))
    table = written(tmp_path / "table.csv", rows)
    done = CliRunner().invoke(app, ["change", str(table), "--model", factor, "--json"])
    assert done.exit_code == 0, done.output
    (model,) = json.loads(done.stdout)["models"]
    gone = 120 - sum(item["timepoint"] == "post" for item in rows)
    assert gone > 15
    assert model["n_missing"] == gone
    assert model["n_muscles"] == 120 - gone
    changes = [term for term in model["terms"] if term["name"].startswith("post")]
    assert changes
    for term in changes:
        assert abs(term["estimate"]) < 10
        assert term["p"] > 0.01
    assert f"{gone} of 120 muscles were left out: {gone} not measured at post." in model["problems"]


def test_with_all_muscles_it_is_the_paired_t_test_of_the_subjects_mean_changes():
    rows = cohort({("L4-L5", "left"): 40, ("L4-L5", "right"): 60, ("L3-L4", "left"): 0}, n=9)
    found = only(rows)
    change = {}
    for item in rows:
        sign = 1 if item["timepoint"] == "post" else -1
        change.setdefault(item["subject"], []).append(sign * item["value"] / 3)
    expected = scipy.stats.ttest_1samp([sum(own) for own in change.values()], 0)
    post = by_name(found)["post"]
    assert post.p == pytest.approx(expected.pvalue)
    assert post.df == pytest.approx(8)
    assert (found.n_subjects, found.n_muscles, found.n_values, found.n_missing) == (9, 27, 54, 0)


def test_muscles_of_a_subject_that_change_together_are_no_more_subjects():
    """Copies of a muscle's change add nothing to what the subjects say."""
    one = cohort({("L4-L5", "left"): 5}, n=6)
    copies = [{**item, "level": level} for item in one for level in ("L3-L4", "L4-L5", "L5-S1")]
    once, again = by_name(only(one))["post"], by_name(only(copies))["post"]
    assert (again.estimate, again.p) == pytest.approx((once.estimate, once.p))


def test_planted_changes_are_found_within_their_errors():
    losses = {("L4-L5", "left"): 100, ("L3-L4", "left"): 40, ("L1-L2", "left"): 0}
    found = only(cohort(losses, n=12), ("pre", "post"), "zone")
    terms = by_name(found)
    assert list(terms) == ["intercept", "post", "adjacent", "remote", "post x adjacent",
                           "post x remote"]  # fmt: skip
    for name, size in {"post": -100, "post x adjacent": 60, "post x remote": 100}.items():
        assert terms[name].estimate == pytest.approx(size, abs=4 * terms[name].se)
        assert terms[name].p < 1e-6
    assert found.reference == ("pre", "operated")
    assert found.optimiser == "bounded Brent"
    assert not found.problems


def test_what_lies_between_subjects_is_compared_between_them():
    rows = [
        {**item, "approach": "open" if int(item["subject"][1:]) % 2 else "control"}
        for item in cohort({("L4-L5", "left"): 50, ("L4-L5", "right"): 50}, n=10)
    ]
    found = only(rows, ("pre", "post"), "approach")
    dfs = {term.name: term.df for term in found.terms}
    assert dfs == pytest.approx({"intercept": 4, "post": 4, "open": 8, "post x open": 8})
    assert found.n_missing == 0


def test_every_later_timepoint_is_compared_with_the_first():
    rng = np.random.default_rng(1)
    muscles = [
        Muscle(f"S{n}", place, tuple(900 + own + drop * np.arange(3) + rng.normal(0, 5, 3)))
        for n, own in enumerate(rng.normal(0, 50, 8))
        for place, drop in (("left", -20), ("right", -35))
    ]
    found = fit_trajectories(muscles, ("pre", "year1", "year2"))
    expected = {"intercept": 900, "year1": -20, "year2": -40, "right": 0, "year1 x right": -15,
                "year2 x right": -30}  # fmt: skip
    assert [term.name for term in found.terms] == list(expected)
    for term in found.terms[1:]:
        assert term.estimate == pytest.approx(expected[term.name], abs=4 * term.se)
    alone = fit_trajectories(
        [Muscle(item.subject, item.place, item.values[::2]) for item in muscles], ("pre", "year2")
    )
    assert alone.changes[0].terms == found.changes[1].terms


def test_a_muscle_enters_with_all_its_timepoints_or_not_at_all():
    rows = cohort({("L4-L5", "left"): 30, ("L4-L5", "right"): 30}, n=8)
    late = [{**item, "timepoint": "late"} for item in rows if item["timepoint"] == "post"]
    lost = [item for item in late if (item["subject"], item["side"]) != ("S1", "left")]
    never = row("S2", "late", 900, level="L1-L2")
    found = only([*rows, *lost, never], ("pre", "post", "late"))
    assert (found.n_muscles, found.n_missing) == (15, 2)
    (said,) = found.problems
    assert said == "2 of 17 muscles were left out: 1 not measured at late; 1 not measured at pre."


def test_lean_area_that_artefacts_took_is_left_out_as_it_is_from_pairs():
    """Metal after surgery must not read as atrophy."""
    rows = cohort({("L4-L5", "left"): 0, ("L4-L5", "right"): 0}, quantity="fcsa_mm2")
    metal = [
        {**item, "value": item["value"] / 2, "valid_fraction": 0.5}
        if (item["timepoint"], item["side"]) == ("post", "left") and item["subject"] < "S4"
        else item
        for item in rows
    ]
    found = only(metal)
    assert found.n_missing == 4
    assert "4 artefacts left less than 0.95 of the muscle in one exam" in found.problems[0]
    assert by_name(found)["post"].p > 0.05


def test_places_of_fewer_than_three_subjects_and_muscles_without_a_place_are_left_out_and_said():
    rows = cohort({("L4-L5", "left"): 50, ("L3-L4", "left"): 0})
    rows = [item for item in rows if item["level"] == "L4-L5" or item["subject"] < "S2"]
    found = only(rows, ("pre", "post"), "level")
    assert [term.name for term in found.terms] == ["intercept", "post"]
    assert found.reference == ("pre", "L4-L5")
    assert found.n_missing == 2
    assert "2 fewer than 3 subjects have all values at L3-L4" in found.problems[0]
    named = [{**item, "approach": "open" if item["subject"] < "S5" else ""} for item in rows]
    found = only(named, ("pre", "post"), "approach")
    assert "no approach in the table" in found.problems[0]
    few, problems = model_changes(cohort({("L4-L5", "left"): 50}, n=2))
    assert not few
    assert "No muscle can enter: fewer than 3 subjects have all values" in str(problems[0])


def test_few_degrees_of_freedom_are_said():
    found = only(cohort({("L4-L5", "left"): 50, ("L4-L5", "right"): 40}, n=4))
    assert "Degrees of freedom below 4 (intercept, post)" in found.problems[0]


def test_subjects_with_one_muscle_each_have_one_standard_deviation():
    found = only(cohort({("L4-L5", "left"): 50}))
    assert "Every subject has one muscle" in found.problems[0]
    plain = json.dumps(plain_model(found), allow_nan=False)
    assert json.loads(plain)["sd_subjects"] is None
    assert found.sd_muscles > 0


def test_changes_that_do_not_vary_have_no_error_and_it_is_said():
    rows = [
        {**item, "value": 900.0 if item["side"] == "left" else item["value"]}
        for item in cohort({("L4-L5", "left"): 0, ("L4-L5", "right"): 40})
    ]
    found = only(rows, ("pre", "post"), "side")
    assert math.isnan(by_name(found)["post"].p)
    assert by_name(found)["post x right"].p < 0.01
    assert "there is no error of intercept, post" in " ".join(found.problems)


def test_a_model_that_does_not_converge_gives_no_number_and_says_so(monkeypatch):
    monkeypatch.setattr(random_intercept, "MOST_STEPS", 1)
    found, problems = model_changes(unchanged(6))
    assert not found
    assert "Mixed model of tcsa_mm2 multifidus: The mixed model did not converge" in str(
        problems[0]
    )


def test_a_factor_that_nothing_has_or_that_exams_differ_in_is_refused():
    rows = cohort({("L4-L5", "left"): 50})
    with pytest.raises(StatisticsError, match="No value of the table has a hospital"):
        model_changes(rows, ("pre", "post"), "hospital")
    moved = [{**item, "scanner": item["timepoint"]} for item in rows]
    with pytest.raises(StatisticsError, match="Exams of S0 differ in scanner: pre, post"):
        model_changes(moved, ("pre", "post"), "scanner")


def test_grades_have_no_model_and_undefined_values_do_not_enter():
    rows = cohort({("L4-L5", "left"): 50, ("L4-L5", "right"): 50})
    rows[0] = {**rows[0], "value": math.nan}
    rows += [row(f"S{n}", "pre", n, quantity="goutallier_grade") for n in range(5)]
    found = only(rows, ("pre", "post"), "", ReadingChoice("mean"))
    assert found.quantity == "tcsa_mm2"
    assert found.problems == ("1 of 16 muscles were left out: 1 undefined at pre.",)
    assert found.value_rule == "mean"
    plain = plain_model(found)
    assert plain["terms"][1]["name"] == "post"
    assert plain["n_missing"] == 1
