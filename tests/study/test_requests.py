"""What the command line was asked to measure: whose landmarks and levels belong to whom."""

import json

import pytest
from typer.testing import CliRunner

from multifidus import MeasurementProtocol, Reading, read_exam, read_rois, write_rois
from multifidus.cli.app import app
from multifidus.data.anatomy import Level
from multifidus.data.roi_set import RoiSet, SliceLevel
from multifidus.errors import RoiError
from multifidus.study.requests import MeasureRequest, prepare
from tests.support.cases import write_cohort, write_exam, write_outlines
from tests.support.spines import disc_centres

PROTOCOL = MeasurementProtocol(fat_methods=())


@pytest.fixture
def images(tmp_path):
    return write_exam(tmp_path / "exam")


def written(images, rater, *, landmarks=(), levels=()):
    """Write a rater's outlines of an exam with landmarks and levels of the rater's own."""
    reading = Reading("S01", "pre", rater, 1)
    path = images.parent / f"{rater}.outlines.json"
    write_outlines(images, path, reading)
    rois = read_rois(path, read_exam(images))
    own = RoiSet(rois.rois, tuple(landmarks), tuple(levels), reading=reading)
    write_rois(own, path, overwrite=True)
    return path


def levels_and_offsets(images, *files):
    """Measure an exam; the level and offset of its first slice, by rater."""
    run = prepare(MeasureRequest((images,), files), PROTOCOL)
    outcomes = list(run.outcomes)
    assert len(outcomes) == run.total
    return {
        row.key.reading.rater: (row.provenance.level, row.provenance.offset_mm)
        for outcome in outcomes
        for row in outcome.rows
        if row.provenance.slice_index == 0 and row.quantity == "tcsa_mm2"
    }


def test_every_rater_of_an_exam_has_landmarks_and_levels_of_their_own(images):
    first = written(images, "AB", landmarks=disc_centres([(0, -10, 0)], [Level.L4_L5]))
    second = written(images, "CD", landmarks=disc_centres([(0, -10, 1)], [Level.L4_L5]))
    uid = read_exam(images).series[0].slices[0].uid
    third = written(images, "EF", levels=[SliceLevel(uid, Level.L5_S1)])
    found = levels_and_offsets(images, first, second, third)
    assert {rater: level for rater, (level, _) in found.items()} == {
        "AB": Level.L4_L5, "CD": Level.L4_L5, "EF": Level.L5_S1,
    }  # fmt: skip
    assert found["AB"][1] - found["CD"][1] == pytest.approx(0.978, abs=1e-3)


def test_a_file_of_landmarks_alone_serves_every_rater(images):
    marks = images.parent / "marks.outlines.json"
    marked = RoiSet(landmarks=tuple(disc_centres([(0, -10, 0)], [Level.L3_L4])))
    write_rois(marked, marks)
    found = levels_and_offsets(images, written(images, "AB"), written(images, "CD"), marks)
    assert {rater: level for rater, (level, _) in found.items()} == {
        "AB": Level.L3_L4, "CD": Level.L3_L4,
    }  # fmt: skip


def test_landmarks_alone_have_nothing_to_measure(images):
    marks = images.parent / "marks.outlines.json"
    write_rois(RoiSet(landmarks=tuple(disc_centres([(0, -10, 0)], [Level.L3_L4]))), marks)
    assert levels_and_offsets(images, marks) == {}


def test_outlines_of_two_exams_are_not_measured_on_the_images_of_one(images):
    here, other = written(images, "AB"), images.parent / "other.outlines.json"
    rois = read_rois(here, read_exam(images))
    write_rois(rois.read_by(Reading("S01", "post", "AB")), other)
    with pytest.raises(RoiError, match=r"other\.outlines\.json .* timepoint 'post', not 'pre'"):
        levels_and_offsets(images, here, other)


def test_landmarks_of_another_exam_are_refused(images):
    marks = images.parent / "marks.outlines.json"
    landmarks = tuple(disc_centres([(0, -10, 0)], [Level.L3_L4]))
    write_rois(RoiSet(landmarks=landmarks, reading=Reading("S01", "post")), marks)
    with pytest.raises(
        RoiError, match=r"marks\.outlines\.json holds .* of timepoint 'post', not 'pre'"
    ):
        levels_and_offsets(images, written(images, "AB"), marks)


def test_a_cohort_that_gives_one_path_to_two_subjects_is_measured_and_says_so(images, tmp_path):
    lines = ["subject,timepoint,images,outlines"]
    for subject in ("S01", "S02"):
        path = tmp_path / f"{subject}.outlines.json"
        write_outlines(images, path, Reading(subject, "pre", "AB", 1))
        lines.append(f"{subject},pre,{images.name},{path.name}")
    (tmp_path / "cohort.csv").write_text("\n".join(lines))
    command = ["measure", str(tmp_path / "cohort.csv"), "--json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0
    said = f"{images.name} is given to S01 and S02: one image measured under several names."
    assert said in done.stderr
    assert {row["subject"] for row in json.loads(done.stdout)["rows"]} == {"S01", "S02"}
    assert str(tmp_path) not in done.stderr


def test_a_cohort_with_two_heights_of_one_person_is_measured_and_says_so(tmp_path):
    path = write_cohort(tmp_path)
    head, pre, post = path.read_text().splitlines()
    path.write_text("\n".join((f"{head},height_cm", f"{pre},171", f"{post},180")))
    done = CliRunner().invoke(app, ["measure", str(path), "--json"])
    assert done.exit_code == 0
    assert "Heights of S01 differ by 9 cm" in done.stderr
