"""Texts in CSV: no spreadsheet takes one for a formula, and each is read back unchanged."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, strategies as st

from multifidus.io.table_csv import csv_text, guarded, unguarded, write_rows
from multifidus.io.table_reader import read_rows
from multifidus.reporting.tables.paper_table import PaperTable

TEXTS = st.text(st.characters(codec="utf-8"))
TRICKY = st.text(st.sampled_from("'=+-@\t\r\n\",;\u2028\u0085\x0b\x1c\x00 1.eN\ufeff\u00a0"))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"), ("+cmd", "'+cmd"), ("-left", "'-left"), ("@SUM", "'@SUM"),
        ("\tx", "'\tx"), ("\r", "'\r"), ("-", "'-"), ("'=x", "''=x"), ("''=x", "'''=x"),
        ("-1", "-1"), ("-1.5", "-1.5"), ("+3", "+3"), ("-1e-05", "-1e-05"), ("'", "'"),
        ("'tis", "'tis"), ("'-1", "'-1"), ("", ""), ("-1+2", "'-1+2"), ("-1,5", "'-1,5"),
        ("-72.9 to 26.5", "-72.9 to 26.5"), ("-1.2 [-2.0, 3]", "-1.2 [-2.0, 3]"),
    ],
)  # fmt: skip
def test_what_a_spreadsheet_would_compute_gets_an_apostrophe(text, written):
    assert guarded(text) == written
    assert unguarded(written) == text


@given(st.one_of(TEXTS, TRICKY))
@example("'=x")
@example("'")
@example("-1")
def test_every_text_is_read_back_unchanged(text):
    assert unguarded(guarded(text)) == text
    assert guarded(text)[:1] not in {"=", "@", "\t", "\r"}


@given(st.lists(st.tuples(st.one_of(TEXTS, TRICKY), st.one_of(TEXTS, TRICKY)), max_size=4))
def test_every_table_is_read_back_unchanged(tmp_path_factory, cells):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    rows = [{"key": str(n), "a": a, "b": b} for n, (a, b) in enumerate(cells)]
    write_rows(rows, path, ("key", "a", "b"))
    assert read_rows(path) == rows


def test_a_name_of_a_column_is_guarded_as_well(tmp_path):
    write_rows([{"key": "1", "=x": "2"}], tmp_path / "t.csv", ("key",))
    assert (tmp_path / "t.csv").read_text().startswith("key,'=x\n")
    assert read_rows(tmp_path / "t.csv") == [{"key": "1", "=x": "2"}]


def test_numbers_are_written_as_they_are():
    assert csv_text([[-1.5, -2, float("-inf"), float("nan"), None]]) == "-1.5,-2,-inf,NaN,\n"


@given(st.lists(st.text(st.sampled_from('ab,"\n ')), min_size=1, max_size=3))
def test_csv_is_written_as_python_writes_it(cells):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    assert csv_text([cells]) == text.getvalue()


def test_a_papers_table_is_guarded_too():
    table = PaperTable("t", "c", ("subject", "bias"), (("=1+1", "-1.5 to 2"),))
    assert table.as_csv() == "subject,bias\n'=1+1,-1.5 to 2\n"
