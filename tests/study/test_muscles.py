"""The small table holds the usual numbers of the multifidus, as the wide one has them."""

from __future__ import annotations

import csv
import json

import pytest

import multifidus as mf
from multifidus.data.columns import MUSCLE_COLUMNS
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.batch import measure_cases
from multifidus.study.muscles import fat_method, muscle_rows
from multifidus.study.results import write_results
from multifidus.study.results_folder import Output
from tests.support.cases import write_cohort

PROTOCOL = mf.MeasurementProtocol(fat_methods=("pooled_otsu",), bias_correction="none")


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    cases = read_cohort(write_cohort(folder)).cases
    output = Output(folder / "results", pictures=False)
    write_results(measure_cases(cases, PROTOCOL), output, PROTOCOL)
    return output.folder


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_each_muscle_has_its_numbers_of_the_wide_table(results):
    muscles = rows_of(results / "muscles.csv")
    names = [(row["timepoint"], row["level"], row["side"]) for row in muscles]
    assert names == [
        ("pre", "L4-L5", "left"), ("pre", "L4-L5", "right"),
        ("post", "L4-L5", "left"), ("post", "L4-L5", "right"),
    ]  # fmt: skip
    wide = {
        (row["timepoint"], row["side"]): row
        for row in rows_of(results / "summary.csv")
        if row["structure"] == "multifidus" and row["level"]
    }
    for row in muscles:
        source = wide[row["timepoint"], row["side"]]
        assert row["area_mm2"] == source["tcsa_mm2"]
        assert row["fat_pct"] == source["pooled_otsu_fi_pct"]
        assert row["fcsa_mm2"] == source["pooled_otsu_fcsa_mm2"]
        assert row["flags"] == source["flags"]
        assert row["fat_method"] == "pooled_otsu"
        assert not row["ff_dixon_pct"]


def test_every_column_is_explained(results):
    explained = json.loads((results / "dictionary.json").read_text())
    assert explained["muscles.csv"] == dict(MUSCLE_COLUMNS)
    assert list(rows_of(results / "muscles.csv")[0]) == list(MUSCLE_COLUMNS)


@pytest.mark.parametrize(
    ("methods", "shown"),
    [(("signal", "otsu", "pooled_otsu"), "otsu"), (("linear",), ""), (("dixon", "gmm2"), "gmm2")],
)
def test_the_first_method_of_visible_fat_is_shown(methods, shown):
    protocol = mf.MeasurementProtocol(fat_methods=methods)
    assert fat_method(protocol) == shown
    row = {"structure": "multifidus", "side": "left", "level": "L4-L5", "gmm2_fi_pct": 1.0,
           "otsu_fi_pct": 2.0, "pooled_otsu_fi_pct": 3.0}  # fmt: skip
    (found,) = muscle_rows([row], protocol)
    assert found["fat_pct"] == {"otsu": 2.0, "gmm2": 1.0}.get(shown)
