"""Readings of one exam that follow each other: it is read once, unless it has changed."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from multifidus.errors import ReadError
from multifidus.study.run import last_exam
from multifidus.study.run.last_exam import LastExam
from tests.support.cases import write_exam


@pytest.fixture
def images(tmp_path):
    return write_exam(tmp_path / "S01", slices=2)


@pytest.fixture
def reads(monkeypatch):
    """Count how often an exam is read from its files."""
    found = []
    read_exam = last_exam.read_exam

    def reading(*paths, **how):
        found.append(paths)
        return read_exam(*paths, **how)

    monkeypatch.setattr(last_exam, "read_exam", reading)
    return found


def test_the_same_files_are_read_once_and_decoded_once(images, reads):
    last = LastExam()
    first, again = last.read((images,), None), last.read((images,), None)
    assert (first is again, len(reads)) == (True, 1)
    pixels = [exam.series[0].slices[0].stored_pixels for exam in (first, again)]
    assert pixels[0] is pixels[1]


def test_files_that_have_changed_are_read_anew(images, reads):
    from pydicom import dcmread

    last = LastExam()
    before = last.read((images,), None).series[0].slices[0].pixels
    path = images / "0.dcm"
    dataset = dcmread(path)
    dataset.PixelData = (dataset.pixel_array + 1).tobytes()
    dataset.save_as(path)
    after = last.read((images,), None).series[0].slices[0].pixels
    assert len(reads) == 2
    np.testing.assert_array_equal(after, before + 1)


def test_another_exam_takes_the_place_of_the_one_before(images, reads, tmp_path):
    last = LastExam()
    other = shutil.copytree(images, tmp_path / "S02")
    for path in (images, other, images):
        last.read((path,), None)
    assert [paths for (paths,) in reads] == [images, other, images]


def test_another_table_of_contrasts_is_another_exam(images, reads, tmp_path):
    table = tmp_path / "contrasts.toml"
    rule = '[[contrast]]\nweighting = "t1"\ndescriptions = ["nothing so called"]\n'
    table.write_text(rule)
    last = LastExam()
    last.read((images,), None)
    last.read((images,), table)
    table.write_text(rule + "\n")
    last.read((images,), table)
    assert len(reads) == 3


def test_what_an_archive_held_is_not_kept_for_it_is_gone_with_its_case(images, reads, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "S01"), "zip", images)
    last = LastExam()
    for _ in range(2):
        last.read((tmp_path / archive,), None)
    assert len(reads) == 2


def test_what_cannot_be_read_is_refused_each_time(tmp_path, images):
    last = LastExam()
    last.read((images,), None)
    for _ in range(2):
        with pytest.raises(ReadError):
            last.read((tmp_path / "absent",), None)
