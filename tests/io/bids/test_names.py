"""BIDS names and sidecars: who, when, which contrast, how acquired."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from multifidus.data.flags import Flag
from multifidus.data.image import Weighting
from multifidus.errors import GeometryError, ReadError
from multifidus.io.bids.names import bids_name, image_facts
from multifidus.io.scan import scan
from tests.support.niftis import lumbar_affine, read_nifti, save


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("sub-01_ses-pre_acq-axial_chunk-1_T2w.nii.gz", ("01", "pre", Weighting.T2)),
        ("sub-A7_T1w.nii", ("A7", "", Weighting.T1)),
        ("sub-1_ses-2_PDw.nii.gz", ("1", "2", Weighting.PD)),
        ("sub-1_bold.nii", ("1", "", Weighting.UNKNOWN)),
        ("fat.nii.gz", ("", "", Weighting.UNKNOWN)),
        ("mysub-1_T2w.nii", ("", "", Weighting.UNKNOWN)),
    ],
)
def test_names_say_who_when_and_which_contrast(tmp_path, name, said):
    found = bids_name(tmp_path / name)
    assert (found.subject, found.session, found.weighting) == said


def test_a_dataset_is_parted_by_subject_and_session(tmp_path):
    for n, (who, when) in enumerate((("01", "pre"), ("01", "post"), ("02", "pre"))):
        folder = tmp_path / f"sub-{who}" / f"ses-{when}" / "anat"
        folder.mkdir(parents=True)
        name = f"sub-{who}_ses-{when}_T2w.nii.gz"
        save(folder / name, np.full((4, 5, 2), n, np.int16), lumbar_affine())
    exams = scan(tmp_path).exams
    assert [(exam.subject, exam.timepoint) for exam in exams] == [
        ("01", "pre"),
        ("01", "post"),
        ("02", "pre"),
    ]
    assert {series.weighting for exam in exams for series in exam.series} == {Weighting.T2}


def test_a_sidecars_seconds_become_milliseconds(tmp_path):
    path = save(tmp_path / "a.nii.gz", np.zeros((4, 4, 1), np.int16), lumbar_affine())
    facts = {"EchoTime": 0.1, "RepetitionTime": 4, "MagneticFieldStrength": 1.5, "ImageType": "M"}
    (tmp_path / "a.json").write_text(json.dumps(facts))
    found = read_nifti(path).acquisition
    assert (found.echo_time_ms, found.repetition_time_ms) == (100, 4000)
    assert (found.field_strength_t, found.image_type) == (1.5, ("M",))
    assert math.isnan(image_facts(tmp_path / "b.nii").acquisition.echo_time_ms)


@pytest.mark.parametrize("text", ["{", "[1]", "\udcff"])
def test_a_damaged_sidecar_is_refused(tmp_path, text):
    (tmp_path / "a.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ReadError, match=r"a\.json is not"):
        image_facts(tmp_path / "a.nii.gz")


def both_forms(path, qform):
    import nibabel

    save(path, np.zeros((6, 5, 3), np.int16), lumbar_affine(), form="both")
    image = nibabel.load(path)
    data = np.asarray(image.dataobj)
    changed = nibabel.Nifti1Image(data, None)
    changed.set_sform(image.get_sform(), code=1)
    changed.set_qform(qform(image.get_sform()), code=1)
    nibabel.save(changed, path)
    return path


def test_two_places_for_one_image_are_flagged_and_the_sform_is_used(tmp_path):
    def moved(affine):
        affine[0, 3] += 20
        return affine

    same = read_nifti(both_forms(tmp_path / "same.nii", lambda affine: affine))
    apart = read_nifti(both_forms(tmp_path / "apart.nii", moved))
    assert same.flags == ()
    assert apart.flags == (Flag.AFFINE_CONFLICT,)
    assert apart.slices[0].plane == same.slices[0].plane


def test_two_voxel_sizes_for_one_image_are_refused(tmp_path):
    def stretched(affine):
        return affine @ np.diag([1.1, 1, 1, 1])

    with pytest.raises(GeometryError, match="disagree about its voxels"):
        read_nifti(both_forms(tmp_path / "a.nii", stretched))


@pytest.mark.parametrize(("unit", "factor"), [("mm", 1), ("meter", 1000), ("micron", 0.001)])
def test_lengths_are_read_in_the_headers_unit(tmp_path, unit, factor):
    import nibabel

    path = save(tmp_path / "a.nii", np.zeros((4, 4, 2), np.int16), lumbar_affine())
    image = nibabel.load(path)
    changed = nibabel.Nifti1Image(np.asarray(image.dataobj), image.affine / factor)
    changed.header.set_xyzt_units(unit)
    changed.set_sform(np.diag([1 / factor, 1 / factor, 1 / factor, 1]) @ image.affine, code=1)
    changed.set_qform(None, code=0)
    nibabel.save(changed, tmp_path / "b.nii")
    spacing = read_nifti(tmp_path / "b.nii").slices[0].plane.pixel_spacing_mm
    assert spacing == pytest.approx((0.7, 0.7), rel=1e-4)
