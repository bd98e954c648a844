"""Series that readers get wrong: grouped as they should be, and every voxel in its place."""

from __future__ import annotations

import re

import numpy as np
import pytest

from multifidus.data.flags import Flag
from multifidus.data.image import Series
from multifidus.data.stacks import EVEN_STEP_MM
from multifidus.errors import ReadError, RoiError
from multifidus.io.dicom.pixels import PixelSource
from multifidus.io.inspect import inspection
from multifidus.io.scan import scan
from multifidus.io.scan_result import Scan
from multifidus.measuring.locate import place
from tests.conftest import REPOSITORY
from tests.support.exams import circle, outline
from tests.support.traps import (
    FLOOR_MM,
    OTHER_AT_ONE_PLACE,
    PARALLEL,
    TRAPS,
    TWO_FORMS,
    Expected,
    Trap,
    write_classic,
    write_enhanced,
    write_with_copy,
    write_with_one_uid,
    write_without_uids,
)


def every_series(found: Scan) -> list[Series]:
    return [series for exam in found.exams for series in exam.series]


def summary(series: Series) -> Expected:
    sizes = sorted((len(stack.slices) for stack in series.stacks), reverse=True)
    return Expected(
        tuple(sizes),
        series.weighting.value,
        tuple(flag.value for flag in series.all_flags),
        series.orientation.value,
    )


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_every_trap_is_grouped_as_it_should_be_and_every_voxel_lies_in_its_place(
    tmp_path, trap: Trap
):
    trap.write(tmp_path)
    found = scan(tmp_path)
    series = every_series(found)
    assert sorted(map(summary, series), key=repr) == sorted(trap.expected, key=repr)
    assert len(found.skipped) == trap.skipped
    for item in (item for one in series for item in one.slices):
        z = item.plane.to_patient(list(np.ndindex(item.shape)))[:, 2]
        assert np.abs(item.pixels.ravel() - z).max() <= FLOOR_MM
    for part in (part for one in series for part in one.stacks):
        volume = np.stack([item.pixels for item in part.slices])
        indices = np.indices(volume.shape).reshape(3, -1)[::-1]
        # A stack is a volume only where its grid puts every voxel in its place.
        assert part.affine_lps is not None
        z = part.affine_lps[2, :3] @ indices + part.affine_lps[2, 3]
        assert np.abs(volume.ravel() - z).max() <= FLOOR_MM + EVEN_STEP_MM


@pytest.mark.parametrize("name", TWO_FORMS)
def test_a_scan_is_the_same_in_both_forms(tmp_path, name):
    write_classic(TWO_FORMS[name], tmp_path / "classic")
    write_enhanced(TWO_FORMS[name], tmp_path / "enhanced")
    first, second = (every_series(scan(tmp_path / form)) for form in ("classic", "enhanced"))
    assert [summary(series) for series in first] == [summary(series) for series in second]
    for ours, theirs in zip(
        (item for series in first for item in series.slices),
        (item for series in second for item in series.slices),
        strict=True,
    ):
        assert ours.plane == theirs.plane
        assert np.array_equal(ours.pixels, theirs.pixels)
        assert ours.sha256() == theirs.sha256()


def test_copies_are_reported_with_what_they_are_copies_of(tmp_path):
    write_with_copy(PARALLEL, tmp_path / "files")
    write_enhanced([*PARALLEL, PARALLEL[3]], tmp_path / "frames")
    (file,), (frame,) = (scan(tmp_path / form).skipped for form in ("files", "frames"))
    assert file.reason.startswith(f"The same pixels at the same place as {tmp_path / 'files'}")
    assert str(file.path) not in file.reason
    assert frame.reason == "Frame 16: the same pixels at the same place as frame 4."


@pytest.mark.parametrize("write", [write_with_one_uid, write_without_uids])
def test_images_of_one_uid_get_uids_that_do_not_depend_on_their_order(tmp_path, write):
    write(PARALLEL, tmp_path)
    paths = sorted(tmp_path.iterdir())
    (first,), (again,) = (every_series(scan(*order)) for order in (paths, paths[::-1]))
    uids = [item.uid for item in first.slices]
    assert len(set(uids)) == 15
    assert not any(uid.partition("~")[0] == uid for uid in uids)
    assert uids == [item.uid for item in again.slices]


def test_outlines_find_images_of_one_uid_by_their_place(tmp_path):
    write_with_one_uid(PARALLEL, tmp_path)
    (exam,) = scan(tmp_path).exams
    (damaged,) = {item.uid.partition("~")[0] for item in exam.series[0].slices}
    for index, item in enumerate(exam.series[0].slices):
        path = circle(12, 16, 5)
        # By the UID that is in the file, by the one told apart, and by one of another slice.
        other = exam.series[0].slices[index - 1]
        for uid in (damaged, item.uid):
            (found,) = place([outline(item, path, slice_uid=uid)], exam)
            assert (found.index, found.series) == (index, exam.series[0])
        with pytest.raises(RoiError, match="drawn on another pixel grid"):
            place([outline(item, path, slice_uid=other.uid)], exam)


def test_an_image_alone_with_a_damaged_uid_keeps_it_and_its_outlines_fit_the_whole_exam(tmp_path):
    write_with_one_uid(PARALLEL, tmp_path)
    (exam,) = scan(tmp_path).exams
    (alone,) = every_series(scan(min(tmp_path.iterdir())))
    assert alone.flags == ()
    (found,) = place([outline(alone.slices[0], circle(12, 16, 5))], exam)
    assert found.slice.plane == alone.slices[0].plane


def test_objects_of_one_uid_are_told_apart_frame_by_frame(tmp_path):
    write_enhanced(PARALLEL, tmp_path / "a")
    write_enhanced(TWO_FORMS["disc_angled"], tmp_path / "b")
    write_enhanced(PARALLEL, tmp_path / "c")
    found = scan(tmp_path)
    (copy,) = found.skipped
    assert copy.reason.startswith("The same image (SOP instance) as")
    slices = [item for series in every_series(found) for item in series.slices]
    assert len(slices) == len({item.uid for item in slices}) == 35
    assert all(item.uid.partition("~")[2].partition("#")[2] for item in slices)


def test_pixels_are_read_only_where_two_images_lie_at_one_place(tmp_path, monkeypatch):
    read: list[int] = []
    original = PixelSource.read
    monkeypatch.setattr(
        PixelSource, "read", lambda self, frame: (read.append(frame), original(self, frame))[1]
    )
    write_classic(PARALLEL, tmp_path / "a")
    scan(tmp_path / "a")
    assert read == []
    write_enhanced(OTHER_AT_ONE_PLACE, tmp_path / "b")
    scan(tmp_path / "b")
    assert sorted(read) == [3, 15]


def test_an_image_whose_pixels_cannot_be_read_is_no_copy(tmp_path, monkeypatch):
    def refuse(self, frame):
        msg = "damaged"
        raise ReadError(msg)

    write_with_copy(PARALLEL, tmp_path)
    monkeypatch.setattr(PixelSource, "read", refuse)
    found = scan(tmp_path)
    assert found.skipped == ()
    (series,) = every_series(found)
    assert series.all_flags == (Flag.SLICES_DUPLICATED,)


def test_every_series_knows_its_own_files(tmp_path):
    write_classic(TWO_FORMS["localizer"], tmp_path)
    found = scan(tmp_path)
    assert sorted(map(len, found.paths.values())) == [3, 3, 3]
    assert len({path for paths in found.paths.values() for path in paths}) == 9


def test_doubts_stand_with_the_stacks_that_they_are_about(tmp_path):
    write_classic(TWO_FORMS["uneven_gaps"], tmp_path)
    ((series,),) = (exam["series"] for exam in inspection(scan(tmp_path))["exams"])
    assert series["flags"] == ["slices_uneven"]
    assert [stack["flags"] for stack in series["stacks"]] == [["slices_uneven"]] * 3


def test_the_page_about_odd_series_says_what_is_done_with_every_trap():
    page = (REPOSITORY / "docs" / "how-to" / "odd-series.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.count("|") == 5]
    said = {}
    for _, _, _, flag, names, _ in rows:
        for name in re.findall(r"`([^`]+)`", names):
            assert name not in said
            said[name] = set(re.findall(r"`([^`]+)`", flag))
    expected = {trap.name: {flag for one in trap.expected for flag in one.flags} for trap in TRAPS}
    assert said == expected


def test_the_matrix_is_as_large_as_it_is_said_to_be():
    assert len({trap.name for trap in TRAPS}) == len(TRAPS) >= 75
