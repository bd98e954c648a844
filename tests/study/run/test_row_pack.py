"""Rows of a case kept as plain values are the same rows when they are read again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

import multifidus as mf
from multifidus.data.columns import COLUMNS
from multifidus.io import measurements_csv
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.measurements_csv import TidyLines, tidy_row
from multifidus.io.table_csv import csv_text
from multifidus.study.batch import measure_case
from multifidus.study.run.row_pack import packed_rows, unpacked_rows
from multifidus.study.summary import summary_rows
from tests.support.cases import write_cohort


def as_text(rows):
    return csv_text([tidy_row(row).values() for row in rows])


def test_rows_are_the_same_to_the_last_digit(tmp_path):
    case = read_cohort(write_cohort(tmp_path)).cases[0]
    rows = measure_case(case, mf.MeasurementProtocol()).rows
    rows = [*rows, replace(rows[0], parameters={"reason": "metal", "x": float("nan")}, value=0.1)]
    again = unpacked_rows(json.loads(json.dumps(packed_rows(rows), allow_nan=False)))
    assert as_text(again) == as_text(rows)
    assert [row.sort_key for row in again] == [row.sort_key for row in rows]
    assert [type(row.quantity) for row in again] == [type(row.quantity) for row in rows]
    wide = [csv_text([row.values()]) for row in summary_rows(rows)]
    assert [csv_text([row.values()]) for row in summary_rows(again)] == wide


@pytest.mark.parametrize("seed", range(4))
def test_lines_of_a_table_are_those_of_its_rows_in_any_order(tmp_path, seed, monkeypatch):
    monkeypatch.setattr(measurements_csv, "KEPT", 3)
    case = read_cohort(write_cohort(tmp_path)).cases[0]
    rows = [*measure_case(case, mf.MeasurementProtocol()).rows]
    own = {"clinic": "Bern, Insel", "=note": "=1+1"}
    rows += [replace(row, extra=own, flags=(*row.flags, "odd;flag")) for row in rows[::3]]
    rows += [replace(row, value=float("nan"), n_pixels=None) for row in rows[::5]]
    np.random.default_rng(seed).shuffle(rows)
    columns = [*COLUMNS, *own]
    lines = TidyLines(columns).lines(rows)
    plain = ([tidy_row(row).get(name) for name in columns] for row in rows)
    assert "".join(lines) == csv_text(plain)


def test_what_rows_share_is_kept_once(tmp_path):
    case = read_cohort(write_cohort(tmp_path)).cases[0]
    rows = measure_case(case, mf.MeasurementProtocol()).rows
    packed = packed_rows(rows)
    assert len(packed["rows"]) == len(rows)
    assert len(packed["origins"]) < len(rows) / 3
