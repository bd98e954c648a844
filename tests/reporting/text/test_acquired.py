"""Methods state how images were acquired, as headers say it; the rest is not known."""

from __future__ import annotations

from multifidus.data.columns import ACQUISITION_COLUMNS
from multifidus.io.table_csv import write_rows
from multifidus.reporting.build import ReportRequest, load_study
from multifidus.reporting.text.acquired import header_columns
from multifidus.reporting.text.facts import facts_of
from multifidus.reporting.text.methods import methods_text
from tests.support.studies import study_rows, write_study

SAID = {
    "series": "1.2", "weighting": "t2", "manufacturer": "ACME", "model": "Example",
    "field_strength_t": 1.5, "sequence_type": "SE", "sequence_name": "tse2d",
    "repetition_time_ms": 4000.0, "echo_time_ms": 100.0, "slice_thickness_mm": 4.0,
    "slice_spacing_mm": 4.4, "slice_gap_mm": 0.4, "rows": 384, "columns": 320,
    "acquired_matrix": "384 x 288", "pixel_row_mm": 0.5, "pixel_column_mm": 0.5,
    "coil": "Spine_32", "n_slices": 15, "differing": "",
}  # fmt: skip


def said(folder, change=lambda number: {}, extra=(), rows=None):
    """Return the text of Methods, by topic, of a study of 4 subjects at two timepoints."""
    rows = study_rows(4, raters="A", readings=1) if rows is None else rows
    folder = write_study(folder, rows)
    exams = sorted({(row["subject"], row["timepoint"]) for row in rows})
    acquired = [
        {"subject": subject, "timepoint": timepoint, **SAID, **change(number)}
        for number, (subject, timepoint) in enumerate(exams)
    ]
    write_rows([*acquired, *extra], folder / "acquisitions.csv", tuple(ACQUISITION_COLUMNS))
    data = load_study(ReportRequest(folder))
    facts = facts_of(data.rows, data.timepoints, header_columns(data.acquired))
    return {item.topic: item.text for item in methods_text(data, facts)}


def test_what_all_exams_have_in_common_is_stated(tmp_path):
    text = said(tmp_path / "r")
    assert text["Scanner"] == "Scanner: ACME."
    assert text["Model"] == "Model: Example."
    assert text["Field strength"] == "Field strength: 1.5 T."
    assert text["Sequence"] == "Sequence: t2 (SE, tse2d)."
    assert text["Slice thickness"] == "Slice thickness: 4 mm."
    assert text["Repetition time"] == "Repetition time: 4000 ms."
    assert text["Echo time"] == "Echo time: 100 ms."
    assert text["Slice gap"] == "Slice gap: 0.4 mm."
    assert text["Matrix"] == "Matrix: 384 x 320."
    assert text["Coil"] == "Coil: Spine_32."


def test_few_values_are_listed_and_many_are_a_range(tmp_path):
    def differ(number):
        return {"echo_time_ms": 100.0 + number, "repetition_time_ms": 4000.0 + number % 2}

    text = said(tmp_path / "r", differ)
    assert text["Repetition time"] == "Repetition time: 4000 ms (4 exams) and 4001 ms (4 exams)."
    assert text["Echo time"] == "Echo time: median 103.5 ms, range 100 to 107."


def test_what_headers_do_not_say_is_not_known(tmp_path):
    def silent(number):
        return {"coil": "", "slice_gap_mm": float("nan"), "model": "" if number else "Example"}

    text = said(tmp_path / "r", silent)
    assert text["Coil"] == "Coil: not found in the tables."
    assert text["Slice gap"] == "Slice gap: not found in the tables."
    assert text["Model"] == "Model: Example (1 exam) and not said of 7 exams."


def test_contradictions_within_a_series_are_shown_and_not_averaged(tmp_path):
    text = said(tmp_path / "r", lambda n: {} if n else {"echo_time_ms": "90.0;100.0"})
    assert text["Echo time"] == "Echo time: 100 ms (7 exams) and 90 / 100 ms (1 exam)."


def test_the_cohort_table_is_taken_at_its_word(tmp_path):
    rows = [
        {**row, "manufacturer": "Philips" if row["subject"] == "S01" else ""}
        for row in study_rows(4, raters="A", readings=1)
    ]
    text = said(tmp_path / "r", rows=rows)
    assert text["Scanner"] == "Scanner: ACME (6 exams) and Philips (2 exams)."


def test_series_of_other_structures_and_contrasts_are_told_apart(tmp_path):
    other = {"subject": "S01", "timepoint": "pre", **SAID, "series": "9.9", "weighting": "t1"}
    assert said(tmp_path / "r", extra=[other])["Echo time"] == "Echo time: 100 ms."
    rows = [
        {**row, "series": "9.9" if (row["subject"], row["timepoint"]) == ("S01", "pre") else "1.2"}
        for row in study_rows(4, raters="A", readings=1)
    ]
    text = said(tmp_path / "s", extra=[{**other, "echo_time_ms": 12.0}], rows=rows)
    assert text["Echo time"] == "Echo time by contrast: t1: 12 ms; t2: 100 ms."
