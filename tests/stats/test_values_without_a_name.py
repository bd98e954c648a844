"""Numbers in a label map that its label scheme does not name: not measured, and said."""

import json

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from tests.io.bids.test_entities import image, label_map

INLINE = "2=multifidus right, 3=multifidus left"
TOML = """
labels = [
  { value = 2, structure = "multifidus", side = "right" },
  { value = 3, structure = "multifidus", side = "left" },
]
"""
TSV = "value\tstructure\tside\n2\tmultifidus\tright\n3\tmultifidus\tleft\n"
BIDS = "index\tname\n0\tbackground\n2\tmultifidus right\n3\tmultifidus left\n7\tkidney left\n"


def run(tmp_path, *arguments):
    done = CliRunner().invoke(app, ["measure", *map(str, arguments), "--json"])
    assert done.exit_code == 0, done.stderr
    return done


@pytest.mark.parametrize(
    ("name", "text"),
    [("lpm", ""), (INLINE, ""), ("scheme.toml", TOML), ("scheme.tsv", TSV), ("bids.tsv", BIDS)],
)
def test_values_that_no_scheme_names_are_said(tmp_path, name, text):
    if text:
        (tmp_path / name).write_text(text)
    scheme = tmp_path / name if text else name
    scan, labels = image(tmp_path / "image.nii"), label_map(tmp_path / "labels.nii", 7, 12)
    done = run(tmp_path, scan, "--outlines", labels, "--labels", scheme)
    own = "12" if name == "bids.tsv" else "7 and 12"
    said = f"labels.nii: the label scheme does not name {own}, and voxels of "
    assert done.stderr.count(said) == 1
    assert any(note.startswith(said) for note in json.loads(done.stdout)["notes"])
    assert "nothing that is measured: kidney left" in done.stderr or name != "bids.tsv"


def test_nothing_is_said_of_a_label_map_whose_values_are_all_named(tmp_path):
    scan, labels = image(tmp_path / "image.nii"), label_map(tmp_path / "labels.nii")
    done = run(tmp_path, scan, "--outlines", labels, "--labels", "lpm")
    assert "does not name" not in done.stderr


def test_label_maps_of_a_cohort_that_hold_the_same_are_said_together(tmp_path):
    rows = ["subject,timepoint,images,outlines,labels"]
    for name in ("a", "b", "c"):
        image(tmp_path / name / "image.nii", ord(name))
        label_map(tmp_path / name / "labels.nii", *([] if name == "c" else [9]))
        rows.append(f"{name},pre,{name}/image.nii,{name}/labels.nii,lpm")
    table = tmp_path / "cohort.csv"
    table.write_text("\n".join(rows))
    said = run(tmp_path, table).stderr
    assert "a/labels.nii and b/labels.nii: the label scheme does not name 9, and" in said
    assert said.count("does not name") == 1


def test_a_long_scheme_that_is_written_out_is_no_files_name(tmp_path):
    scheme = ", ".join(f"{n}=mf {side}" for n, side in ((2, "right"), (3, "left"))) + " " * 300
    scan, labels = image(tmp_path / "image.nii"), label_map(tmp_path / "labels.nii", 7)
    assert "name 7, and" in run(tmp_path, scan, "--outlines", labels, "--labels", scheme).stderr
