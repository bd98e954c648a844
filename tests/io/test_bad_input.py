"""Folders full of what is no image: everything else is read, and each file is reported once."""

from __future__ import annotations

import json
import os
import socket
import zipfile
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.errors import ReadError
from multifidus.io import read as formats
from multifidus.io.outlines import read_rois
from multifidus.io.volume_files import is_volume
from multifidus.io.walk import is_zip, unpack, walk
from tests.support.cases import write_exam
from tests.support.junk import junk

JUNK = 3000


def reasons(path):
    found = formats.scan(path)
    assert found.exams == ()
    return {item.path.name: item.reason for item in found.skipped}


def test_thousands_of_junk_files_are_each_reported_once_and_the_exam_is_read(tmp_path):
    junk(tmp_path / "all" / "junk", JUNK)
    images = write_exam(tmp_path / "all" / "exam")
    found = formats.scan(tmp_path / "all")
    assert len(found.exams) == 1
    assert sum(map(len, found.paths.values())) == len(list(images.iterdir()))
    counted = Counter(item.path for item in found.skipped)
    sidecars = {path for path in counted if path.suffix == ".json"}
    assert set(counted.values()) == {1}
    assert len(counted) == JUNK
    assert len(sidecars) == JUNK // 8
    assert all(item.reason for item in found.skipped)


def test_inspect_of_junk_prints_few_lines_and_says_3_where_nothing_was_read(tmp_path):
    junk(tmp_path / "all", 100)
    runner = CliRunner()
    told = runner.invoke(app, ["inspect", str(tmp_path / "all")])
    assert told.exit_code == 3
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) < 30
    assert "--json lists all" in told.stderr
    as_json = runner.invoke(app, ["inspect", "--json", str(tmp_path / "all")])
    assert as_json.exit_code == 3
    assert len(json.loads(as_json.stdout)["skipped"]) == 100
    write_exam(tmp_path / "all" / "exam")
    assert runner.invoke(app, ["inspect", str(tmp_path / "all")]).exit_code == 0


def test_links_in_a_circle_are_passed_over(tmp_path):
    images = write_exam(tmp_path / "exam")
    (images / "round").symlink_to(tmp_path, target_is_directory=True)
    (images / "self").symlink_to(images / "self")
    (images / "gone").symlink_to(images / "nothing")
    found = formats.scan(tmp_path)
    assert len(found.exams) == 1
    assert {item.path.name: item.reason.split(",")[0] for item in found.skipped} == {
        "round": "A link to a folder",
        "self": "Cannot be opened: Too many levels of symbolic links.",
        "gone": "A link to nothing.",
    }


def test_a_link_to_a_file_is_read(tmp_path):
    images = write_exam(tmp_path / "exam")
    (tmp_path / "linked").mkdir()
    for path in images.iterdir():
        (tmp_path / "linked" / path.name).symlink_to(path)
    assert len(formats.scan(tmp_path / "linked").exams) == 1


def test_what_would_be_waited_for_without_end_is_passed_over(tmp_path, monkeypatch):
    for name in ("pipe", "pipe.dcm", "pipe.nii.gz", "pipe.zip"):
        os.mkfifo(tmp_path / name)
    monkeypatch.chdir(tmp_path)  # a socket's name may be only so long
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("socket")
        assert set(reasons(tmp_path).values()) == {"Neither a file nor a folder."}
    assert reasons(tmp_path / "pipe.dcm") == {"pipe.dcm": "Neither a file nor a folder."}
    assert reasons(Path("/dev/null")) == {"null": "Neither a file nor a folder."}


def test_a_pipe_beside_an_image_where_its_sidecar_should_be_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "a.nii").write_bytes(b"junk")
    assert set(reasons(tmp_path)) == {"a.json", "a.nii"}


def test_a_pipe_in_the_place_of_outlines_is_refused(tmp_path):
    exam = formats.read_exam(write_exam(tmp_path / "exam"))
    for name in ("a.outlines.json", "labels.nii.gz", "labels.nrrd"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(ReadError, match=f"{name} is neither a file nor a folder"):
            read_rois(tmp_path / name, exam, labels="1=multifidus left")
    os.mkfifo(tmp_path / "voxels.hdr")
    (tmp_path / "voxels.img").write_bytes(b"junk")
    assert not is_volume(tmp_path / "voxels.img")


def test_a_pipe_that_is_called_an_archive_is_none(tmp_path):
    os.mkfifo(tmp_path / "a.zip")
    assert not is_zip(tmp_path / "a.zip")


def test_a_folder_that_may_not_be_opened_is_reported_and_the_rest_read(tmp_path, monkeypatch):
    write_exam(tmp_path / "exam")
    locked = tmp_path / "locked"
    locked.mkdir()
    scandir = os.scandir

    def refusing(path):
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)  # root may open everything
    found = formats.scan(tmp_path)
    assert len(found.exams) == 1
    assert [(item.path, item.reason) for item in found.skipped] == [
        (locked, "Cannot be opened: Permission denied.")
    ]


def test_files_that_may_not_be_opened_are_reported_and_the_rest_read(tmp_path, monkeypatch):
    write_exam(tmp_path / "exam")
    names = {"a.dcm", "a.nii", "a.zip"}
    for name in names:
        (tmp_path / name).write_bytes(b"PK\5\6" + bytes(500))
    opened, builtin = Path.open, open

    def refuse(path):
        if Path(path).name in names:
            raise PermissionError(13, "Permission denied", str(path))

    def path_open(path, *args, **options):
        refuse(path)
        return opened(path, *args, **options)

    def plain_open(path, *args, **options):
        if not isinstance(path, int):
            refuse(path)
        return builtin(path, *args, **options)

    monkeypatch.setattr(Path, "open", path_open)
    monkeypatch.setattr("builtins.open", plain_open)
    monkeypatch.setattr("io.open", plain_open)
    found = formats.scan(tmp_path)
    assert len(found.exams) == 1
    assert {item.path.name for item in found.skipped} == names
    assert all("ermission denied" in item.reason for item in found.skipped)


def test_files_that_vanish_while_scanning_are_reported(tmp_path):
    images = write_exam(tmp_path / "exam")
    count = len(list(images.iterdir()))
    for name in ("z.dcm", "z.nii", "z.nii.gz"):
        (tmp_path / name).write_bytes(b"soon gone")

    def vanish(_done, _total):
        for path in tmp_path.glob("z.*"):
            path.unlink()

    found = formats.scan(tmp_path, progress=vanish)
    assert sum(map(len, found.paths.values())) == count
    assert {item.path.name for item in found.skipped} == {"z.dcm", "z.nii", "z.nii.gz"}
    assert all("No such file" in item.reason for item in found.skipped)


def test_a_path_that_may_not_be_looked_at_is_our_error(monkeypatch, tmp_path):
    def refuse(_path, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(ReadError, match="Permission denied"):
        walk([tmp_path])


@pytest.mark.parametrize("name", ["", "."])
def test_an_archive_of_files_without_names_is_refused(tmp_path, name):
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(zipfile.ZipInfo(name), b"content")
    with pytest.raises(ReadError, match=r"climbs out|not a readable zip"):
        unpack(path)


def test_an_archive_in_which_a_file_is_also_a_folder_is_refused(tmp_path):
    path = tmp_path / "bad.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a", b"content")
        file.writestr("a/b", b"content")
    assert set(reasons(path)) == {"bad.zip"}
