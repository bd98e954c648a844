"""A Dixon pair whose files have any names is opened with the roles that are given."""

from __future__ import annotations

import numpy as np
import pytest
from napari_multifidus import annotate as opening
from napari_multifidus.models.display_images import display_images
from napari_multifidus.models.opening import open_pair
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.image import Weighting
from multifidus.errors import ReadError
from tests.support.niftis import lumbar_affine, save

AFFINE = lumbar_affine(tilt=12)


def signal(seed):
    return np.random.default_rng(seed).integers(50, 400, (30, 24, 3)).astype(np.int16)


@pytest.fixture
def files(tmp_path):
    fat = save(tmp_path / "img_0007.nii.gz", signal(1), AFFINE)
    return fat, save(tmp_path / "img_0008.nii.gz", signal(2), AFFINE)


def test_roles_and_file_names_are_those_that_were_given(files):
    fat, water = files
    opened = open_pair(fat, water)
    roles = {series.weighting: opened.files[series.uid] for series in opened.exam.series}
    assert roles == {Weighting.DIXON_FAT: fat.name, Weighting.DIXON_WATER: water.name}
    assert [image.words for image in display_images(opened.exam, opened.series)][-1] == (
        "fat fraction of the Dixon pair"
    )


def test_half_a_pair_is_refused(files):
    with pytest.raises(ReadError, match="both fat and water"):
        open_pair(files[0], None)


@pytest.mark.parametrize("given", [[], ["exam", "--fat", "f.nii", "--water", "w.nii"]])
def test_the_command_wants_an_exam_or_a_pair(given):
    done = CliRunner().invoke(app, ["annotate", *given])
    assert done.exit_code == 2
    assert "--water" in done.output


def test_a_cohort_names_its_images_itself(tmp_path):
    table = tmp_path / "cohort.csv"
    table.write_text("subject,timepoint,images\n")
    done = CliRunner().invoke(app, ["annotate", str(table), "--labels", "totalspineseg"])
    assert done.exit_code == 2
    assert "one exam" in done.output


def test_the_command_hands_all_of_it_to_the_window(files, monkeypatch):
    seen = {}
    monkeypatch.setattr(opening, "run", lambda images, **how: seen.update(how, images=images))
    fat, water = map(str, files)
    arguments = ["--fat", fat, "--water", water, "--outlines", "seg.nii", "--labels", "own.tsv"]
    done = CliRunner().invoke(app, ["annotate", *arguments])
    assert done.exit_code == 0, done.output
    assert seen["images"] is None
    assert tuple(map(str, seen["pair"])) == (fat, water)
    assert (str(seen["drafts"][0]), seen["drafts"][1]) == ("seg.nii", "own.tsv")
