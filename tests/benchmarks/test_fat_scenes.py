"""The arithmetic of the comparison of fat methods on scenes of known fat."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from benchmarks.accuracy import fat_scenes, fat_signal_page, fat_targets
from benchmarks.accuracy.fat_outlines import (
    LOOKED_AT,
    METHODS,
    Answer,
    Outline,
    cases,
    outlines,
)
from benchmarks.accuracy.fat_scenes import Found, chosen, measured
from benchmarks.accuracy.fat_tally import DOUBTS, Share, beyond_reference, doubts, is_flagged, tally
from benchmarks.accuracy.fat_targets import Met, at_least, at_most, targets
from multifidus import Flag, RoiError


def outline(truth, value, uncertainty=1.0, flags=(), *, reference=0.0):
    answer = Answer(value, uncertainty, flags)
    return Outline("streaks", 1, "multifidus", truth, reference, {"signal": answer})


FOUND = [
    outline(10, 11, 1),
    outline(10, 4, 1),
    outline(20, 30, 5, ("calibration_ambiguous",)),
    outline(1, 3.5, 1),
    outline(30, math.nan, math.nan, ("signal_not_calibrated",)),
]


def test_errors_uncertainties_and_flags_are_added_up_by_hand():
    found = tally(FOUND, "signal")
    assert (found.count, found.missing) == (5, 1)
    assert found.mean == pytest.approx((1 - 6 + 10 + 2.5) / 4)
    assert found.absolute == pytest.approx(19.5 / 4)
    assert found.uncertainty == pytest.approx(2.0)
    assert found.largest_uncertainty == pytest.approx(2 * 19.5 / 4 + 1)
    assert found.covered == Share(2, 4)
    assert found.covered_unflagged == Share(1, 3)
    assert (found.flagged, found.large, found.large_unflagged, found.lean_unflagged) == (2, 2, 1, 1)


def test_a_method_that_says_nothing_is_missing_everywhere():
    found = tally(FOUND, "linear")
    assert (found.missing, found.flagged) == (5, 5)
    assert math.isnan(found.mean)


def test_interval_of_a_share_is_wilsons():
    low, high = Share(90, 100).interval_pct
    assert (round(low, 2), round(high, 2)) == (82.56, 94.48)
    assert Share(36, 36).interval_pct[1] == pytest.approx(100)
    assert math.isnan(Share(0, 0).pct)


def test_doubts_are_about_fat_and_depend_on_the_method():
    assert is_flagged("pooled_otsu", Answer(1.0, 1.0, (Flag.DIFFUSE_FAT.value,)))
    assert not is_flagged("signal", Answer(1.0, 1.0, (Flag.DIFFUSE_FAT.value,)))
    assert not is_flagged("linear", Answer(1.0, 1.0, (Flag.REFERENCE_PROPOSED.value,)))
    assert doubts("linear") - doubts("signal") == {Flag.DIFFUSE_FAT}
    assert Flag.AREA_IMPLAUSIBLE not in DOUBTS


def test_fat_of_the_lean_references_is_added_to_answers():
    found = beyond_reference(
        [outline(10, 8, reference=3), outline(20, 15, reference=3), outline(5, math.nan)], "signal"
    )
    assert (found.bias, found.absolute, found.reference_pct) == pytest.approx((-0.5, 1.5, 3))
    assert found.mean == pytest.approx(-3.5)
    assert found.correlation == pytest.approx(1)


def test_a_share_is_judged_by_its_interval():
    assert at_most(Share(1, 100), 1) is Met.YES
    assert at_most(Share(2, 100), 1) is Met.OPEN
    assert at_most(Share(20, 100), 1) is Met.NO
    assert at_least(Share(33, 36), 90) is Met.YES
    assert at_least(Share(31, 36), 90) is Met.OPEN
    assert at_least(Share(20, 36), 90) is Met.NO


def test_targets_say_what_was_found():
    good = [outline(20 + n, 21 + n, 1) for n in range(30)]
    bad = [replace(item, answers={"signal": Answer(item.truth_pct + 6, 1)}) for item in good]
    by_text = {
        target.text: target
        for target in targets(
            [Found("streaks", tuple(good)), Found("erector/plus_8/both", (*bad,))]
        )
    }
    size = by_text["`ff_signal_pct`: mean absolute error over 0-60 % at most 2 points"]
    assert (size.found, size.met) == ("3.50", Met.NO)
    worst = by_text["`ff_signal_pct`: mean error of the worst cell within ±4"]
    assert worst.found == "+6.0 (erector/plus_8/both); 1 of 2 beyond"
    assert by_text["flagged: at most 30 %"].met is Met.YES
    large = by_text["errors over 5 points unflagged: at most 1 %"]
    assert large.met is Met.NO
    assert large.found.startswith("50.0 %")
    cells = by_text["±2u covers at least 90 % of the unflagged rows of every cell"]
    assert cells.found == "less in 1 of 2 cells; in 1 of them the interval is below"
    assert fat_targets.holds("streaks", tally(good, "signal"))
    assert not fat_targets.holds("streaks", tally(bad, "signal"))


def test_a_crossed_cell_is_to_be_covered_and_may_have_a_large_uncertainty():
    crossed = "crossed/fat_15_erector_plus_15/diffuse"
    wide = tally([outline(20, 20 + n % 2, 9) for n in range(40)], "signal")
    assert fat_targets.holds(crossed, wide)
    assert not fat_targets.holds("streaks", wide)
    assert not fat_targets.holds(crossed, tally([outline(20, 30)] * 40, "signal"))


def test_crossed_cells_and_the_real_pattern_are_judged_apart():
    name = "crossed/fat_15_erector_plus_15/diffuse"
    crossed = replace(FOUND[2], cell=name)
    real = [outline(n, n - 3, reference=3) for n in range(8, 12)]
    real = [replace(o, answers={**o.answers, "linear": Answer(o.truth_pct)}) for o in real]
    erector = replace(real[0], structure="erector_spinae", truth_pct=90)
    found = targets(
        [
            Found(name, (crossed,)),
            Found("real/contrast_4/proposed", (*real, erector)),
            Found("real/contrast_4/drawn", (erector,)),
        ]
    )
    by_text = {target.text: target for target in found}
    assert by_text["crossed cells: every row flagged"].met is Met.YES
    assert not any(target.text.startswith("flagged") for target in found)
    assert not any("drawn" in target.text for target in found)
    bias = by_text[
        "real pattern, contrast 4, proposed: bias beyond the references' fat within ±2.5"
    ]
    assert (bias.found, bias.met) == ("+0.00 (-3.00 of the truth itself)", Met.YES)


def test_cells_are_chosen_by_pattern():
    assert chosen(["crossed/fat_5_*"]) == [name for name in cases() if "fat_5_" in name]
    with pytest.raises(SystemExit, match="nowhere"):
        chosen(["nowhere/*"])


def test_no_two_cells_share_a_seed_and_none_was_looked_at_before():
    seeds = [seed for case in cases().values() for seed in case.seeds(25)]
    assert len(set(seeds)) == len(seeds)
    assert min(seeds) >= 200_000
    assert not any(seed in looked_at for seed in seeds for looked_at in LOOKED_AT)


def test_an_exam_that_cannot_be_made_is_counted(monkeypatch):
    def refused(name, seed):
        if seed % 2:
            raise RoiError("crosses itself")
        return [FOUND[0]]

    monkeypatch.setattr(fat_scenes, "outlines", refused)
    (found,) = measured(["streaks"], 3, processes=0)
    assert (len(found.outlines), found.refused) == (2, 1)


def test_outlines_are_kept_and_read_back(tmp_path):
    kept = [Found("streaks", tuple(FOUND[:4]), 2)]
    fat_scenes.write(tmp_path / "kept.json.gz", kept)
    assert fat_scenes.read(tmp_path / "kept.json.gz") == kept


def test_the_page_says_how_small_a_run_is_and_names_cells_that_miss_a_target():
    bad = [replace(item, answers={"signal": Answer(item.truth_pct + 6, 1)}) for item in FOUND]
    found = [Found("streaks", tuple(FOUND[:1])), Found("erector/plus_8/both", tuple(bad), 1)]
    real = [replace(item, structure="erector_spinae") for item in FOUND]
    found.append(Found("real/contrast_4/drawn", (FOUND[0], *real)))
    page = fat_signal_page.text(found)
    assert "| 4, drawn | multifidus | `signal` | 1 | 0.0 | +1.0 | +1.0 | 1.0 | nan |" in page
    assert "| 4, drawn | erector_spinae | `signal` | 5 |" in page
    assert "| 4, drawn | erector_spinae | `otsu`" not in page
    assert page.startswith("# The fat signal fraction")
    assert "Simulated data only" in page
    assert "2 cells of 1 or 5 outlines (12 an exam), 6 in all; exams that could not be made" in page
    assert "smaller run than the 100 outlines a cell" in page
    assert (
        "| **erector/plus_8/both** | 5 | +6.0 | 6.0 | 0 (0-43) | 0 | 5 | 1.0 | 13.0 | 0 |" in page
    )
    assert "| streaks | 1 | +1.0 | 1.0 | 100 (21-100) |" in page
    assert "| streaks | `linear` | 0 | +nan" in page


@pytest.mark.slow
def test_every_method_answers_every_muscle_of_an_exam():
    case = cases()["references/none/streaks"]
    found = outlines(case.name, next(iter(case.seeds(1))))
    assert len(found) == 12
    for item in found:
        assert set(item.answers) == {str(method) for method in METHODS}
        assert 0 <= item.truth_pct <= 100
        assert "reference_proposed" in item.answers["signal"].flags
        assert not item.answers["gmm3"].flags
    assert 0 <= found[0].reference_pct < 10
