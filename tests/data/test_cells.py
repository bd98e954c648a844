"""What a cell says."""

from __future__ import annotations

import math

import pytest

from multifidus.data.cells import folded, is_missing, nearly, number, whole


@pytest.mark.parametrize("word", ["", " ", "NA", "na", "N/A", "#N/A", "nan", "NaN", None, math.nan])
def test_words_for_nothing_are_missing(word):
    assert is_missing(word)
    assert math.isnan(number(word))
    assert whole(word) is None


@pytest.mark.parametrize(("cell", "value"), [("1", 1), ("1.0", 1), ("1.", 1), (" 2 ", 2), (3.0, 3)])
def test_a_whole_number_may_have_been_written_as_a_float(cell, value):
    assert whole(cell) == value
    assert number(cell) == value


@pytest.mark.parametrize("cell", ["1.5", "one", "1,0", "²", "1_0", "1e1", "True"])
def test_what_is_no_whole_number_is_refused(cell):
    with pytest.raises(ValueError, match="no whole number"):
        whole(cell)


@pytest.mark.parametrize("cell", ["9,1", "1_000", "1 000", "25 %", "-"])
def test_what_is_no_number_is_refused(cell):
    with pytest.raises(ValueError, match="no number"):
        number(cell)


def test_names_of_columns_are_one_without_case_blanks_and_underscores():
    names = {"tcsa_mm2", "TCSA mm2", " tcsa\u00a0mm2 ", "Tcsa_Mm2"}
    assert len({folded(name) for name in names}) == 1
    assert folded("tcsa_mm2") != folded("fcsa_mm2")


@pytest.mark.parametrize(
    ("one", "other"), [("01", "1"), ("S01", "s1"), ("S-01", "S 01"), ("a", "A"), ("S\u00a01", "S1")]
)
def test_subjects_are_nearly_one_by_zeros_case_blanks_and_hyphens(one, other):
    assert nearly(one) == nearly(other)


@pytest.mark.parametrize(("one", "other"), [("10", "1"), ("100", "001"), ("S1", "P1"), ("1a", "1")])
def test_subjects_are_apart_by_any_other_digit_or_letter(one, other):
    assert nearly(one) != nearly(other)
