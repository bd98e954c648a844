"""A label map has no reading of its own: it joins the one beside it, or the one that is named."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

import multifidus as mf
from multifidus.data.roi_set import is_invented, join
from multifidus.errors import CohortError, RoiError
from multifidus.study.agreement_requests import compare_files
from multifidus.study.requests import MeasureRequest, prepare
from tests.support.exams import circle, outline
from tests.support.niftis import lumbar_affine, save

AFFINE, SHAPE = lumbar_affine(tilt=12), (60, 50, 3)
PROTOCOL = mf.MeasurementProtocol(bias_correction="none", fat_methods=("linear",))
BY = mf.Reading("S01", "pre", "AB", 1)


@pytest.fixture
def image(tmp_path):
    voxels = np.random.default_rng(5).normal(200, 8, SHAPE)
    voxels[:, :12] += 700
    return save(tmp_path / "image.nii", voxels.astype(np.int16), AFFINE)


@pytest.fixture
def labels(tmp_path):
    voxels = np.zeros(SHAPE, np.uint8)
    voxels[10:20, 25:35], voxels[40:50, 25:35] = 2, 3
    return save(tmp_path / "labels.nii", voxels, AFFINE)


def references(image, name, reading):
    """Write lean and fat references of one reading."""
    item = mf.read_exam(image).series[0].slices[0]
    rois = tuple(
        outline(item, circle(row, 30, 4), structure, reading=reading)
        for structure, row in (("lean_reference", 40), ("fat_reference", 5))
    )
    path = image.parent / f"{name}.outlines.json"
    mf.write_rois(mf.RoiSet(rois, reading=reading), path)
    return path


def measured(image, *outlines, **facts):
    run = prepare(MeasureRequest((image,), outlines, labels="lpm", **facts), PROTOCOL)
    return [row for outcome in run.outcomes for row in outcome.rows]


def readings(rows):
    return {row.key.reading for row in rows}


def fat(rows):
    found = [row for row in rows if row.quantity == "ff_linear_pct" and row.key.side != "both"]
    assert len(found) >= 6
    return found


@pytest.mark.parametrize("turn", [1, -1])
def test_a_label_map_joins_the_reading_of_the_file_beside_it(image, labels, turn):
    files = (labels, references(image, "references", BY))[::turn]
    rows = measured(image, *files)
    assert readings(rows) == {BY}
    assert all(np.isfinite(row.value) for row in fat(rows))


@pytest.mark.parametrize("turn", [1, -1])
def test_a_caller_who_merges_a_label_map_and_a_file_gets_one_reading(image, labels, turn):
    exam = mf.read_exam(image)
    sets = [
        mf.read_rois(labels, exam, labels="lpm"),
        mf.read_rois(references(image, "references", BY), exam),
    ][::turn]
    rows = mf.measure(exam, sets[0] | sets[1], PROTOCOL)
    assert readings(rows) == {BY}
    assert all(np.isfinite(row.value) for row in fat(rows))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_label_map_beside_two_readings_is_refused_naming_both(image, labels, order):
    other = replace(BY, rater="CD")
    files = [labels, references(image, "a", BY), references(image, "b", other)]
    with pytest.raises(RoiError, match=r"2 readings: .*rater AB, reading 1; .*rater CD") as caught:
        measured(image, *(files[n] for n in order))
    assert "--rater" in caught.value.remedy


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_named_rater_gets_the_label_map(image, labels, order):
    other = replace(BY, rater="CD")
    files = [labels, references(image, "a", BY), references(image, "b", other)]
    rows = measured(image, *(files[n] for n in order), rater="CD")
    assert readings(fat(rows)) == {other}


def test_the_named_reading_of_one_rater_gets_the_label_map(image, labels):
    second = replace(BY, reading=2)
    files = (labels, references(image, "a", BY), references(image, "b", second))
    with pytest.raises(RoiError, match="2 readings"):
        measured(image, *files, rater="AB")
    assert readings(fat(measured(image, *files, rater="AB", reading=2))) == {second}
    assert readings(fat(measured(image, *files, reading=2))) == {second}


def test_a_label_map_alone_is_of_the_rater_and_reading_that_are_named(image, labels):
    (by,) = readings(measured(image, labels, rater="EF", reading=3))
    assert (by.rater, by.reading) == ("EF", 3)
    (by,) = readings(measured(image, labels))
    assert (by.rater, by.reading) == ("", 1)


def test_references_without_a_rater_go_with_the_label_map_and_get_the_named_one(image, labels):
    file = references(image, "references", mf.Reading())
    for files in ((labels, file), (file, labels)):
        rows = measured(image, *files, rater="EF")
        assert {by.rater for by in readings(rows)} == {"EF"}
        assert len(readings(rows)) == 1
        assert all(np.isfinite(row.value) for row in fat(rows))


def test_a_rater_that_no_file_has_is_refused_where_every_file_names_one(image):
    with pytest.raises(RoiError, match=r"name their rater \(AB\), and none is 'EF'"):
        measured(image, references(image, "a", BY), rater="EF")


def test_a_cohort_names_series_rater_and_reading_itself(tmp_path):
    (tmp_path / "cohort.csv").write_text("subject,timepoint,images\n")
    for facts in ({"series": "1"}, {"rater": "AB"}, {"reading": 1}):
        with pytest.raises(CohortError, match="itself"):
            prepare(MeasureRequest((tmp_path / "cohort.csv",), **facts), PROTOCOL)


def test_a_neutral_name_gives_way_to_a_real_one(image):
    neutral = mf.Reading("subject-1", "exam-1", "CD", 1)
    files = references(image, "a", neutral), references(image, "b", BY)
    for pair in (files, files[::-1]):
        assert readings(measured(image, *pair)) == {BY, replace(BY, rater="CD")}


def test_two_real_names_that_differ_are_refused(image, labels):
    exam = replace(mf.read_exam(image), subject="S02", timepoint="pre")
    sets = (
        mf.read_rois(labels, exam, labels="lpm"),
        mf.read_rois(references(image, "references", BY), exam),
    )
    for one, other in (sets, sets[::-1]):
        with pytest.raises(RoiError, match="two subjects: 'S01' and 'S02'"):
            one | other
    with pytest.raises(RoiError, match="subject 'S09', not 'S01'"):
        measured(
            image,
            references(image, "a", BY),
            references(image, "b", replace(BY, subject="S09", rater="CD")),
        )


def test_outline_files_without_a_rater_keep_their_readings_apart(image):
    first, second = mf.Reading("S01", "pre"), mf.Reading("S01", "pre", "", 2)
    rows = measured(image, references(image, "a", first), references(image, "b", second))
    assert readings(rows) == {first, second}


def test_landmarks_alone_belong_to_nobody_and_stay_as_they_are():
    marks = mf.RoiSet(landmarks=(mf.Landmark("disc_centre", "L4-L5", (0, 0, 0)),))
    assert join([marks])[0] is marks


def test_the_names_of_exams_without_one_are_known_to_be_invented(image):
    exam = mf.read_exam(image)
    assert is_invented(exam.subject)
    assert is_invented(exam.timepoint)
    assert not any(map(is_invented, ("S01", "pre", "subject-A", "my subject-1", "")))


def test_a_cohort_row_names_the_series_of_a_label_map(image, labels, tmp_path):
    other = np.random.default_rng(6).normal(500, 8, SHAPE).astype(np.int16)
    second = save(tmp_path / "second.nii", other, AFFINE)
    head = "subject,timepoint,rater,images,outlines,labels,series\n"
    for images in (f"{image.name};{second.name}", f"{second.name};{image.name}"):
        for choice, expected in (("1", 200), ("2", 500)):
            table = tmp_path / "cohort.csv"
            row = f"S01,pre,AB,{images},{labels.name},lpm,{choice}\n"
            table.write_text(head + row)
            (outcome,) = prepare(MeasureRequest((table,)), PROTOCOL).outcomes
            means = [row.value for row in outcome.rows if row.quantity == "mean_si"]
            assert means == pytest.approx([expected] * len(means), abs=5)
    table.write_text(head + f"S01,pre,AB,{images},{labels.name},lpm,\n")
    (outcome,) = prepare(MeasureRequest((table,)), PROTOCOL).outcomes
    assert "fits 2 series" in outcome.message


def test_agreement_compares_a_label_map_with_a_raters_file_under_its_real_names(image, labels):
    exam = mf.read_exam(image)
    drawn = image.parent / "drawn.outlines.json"
    mf.write_rois(mf.read_rois(labels, exam, labels="lpm").read_by(BY), drawn)
    for files in ((labels, drawn), (drawn, labels)):
        found = compare_files(files, (image,), "lpm")
        assert len(found.pairs) == 6
        assert all(pair.dice == 1 for pair in found.pairs)
