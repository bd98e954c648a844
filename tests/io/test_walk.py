"""Zip archives are looked into; those that climb out or swell are refused."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest

from multifidus.errors import ReadError
from multifidus.io import walk
from multifidus.io.read import read_exam
from multifidus.io.scan import scan
from multifidus.io.walk import unpack
from tests.support.cases import write_exam


def packed(folder, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for part in sorted(folder.rglob("*")):
            file.write(part, part.relative_to(folder.parent))
    return path


def test_an_exam_in_an_archive_is_the_exam_outside_it(tmp_path):
    images = write_exam(tmp_path / "exam")
    (images / "notes.txt").write_text("hello")
    path = packed(images, tmp_path / "exam.zip")
    found = scan(path)
    plain = read_exam(images)
    pairs = zip(found.exams[0].series[0].slices, plain.series[0].slices, strict=True)
    for ours, theirs in pairs:
        assert ours.plane == theirs.plane
        assert np.array_equal(ours.pixels, theirs.pixels)
    assert [item.path for item in found.skipped] == [path / "exam" / "notes.txt"]


def test_an_archive_among_scans_is_looked_into_as_well(tmp_path):
    images = write_exam(tmp_path / "exam")
    packed(images, tmp_path / "again.zip").rename(images / "again.zip")
    found = scan(tmp_path / "exam")
    assert len(found.exams) == 1
    assert len(found.skipped) == 2


@pytest.mark.parametrize("name", ["../out.dcm", "/etc/out.dcm", "a/../../out.dcm", "c:/out.dcm"])
def test_names_that_climb_out_are_refused_and_nothing_is_written(tmp_path, name):
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(name, b"x")
    with pytest.raises(ReadError, match="climbs out"):
        unpack(path)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["bad.zip"]
    assert [item.path for item in scan(path).skipped] == [path]


def test_an_archive_that_swells_is_refused_before_it_does(tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "SMALL_BYTES", 1000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", bytes(1_000_000))
    with pytest.raises(ReadError, match="over 200 times its size"):
        unpack(path)


def test_a_damaged_archive_is_reported(tmp_path):
    images = write_exam(tmp_path / "exam")
    path = packed(images, tmp_path / "exam.zip")
    data = bytearray(path.read_bytes())
    data[60:200] = bytes(140)
    path.write_bytes(data)
    found = scan(path)
    assert found.exams == ()
    assert "not a readable zip archive" in found.skipped[0].reason
