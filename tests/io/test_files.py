import hashlib
import os
import stat

import pytest
from hypothesis import given, strategies as st

from multifidus.errors import ReadError, WriteError
from multifidus.io.files import (
    content_sha256,
    make_folder,
    reading,
    refuse_existing,
    write_atomically,
    write_text,
)
from multifidus.io.walk import walk


def test_text_is_written_as_it_is(tmp_path):
    path = tmp_path / "new" / "folder" / "table.csv"
    write_text(path, "level,µ\nL4-L5,1\n", overwrite=False)
    assert path.read_bytes() == "level,µ\nL4-L5,1\n".encode()


def test_a_file_is_overwritten_only_when_asked(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old", overwrite=False)
    with pytest.raises(WriteError, match="already exists"):
        write_text(path, "new", overwrite=False)
    assert path.read_text() == "old"
    write_text(path, "new", overwrite=True)
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("below", ["", "results/tables"])
def test_a_file_with_the_name_of_the_folder_to_write_to_is_refused_and_stays(
    below, overwrite, tmp_path
):
    (tmp_path / "out").write_text("mine")
    path = tmp_path / "out" / below / "table.csv"
    for refuse in (
        lambda: refuse_existing(path, overwrite=overwrite),
        lambda: write_text(path, "", overwrite=overwrite),
        lambda: make_folder(path.parent),
    ):
        with pytest.raises(WriteError, match=r"out is a file, not a folder") as refused:
            refuse()
        assert refused.value.remedy == "Choose another name."
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("before", [None, "old"])
def test_a_writer_that_fails_leaves_nothing_behind(tmp_path, before):
    path = tmp_path / "a.txt"
    if before is not None:
        path.write_text(before)

    def fail(part):
        part.write_text("half")
        raise RuntimeError("no space left")

    with pytest.raises(RuntimeError, match="no space left"):
        write_atomically(path, fail, overwrite=True)
    assert [item.read_text() for item in tmp_path.iterdir()] == ([] if before is None else [before])


def test_the_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "a.txt"
    seen = []

    def write(part):
        part.write_text("half")
        seen.append(path.exists())
        part.write_text("whole")

    write_atomically(path, write, overwrite=False)
    assert seen == [False]
    assert path.read_text() == "whole"


@pytest.mark.skipif(os.name != "posix", reason="permission masks are POSIX")
def test_a_new_file_has_the_users_own_permissions(tmp_path):
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "", overwrite=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640


@given(st.binary(max_size=3_000_000))
def test_the_content_hash_is_sha256(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "data.bin"
    path.write_bytes(data)
    assert content_sha256(path) == hashlib.sha256(data).hexdigest()


def test_a_file_that_cannot_be_opened_says_why(tmp_path):
    with pytest.raises(ReadError, match=r"Cannot read .*gone\.csv as a file: No such file"):
        content_sha256(tmp_path / "gone.csv")


def test_text_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("Müller".encode("latin-1"))
    refused = pytest.raises(ReadError, match=r"Cannot read .*table\.csv as a table: .*UTF-8")
    with refused, reading(path, "a table"):
        path.read_text(encoding="utf-8")


def test_our_own_errors_pass_unchanged(tmp_path):
    mine = ReadError("Half written.")
    with pytest.raises(ReadError) as caught, reading(tmp_path, "a table"):
        raise mine
    assert caught.value is mine


def test_files_are_found_in_order_whatever_the_folders_order(tmp_path):
    for name in ("b/2.dcm", "b/1.dcm", "a/z.dcm", "c.dcm"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [str(path.relative_to(tmp_path)) for path in walk([tmp_path]).files]
    assert found == ["c.dcm", "a/z.dcm", "b/1.dcm", "b/2.dcm"]
    assert walk([tmp_path / "c.dcm"]).files == (tmp_path / "c.dcm",)


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"gone does not exist"):
        walk([tmp_path / "gone"])
