"""What comes back from several computers: once, in conflict, or unreadable; never overwritten."""

from __future__ import annotations

import datetime
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.roi import Reading
from multifidus.data.roi_set import Grade, RoiSet
from multifidus.errors import CohortError, ReadError, WriteError
from multifidus.io.outlines_json import file_name, read_outlines, write_outlines
from multifidus.reading.merge import merge_readings
from multifidus.reading.session import SessionRequest, open_worklist
from tests.support.exams import circle, image_slice, outline

AB, CD = Reading("S01", "pre", "AB", 1), Reading("S01", "pre", "CD", 1)


def drawn(by=AB, radius=9.0, **said):
    import numpy as np

    roi = outline(image_slice(np.zeros((80, 80))), circle(40, 20, radius), reading=by)
    return RoiSet((roi,), reading=by, **said)


def put(folder, rois, log=(), *, drafts=None, name=None):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (name or file_name(rois.reading))
    write_outlines(rois, path)
    stem = path.name.removesuffix(".outlines.json")
    if log:
        lines = [json.dumps({"time": time, "event": "saved"}) + "\n" for time in log]
        (folder / f"{stem}.audit.jsonl").write_text("".join(lines))
    if drafts is not None:
        text = json.dumps({"slice_uid": folder.name, "drafts": drafts})
        (folder / f"{stem}.journal.json").write_text(text)
    return path


def test_readings_of_two_raters_go_side_by_side(tmp_path):
    put(tmp_path / "a", drawn(AB))
    put(tmp_path / "b", drawn(CD))
    merged = merge_readings([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert merged.is_clean
    for by in (AB, CD):
        path = tmp_path / "out" / by.rater / file_name(by)
        assert merged.files[by] == path
        assert read_outlines(path) == drawn(by)


def test_the_same_content_is_kept_once_and_logs_become_one(tmp_path):
    put(
        tmp_path / "a",
        drawn(),
        ["2026-01-01T10:00:00+00:00", "2026-01-03T10:00:00+00:00"],
        drafts=[],
    )
    put(
        tmp_path / "b",
        drawn(),
        ["2026-01-01T10:00:00+00:00", "2026-01-02T10:00:00+00:00"],
        drafts=[],
    )
    merged = merge_readings([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert merged.is_clean
    assert merged.identical == [tmp_path / "b" / file_name(AB)]
    log = (tmp_path / "out" / "AB" / "S01_pre_AB_r1.audit.jsonl").read_text().splitlines()
    assert [json.loads(line)["time"][8:10] for line in log] == ["01", "02", "03"]


def test_different_content_is_kept_twice_and_neither_is_chosen(tmp_path):
    first = put(tmp_path / "a", drawn(), ["2026-01-01T10:00:00+00:00"])
    second = put(tmp_path / "b", drawn(radius=9.5), ["2026-01-02T10:00:00+00:00"])
    merged = merge_readings([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert not merged.files
    (conflict,) = merged.conflicts
    assert conflict.what == AB
    assert [version.file for version in conflict.versions] == [first, second]
    kept = [version.kept for version in conflict.versions]
    assert [read_outlines(path) for path in kept] == [drawn(), drawn(radius=9.5)]
    assert conflict.differs == ("multifidus on 1 slice",)
    assert not list((tmp_path / "out").glob("AB/*"))
    assert len(list((tmp_path / "out" / "conflicts").glob("*.audit.jsonl"))) == 2


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (RoiSet(reading=AB), "multifidus"),
        (drawn(grades=(Grade("goutallier", "L4-L5", "left", 2),)), "grades"),
    ],
)
def test_what_differs_is_named(tmp_path, other, words):
    put(tmp_path / "a", drawn())
    put(tmp_path / "b", other)
    (conflict,) = merge_readings([tmp_path / "a", tmp_path / "b"], tmp_path / "out").conflicts
    assert words in conflict.differs[0]


def test_paths_that_are_no_outline_yet_are_work_as_well(tmp_path):
    put(tmp_path / "a", drawn(), drafts=[])
    put(tmp_path / "b", drawn(), drafts=[{"paths": [[[1, 2]]]}])
    (conflict,) = merge_readings([tmp_path / "a", tmp_path / "b"], tmp_path / "out").conflicts
    assert conflict.differs == ("paths that are no outline yet",)


def test_a_file_set_aside_in_one_folder_is_a_conflict_as_well(tmp_path):
    put(tmp_path / "a", drawn())
    put(tmp_path / "a", drawn(radius=8), name="S01_pre_AB_r1-2.outlines.json")
    put(tmp_path / "b", drawn(CD))
    merged = merge_readings([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert [c.what for c in merged.conflicts] == [AB]
    assert list(merged.files) == [CD]


def test_what_cannot_be_read_is_kept_and_named(tmp_path):
    put(tmp_path / "a", drawn())
    bad = put(tmp_path / "b", drawn(CD))
    bad.write_text(bad.read_text()[:100])
    (tmp_path / "b" / "notes.txt").write_text("hello")
    merged = merge_readings([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert merged.unreadable[0][0] == bad
    assert not merged.is_clean
    (kept,) = (tmp_path / "out" / "unreadable").iterdir()
    assert kept.read_text() == bad.read_text()
    assert merged.left_out == [tmp_path / "b" / "notes.txt"]


def test_lists_become_the_longest_and_contradicting_ones_a_conflict(tmp_path):
    cohort = tmp_path / "cohort.csv"
    cohort.write_text("subject,timepoint,images\nS01,pre,x\nS02,pre,y\n")
    open_worklist(SessionRequest(cohort, "AB", seed=1, root=tmp_path / "a"))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    cohort.write_text(cohort.read_text() + "S03,pre,z\n")
    longer = open_worklist(SessionRequest(cohort, "AB", root=tmp_path / "b"))
    other = open_worklist(SessionRequest(cohort, "AB", seed=2, root=tmp_path / "c"))
    assert other.listed != longer.listed
    merged = merge_readings([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    assert merged.is_clean
    assert (
        open_worklist(SessionRequest(cohort, "AB", root=tmp_path / "out")).listed == longer.listed
    )
    merged = merge_readings([tmp_path / "b", tmp_path / "c"], tmp_path / "out2")
    assert [c.what for c in merged.conflicts] == ["AB"]


def test_a_log_without_outlines_comes_along(tmp_path):
    for name, day in (("a", "01"), ("b", "02")):
        folder = tmp_path / name / "AB"
        put(folder, drawn(CD, radius=5))
        line = {"time": f"2026-01-{day}T10:00:00+00:00", "event": "offered", "reason": "x"}
        (folder / "S01_post_AB_r2.audit.jsonl").write_text(json.dumps(line) + "\n")
    merge_readings([tmp_path / "a", tmp_path / "b"], tmp_path / "out")
    log = tmp_path / "out" / "AB" / "S01_post_AB_r2.audit.jsonl"
    assert len(log.read_text().splitlines()) == 2


def test_nothing_is_merged_into_something(tmp_path):
    for name in ("a", "b", "out"):
        put(tmp_path / name, drawn())
    folders = [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(WriteError, match="holds something"):
        merge_readings(folders, tmp_path / "out")
    with pytest.raises(WriteError, match="lies in"):
        merge_readings(folders, tmp_path / "a" / "new")
    with pytest.raises(CohortError, match="Nothing is named"):
        merge_readings([], tmp_path / "new")
    with pytest.raises(ReadError, match="no folder"):
        merge_readings([tmp_path / "a", tmp_path / "none"], tmp_path / "new")
    (tmp_path / "c").mkdir()
    (tmp_path / "d").mkdir()
    with pytest.raises(CohortError, match="no outline file"):
        merge_readings([tmp_path / "c", tmp_path / "d"], tmp_path / "new")


def test_one_folder_is_enough_and_one_that_is_named_twice_counts_once(tmp_path):
    put(tmp_path / "mail" / "from AB", drawn(AB))
    put(tmp_path / "mail" / "from AB (1)", drawn(AB))
    put(tmp_path / "mail" / "from CD", drawn(CD))
    merged = merge_readings([tmp_path / "mail", tmp_path / "mail"], tmp_path / "out")
    assert merged.is_clean
    assert set(merged.files) == {AB, CD}
    assert merged.identical == [tmp_path / "mail" / "from AB (1)" / file_name(AB)]


def zipped(folder, path):
    """Pack a folder as macOS does: with a second tree of files that hold none of its content."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(item for item in folder.rglob("*") if item.is_file()):
            name = file.relative_to(folder.parent)
            archive.write(file, name)
            archive.writestr(str(Path("__MACOSX") / name.parent / f"._{name.name}"), b"\0\5\x16")
    return path


def test_archives_and_folders_that_were_mailed_are_merged_without_what_systems_add(tmp_path):
    put(tmp_path / "AB", drawn(AB), ["2026-01-01T10:00:00+00:00"], drafts=[])
    archive = zipped(tmp_path / "AB", tmp_path / "AB.zip")
    mailed = tmp_path / "mailed"
    put(mailed / "CD", drawn(CD))
    for junk in ("._S01_pre_CD_r1.outlines.json", ".DS_Store"):
        (mailed / "CD" / junk).write_bytes(b"\0\5\x16")
    zipped(tmp_path / "AB", mailed / "again.zip")
    merged = merge_readings([archive, mailed], tmp_path / "out")
    assert merged.is_clean
    assert set(merged.files) == {AB, CD}
    assert merged.identical == [mailed / "again.zip" / "AB" / file_name(AB)]
    assert merged.left_out == []
    names = {path.name for path in (tmp_path / "out" / "AB").iterdir()}
    stem = "S01_pre_AB_r1"
    assert names == {f"{stem}.{end}" for end in ("outlines.json", "audit.jsonl", "journal.json")}


def dangerous(path, kind):
    """Make an archive that climbs out of its folder, or unpacks to far more than its size."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if kind == "climbs":
            archive.writestr("../../S01_pre_AB_r1.outlines.json", "{}")
        else:
            archive.writestr("big.outlines.json", bytes(1 << 22))
    return path


@pytest.mark.parametrize(("kind", "words"), [("climbs", "climbs out"), ("grows", "times its size")])
def test_dangerous_archives_are_refused_and_in_a_folder_named(tmp_path, monkeypatch, kind, words):
    monkeypatch.setattr("multifidus.io.walk.SMALL_BYTES", 1 << 20)
    alone = dangerous(tmp_path / "alone.zip", kind)
    with pytest.raises(ReadError, match=words):
        merge_readings([alone], tmp_path / "out")
    put(tmp_path / "mail", drawn(AB))
    inside = dangerous(tmp_path / "mail" / "inside.zip", kind)
    merged = merge_readings([tmp_path / "mail"], tmp_path / "out")
    assert set(merged.files) == {AB}
    ((where, why),) = merged.unreadable
    assert where == inside
    assert words in why
    assert not list(tmp_path.glob("*.outlines.json"))


def test_an_archive_in_an_archive_is_named_and_not_lost(tmp_path):
    put(tmp_path / "AB", drawn(AB))
    put(tmp_path / "both" / "CD", drawn(CD))
    zipped(tmp_path / "AB", tmp_path / "both" / "AB.zip")
    merged = merge_readings([zipped(tmp_path / "both", tmp_path / "both.zip")], tmp_path / "out")
    assert set(merged.files) == {CD}
    ((where, why),) = merged.unreadable
    assert where == tmp_path / "both.zip" / "both" / "AB.zip"
    assert "inside a zip" in why
    assert len(list((tmp_path / "out" / "unreadable").iterdir())) == 1


def test_the_versions_of_a_conflict_are_told_apart_by_outlines_end_and_last_save(tmp_path):
    first = put(tmp_path / "a", drawn(), ["2026-01-01T10:00:00+00:00", "2026-01-02T10:00:00+00:00"])
    done = {"time": "2026-01-03T10:00:00+00:00", "event": "done"}
    log = first.with_name("S01_pre_AB_r1.audit.jsonl")
    log.write_text(log.read_text() + json.dumps(done) + "\n")
    put(tmp_path / "b", RoiSet(reading=AB))
    (conflict,) = merge_readings([tmp_path / "a", tmp_path / "b"], tmp_path / "out").conflicts
    one, other = conflict.versions
    moment = datetime.datetime(2026, 1, 3, 10, tzinfo=datetime.UTC)
    assert (one.outlines, one.finished, one.saved) == (1, moment, moment)
    assert (other.outlines, other.finished, other.saved) == (0, None, None)
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    shown = CliRunner().invoke(app, ["merge", *folders, "-o", str(tmp_path / "out2")])
    lines = [" ".join(line.split()) for line in shown.output.splitlines()]
    local = f"{moment.astimezone():%Y-%m-%d %H:%M}"
    assert any(f"1 {local} {local}" in line for line in lines)
    assert any("0 no unknown" in line for line in lines)


def test_a_log_alone_goes_to_the_rater_of_the_list_beside_it(tmp_path):
    cohort = tmp_path / "cohort.csv"
    cohort.write_text("subject,timepoint,images\nS01,pre,x\n")
    open_worklist(SessionRequest(cohort, "AB", seed=1, root=tmp_path / "readings"))
    mailed = tmp_path / "mailed" / "AB (1)"
    shutil.copytree(tmp_path / "readings" / "AB", mailed)
    line = {"time": "2026-01-01T10:00:00+00:00", "event": "opened"}
    (mailed / "S01_pre_AB_r1.audit.jsonl").write_text(json.dumps(line) + "\n")
    merge_readings([tmp_path / "mailed"], tmp_path / "out")
    assert (tmp_path / "out" / "AB" / "S01_pre_AB_r1.audit.jsonl").is_file()
    assert not (tmp_path / "out" / "AB (1)").exists()


def test_the_command_reports_conflicts_and_fails(tmp_path):
    put(tmp_path / "a", drawn())
    put(tmp_path / "b", drawn(radius=9.5))
    put(tmp_path / "b", replace(drawn(CD), reading=CD))
    folders = [str(tmp_path / "a"), str(tmp_path / "b")]
    done = CliRunner().invoke(app, ["merge", *folders, "-o", str(tmp_path / "out"), "--json"])
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert [c["rater"] for c in report["conflicts"]] == ["AB"]
    assert [m["rater"] for m in report["merged"]] == ["CD"]
    done = CliRunner().invoke(app, ["merge", *folders, "-o", str(tmp_path / "out2")])
    assert done.exit_code == 1
    assert "multifidus on 1 slice" in done.output
    assert "1.2.3" not in done.output
    shutil.copytree(tmp_path / "a", tmp_path / "c")
    folders = [str(tmp_path / "a"), str(tmp_path / "c")]
    done = CliRunner().invoke(app, ["merge", *folders, "-o", str(tmp_path / "out3")])
    assert done.exit_code == 0, done.output
