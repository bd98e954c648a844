"""Tables for spreadsheets, Parquet, REDCap and BIDS hold the summary's numbers, explained."""

from __future__ import annotations

import csv
import json
import math
import re
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from typer.testing import CliRunner

import multifidus as mf
from multifidus.cli.app import app
from multifidus.data.columns import COLUMNS, SUMMARY_KEYS
from multifidus.errors import CohortError, WriteError
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.exam_table import ExamTable
from multifidus.study.further_tables import check_tables, write_exam_tables
from multifidus.study.muscles import muscle_rows
from multifidus.study.phenotype import participant_id, write_phenotype
from multifidus.study.redcap import DICTIONARY_COLUMNS, field_names, write_redcap
from multifidus.study.results_folder import Output
from multifidus.study.run.cohort import CohortRun, measure_cohort_into
from multifidus.study.table_files import BIDS, FILES, REDCAP, WIDE, FurtherTable
from tests.support.cases import write_cohort

PROTOCOL = mf.MeasurementProtocol(fat_methods=("pooled_otsu",), bias_correction="none")
WITHOUT_PARQUET = ("wide", "redcap", "bids")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a cohort that was measured with all tables but Parquet."""
    table = write_cohort(tmp_path_factory.mktemp("study"))
    output = Output(table.parent / "results", pictures=False, tables=WITHOUT_PARQUET)
    asked = CohortRun(table, read_cohort(table).cases, output, PROTOCOL)
    measure_cohort_into(asked)
    return asked


def rows_of(path, delimiter=","):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def muscles_of(folder):
    return {
        (row["timepoint"], row["level"], row["side"]): row
        for row in rows_of(folder / "muscles.csv")
    }


def test_the_wide_table_has_one_row_an_exam_with_the_muscles_numbers(run):
    folder = run.output.folder
    muscles = muscles_of(folder)
    rows = rows_of(folder / "wide.csv")
    assert [row["timepoint"] for row in rows] == ["pre", "post"]
    for row in rows:
        right = muscles[row["timepoint"], "L4-L5", "right"]
        assert row["area_L4L5_right_mm2"] == right["area_mm2"]
        assert row["fat_L4L5_right_pct"] == right["fat_pct"]
        assert row["fcsa_L4L5_right_mm2"] == right["fcsa_mm2"]
        assert row["flags_L4L5_right"] == right["flags"]
        assert row["approach"] == "open"
    explained = json.loads((folder / "dictionary.json").read_text())["wide.csv"]
    assert list(explained) == list(rows[0])
    assert "pooled_otsu" in explained["fat_L4L5_left_pct"]


def test_the_dictionary_explains_every_column_of_every_table_by_its_name(run):
    measure_cohort_into(run)
    folder = run.output.folder
    explained = json.loads((folder / "dictionary.json").read_text())
    tables = [path.name for path in folder.glob("*.csv")]
    assert {*tables} == {name for name in explained if name.endswith(".csv")}
    assert len(tables) == 7
    for name in tables:
        with (folder / name).open(newline="", encoding="utf-8") as file:
            header = next(csv.reader(file))
        assert list(explained[name]) == header, name
        assert all(text.endswith(".") for text in explained[name].values()), name
    summary = explained["summary.csv"]
    assert "Total cross-sectional area" in summary["tcsa_mm2"]
    assert "uncertainty of tcsa_mm2, mm2" in summary["tcsa_mm2_u"]
    assert "pooled_otsu" in summary["pooled_otsu_fi_pct"]
    assert "cohort table" in summary["approach"]
    assert "cohort table" in explained["measurements.csv"]["approach"]


def test_redcap_is_given_fields_by_its_rules(run):
    folder = run.output.folder
    data = rows_of(folder / "redcap" / "import.csv")
    fields = rows_of(folder / "redcap" / "data_dictionary.csv")
    assert tuple(fields[0]) == DICTIONARY_COLUMNS
    names = [field["Variable / Field Name"] for field in fields]
    assert names == list(data[0])
    assert names[0] == "record_id"
    assert len({*names}) == len(names)
    assert all(re.fullmatch("[a-z][a-z0-9_]{0,25}", name) for name in names)
    assert all(field["Form Name"] and field["Field Label"] for field in fields)
    assert {field["Field Type"] for field in fields} == {"text"}
    assert len({row["record_id"] for row in data}) == len(data) == 2
    kinds = {f["Variable / Field Name"]: f["Text Validation Type OR Show Slider Number"]
             for f in fields}  # fmt: skip
    assert kinds["area_l4l5_left_mm2"] == "number"
    assert kinds["reading"] == "integer"
    assert kinds["flags_l4l5_left"] == kinds["record_id"] == ""
    left = muscles_of(folder)["pre", "L4-L5", "left"]
    assert data[0]["area_l4l5_left_mm2"] == left["area_mm2"]


def test_a_bids_dataset_is_given_its_phenotype_with_each_column_explained(run):
    folder = run.output.folder / "phenotype"
    rows = rows_of(folder / "multifidus.tsv", "\t")
    explained = json.loads((folder / "multifidus.json").read_text())
    assert {*rows[0]} == {*explained} - {"MeasurementToolMetadata"}
    assert rows[0]["participant_id"] == "sub-S01"
    assert [row["session_id"] for row in rows] == ["ses-pre", "ses-post"]
    assert explained["area_L4L5_left_mm2"]["Units"] == "mm^2"
    assert explained["fat_L4L5_left_pct"]["Units"] == "%"
    assert all(about["Description"] for about in explained.values())
    assert all(all(row.values()) for row in rows)


def test_what_was_not_asked_for_again_goes_and_what_is_anothers_stays(run):
    folder = run.output.folder
    (folder / "phenotype" / "other.tsv").write_text("participant_id\n")
    measure_cohort_into(replace(run, output=replace(run.output, tables=("wide",))))
    assert (folder / "wide.csv").exists()
    assert not (folder / "redcap").exists()
    assert [path.name for path in (folder / "phenotype").iterdir()] == ["other.tsv"]
    measure_cohort_into(run)
    assert all((folder / name).exists() for t in WITHOUT_PARQUET for name in FILES[FurtherTable(t)])


def test_a_value_that_did_not_pass_a_review_is_in_none_of_them(run, tmp_path):
    review = tmp_path / "review.csv"
    review.write_text("subject,timepoint,side,verdict\nS01,post,left,fail\n")
    measure_cohort_into(replace(run, output=replace(run.output, review=review)))
    folder = run.output.folder
    assert rows_of(folder / "wide.csv")[1]["area_L4L5_left_mm2"] == "NaN"
    assert not rows_of(folder / "redcap" / "import.csv")[1]["area_l4l5_left_mm2"]
    assert rows_of(folder / "phenotype" / "multifidus.tsv", "\t")[1]["area_L4L5_left_mm2"] == "n/a"
    assert "failed_review" in rows_of(folder / "wide.csv")[1]["flags_L4L5_left"]


# --- tables of rows that no study holds --------------------------------------------------------

ROW = {
    **dict(zip(SUMMARY_KEYS, ("S1", "pre", "A", 1, "L4-L5", "multifidus", "left"), strict=True)),
    "n_slices": 1, "name": "", "flags": "", "tcsa_mm2": 500.5, "pooled_otsu_fi_pct": math.nan,
}  # fmt: skip


def table_of(*changes, own=()):
    summary = ({**ROW, **change} for change in changes)
    return ExamTable([*muscle_rows(summary, PROTOCOL, own)], PROTOCOL, own)


def test_readings_keep_rows_of_their_own_and_levels_follow_the_spine():
    table = table_of(
        {"level": "L5-S1"}, {"level": "T12-L1"}, {"rater": "B"}, {"side": "both"},
        {"rater": "C", "structure": "psoas"},
    )  # fmt: skip
    assert [row["rater"] for row in table] == ["A", "B"]
    areas = [column.name for column in table.columns if column.source == "area_mm2"]
    assert areas == ["area_T12L1_left_mm2", "area_L4L5_left_mm2", "area_L5S1_left_mm2"]
    first, second = table
    assert first["area_L4L5_left_mm2"] is None
    assert second["area_L4L5_left_mm2"] == 500.5
    assert math.isnan(second["fat_L4L5_left_pct"])


def test_columns_of_the_studys_own_never_hide_a_number():
    (row,) = table_of(
        {"area_L4L5_left_mm2": "mine", "age": "40"}, own=("area_L4L5_left_mm2", "age")
    )
    assert row["area_L4L5_left_mm2"] == 500.5
    assert row["study_area_L4L5_left_mm2"] == "mine"
    assert row["age"] == "40"


def test_no_column_of_the_studys_own_hides_another_one():
    own = ("area_L4L5_left_mm2", "study_area_L4L5_left_mm2", "study_age")
    (row,) = table_of(dict(zip(own, "abc", strict=True)), own=own)
    assert row["study_area_L4L5_left_mm2"] == "a"
    assert row["study_study_area_L4L5_left_mm2"] == "b"
    assert row["study_age"] == "c"


def test_two_outlines_of_one_muscle_stand_in_columns_of_their_own():
    (row,) = table_of({}, {"name": "second_try", "tcsa_mm2": 1.0})
    assert row["area_L4L5_left_mm2"] == 500.5
    assert row["area_L4L5_left_second_try_mm2"] == 1.0


NAMES = ("", "deep part", "deep_part", "deep-part", "Deep_part", "_deep_part", "深", "!", "outline")


def test_no_two_names_of_outlines_share_a_column_in_any_table(tmp_path):
    areas = {name: float(number + 1) for number, name in enumerate(NAMES)}
    table = table_of(*({"name": name, "tcsa_mm2": area} for name, area in areas.items()))
    (row,) = table
    assert sorted(v for n, v in row.items() if n.startswith("area")) == [*areas.values()]
    write_redcap(table, tmp_path / "a.csv", tmp_path / "b.csv")
    write_phenotype(table, tmp_path / "a.tsv", tmp_path / "a.json")
    for found in (*rows_of(tmp_path / "a.csv"), *rows_of(tmp_path / "a.tsv", "\t")):
        shown = sorted(float(v) for n, v in found.items() if n.startswith("area"))
        assert shown == [*areas.values()]


@given(st.lists(st.text(max_size=8), unique=True, min_size=1, max_size=6))
def test_the_column_of_a_named_outline_is_the_same_beside_any_other(names):
    def columns(*named):
        table = table_of(*({"name": name} for name in named))
        return {(c.place[2], c.source): c.name for c in table.columns}

    def fields(*named):
        shown = columns(*named)
        names = field_names(shown.values())
        return {key: names[column] for key, column in shown.items()}

    for of in (columns, fields):
        together = of(*names)
        assert len({*together.values()}) == len(together)
        assert {key: name for one in names for key, name in of(one).items()} == together


def test_a_name_that_looks_like_a_made_one_cannot_take_its_column():
    (made,) = (c.name for c in table_of({"name": "deep part"}).columns if c.source == "area_mm2")
    looks = made.removeprefix("area_L4L5_left_").removesuffix("_mm2")
    table = table_of({"name": "deep part"}, {"name": looks})
    assert len({column.name for column in table.columns}) == len(table.columns)


def test_columns_that_are_not_told_apart_are_refused(monkeypatch):
    monkeypatch.setattr("multifidus.study.exam_table.digest_of", lambda _: "aaaaaa")
    with pytest.raises(WriteError, match="deep") as refused:
        table_of({"name": "deep part"}, {"name": "deep-part"})
    assert "Rename" in refused.value.remedy
    with pytest.raises(WriteError, match="area_l4l5"):
        field_names(["area_L4L5", "area_l4L5"])


def test_only_what_a_spreadsheet_opens_is_guarded_against_formulas(tmp_path):
    """REDCap and BIDS know nothing of the apostrophe, and a name would be another one there."""
    table = table_of({"subject": "=1+1", "rater": "a\tb\nc", "flags": "'=x"})
    write_exam_tables(table, WITHOUT_PARQUET, tmp_path)
    (row,) = rows_of(tmp_path / WIDE)
    assert (row["subject"], row["flags_L4L5_left"]) == ("'=1+1", "''=x")
    (row,) = rows_of(tmp_path / REDCAP[0])
    assert (row["subject"], row["flags_l4l5_left"]) == ("=1+1", "'=x")
    assert row["record_id"] == "=1+1_pre_a\tb\nc_1"
    assert not row["fat_l4l5_left_pct"]
    (row,) = rows_of(tmp_path / BIDS[0], "\t")
    assert (row["subject"], row["rater"], row["flags_L4L5_left"]) == ("=1+1", "a b c", "'=x")
    assert (row["area_L4L5_left_mm2"], row["fat_L4L5_left_pct"]) == ("500.5", "n/a")


def test_readings_of_one_exam_are_runs_of_its_session_in_bids(tmp_path):
    table = table_of(
        {}, {"reading": 2}, {"rater": "B"}, {"timepoint": "post"}, {"subject": "S2", "rater": "B"}
    )
    write_phenotype(table, tmp_path / "a.tsv", tmp_path / "a.json")
    rows = rows_of(tmp_path / "a.tsv", "\t")
    index = ("participant_id", "session_id", "run_id")
    assert tuple(rows[0])[:3] == index
    assert [tuple(row[name] for name in index) for row in rows] == [
        ("sub-S1", "ses-pre", "run-1"), ("sub-S1", "ses-pre", "run-2"),
        ("sub-S1", "ses-pre", "run-3"), ("sub-S1", "ses-post", "run-1"),
        ("sub-S2", "ses-pre", "run-1"),
    ]  # fmt: skip
    explained = json.loads((tmp_path / "a.json").read_text())
    assert {*rows[0]} == {*explained} - {"MeasurementToolMetadata"}


def test_exams_that_bids_takes_for_one_are_refused_by_what_writes_them_too(tmp_path):
    table = table_of({"timepoint": "pre-1"}, {"subject": "S2", "timepoint": "pre1"})
    with pytest.raises(CohortError, match=r"'pre-1' and 'pre1' are both ses-pre1"):
        write_phenotype(table, tmp_path / "a.tsv", tmp_path / "a.json")
    assert not [*tmp_path.iterdir()]


def test_records_are_told_apart_whatever_names_hold(tmp_path):
    table = table_of({"subject": "a_b", "timepoint": "c"}, {"subject": "a", "timepoint": "b_c"})
    write_redcap(table, tmp_path / "a.csv", tmp_path / "b.csv")
    assert len({row["record_id"] for row in rows_of(tmp_path / "a.csv")}) == 2


@given(st.lists(st.text(min_size=1, max_size=60), unique_by=str.lower, max_size=20))
def test_any_columns_become_fields_by_redcaps_rules(columns):
    names = field_names(columns)
    assert list(names) == columns
    assert len({*names.values()}) == len(columns)
    assert all(re.fullmatch("[a-z][a-z0-9_]{0,25}", name) for name in names.values())


def test_what_could_not_be_written_is_refused_before_anything_is_measured(run, tmp_path):
    with pytest.raises(WriteError, match="excel") as refused:
        check_tables(["excel"])
    assert "redcap" in refused.value.remedy
    for names in (
        [("S-1", ""), ("S1", "")], [("--", "")], [("S1", "a"), ("S1", "-a")],
        [("S1", "pre-1"), ("S2", "pre1")], [("S1", "--")], [("S1", "ses-a"), ("S2", "a")],
    ):  # fmt: skip
        with pytest.raises(CohortError, match="BIDS"):
            check_tables(["bids"], [mf.Reading(*name) for name in names])
    named = [("S1", "a"), ("sub-S2", "a"), ("S1", "a"), ("S1", "")]
    check_tables(["bids"], [mf.Reading(*name) for name in named])
    assert participant_id("sub-S2") == "sub-S2"
    output = Output(tmp_path / "new", tables=("excel",))
    with pytest.raises(WriteError, match="excel"):
        measure_cohort_into(replace(run, output=output))
    assert not (tmp_path / "new").exists()


def test_the_command_writes_them_or_says_why_not(run, tmp_path):
    def ended(*words):
        command = ["measure", run.table, "--no-pictures", *words]
        return CliRunner().invoke(app, [*map(str, command)])

    for words in (["--json", "--tables", "wide"], ["--json", "--review", tmp_path / "r.csv"],
                  ["-o", tmp_path / "a", "--shard", "1/2", "--tables", "wide"]):  # fmt: skip
        assert ended(*words).exit_code == 2
    refused = ended("-o", tmp_path / "a", "--tables", "excel")
    assert refused.exit_code == 2
    assert "wide, parquet" in refused.stderr
    assert not (tmp_path / "a").exists()
    assert not ended("-o", tmp_path / "a", "--tables", "wide", "--tables", "bids").exit_code
    assert all((tmp_path / "a" / name).exists() for name in ("wide.csv", *BIDS))
    assert not (tmp_path / "a" / "redcap").exists()


# --- Parquet -----------------------------------------------------------------------------------


def test_without_pyarrow_the_user_learns_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(WriteError, match="not installed") as refused:
        check_tables(["parquet"])
    assert 'pip install "multifidus[parquet]"' in refused.value.remedy


def test_parquet_holds_what_the_tidy_table_holds(run, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr("multifidus.io.parquet._ROWS", 50)
    measure_cohort_into(replace(run, output=replace(run.output, tables=("parquet",))))
    folder = run.output.folder
    table = parquet.read_table(folder / "measurements.parquet")
    assert parquet.ParquetFile(folder / "measurements.parquet").num_row_groups > 1
    rows = rows_of(folder / "measurements.csv")
    assert table.column_names == list(rows[0])
    assert len(rows) == table.num_rows > 50
    for ours, theirs in zip(rows, table.to_pylist(), strict=True):
        for name, value in theirs.items():
            assert ours[name] == _as_csv(value), name
    for name, about in COLUMNS.items():
        assert table.schema.field(name).metadata[b"description"].decode() == about


def _as_csv(value):
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    return "" if value is None else str(value)
