"""Names that the tables of results keep for themselves."""

from __future__ import annotations

import csv
import json

import pytest

from multifidus.data.cohort import Case
from multifidus.data.columns import (
    COLUMNS,
    FAILURE_COLUMNS,
    MISSING_COLUMNS,
    check_extra,
    reserved_as,
)
from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.errors import CohortError
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.dictionary import dictionary
from multifidus.study.requests import MeasureRequest, prepare
from multifidus.study.results import write_results
from multifidus.study.results_folder import Output
from multifidus.study.summary import summary_rows
from tests.support.cases import write_cohort
from tests.support.tables import measurements


@pytest.mark.parametrize(
    "name",
    [
        "level", "side", "value", "name", "flags", "unit", "source", "version", "tcsa_mm2",
        "n_slices", "pooled_otsu_fi_pct", "gmm3_fcsa_mm2", "tcsa_mm2_u", "pooled_otsu_fi_pct_u",
        "reason", "detail", "error", "remedy", "slice_indices", "kjaer_visual_grade",
        "Value", " value ", "TCSA MM2", "tcsa\u00a0mm2", "N Slices",
    ],
)  # fmt: skip
def test_a_cohort_column_named_like_one_of_the_results_is_refused(tmp_path, name):
    path = tmp_path / "cohort.csv"
    path.write_text(f"subject,timepoint,images,{name}\nS01,pre,scan,7.1\n", encoding="utf-8")
    with pytest.raises(CohortError, match=r"cohort\.csv: Column .* of the results") as error:
        read_cohort(path)
    assert "study_" in error.value.remedy


@pytest.mark.parametrize("name", ["age", "site", "pre_fi_pct", "odi", "levels", "values", "lesion"])
def test_a_column_of_the_study_passes(name):
    assert reserved_as(name) == ""


def test_every_column_that_is_written_is_reserved(tmp_path):
    """By what a run writes, so that a new column cannot be forgotten."""
    cohort = write_cohort(tmp_path / "in")
    protocol = MeasurementProtocol(fat_methods=(*FatMethod,)[:2])
    run = prepare(MeasureRequest((cohort,)), protocol)
    write_results(run.outcomes, Output(tmp_path / "out", pictures=False), protocol)
    study = {"order", "approach"}
    for table in ("measurements.csv", "summary.csv", "missing.csv", "failures.csv"):
        with (tmp_path / "out" / table).open(newline="", encoding="utf-8") as text:
            header = next(csv.reader(text))
        assert [name for name in header if not reserved_as(name)] == [
            name for name in header if name in study
        ]
    explained = dictionary()
    names = {*explained["measurements.csv"], *explained["missing.csv"], *explained["quantities"]}
    assert all(map(reserved_as, names | {*COLUMNS, *MISSING_COLUMNS, *FAILURE_COLUMNS}))
    assert json.dumps(explained)


@pytest.mark.parametrize("name", ["value", "Tcsa mm2", "n_slices"])
def test_what_a_script_adds_to_a_case_is_refused_as_well(name):
    with pytest.raises(CohortError, match="of the results"):
        Case(Reading("S01", "pre"), (), extra={name: "7.1"})


def test_the_name_to_use_instead_is_free():
    with pytest.raises(CohortError) as error:
        check_extra(["level", "study_level"])
    assert "'study_level_of_study'" in error.value.remedy


def test_the_wide_table_takes_no_column_that_it_has_itself():
    with pytest.raises(CohortError, match="n_slices"):
        summary_rows(measurements([{"subject": "S1", "quantity": "", "value": 1, "n_slices": 7}]))
