"""Outlines of two raters: one is the other moved by a known way, so all is known."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.errors import CohortError, RoiError
from multifidus.io.outlines import read_rois, write_rois
from multifidus.io.read import read_exam
from multifidus.io.table_reader import read_rows
from multifidus.measuring.agreement.outlines import LEFT_OUT, compare_outlines, outline_groups
from multifidus.sample_data import sample_dir
from multifidus.study.agreement_requests import compare_cohort, compare_files

MOVED_MM = 1.5

EVERY = 8
"""Of the phantom's many points, which are drawn: distances take time by their square."""


@pytest.fixture(scope="module")
def sample():
    return sample_dir()


@pytest.fixture(scope="module")
def exam(sample):
    return read_exam(sample / "S01_pre")


@pytest.fixture(scope="module")
def drawn(sample, exam):
    rois = read_rois(sample / "S01_pre.outlines.json", exam)
    kept = {Structure.MULTIFIDUS, Structure.LEAN_REFERENCE}
    first = rois.rois[0].key.slice_uid
    return replace(
        rois,
        rois=tuple(
            replace(roi, paths_mm=tuple(path[::EVERY] for path in roi.paths_mm))
            for roi in rois
            if roi.key.structure in kept
            or (roi.key.structure is Structure.PSOAS and roi.key.slice_uid == first)
        ),
    )


def by(rois, rater, moved=0.0, reading=1):
    """Return the same outlines by another, moved along the rows of their slices."""
    whose = Reading("S01", "pre", rater, reading)
    outlines = []
    for roi in rois:
        way = roi.plane.column_step_mm / np.linalg.norm(roi.plane.column_step_mm) * moved
        outlines.append(replace(roi, paths_mm=tuple(path + way for path in roi.paths_mm)))
    return replace(rois, rois=tuple(outlines)).read_by(whose)


def test_outlines_moved_by_a_known_way_are_so_far_apart(drawn, exam):
    pairs, problems = compare_outlines([by(drawn, "A"), by(drawn, "B", MOVED_MM)], exam)
    assert not problems
    wanted = [roi for roi in drawn if roi.key.structure not in LEFT_OUT]
    assert len(pairs) == len(wanted)
    for pair in pairs:
        # The furthest point of a moved convex border lies the whole way from the other.
        assert pair.distances.hausdorff_mm == pytest.approx(MOVED_MM, abs=0.03)
        assert 0 < pair.distances.mean_mm < MOVED_MM
        assert 0.7 < pair.dice < 1
        assert pair.area_difference_mm2 == pytest.approx(0, abs=1e-6)
        assert pair.level is not None


def test_the_same_outlines_agree(drawn):
    pairs, _ = compare_outlines([by(drawn, "A"), by(drawn, "A", reading=2)])
    assert all(pair.dice == pytest.approx(1) for pair in pairs)
    assert max(pair.distances.hausdorff_mm for pair in pairs) == pytest.approx(0, abs=1e-9)


def test_groups_are_means_from_cranial_to_caudal(drawn, exam):
    readings = [by(drawn, "A"), by(drawn, "B", MOVED_MM), by(drawn, "C", 2 * MOVED_MM)]
    pairs, _ = compare_outlines(readings, exam)
    groups = [
        item
        for item in outline_groups(pairs)
        if item.structure is Structure.MULTIFIDUS and item.side == "left"
    ]
    assert [item.level for item in groups[::3]] == ["L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1"]
    assert {(item.first, item.second) for item in groups} == {
        ("A 1", "B 1"), ("A 1", "C 1"), ("B 1", "C 1"),
    }  # fmt: skip
    own = [
        pair.dice
        for pair in pairs
        if (pair.structure, pair.side, pair.level, pair.second.rater, pair.first.rater)
        == (Structure.MULTIFIDUS, "left", Level("L1-L2"), "B", "A")
    ]
    assert groups[0].n == len(own) == 3
    assert groups[0].dice_mean == pytest.approx(np.mean(own))
    assert groups[0].dice_least == min(own)


def test_outlines_without_a_counterpart_are_said(drawn):
    ours, theirs = by(drawn, "A"), by(drawn, "B")
    muscles = [roi for roi in ours if roi.key.structure is Structure.MULTIFIDUS]
    fewer = replace(theirs, rois=tuple(roi for roi in theirs if roi.key.side != "left"))
    pairs, problems = compare_outlines([replace(ours, rois=tuple(muscles)), fewer])
    assert {pair.side for pair in pairs} == {"right"}
    assert sum("B has no outline like left multifidus" in text for text in problems) == 15
    assert any(text.startswith("A has no outline like") for text in problems)


def test_uids_that_changed_do_not_matter_but_other_places_do(drawn):
    ours = by(drawn, "A")
    theirs = by(drawn, "B")
    renamed = replace(
        theirs,
        rois=tuple(
            replace(roi, key=replace(roi.key, slice_uid="x" + roi.key.slice_uid)) for roi in theirs
        ),
    )
    pairs, problems = compare_outlines([ours, renamed])
    assert len(pairs) == len([roi for roi in drawn if roi.key.structure not in LEFT_OUT])
    assert not problems
    muscle = next(roi for roi in theirs if roi.key.structure is Structure.MULTIFIDUS)
    elsewhere = replace(muscle, shape=(muscle.shape[0] + 1, muscle.shape[1]))
    other = RoiSet((elsewhere,), reading=Reading("S01", "pre", "B"))
    with pytest.raises(RoiError, match="different pixel grids"):
        compare_outlines([ours, other])


def test_raters_who_name_two_levels_have_none(drawn):
    one = next(roi for roi in drawn if roi.key.structure is Structure.MULTIFIDUS)
    sets = [
        RoiSet((replace(one, level=level),)).read_by(Reading("S01", "pre", rater))
        for rater, level in (("A", Level("L4-L5")), ("B", Level("L5-S1")), ("C", None))
    ]
    pairs, _ = compare_outlines(sets)
    levels = {(pair.first.rater, pair.second.rater): pair.level for pair in pairs}
    assert levels == {("A", "B"): None, ("A", "C"): Level("L4-L5"), ("B", "C"): Level("L5-S1")}


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (Reading("S01", "pre", "A"), "Two sets of outlines are of"),
        (Reading("S02", "pre", "B"), "different exams: S01 pre; S02 pre"),
    ],
)
def test_readings_that_cannot_be_compared_are_refused(drawn, second, message):
    with pytest.raises(RoiError, match=message):
        compare_outlines([by(drawn, "A"), drawn.read_by(second)])


@pytest.fixture
def files(drawn, tmp_path):
    paths = []
    for rater, moved in (("A", 0.0), ("B", MOVED_MM)):
        path = tmp_path / f"{rater}.outlines.json"
        write_rois(by(drawn, rater, moved), path)
        paths.append(path)
    return paths


def run(*arguments):
    return CliRunner().invoke(app, ["agreement", *map(str, arguments)])


def test_the_command_compares_files(files, sample, tmp_path):
    found = json.loads(run(*files, "--images", sample / "S01_pre", "--json").stdout)
    assert found["groups"][0]["level"] == "L1-L2"
    assert found["groups"][0]["hausdorff_mm"] == pytest.approx(MOVED_MM, abs=0.03)
    done = run(*files, "-o", tmp_path / "out")
    assert "A 1 vs B 1" in done.stdout
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"outline_pairs.csv", "outlines.csv", "outlines.md", "outlines.tex"}
    rows = read_rows(tmp_path / "out" / "outline_pairs.csv")
    assert len(rows) == len(found["pairs"])
    with pytest.raises(CohortError, match="one outline file only"):
        compare_files(files[:1])


def test_outlines_without_a_rater_are_called_by_their_place(drawn, tmp_path):
    for name in "ab":
        write_rois(by(drawn, ""), tmp_path / f"{name}.outlines.json")
    found = compare_files([tmp_path / "a.outlines.json", tmp_path / "b.outlines.json"])
    assert {(pair.first.rater, pair.second.rater) for pair in found.pairs} == {("file 1", "file 2")}


def cohort(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ("subject", "timepoint", "rater", "images", "outlines"))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_command_compares_a_cohort_and_goes_on_past_a_failure(files, sample, tmp_path):
    rows = [
        {"subject": "S01", "timepoint": "pre", "rater": rater, "images": str(sample / "S01_pre"),
         "outlines": str(path)}
        for rater, path in zip("AB", files, strict=True)
    ]  # fmt: skip
    table = cohort(tmp_path / "cohort.csv", rows)
    done = run(table, "--json")
    assert done.exit_code == 0
    assert {item["level"] for item in json.loads(done.stdout)["groups"]} == {
        "L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1",
    }  # fmt: skip
    lost = [{**row, "subject": "S02", "images": "nowhere"} for row in rows]
    some = run(cohort(tmp_path / "some.csv", rows + lost), "--json")
    assert some.exit_code == 1
    assert any(text.startswith("S02 pre: ") for text in json.loads(some.stdout)["problems"])
    assert run(cohort(tmp_path / "none.csv", lost)).exit_code == 3
    with pytest.raises(CohortError, match="no exam with the outlines of two readings"):
        compare_cohort(cohort(tmp_path / "single.csv", rows[:1]))
    assert run(table, "--labels", "lpm").exit_code == 2


def test_an_outline_on_another_slice_is_said_with_the_distance_to_it(drawn):
    """Two raters chose slices of one level 3 mm apart: no pair, and the distance."""
    roi = next(roi for roi in drawn if roi.key.structure is Structure.MULTIFIDUS)
    way = 3.0 * roi.plane.normal
    plane = replace(roi.plane, origin_mm=roi.plane.origin_mm + way)
    other = replace(
        roi,
        key=replace(roi.key, slice_uid="another"),
        plane=plane,
        paths_mm=tuple(path + way for path in roi.paths_mm),
        level=Level.L4_L5,
    )
    sets = [
        RoiSet((replace(item, key=replace(item.key, reading=whose)),), reading=whose)
        for item, whose in (
            (replace(roi, level=Level.L4_L5), Reading("S01", "pre", "A", 1)),
            (other, Reading("S01", "pre", "B", 1)),
        )
    ]
    pairs, problems = compare_outlines(sets)
    assert not pairs
    assert len(problems) == 2
    assert all("nearest of L4-L5 is on another slice, 3.0 mm away" in text for text in problems)


OTHER = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT}


def exchanged(rois):
    return replace(
        rois,
        rois=tuple(
            replace(r, key=replace(r.key, side=OTHER.get(r.key.side, r.key.side))) for r in rois
        ),
    )


def one_sided(rois, side=Side.LEFT):
    kept = (r for r in rois if r.key.side is side and r.key.structure is Structure.MULTIFIDUS)
    return replace(rois, rois=tuple(kept), landmarks=())


@pytest.mark.parametrize("with_images", [True, False])
def test_a_rater_whose_sides_are_exchanged_is_refused(drawn, exam, with_images):
    readings = [by(drawn, "A"), exchanged(by(drawn, "B"))]
    with pytest.raises(RoiError, match=r"Left and right are swapped.*B"):
        compare_outlines(readings, exam if with_images else None)


def test_one_side_alone_that_landmarks_put_on_the_other_is_refused(drawn, exam):
    wrong = exchanged(one_sided(by(drawn, "B"), Side.RIGHT))
    wrong = replace(wrong, landmarks=drawn.landmarks)
    with pytest.raises(RoiError, match=r"across the midline.*by B 1"):
        compare_outlines([by(drawn, "A"), wrong], exam)


def test_one_side_alone_that_may_be_the_other_is_said(drawn, exam):
    wrong = exchanged(one_sided(by(drawn, "B"), Side.RIGHT))
    pairs, problems = compare_outlines([one_sided(by(drawn, "A")), wrong], exam)
    assert {pair.dice for pair in pairs} == {0.0}
    assert sum("across the midline" in text for text in problems) == len(pairs)
    assert sum("have nothing in common" in text for text in problems) == len(pairs)


def test_levels_that_raters_call_one_slice_by_are_said_once(drawn):
    uid = drawn.rois[0].key.slice_uid
    theirs = by(drawn, "B")
    renamed = tuple(
        replace(roi, level=Level.L5) if roi.key.slice_uid == uid else roi for roi in theirs
    )
    pairs, problems = compare_outlines([by(drawn, "A"), replace(theirs, rois=renamed)])
    assert sum(pair.level is None for pair in pairs) > 1
    (text,) = problems
    assert text.startswith(f"Slice {uid} is L5-S1 by A 1 and L5 by B 1")
