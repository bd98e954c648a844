"""The key of a case changes with every content that its rows depend on, and with nothing else."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest

import multifidus as mf
from multifidus.io.cohort_csv import read_cohort
from multifidus.study.run.content import ContentHashes, RunSettings, content_of
from tests.support.cases import write_cohort

SETTINGS = RunSettings(mf.MeasurementProtocol())


@pytest.fixture
def table(tmp_path):
    return write_cohort(tmp_path / "study")


def content(table, settings=SETTINGS, **changes):
    case = replace(read_cohort(table).cases[0], **changes)
    return content_of(case, settings, ContentHashes())


def append(path, text=" "):
    with path.open("a") as file:
        file.write(text)


def test_an_image_an_outline_and_landmarks_change_it_by_their_content(table):
    marks = table.with_name("marks.outlines.json")
    marks.write_text("{}")
    keys = {content(table, landmarks=(marks,)).key}
    for path in (table.parent / "S01_pre" / "0.dcm", table.with_name("pre.outlines.json"), marks):
        at = path.stat()
        append(path)
        # A file that was changed may have its old time.
        os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))
        keys.add(content(table, landmarks=(marks,)).key)
    assert len(keys) == 4


def test_a_sidecar_and_the_voxels_of_a_volume_belong_to_it(table):
    image = table.with_name("sub-01_T2w.nii.gz")
    image.write_bytes(b"voxels")
    before = content(table, images=(image,)).key
    sidecar = table.with_name("sub-01_T2w.json")
    sidecar.write_text('{"EchoTime": 0.1}')
    between = content(table, images=(image,)).key
    sidecar.write_text('{"EchoTime": 0.2}')
    assert len({before, between, content(table, images=(image,)).key}) == 3


@pytest.mark.parametrize(
    "changes",
    [
        {"reading": mf.Reading("S02", "pre", "AB")},
        {"reading": mf.Reading("S01", "post", "AB")},
        {"reading": mf.Reading("S01", "pre", "CD")},
        {"reading": mf.Reading("S01", "pre", "AB", 2)},
        {"series": "1"},
        {"labels": "lpm"},
        {"extra": {"order": "0", "approach": "percutaneous"}},
        {"extra": {"order": "0"}},
        {"outlines": ()},
    ],
)
def test_what_the_table_says_of_a_case_changes_it(table, changes):
    assert content(table, **changes).key != content(table).key


def test_the_meaning_of_labels_changes_it(table):
    scheme = table.with_name("scheme.tsv")
    scheme.write_text("value\tstructure\tside\n1\tmultifidus\tleft\n")
    before = content(table, labels=str(scheme)).key
    scheme.write_text("value\tstructure\tside\n1\tmultifidus\tright\n")
    assert content(table, labels=str(scheme)).key != before


@pytest.mark.parametrize(
    "settings",
    [
        RunSettings(mf.MeasurementProtocol(tracing_sd_mm=0.6)),
        replace(SETTINGS, contrasts="another table"),
        replace(SETTINGS, version="0.0.1"),
    ],
)
def test_protocol_contrasts_and_version_change_it(table, settings):
    assert content(table, settings).key != content(table).key


def test_nothing_else_changes_it(table, tmp_path, monkeypatch):
    before = content(table).key
    lines = table.read_text().splitlines()
    table.write_text("\n".join((lines[0], lines[1], "S09,pre,0,AB,none,none,open")))
    append(table.parent / "S01_post" / "0.dcm")
    os.utime(table.parent / "S01_pre" / "0.dcm", (1, 1))
    assert content(table).key == before
    moved = tmp_path / "elsewhere"
    shutil.move(table.parent, moved)
    assert content(moved / table.name).key == before
    monkeypatch.chdir(moved)
    assert content(table.name).key == before


def test_a_file_is_read_once_a_run(table, monkeypatch):
    read = []
    from multifidus.study.run import content as module

    hashed = module.content_sha256
    monkeypatch.setattr(module, "content_sha256", lambda path: (read.append(path), hashed(path))[1])
    hashes = ContentHashes()
    case = read_cohort(table).cases[0]
    keys = {content_of(case, SETTINGS, hashes).key for _ in range(3)}
    assert (len(keys), len(read)) == (1, 3)


def test_a_pipe_is_not_waited_for(table, tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no pipes with names")
    os.mkfifo(tmp_path / "pipe")
    assert content(table, images=(tmp_path / "pipe",)).key != content(table).key


def test_differences_are_named(table):
    before = content(table)
    earlier = {"files": dict(before.files), "cells": dict(before.cells)}
    assert before.differences(earlier) == []
    append(table.with_name("pre.outlines.json"))
    now = content(table, extra={"order": "0", "approach": "none"})
    assert now.differences(earlier) == ["outlines pre.outlines.json", "column approach"]
