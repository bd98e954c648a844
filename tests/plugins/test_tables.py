"""The button Measure and the command line write the same bytes."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from napari_multifidus.controllers.outputs import write_tables
from napari_multifidus.controllers.shortcuts import MULTIFIDUS_LEFT
from napari_multifidus.models.opening import open_exam
from napari_multifidus.models.session import Session
from napari_multifidus.reader import sample_exam
from typer.testing import CliRunner

import multifidus as mf
from multifidus.cli.app import app
from multifidus.errors import MultifidusError, WriteError
from multifidus.sample_data import sample_dir
from tests.plugins.test_session import BOW_TIE

TABLES = ("measurements.csv", "summary.csv", "dictionary.json")


def test_the_tables_are_those_of_the_command_line_byte_for_byte(tmp_path):
    images, outlines = sample_dir() / "S01_pre", sample_dir() / "S01_pre.outlines.json"
    opened = open_exam(images)
    session = Session(opened.exam, opened.series, mf.read_rois(outlines, opened.exam))
    done = write_tables(session, tmp_path / "plugin")
    assert done.outlines == len(session.rois())

    wanted = ["measure", str(images), "--outlines", str(outlines), "-o", str(tmp_path / "cli")]
    result = CliRunner().invoke(app, [*wanted, "--no-pictures"])
    assert result.exit_code == 0, result.output
    for name in TABLES:
        ours, theirs = (tmp_path / who / name for who in ("plugin", "cli"))
        assert ours.read_bytes() == theirs.read_bytes(), name


def test_the_table_holds_the_numbers_of_measure(session, tmp_path):
    write_tables(session, tmp_path)
    with (tmp_path / "measurements.csv").open(newline="") as file:
        written = [
            (row["structure"], row["quantity"], row["value"]) for row in csv.DictReader(file)
        ]
    rows = mf.measure(session.exam, session.rois())
    expected = [
        (row.key.structure, row.quantity, "NaN" if row.value != row.value else repr(row.value))
        for row in rows
    ]
    assert written == expected


def test_what_is_no_outline_is_left_out_and_said(session, tmp_path):
    session.put(MULTIFIDUS_LEFT, 3, [BOW_TIE])
    done = write_tables(session, tmp_path)
    assert done.outlines == 4
    assert "Left out: multifidus left on slice 4 crosses itself" in done.words


def test_nothing_drawn_is_refused(exam, tmp_path):
    with pytest.raises(MultifidusError, match="no outline to measure"):
        write_tables(Session(exam, exam.series[0]), tmp_path)
    assert not list(tmp_path.iterdir())


def test_tables_are_replaced_only_when_asked(session, tmp_path):
    write_tables(session, tmp_path)
    with pytest.raises(WriteError, match="already holds results"):
        write_tables(session, tmp_path)
    write_tables(session, tmp_path, overwrite=True)


def test_the_sample_is_named_as_its_cohort_names_it():
    opened = sample_exam("post")
    assert (opened.exam.subject, opened.exam.timepoint) == ("S01", "post")
    assert opened.is_sample
    assert isinstance(opened.outlines, Path)
    with pytest.raises(MultifidusError, match="'later'"):
        sample_exam("later")
