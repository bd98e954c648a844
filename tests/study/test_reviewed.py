"""What did not pass a review does not enter, and is counted; everything else is as it was."""

from __future__ import annotations

import json
import math

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.review import Review, ReviewEntry, Verdict
from multifidus.errors import ReadError
from multifidus.io.measurements_csv import measurement_rows
from multifidus.io.review_csv import read_review
from multifidus.stats.requests import ReliabilityRequest, read_study, study_reliability
from multifidus.study.reviewed import reviewed
from tests.support.studies import study_rows, without_figures, write_study

HEADER = "subject,timepoint,rater,reading,level,side,structure,verdict,comment,reviewer,date\n"
FAILED = "S03,post,A,1,L4-L5,right,multifidus,fail,moved,KL,2026-11-30\n"


def is_of(row, **facts):
    return all(row[name] == value for name, value in facts.items())


def finite(folder, **how):
    table, _ = read_study(folder / "measurements.csv", **how)
    return {
        (item.subject, item.timepoint, item.rater, item.reading, item.level, item.side,
         item.quantity, item.method): item.value
        for item in table.values if math.isfinite(item.value)
    }  # fmt: skip


def test_what_failed_is_left_out_as_if_it_had_not_been_measured(tmp_path):
    rows = study_rows()
    folder = write_study(tmp_path / "results", rows)
    (folder / "review.csv").write_text(HEADER + FAILED)
    muscle = {"subject": "S03", "timepoint": "post", "rater": "A", "reading": 1, "level": "L4-L5"}
    kept = [row for row in rows if not (is_of(row, **muscle) and row["side"] in {"right", "both"})]
    assert len(rows) - len(kept) == 5
    assert finite(folder) == finite(write_study(tmp_path / "without", kept))


def test_reliability_counts_it_and_says_why(tmp_path):
    folder = write_study(tmp_path / "results")
    (folder / "review.csv").write_text(HEADER + FAILED)
    table, _ = read_study(folder / "measurements.csv", quantities=["tcsa_mm2"])
    assert any("1 failed" in remark and "1 exam " in remark for remark in table.remarks)
    study = study_reliability(table, ReliabilityRequest())
    (lost,) = {(one.subject, one.level, one.side, one.reason) for one in study.exclusions}
    assert lost == ("S03", "L4-L5", "right", "undefined by rater A (failed_review)")


def rows_of(*texts):
    usual = {"subject": "S1", "timepoint": "pre", "rater": "A", "reading": "1", "unit": "mm2",
             "value": "5", "slice_uid": "1.2", "slice_index": "3", "structure": "multifidus",
             "side": "left", "level": "L4-L5", "method": "", "quantity": "tcsa_mm2"}  # fmt: skip
    return measurement_rows([usual | text for text in texts]).rows


def entry(verdict="fail", **facts):
    return ReviewEntry("S1", "pre", Verdict(verdict), **facts)


FAT = {"quantity": "fi_pct", "method": "pooled_otsu", "unit": "%"}


@pytest.mark.parametrize(
    ("verdict", "row", "enters"),
    [
        (entry(), {}, False),
        (entry(side="left"), {}, False),
        (entry(side="right"), {}, True),
        (entry(side="right"), {"side": "both", "quantity": "asymmetry_pct", "unit": "%"}, False),
        (entry(level="L3-L4"), {}, True),
        (entry(level="L3-L4"), {"quantity": "volume_ml", "unit": "ml"}, True),
        (entry(level="L4-L5"), {"quantity": "volume_ml", "unit": "ml"}, False),
        (entry(side="both"), {}, False),
        (entry(side="both"), {"side": "right"}, False),
        (entry(side="both"), {"side": "both", "quantity": "volume_ml", "unit": "ml"}, False),
        (entry(side="both"), {"side": "both", "quantity": "asymmetry_pct", "unit": "%"}, False),
        (entry(side="none"), {"side": "both", "quantity": "asymmetry_pct", "unit": "%"}, True),
        (entry(structure="psoas", side="left"), {"structure": "psoas", "side": "right"}, True),
        (entry(structure="psoas", side="left", level="L3-L4"),
         {"quantity": "sir_psoas", "unit": "1"}, True),
        (entry(level="L4-L5", side="left", structure="multifidus"), {}, False),
        (entry(level="unknown"), {}, True),
        (entry(level="unknown"), {"level": ""}, False),
        (entry(level="L4-L5"), {"level": ""}, True),
        (entry(), {"level": ""}, False),
        (entry(level="unknown", structure="fat_reference"), FAT, False),
        (entry(structure="psoas"), {}, True),
        (entry(structure="psoas"), {"quantity": "sir_psoas", "unit": "1"}, False),
        (entry(structure="vertebral_body"), {"quantity": "rcsa_vertebral_body_pct", "unit": "%"},
         False),
        (entry(structure="fat_reference", level="L3-L4"), FAT, False),
        (entry(structure="lean_reference"), {"quantity": "ff_signal_pct", "unit": "%"}, False),
        (entry(structure="fat_reference"), {}, True),
        (entry(rater="B"), {}, True),
        (entry(rater="A", reading=2), {}, True),
        (entry(side="right"), {"quantity": "operated_contralateral_pct", "unit": "%"}, False),
        (entry("pass"), {}, True),
        (entry("repeat"), {}, False),
    ],
)  # fmt: skip
def test_a_verdict_covers_what_its_outline_enters(verdict, row, enters):
    (found,) = reviewed(rows_of(row), Review.of([verdict])).rows
    assert math.isfinite(found.value) is enters
    flags = {"fail": "failed_review", "repeat": "to_be_repeated"}
    assert list(map(str, found.flags)) == ([] if enters else [flags[verdict.verdict]])


def test_the_last_verdict_on_the_same_counts():
    later = entry("pass", side="left", date="2026-11-30")
    earlier = entry("fail", side="left", date="2026-11-29T12:00")
    for order in ([later, earlier], [earlier, later]):
        assert reviewed(rows_of({}), Review.of(order)).rows == tuple(rows_of({}))
    assert reviewed(rows_of({}), Review.of([entry("fail", date="2026-12-01"), later])).missing


def test_of_verdicts_on_one_outline_the_latest_counts_however_wide_it_is():
    wide, narrow = entry("fail", date="2026-11-29"), entry("pass", side="left", date="2026-11-30")
    asymmetry = {"side": "both", "quantity": "asymmetry_pct", "unit": "%"}
    rows = rows_of({}, {"side": "right"}, asymmetry)
    passed = reviewed(rows, Review.of([narrow, wide])).rows
    # The asymmetry is of the right side as well, which nobody took back.
    assert [math.isfinite(row.value) for row in passed] == [True, False, False]
    later = entry("pass", date="2026-12-01")
    assert reviewed(rows, Review.of([later, narrow, wide])).rows == tuple(rows)
    undated = [entry("fail", side="left"), entry("fail", side="right")]
    assert reviewed(rows, Review.of([later, *undated])).rows == tuple(rows)
    failed_again = [later, entry("fail", level="L4-L5", side="right", date="2026-12-02"), narrow]
    passed = reviewed(rows, Review.of(failed_again)).rows
    assert [math.isfinite(row.value) for row in passed] == [True, False, False]


def test_a_failed_reference_is_taken_back_by_a_verdict_on_it_or_on_the_exam():
    failed = entry(structure="fat_reference", level="L3-L4", date="2026-11-29")
    of_all, row = {"date": "2026-11-30"}, rows_of(FAT)
    for other, enters in [
        (entry("pass", **of_all), True),
        (entry("pass", structure="fat_reference", **of_all), True),
        (entry("pass", structure="fat_reference", level="L4-L5", **of_all), False),
        (entry("pass", structure="multifidus", **of_all), False),
        (entry("fail", level="L3-L4"), False),
    ]:
        (found,) = reviewed(row, Review.of([failed, other])).rows
        assert math.isfinite(found.value) is enters, other
    (found,) = reviewed(row, Review.of([entry(level="L3-L4"), entry("pass", side="left")])).rows
    assert math.isfinite(found.value)


def test_a_volume_over_several_levels_fails_with_each_of_them_and_with_no_other():
    volume = {"quantity": "volume_ml", "unit": "ml", "level": "", "series": "1.2"}
    run = {"parameters": '{"slice_step_mm": 4.0, "slice_indices": [3, 4]}'}
    rows = rows_of(
        {"level": "L3-L4", "series": "1.2", "slice_index": "3"},
        {"level": "L4-L5", "series": "1.2", "slice_index": "4"},
        {"level": "L5-S1", "series": "1.2", "slice_index": "9"},
        volume | run,
        volume | run | {"side": "right"},
        volume | {"side": "both"},
    )
    for level, finite in [
        ("L3-L4", [False, True, True, False, True, False]),
        ("L4-L5", [True, False, True, False, True, False]),
        ("L5-S1", [True, True, False, True, True, True]),
    ]:
        found = reviewed(rows, Review.of([entry(level=level, side="left")])).rows
        assert [math.isfinite(row.value) for row in found] == finite


def test_side_both_lists_both_muscles_as_missing():
    rows = rows_of({}, {"side": "right"})
    found = reviewed(rows, Review.of([entry(level="L4-L5", side="both", structure="multifidus")]))
    assert [row["side"] for row in found.missing] == ["left", "right"]


def test_one_at_an_unknown_level_is_missing_there_alone():
    rows = rows_of({}, {"level": ""})
    found = reviewed(rows, Review.of([entry(level="unknown")]))
    assert [math.isfinite(row.value) for row in found.rows] == [True, False]
    assert [row["level"] for row in found.missing] == [""]


def test_what_is_only_compared_with_what_failed_is_not_missing_itself():
    compared = {"quantity": "operated_contralateral_pct", "unit": "%"}
    rows = rows_of({"side": "right"}, compared, {"level": ""}, {"level": "L3-L4"} | compared)
    found = reviewed(rows, Review.of([entry(side="right", level="L4-L5")]))
    assert [math.isfinite(row.value) for row in found.rows] == [False, False, True, True]
    assert [(row["level"], row["side"]) for row in found.missing] == [("L4-L5", "right")]


def test_verdicts_of_nothing_in_the_table_are_said():
    lost = [entry(level="L1-L2"), ReviewEntry("S9", "pre", Verdict.FAIL), entry("pass", rater="Z")]
    (remark,) = reviewed(rows_of({}), Review.of([*lost, entry("pass", side="left")])).remarks
    assert remark.startswith("3 of 4 verdicts")


def test_verdicts_of_nothing_are_named_by_their_lines(tmp_path):
    lost = [
        "S1,pre,,,L1-L2,,,fail,,,",
        "S1,pre,,,,,csf,fail,,,",
        "S9,pre,,,,,,fail,,,",
        "S9,pre,,,,,,pass,,,2026-11-30",
    ]
    (remark,) = reviewed(rows_of({}), review_of(tmp_path, "S1,pre,,,,,,pass,,,", *lost)).remarks
    assert remark.startswith("4 of 5 verdicts of the review (lines 3, 4, 5, 6) are of nothing")
    (remark,) = reviewed(rows_of({}), review_of(tmp_path, *(lost[:1] * 12))).remarks
    assert "(lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more)" in remark


def review_of(folder, *lines, header=HEADER):
    path = folder / "review.csv"
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return read_review(path)


def test_initials_na_are_a_raters(tmp_path):
    (found,) = review_of(tmp_path, "S1,pre,NA,NA,NA,,na,fail,NA,NA,NA").entries
    assert (found.rater, found.comment, found.reviewer) == ("NA", "NA", "NA")
    assert (found.reading, found.level, found.structure, found.date) == (None, "", "", "")


def test_columns_that_are_none_are_refused(tmp_path):
    header = HEADER.replace("rater", "Raters").replace("level", "Levels")
    with pytest.raises(ReadError, match="Raters, Levels") as refused:
        review_of(tmp_path, "S1,pre,A,1,L4-L5,,,fail,,,", header=header)
    assert "rater, reading, level" in refused.value.remedy


def test_dates_are_compared_as_dates(tmp_path):
    lines = [
        "S1,pre,,,,,,fail,4,,2026-12-01",
        "S1,pre,,,,,,fail,3,,2026-11-30T14:05",
        "S1,pre,,,,,,fail,2,,2026-11-30 14:04:59",
        "S1,pre,,,,,,fail,0,,",
        "S1,pre,,,,,,fail,1,,2026-11-30",
    ]
    found = review_of(tmp_path, *lines).entries
    assert [one.comment for one in found] == list("01234")
    assert [one.date for one in found][2:4] == ["2026-11-30T14:04:59", "2026-11-30T14:05:00"]


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("S1,pre,,,,,,maybe,,,", "maybe"),
        ("S1,,,,,,,fail,,,", "timepoint"),
        ("S1,pre,,,L9,,,fail,,,", "L9"),
        ("S1,pre,,,,top,,fail,,,", "top"),
        ("S1,pre,,x,,,,fail,,,", "x"),
        ("S1,pre,,0,,,,fail,,,", "reading is '0'"),
        ("S1,pre,,,,,,fail,,,yesterday", "yesterday"),
        ("S1,pre,,,,,,fail,,,20260101", "20260101"),
        ("S1,pre,,,,,,fail,,,2026-11-30T10:00+02:00", "allowed are 2026-11-30"),
        ("S1,pre,,,,,,fail,,,2026-02-30", "2026-02-30"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused_with_its_line(line, word, tmp_path):
    path = tmp_path / "review.csv"
    path.write_text(HEADER + "S1,pre,,,,,,pass,,,\n" + line + "\n")
    with pytest.raises(ReadError, match="line 3") as refused:
        read_review(path)
    assert word in str(refused.value)


def run(*arguments):
    ended = CliRunner().invoke(app, [*map(str, arguments)])
    assert ended.exit_code == 0, ended.output
    return ended


def test_change_and_report_honour_it(tmp_path, monkeypatch):
    without_figures(monkeypatch)
    folder = write_study(tmp_path / "results", study_rows(raters="A", readings=1))
    command = ("change", folder / "measurements.csv", "--quantity", "tcsa_mm2", "--json")
    before = json.loads(run(*command).stdout)
    (folder / "elsewhere.csv").write_text(HEADER + "S03,post,,,,,,repeat,artefact,KL,2026-11-30\n")
    ended = run(*command, "--review", folder / "elsewhere.csv")
    assert _changes(json.loads(ended.stdout)) == _changes(before) - 6
    (folder / "elsewhere.csv").rename(folder / "review.csv")
    run("report", folder)
    page = (folder / "report" / "report.html").read_text(encoding="utf-8")
    assert "to_be_repeated" in page
    assert "It was measured, and is to be repeated by the review" in page
    assert "6 to be repeated" in page


def _changes(document):
    return sum(1 for change in document["changes"] if change["delta"] is not None)
