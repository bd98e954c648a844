"""A BIDS dataset as a study: from its folder to a cohort table to measurements."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.formats import scan
from multifidus.io.bids import session_order
from tests.niftis import lumbar_affine, save

SHAPE = (20, 16, 4)
VISITS = {("01", "pre"): 6, ("01", "post"): 12, ("02", "pre"): 20}
"""Subject and session to the number of voxels that its label map holds on each slice."""


def write_dataset(folder):
    description = json.dumps({"Name": "study", "BIDSVersion": "1.10.0"})
    derived = folder / "derivatives" / "manual"
    for place in (folder, derived):
        place.mkdir(parents=True)
        (place / "dataset_description.json").write_text(description)
    (folder / "participants.tsv").write_text("participant_id\nsub-01\nsub-02\n")
    noise = np.random.default_rng(0)
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


def test_a_dataset_becomes_a_cohort_and_then_measurements(tmp_path):
    folder = write_dataset(tmp_path / "study")
    cohort = tmp_path / "cohort.csv"
    run("inspect", folder, "--cohort", cohort)
    with cohort.open(newline="") as file:
        rows = list(csv.DictReader(file))
    visits = [tuple(part[4:] for part in row["images"].split("/")[1:3]) for row in rows]
    assert sorted(visits) == sorted(VISITS)
    orders = {
        visit: (row["timepoint"], row["order"]) for visit, row in zip(visits, rows, strict=True)
    }
    assert orders["01", "pre"] == ("t1", "1")
    assert orders["01", "post"] == ("t2", "2")
    subjects = {who: set() for who, _ in VISITS}
    for row, (who, when) in zip(rows, visits, strict=True):
        subjects[who].add(row["subject"])
        row["labels"] = "lpm"
        row["outlines"] = str(
            folder.relative_to(tmp_path)
            / f"derivatives/manual/sub-{who}/ses-{when}/anat/sub-{who}_ses-{when}_dseg.nii.gz"
        )
    assert [len(names) for names in subjects.values()] == [1, 1]
    with cohort.open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    run("measure", cohort, "-o", tmp_path / "results")
    with (tmp_path / "results" / "measurements.csv").open(newline="") as file:
        measured = [row for row in csv.DictReader(file) if row["quantity"] == "tcsa_mm2"]
    by_visit = {(row["subject"], row["timepoint"]): v for row, v in zip(rows, visits, strict=True)}
    assert len(measured) == 4 * len(VISITS)
    for row in measured:
        count = VISITS[by_visit[row["subject"], row["timepoint"]]]
        assert float(row["value"]) == pytest.approx(count * 0.7 * 0.7, rel=1e-6)


def test_sessions_come_in_the_order_that_their_labels_tell():
    labels = ["10", "post", "2", "baseline", "fu12", "fu3", "pre", "01"]
    assert sorted(labels, key=session_order) == [
        "baseline", "pre", "01", "2", "10", "fu3", "fu12", "post",
    ]  # fmt: skip
