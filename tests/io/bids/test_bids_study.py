"""A BIDS dataset as a study: from its folder to a cohort table to measurements."""

from __future__ import annotations

import csv
import datetime
import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.image import Exam, Series
from multifidus.io.bids.cohort_rows import visit_orders
from multifidus.io.bids.names import session_order
from multifidus.io.scan import scan
from tests.io.test_walk import packed
from tests.support.exams import image_slice
from tests.support.niftis import lumbar_affine, save

SHAPE = (20, 16, 4)
VISITS = {("01", "pre"): 6, ("01", "post"): 12, ("02", "pre"): 20}
"""Subject and session to the number of voxels that its label map holds on each slice."""


def write_dataset(folder, seed=0):
    description = json.dumps({"Name": "study", "BIDSVersion": "1.10.0"})
    derived = folder / "derivatives" / "manual"
    for place in (folder, derived):
        place.mkdir(parents=True)
        (place / "dataset_description.json").write_text(description)
    (folder / "participants.tsv").write_text("participant_id\nsub-01\nsub-02\n")
    noise = np.random.default_rng(seed)
    for (who, when), count in VISITS.items():
        name = f"sub-{who}_ses-{when}_T2w.nii.gz"
        visit = f"sub-{who}/ses-{when}/anat"
        for root in (folder, folder / "sourcedata", derived):
            (root / visit).mkdir(parents=True)
            save(root / visit / name, noise.integers(1, 900, SHAPE, np.int16), lumbar_affine(10))
        (folder / visit / name.replace("nii.gz", "json")).write_text('{"EchoTime": 0.1}')
        labels = np.zeros(SHAPE, np.uint8)
        labels.reshape(-1, 4)[:count] = 2
        save(derived / visit / name.replace("T2w", "dseg"), labels, lumbar_affine(10))
        save(folder / visit / name.replace("T2w", "mask"), labels, lumbar_affine(10))
    return folder


def test_derivatives_source_data_and_label_maps_are_not_taken_for_images(tmp_path):
    folder = write_dataset(tmp_path / "study")
    found = scan(folder)
    assert {str(path.relative_to(folder)) for paths in found.paths.values() for path in paths} == {
        f"sub-{who}/ses-{when}/anat/sub-{who}_ses-{when}_T2w.nii.gz" for who, when in VISITS
    }
    reasons = {str(item.path.relative_to(folder)): item.reason for item in found.skipped}
    visit = "sub-01/ses-pre/anat/sub-01_ses-pre"
    assert reasons[f"sourcedata/{visit}_T2w.nii.gz"].startswith("In sourcedata of a BIDS dataset")
    assert reasons[f"derivatives/manual/{visit}_T2w.nii.gz"].startswith("In derivatives")
    assert reasons[f"{visit}_mask.nii.gz"].startswith("A label map")
    assert len(scan(folder / "derivatives" / "manual").exams) == 3
    assert len(scan(folder / "sourcedata").exams) == 3


def test_folders_of_these_names_outside_a_dataset_are_read(tmp_path):
    place = tmp_path / "sourcedata"
    place.mkdir()
    save(place / "sub-01_T2w.nii", np.ones(SHAPE, np.int16), lumbar_affine())
    assert len(scan(tmp_path).exams) == 1


def run(*arguments):
    done = CliRunner().invoke(app, [*map(str, arguments)])
    assert done.exit_code == 0, done.stderr
    return done


DSEG = "index\tname\n0\tbackground\n2\tmultifidus_right\n"


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def listed(tmp_path, folder, *options):
    """Return the rows of a dataset's cohort table, and what was said on the way."""
    cohort = tmp_path / "cohort.csv"
    done = run("inspect", folder, "--cohort", cohort, "--overwrite", *options)
    return rows_of(cohort), done.stderr


def test_a_dataset_becomes_a_cohort_and_then_measurements(tmp_path):
    folder = write_dataset(tmp_path / "study")
    (folder / "derivatives" / "manual" / "dseg.tsv").write_text(DSEG)
    rows, said = listed(tmp_path, folder)
    assert [(row["subject"], row["timepoint"], row["order"]) for row in rows] == [
        ("01", "pre", "1"), ("01", "post", "2"), ("02", "pre", "1"),
    ]  # fmt: skip
    assert {row["labels"] for row in rows} == {"study/derivatives/manual/dseg.tsv"}
    assert {row["rater"] for row in rows} == {""}
    for row in rows:
        visit = f"sub-{row['subject']}_ses-{row['timepoint']}"
        place = f"sub-{row['subject']}/ses-{row['timepoint']}"
        assert row["outlines"] == f"study/derivatives/manual/{place}/anat/{visit}_dseg.nii.gz"
        assert row["images"] == f"study/{place}/anat"
    assert not list(tmp_path.glob("*.subjects.json"))
    rest = [line for line in said.splitlines() if not line.startswith("Skipped")]
    assert rest == [f"Wrote {tmp_path / 'cohort.csv'}: 2 subjects, 3 exams."]
    run("measure", tmp_path / "cohort.csv", "-o", tmp_path / "results", "--no-pictures")
    measured = rows_of(tmp_path / "results" / "measurements.csv")
    measured = [row for row in measured if row["quantity"] == "tcsa_mm2"]
    assert len(measured) == 4 * len(VISITS)
    for row in measured:
        count = VISITS[row["subject"], row["timepoint"]]
        assert float(row["value"]) == pytest.approx(count * 0.7 * 0.7, rel=1e-6)
        assert (row["structure"], row["side"]) == ("multifidus", "right")


def test_label_maps_without_a_table_are_listed_and_measured_once_their_labels_are_named(tmp_path):
    folder = write_dataset(tmp_path / "study")
    rows, said = listed(tmp_path, folder)
    assert {row["labels"] for row in rows} == {""}
    assert all(row["outlines"].endswith("_dseg.nii.gz") for row in rows)
    assert said.count("Label maps without a dseg.tsv need their labels named in the table.") == 1
    cohort = tmp_path / "cohort.csv"
    done = CliRunner().invoke(app, ["measure", str(cohort), "-o", str(tmp_path / "a")])
    assert done.exit_code == 3
    assert "nothing says what its numbers mean" in done.stderr
    with cohort.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(row | {"labels": "lpm"} for row in rows)
    run("measure", cohort, "-o", tmp_path / "b", "--no-pictures")


def test_the_nearest_table_that_applies_says_what_numbers_mean(tmp_path):
    folder = write_dataset(tmp_path / "study")
    derived = folder / "derivatives" / "manual"
    (derived / "dseg.tsv").write_text(DSEG.replace("right", "left"))
    beside = derived / "sub-01" / "ses-pre" / "anat"
    (beside / "sub-01_ses-pre_dseg.tsv").write_text(DSEG)
    (derived / "sub-02" / "sub-01_dseg.tsv").write_text(DSEG)
    rows, _ = listed(tmp_path, folder)
    tables = [row["labels"].removeprefix("study/derivatives/manual/") for row in rows]
    assert tables == ["sub-01/ses-pre/anat/sub-01_ses-pre_dseg.tsv", "dseg.tsv", "dseg.tsv"]
    (derived / "dseg.tsv").rename(derived / "desc-x_dseg.tsv")
    (folder / "dseg.tsv").write_text(DSEG)
    assert listed(tmp_path, folder)[0][1]["labels"] == "study/dseg.tsv"
    (beside / "sub-01_dseg.tsv").write_text(DSEG)
    (beside / "sub-01_ses-pre_dseg.tsv").rename(beside / "ses-pre_dseg.tsv")
    rows, said = listed(tmp_path, folder)
    assert rows[0]["labels"] == ""
    assert "Several tables could say what sub-01_ses-pre_dseg.nii.gz means." in said


def test_names_that_no_structure_has_are_said_and_ambiguous_tables_too(tmp_path):
    folder = write_dataset(tmp_path / "study")
    table = folder / "derivatives" / "manual" / "dseg.tsv"
    table.write_text(DSEG + "3\tkidney left\n")
    _, said = listed(tmp_path, folder)
    assert said.count("1 names in dseg.tsv are of nothing that is measured: kidney left.") == 1
    done = run("measure", tmp_path / "cohort.csv", "-o", tmp_path / "out", "--no-pictures")
    assert done.stderr.count("of nothing that is measured: kidney left.") == 1
    table.write_text("index\tname\n2\tmultifidus\n")
    _, said = listed(tmp_path, folder)
    assert "dseg.tsv is no label scheme: the name 'multifidus' does not say one muscle" in said


def test_participants_join_the_cohort_and_what_clashes_or_identifies_is_said(tmp_path):
    folder = write_dataset(tmp_path / "study")
    (folder / "participants.tsv").write_text(
        "participant_id\tage\tside\tgroup\tdob\tseen\n"
        "sub-01\t50\tL\topen\t1\t2024-01-31\nsub-03\t61\tR\tn/a\t2\tn/a\n"
    )
    rows, said = listed(tmp_path, folder)
    assert [(r["age"], r["participants_side"], r["group"]) for r in rows] == [
        ("50", "L", "open"), ("50", "L", "open"), ("", "", ""),
    ]  # fmt: skip
    assert not {"side", "dob", "seen"} & rows[0].keys()
    assert "have participants_ in front: side." in said
    assert "2 columns of participants.tsv hold names, numbers or dates of persons" in said
    assert "Subjects not in participants.tsv: sub-02." in said
    assert "Subjects in participants.tsv and without images: sub-03." in said
    rows, said = listed(tmp_path, folder, "--show-identifiers")
    assert (rows[0]["dob"], rows[0]["seen"]) == ("1", "2024-01-31")
    (folder / "derivatives" / "manual" / "dseg.tsv").write_text(DSEG)
    listed(tmp_path, folder)
    run("measure", tmp_path / "cohort.csv", "-o", tmp_path / "out", "--no-pictures")
    measured = rows_of(tmp_path / "out" / "measurements.csv")
    assert {row["side"] for row in measured} == {"right"}
    assert {row["age"] for row in measured if row["subject"] == "01"} == {"50"}


def test_a_table_of_participants_that_is_ambiguous_is_not_joined_and_that_is_said(tmp_path):
    folder = write_dataset(tmp_path / "study")
    (folder / "participants.tsv").write_text("participant_id\tage\nsub-01\t1\nsub-01\t2\n")
    rows, said = listed(tmp_path, folder)
    assert "age" not in rows[0]
    assert "participants.tsv was not joined: participants.tsv names sub-01 twice." in said


def write_scans(folder, days):
    for (who, when), day in days.items():
        visit = f"sub-{who}_ses-{when}"
        table = folder / f"sub-{who}" / f"ses-{when}" / f"{visit}_scans.tsv"
        table.write_text(f"filename\tacq_time\nanat/{visit}_T2w.nii.gz\t{day}T10:00:00\n")


def test_scans_tables_give_days_and_order_and_dates_when_asked_for(tmp_path):
    folder = write_dataset(tmp_path / "study")
    write_scans(folder, {("01", "pre"): "2024-01-31", ("01", "post"): "2024-03-01"})
    rows, _ = listed(tmp_path, folder)
    assert [(row["order"], row["days"], row["date"]) for row in rows] == [
        ("1", "0", ""), ("2", "30", ""), ("1", "", ""),
    ]  # fmt: skip
    assert "2024" not in (tmp_path / "cohort.csv").read_text()
    rows, _ = listed(tmp_path, folder, "--show-identifiers")
    assert [row["date"] for row in rows] == ["2024-01-31", "2024-03-01", ""]


def test_dates_win_over_what_labels_suggest_and_that_is_said(tmp_path):
    folder = write_dataset(tmp_path / "study")
    write_scans(folder, {("01", "pre"): "2024-03-01", ("01", "post"): "2024-01-31"})
    rows, _ = listed(tmp_path, folder)
    assert [(row["timepoint"], row["order"]) for row in rows] == [
        ("pre", "2"), ("post", "1"), ("pre", "2"),
    ]  # fmt: skip


def test_two_folders_of_derivatives_are_two_raters(tmp_path):
    folder = write_dataset(tmp_path / "study")
    derived = folder / "derivatives"
    (derived / "manual" / "dseg.tsv").write_text(DSEG)
    shutil.copytree(derived / "manual", derived / "net")
    rows, said = listed(tmp_path, folder)
    assert [(row["subject"], row["timepoint"], row["rater"]) for row in rows] == [
        (*visit, rater)
        for visit in (("01", "pre"), ("01", "post"), ("02", "pre"))
        for rater in ("manual", "net")
    ]
    assert "several folders of derivatives (manual, net): each is a rater of its own" in said
    assert "2 subjects, 3 exams" in said
    run("measure", tmp_path / "cohort.csv", "-o", tmp_path / "out", "--no-pictures")
    measured = rows_of(tmp_path / "out" / "measurements.csv")
    assert {row["rater"] for row in measured} == {"manual", "net"}


def test_versions_of_one_label_map_are_not_chosen_from(tmp_path):
    folder = write_dataset(tmp_path / "study")
    place = folder / "derivatives" / "manual" / "sub-01" / "ses-pre" / "anat"
    first = place / "sub-01_ses-pre_dseg.nii.gz"
    shutil.copy(first, place / "sub-01_ses-pre_desc-second_dseg.nii.gz")
    rows, said = listed(tmp_path, folder)
    assert [bool(row["outlines"]) for row in rows] == [False, True, True]
    assert "01 pre has several versions of one label map in derivatives/manual" in said
    shutil.copytree(folder / "derivatives/manual/sub-02", folder / "derivatives/manual/sub-09")
    for path in (folder / "derivatives/manual/sub-09").rglob("*.nii.gz"):
        path.rename(path.with_name(path.name.replace("sub-02", "sub-09")))
    assert "1 label maps in derivatives are of no exam" in listed(tmp_path, folder)[1]


def test_masks_say_by_their_names_what_they_are_of(tmp_path):
    folder = write_dataset(tmp_path / "study")
    for number, path in enumerate(sorted((folder / "derivatives").rglob("*_dseg.nii.gz"))):
        voxels = np.zeros(SHAPE, np.uint8)
        voxels[4:7, 4:9] = 1
        stem = path.name.replace("_dseg.nii.gz", "")
        if number < 2:
            save(path.with_name(f"{stem}_hemi-R_label-MF_mask.nii.gz"), voxels, lumbar_affine(10))
            voxels[:] = 0
            voxels[10:13, 4:9] = 1
            save(path.with_name(f"{stem}_hemi-L_label-MF_mask.nii.gz"), voxels, lumbar_affine(10))
        else:
            save(path.with_name(f"{stem}_desc-brain_mask.nii.gz"), voxels, lumbar_affine(10))
        path.unlink()
    rows, said = listed(tmp_path, folder)
    assert [row["labels"] for row in rows] == ["1=MF L;1=MF R", "1=MF L;1=MF R", ""]
    assert rows[2]["outlines"] == ""
    assert "Masks whose names say no structure and side were left out." in said
    done = CliRunner().invoke(
        app,
        ["measure", str(tmp_path / "cohort.csv"), "-o", str(tmp_path / "out"), "--no-pictures"],
    )
    assert done.exit_code == 1, done.stderr  # the subject without outlines
    measured = rows_of(tmp_path / "out" / "measurements.csv")
    areas = {row["side"] for row in measured if row["quantity"] == "tcsa_mm2"}
    assert areas == {"left", "right"}


def exams_of(*visits):
    series = Series("1", (image_slice(np.zeros((4, 4)), uid="1.1"),))
    return [
        Exam(who, when, (series,), None if day is None else datetime.date(2024, 1, day))
        for who, when, day in visits
    ]


@pytest.mark.parametrize(
    ("visits", "orders"),
    [
        ([("1", "pre", None), ("1", "post", None), ("2", "post", None)], [1, 2, 2]),
        ([("1", "02", None), ("1", "10", None), ("1", "01", None)], [2, 3, 1]),
        ([("1", "baseline", None), ("1", "12m", None), ("1", "6m", None)], [1, 3, 2]),
        ([("1", "A", None), ("1", "B", None)], ["", ""]),
        ([("1", "post", None), ("1", "fu3", None)], ["", ""]),
        ([("1", "6m", None), ("1", "1y", None)], ["", ""]),
        ([("1", "1", None), ("1", "01", None)], ["", ""]),
        ([("1", "A", 5), ("1", "B", 2), ("2", "A", None)], [2, 1, 2]),
        ([("1", "A", 5), ("1", "B", 5)], ["", ""]),
        ([("1", "A", 5), ("1", "B", 6), ("2", "A", 8), ("2", "B", 7)], [1, 2, 2, 1]),
        ([("1", "A", 5), ("1", "B", 6), ("2", "A", None), ("2", "C", None)], [1, 2, "", ""]),
        ([("1", "exam-1", None), ("2", "exam-1", None)], [1, 1]),
    ],
)
def test_an_order_stands_where_dates_or_labels_say_it(visits, orders):
    found, remark = visit_orders(exams_of(*visits))
    assert found == orders
    assert bool(remark) == ("" in orders)


def test_a_dataset_in_an_archive_is_named_by_the_archive_and_not_by_where_it_was_unpacked(tmp_path):
    write_dataset(tmp_path / "study")
    archive = packed(tmp_path / "study", tmp_path / "study.zip")
    shutil.rmtree(tmp_path / "study")
    rows, said = listed(tmp_path, archive)
    assert [(r["subject"], r["images"], r["outlines"], r["labels"]) for r in rows] == [
        (who, "study.zip", "", "") for who in ("01", "01", "02")
    ]
    assert "study.zip holds 3 exams: unpack it" in said
    assert "Label maps in an archive are not joined" in said


def test_people_of_two_datasets_are_parted_in_the_cohort(tmp_path):
    for site, tag in (("a", 0), ("b", 1)):
        write_dataset(tmp_path / "sites" / site, tag)
    rows, said = listed(tmp_path, tmp_path / "sites")
    assert sorted({row["subject"] for row in rows}) == ["a-01", "a-02", "b-01", "b-02"]
    assert "they are taken for different people" in said
    assert all(row["outlines"].startswith(f"sites/{row['subject'][0]}/") for row in rows)


def test_sessions_come_in_the_order_that_their_labels_tell():
    labels = ["10", "post", "2", "baseline", "fu12", "fu3", "pre", "01"]
    assert sorted(labels, key=session_order) == [
        "baseline", "pre", "01", "2", "10", "fu3", "fu12", "post",
    ]  # fmt: skip
