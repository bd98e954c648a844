import csv
import gc
import json
import math
from functools import cache

import numpy as np
import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import MultifidusError, ProtocolError, StatisticsError, WriteError
from multifidus.io.protocol_toml import as_toml
from multifidus.io.table_reader import read_rows
from multifidus.reporting.tables.paper_table import TIMES
from multifidus.stats.change.document import plain_changes
from multifidus.stats.change.study import spans_of, study_change
from tests.stats.change.test_change import VALID, cohort, row
from tests.support.tables import values_of

PLACES = {("L4-L5", "left"): 100, ("L4-L5", "right"): 60, ("L3-L4", "left"): 40,
          ("L1-L2", "left"): 0}  # fmt: skip


def ordered(rows):
    return [{**item, "order": {"pre": 0, "post": 1, "late": 2}[item["timepoint"]]} for item in rows]


def study_of(rows, **how):
    values = values_of(ordered(rows))
    return study_change(values, spans_of(values), minimal_valid_fraction=VALID, **how)


def three_timepoints():
    return cohort(PLACES) + [
        {**item, "timepoint": "late", "value": item["value"] - 30}
        for item in cohort(PLACES)
        if item["timepoint"] == "post"
    ]


def test_the_spans_are_consecutive_and_first_with_last():
    values = values_of(ordered(three_timepoints()))
    whole = (("pre", "post"), ("post", "late"), ("pre", "late"))
    assert spans_of(values) == whole
    assert spans_of(values, "post") == (("post", "late"),)
    assert spans_of(values, after="post") == (("pre", "post"),)
    assert spans_of(values, "late", "pre") == (("late", "pre"),)
    with pytest.raises(StatisticsError, match="no timepoint 'never'"):
        spans_of(values, after="never")
    with pytest.raises(StatisticsError, match="one timepoint only"):
        spans_of(values, "late")


def test_three_timepoints_are_corrected_together_and_have_courses():
    found = study_of(three_timepoints())
    operated = [item for item in found.muscles if item.key[4:] == ("L4-L5", "left")]
    spans = {item.key[3]: item.tests.mean for item in operated}
    assert spans["pre to late"] == pytest.approx(spans["pre to post"] + spans["post to late"])
    assert spans["post to late"] == pytest.approx(-30)
    assert len(found.muscles) == 12
    smallest = min(found.muscles, key=lambda item: item.tests.p_t)
    assert smallest.p_t_holm == pytest.approx(12 * smallest.tests.p_t, abs=1e-9)
    course = found.trajectories[0]
    assert [exam.timepoint for exam in course.exams] == ["pre", "post", "late"]
    assert not study_of(cohort(PLACES)).trajectories


@pytest.mark.parametrize(("days", "known"), [("90", 90), ("", None), ("soon", None)])
def test_days_of_a_course_are_those_of_the_table(days, known):
    rows = [{**item, "days": days} for item in three_timepoints()]
    course = plain_changes(study_of(rows))["courses"][0]
    assert [item["days"] for item in course["values"]] == [known] * 3


def several_questions():
    """Two quantities of two muscles, at three timepoints."""
    rng = np.random.default_rng(11)
    return [
        {**item, "structure": structure, "quantity": quantity,
         "value": item["value"] + rng.normal(0, 40)}
        for item in three_timepoints()
        for structure in ("multifidus", "psoas")
        for quantity in ("tcsa_mm2", "fat_csa_mm2")
    ]  # fmt: skip


@cache
def in_two_groups(column):
    rows = several_questions()
    subjects = sorted({item["subject"] for item in rows})
    return study_of(
        [{**item, "approach": "ab"[subjects.index(item["subject"]) % 2]} for item in rows],
        column=column,
    )


@pytest.mark.parametrize("column", ["", "approach"])
@pytest.mark.parametrize("table", ["muscles", "zones", "contrasts"])
def test_a_family_of_tests_is_of_one_quantity_of_one_muscle_and_statsmodels_corrects_alike(
    table, column, monkeypatch
):
    from statsmodels.stats.multitest import multipletests

    # After each correction it looks through all objects of the whole run.
    monkeypatch.setattr(gc, "collect", lambda: 0)
    found = getattr(in_two_groups(column), table)
    families = {}
    for item in found:
        families.setdefault((item.key[0], item.key[2]), []).append(item)
    assert len(families) == 4
    for own in families.values():
        assert len(own) >= 6
        assert {item.family for item in own} == {len(own)}
        for test in ("t", "wilcoxon"):
            single = [getattr(item.tests, f"p_{test}") for item in own]
            (_, corrected, *_) = multipletests(single, method="holm")
            assert [getattr(item, f"p_{test}_holm") for item in own] == pytest.approx(
                list(corrected), abs=1e-12
            )


def test_another_muscle_or_quantity_in_the_table_changes_no_p_value():
    rows = several_questions()
    alone = [
        item for item in rows
        if (item["structure"], item["quantity"]) == ("psoas", "tcsa_mm2")
    ]  # fmt: skip
    whole = [item for item in study_of(rows).muscles if item.key[:3] == ("tcsa_mm2", "", "psoas")]
    assert list(study_of(alone).muscles) == whole


def test_groups_that_lack_the_same_are_told_of_once():
    problems = study_of(cohort(PLACES, n=2)).problems
    (said,) = [text for text in problems if "have a value at both" in text and "groups" in text]
    assert said.startswith("4 groups, such as tcsa_mm2 multifidus pre to post L1-L2 left: 2 subj")


@pytest.mark.parametrize(
    ("before", "after", "missing", "said"),
    [
        (100, 100, {"p_t", "p_wilcoxon", "p_t_holm", "p_wilcoxon_holm", "t", "dz", "dz_ci95"},
         "changes do not vary"),
        (0, 5, {"t", "dz", "dz_ci95", "mean_pct"}, "a value before is not positive"),
    ],
)  # fmt: skip
def test_no_number_of_a_group_is_missing_without_a_reason(before, after, missing, said):
    rows = [
        row(f"S{n}", when, value)
        for n in range(5)
        for when, value in (("pre", before), ("post", after))
    ]
    plain = json.loads(json.dumps(plain_changes(study_of(rows)), allow_nan=False))
    (found,) = plain["muscles"]
    gone = {name for name, value in found.items() if value is None or value == [None, None]}
    assert gone == missing
    assert any(said in text for text in plain["problems"])


def test_a_level_missing_on_one_side_is_said_and_the_other_side_stays():
    """The right side was measured before surgery alone, in four of eight subjects."""
    rows = [
        item
        for item in cohort(PLACES, operated_side="left")
        if (item["level"], item["side"], item["timepoint"]) != ("L4-L5", "right", "post")
        or item["subject"] in {"S0", "S1", "S2", "S3"}
    ]
    found = study_of(rows)
    by_side = {item.key[4:]: item for item in found.muscles}
    right, left = by_side["L4-L5", "right"], by_side["L4-L5", "left"]
    assert (right.n, right.n_missing, left.n, left.n_missing) == (4, 4, 8, 0)
    (contrast,) = [item for item in found.contrasts if item.second == "contralateral"]
    assert (contrast.n, contrast.n_missing) == (4, 4)
    assert "4 pairs without a change: not measured at post." in found.problems


def test_contrasts_of_a_study_are_corrected_together():
    found = study_of([{**item, "operated_side": "left"} for item in cohort(PLACES)])
    assert [(item.first, item.second) for item in found.contrasts] == [
        ("operated", "adjacent"), ("operated", "remote"), ("operated", "contralateral"),
    ]  # fmt: skip
    assert [item.tests.mean for item in found.contrasts] == pytest.approx([-40, -80, -40], abs=6)
    raw = sorted(item.tests.p_t for item in found.contrasts)
    assert min(item.p_t_holm for item in found.contrasts) == pytest.approx(3 * raw[0])
    midline = study_of([{**item, "operated_side": "both"} for item in cohort(PLACES)])
    assert len(midline.contrasts) == 2
    assert any("8 subjects were operated on both sides" in text for text in midline.problems)


def test_controls_have_changes_but_no_zones():
    found = study_of(cohort(PLACES, operated_levels=""))
    assert len(found.muscles) == 4
    assert (found.zones, found.contrasts) == ((), ())


def test_groups_of_subjects_are_kept_apart_by_a_column():
    rows = [
        {**item, "approach": "open" if int(item["subject"][1:]) < 4 else "control"}
        for item in cohort(PLACES)
    ]
    found = study_of(rows, column="approach")
    assert {item.key[-1] for item in found.muscles} == {"open", "control"}
    assert all(item.n == 4 for item in found.muscles)
    with pytest.raises(StatisticsError, match="no column 'hospital'"):
        study_of(rows, column="hospital")


def test_grades_are_listed_and_not_averaged():
    rows = cohort(PLACES) + [
        row(f"S{n}", when, grade, quantity="goutallier_grade")
        for n in range(4)
        for when, grade in (("pre", 1), ("post", 2))
    ]
    found = study_of(rows)
    assert not [item for item in found.muscles if item.key[0] == "goutallier_grade"]
    assert any("4 pairs of grades" in text for text in found.problems)
    graded = [item for item in found.changes if item.pair.quantity == "goutallier_grade"]
    assert [item.pair.delta for item in graded] == [1] * 4


def test_nothing_in_common_is_refused_with_the_reason():
    values = values_of([row("S1", "pre", 1), row("S2", "post", 2)])
    with pytest.raises(StatisticsError, match="not measured at post; not measured at pre"):
        study_change(values, [("pre", "post")], minimal_valid_fraction=VALID)


def test_the_predicted_effect_of_tilt_stands_on_areas_alone():
    rows = [row("S1", when, value, quantity=name, tilt_deg=tilt)
            for name in ("tcsa_mm2", "tcsa_cos_mm2", "fi_pct")
            for when, value, tilt in (("pre", 20, 10), ("post", 30, 25))]  # fmt: skip
    changes = {item["quantity"]: item for item in plain_changes(study_of(rows))["changes"]}
    area = changes["tcsa_mm2"]
    ratio = math.cos(math.radians(10)) / math.cos(math.radians(25))
    assert area["tilt_difference_deg"] == pytest.approx(15)
    assert area["tilt_effect"] == pytest.approx(20 * (ratio - 1))
    for name in ("tcsa_cos_mm2", "fi_pct"):
        assert changes[name]["tilt_effect"] is None
        assert changes[name]["tilt_difference_deg"] == pytest.approx(15)


@pytest.fixture
def table(tmp_path):
    return written(tmp_path / "measurements.csv", ordered(cohort(PLACES)))


def written(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for item in rows for name in item)))
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_reliability_of_one_command_is_the_error_of_the_other(table, tmp_path):
    rng = np.random.default_rng(0)
    raters = written(
        tmp_path / "raters.csv",
        [
            row(f"R{n}", "pre", 1000 + 30 * n + 10 * rng.normal(), rater=rater, level=level,
                side=side)
            for n in range(12)
            for rater in ("AB", "CD")
            for level, side in PLACES
        ],
    )  # fmt: skip
    printed = run("reliability", raters, "--json").stdout
    (tmp_path / "reliability.json").write_text(printed)
    sems = {
        (item["level"], item["side"]): item["mdc95_consistency"]
        for item in json.loads(printed)["results"]
    }
    done = run("change", table, "--reliability", tmp_path / "reliability.json", "--json")
    found = json.loads(done.stdout)
    for item in found["changes"]:
        assert item["mdc95"] == pytest.approx(sems[item["level"], item["side"]])
        assert item["basis"] == "consistency of raters AB, CD; AB read both exams"
    (operated,) = (
        item for item in found["muscles"] if (item["level"], item["side"]) == ("L4-L5", "left")
    )
    assert (operated["beyond_decrease"], operated["judged"]) == (8, 8)


def test_errors_of_another_protocol_are_doubted(tmp_path):
    rows = [{**item, "protocol": "aa"} for item in ordered(cohort(PLACES))]
    table = written(tmp_path / "table.csv", rows)
    path = tmp_path / "reliability.json"
    for protocols, said in ((["aa"], 0), (["bb"], 1), ([], 0)):
        path.write_text(json.dumps({"protocols": protocols, "results": []}))
        found = json.loads(run("change", table, "--reliability", path, "--json").stdout)
        warnings = [text for text in found["problems"] if "protocol bb, this table by aa" in text]
        assert len(warnings) == said


@pytest.mark.parametrize("protocols", [7, "aa", [7], {"aa": 1}])
def test_protocols_of_a_reliability_that_are_no_list_of_texts_are_refused(protocols, tmp_path):
    table = written(tmp_path / "table.csv", ordered(cohort(PLACES)))
    path = tmp_path / "reliability.json"
    path.write_text(json.dumps({"protocols": protocols, "results": []}))
    refused = run("change", table, "--reliability", path, "--json").exception
    assert isinstance(refused, StatisticsError)
    assert f"'protocols' is {protocols!r}" in refused.message
    assert "multifidus reliability --json" in refused.remedy


def test_the_command_writes_every_pair_and_the_tables(table, tmp_path):
    out = tmp_path / "out"
    done = run("change", table, "--mdc", "tcsa_mm2=50", "--model", "zone", "-o", out)
    assert done.exit_code == 0, done.output
    stems = ("change", "change_by_zone", "change_contrasts", "change_model", "change_subjects")
    names = {f"{stem}.{kind}" for stem in stems for kind in ("csv", "md", "tex")}
    assert {path.name for path in out.iterdir()} == {"changes.csv", *names}
    rows = read_rows(out / "changes.csv")
    assert len(rows) == 8 * 4
    for item in rows:
        delta = float(item["after"]) - float(item["before"])
        assert float(item["delta"]) == delta
        beyond = "decrease" if delta < 0 else "increase"
        assert item["verdict"] == (beyond if abs(delta) > 50 else "within error")
    assert run("change", table, "-o", out).exit_code != 0
    assert isinstance(run("change", table, "-o", out).exception, WriteError)


def grouped(*groups):
    """Return a study whose subjects take turns in groups of an exercise."""
    return [
        {**item, "exercise": groups[int(item["subject"][1:]) % len(groups)]}
        for item in ordered(cohort(PLACES))
    ]


def test_interactions_are_printed_with_their_sign_and_names_of_groups_as_they_are(tmp_path):
    table = written(tmp_path / "table.csv", grouped("2 x 10", "3 x 10"))
    done = run("change", table, "--model", "exercise", "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    terms = ["intercept", "post", "3 x 10", "post x 3 x 10"]
    cells = read_rows(tmp_path / "out" / "change_model.csv")
    assert [item["term"] for item in cells] == terms
    for text in (done.stdout, (tmp_path / "out" / "change_model.md").read_text("utf-8")):
        assert f"post {TIMES} 3 x 10" in text
        assert f"3 {TIMES} 10" not in text
        assert "post x" not in text
    assert r"post $\times$ 3 x 10" in (tmp_path / "out" / "change_model.tex").read_text("utf-8")


def sliced(digest, *, offsets=(0.5, 4.0), extra=(0, 300)):
    """Return a study with two slices a level, the second one larger."""
    return [
        {**item, "series": "1", "slice_uid": f"{item['level']} {n}", "slice_index": n,
         "value": item["value"] + more, "offset_mm": offset, "protocol": digest}
        for item in ordered(cohort(PLACES))
        for n, (offset, more) in enumerate(zip(offsets, extra, strict=True))
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, (150, "mean of all slices", "2")),
        ({"level_value": "max"}, (300, "max of all slices", "2")),
        ({"slice_selection": "nearest"}, (0, "nearest slice", "1")),
        ({"slice_selection": "band", "band_mm": 2}, (0, "mean within 2 mm", "1")),
    ],
)
def test_a_level_has_the_value_that_the_tables_own_protocol_says(settings, expected, tmp_path):
    more, value_rule, slices = expected
    protocol = MeasurementProtocol(**settings)
    (tmp_path / "protocol.toml").write_text(as_toml(protocol))
    table = written(tmp_path / "measurements.csv", sliced(protocol.digest))
    out = tmp_path / "out"
    done = run("change", table, "--model", "zone", "-o", out)
    assert done.exit_code == 0, done.output
    single = {
        (item["subject"], item["level"], item["side"], item["timepoint"]): item["value"] + more
        for item in ordered(cohort(PLACES))
    }
    for item in read_rows(out / "changes.csv"):
        place = item["subject"], item["level"], item["side"]
        assert float(item["before"]) == pytest.approx(single[*place, "pre"])
        assert float(item["after"]) == pytest.approx(single[*place, "post"])
        assert item["entered"] == f"first; {value_rule}"
        assert (item["slices_before"], item["slices_after"]) == (slices, slices)
    for name in ("change", "change_by_zone", "change_contrasts", "change_model", "change_subjects"):
        assert {item["value"] for item in read_rows(out / f"{name}.csv")} == {
            f"first; {value_rule}"
        }


def test_slices_without_a_known_rule_are_refused_and_a_named_protocol_is_taken(tmp_path):
    nearest = MeasurementProtocol(slice_selection="nearest")
    table = written(tmp_path / "measurements.csv", sliced("unheard-of"))
    refused = run("change", table, "--json").exception
    assert isinstance(refused, StatisticsError)
    assert "unheard-of" in str(refused)
    assert "--protocol" in str(refused)
    (tmp_path / "protocol.toml").write_text(as_toml(nearest))
    other = run("change", table, "--json").exception
    assert isinstance(other, ProtocolError)
    assert "unheard-of" in str(other)
    done = run("change", table, "--protocol", tmp_path / "protocol.toml", "--json")
    found = json.loads(done.stdout)
    assert {item["entered"] for item in found["changes"]} == {"first; nearest slice"}
    assert any("unheard-of" in text and "nearest slice" in text for text in found["problems"])


def test_the_digest_of_a_preset_needs_no_file(tmp_path):
    table = written(tmp_path / "measurements.csv", sliced(MeasurementProtocol().digest))
    found = json.loads(run("change", table, "--json").stdout)
    assert {item["entered"] for item in found["changes"]} == {"first; mean of all slices"}


def test_one_structure_of_several(tmp_path):
    rows = [{**item, "structure": name} for item in ordered(cohort(PLACES))
            for name in ("multifidus", "psoas", "erector_spinae")]  # fmt: skip
    table = written(tmp_path / "measurements.csv", rows)
    wanted = ("--structure", "psoas", "--structure", "multifidus")
    found = json.loads(run("change", table, *wanted, "--json").stdout)
    assert {item["structure"] for item in found["changes"]} == {"psoas", "multifidus"}
    assert found["holm_family"] == ["quantity", "method", "structure"]
    assert {item["holm_tests"] for item in found["muscles"]} == {4}
    refused = run("change", table, "--structure", "trapezius").exception
    assert isinstance(refused, StatisticsError)
    assert "no structure 'trapezius'" in str(refused)


def test_of_three_timepoints_the_courses_are_written(tmp_path):
    table = written(tmp_path / "three.csv", ordered(three_timepoints()))
    assert run("change", table, "-o", tmp_path / "out").exit_code == 0
    rows = read_rows(tmp_path / "out" / "courses.csv")
    assert len(rows) == 8 * 4 * 3
    source = {
        (item["subject"], item["level"], item["side"], item["timepoint"]): float(item["value"])
        for item in read_rows(table)
    }
    for item in rows:
        key = (item["subject"], item["level"], item["side"], item["timepoint"])
        assert float(item["value"]) == source[key]


def test_without_reliability_the_verdict_is_unknown_and_said(table):
    found = json.loads(run("change", table, "--json").stdout)
    assert {item["verdict"] for item in found["changes"]} == {"unknown"}
    assert any("no reliability was given" in text for text in found["problems"])


def test_two_subjects_are_listed(tmp_path):
    table = written(tmp_path / "two.csv", ordered(cohort(PLACES, n=2)))
    done = run("change", table, "--mdc", "tcsa_mm2=50")
    assert done.exit_code == 0
    assert done.stdout.count("decrease") >= 2
    assert "3 are needed" in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--mdc", "tcsa_mm2"),
        ("--mdc", "tcsa_mm2=much"),
        ("--mdc", "other_mm2=5"),
        ("--mdc", "tcsa_mm2=5", "--mdc", "tcsa_mm2=6"),
        ("--mdc", "tcsa_mm2=5", "--reliability", "x.json"),
    ],
)
def test_wrong_usage_has_its_exit_code(table, options):
    assert run("change", table, *options).exit_code == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", "no json"])
def test_a_file_that_is_no_reliability_is_refused(table, tmp_path, text):
    path = tmp_path / "reliability.json"
    path.write_text(text)
    assert isinstance(run("change", table, "--reliability", path).exception, MultifidusError)


def test_slices_without_a_level_do_not_enter_and_are_counted(tmp_path):
    lost = [
        {**item, "level": "", "slice_uid": "9", "value": 5}
        for item in cohort({("L4-L5", "left"): 0}, n=3)
    ]
    rows = [{**item, "slice_uid": "1"} for item in cohort(PLACES)]
    table = written(tmp_path / "some.csv", ordered(rows + lost))
    found = json.loads(run("change", table, "--json").stdout)
    assert {item["level"] for item in found["changes"]} == {"L4-L5", "L3-L4", "L1-L2"}
    assert "6 slices without a level do not enter." in found["problems"]


def test_groups_tested_together_and_subjects_without_surgery_are_said():
    rows = cohort(PLACES)
    for item in rows:
        n = int(item["subject"].lstrip("S"))
        item["approach"] = "control" if n < 3 else ("open", "minimally invasive")[n % 2]
        if n < 3:
            item["operated_levels"] = ""
    values = values_of(ordered(rows))
    spans = spans_of(values)
    found = study_change(values, spans, minimal_valid_fraction=0.95)
    assert found.pooled == (
        "Subjects of several groups of approach (control 3, minimally invasive 3, open 2) were "
        "tested together.",
        "3 of 8 subjects have no operated level (approach: control 3): they are in the table by "
        "level and side, and in no table by zone, no contrast and no model of zones.",
    )
    assert set(found.pooled) <= set(found.problems)
    apart = study_change(values, spans, minimal_valid_fraction=0.95, column="approach")
    assert not any("tested together" in text for text in apart.problems)
