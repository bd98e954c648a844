"""Opening an entry under its code: nothing is left that tells whose exam it is."""

from __future__ import annotations

import shutil

import pytest
from napari_multifidus.controllers.worklist import now
from napari_multifidus.models.blinding import open_item, redactor
from napari_multifidus.models.opening import layer_data, shared_levels

from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.errors import CohortError, MultifidusError
from multifidus.io.outlines import read_rois, write_rois
from multifidus.phantom import PhantomSpec, make_phantom, write_phantom
from multifidus.reading.session import SessionRequest, open_worklist
from tests.support.searching import texts_of

SPEC = PhantomSpec(matrix=64, pixel_mm=3.4, stacks=2, slices_per_stack=2, sagittal=False)
SECRETS = ("marlowe", "tpalpha", "2001-03", "zany", "2001, 3")


@pytest.fixture(scope="module")
def phantom():
    return make_phantom(SPEC)


def study(folder, phantom, image_format):
    """One exam whose folder, files and landmarks are named after its subject."""
    made = write_phantom(phantom, folder / "made", image_format)
    images = folder / "Marlowe_tpalpha"
    shutil.copytree(made, images)
    for path in sorted(images.iterdir()):
        path.rename(images / f"Marlowe_{path.name}")
    exam_outlines = read_native(made)
    shared = RoiSet(
        landmarks=exam_outlines.landmarks, reading=Reading("Marlowe", "tpalpha", "lead", 1)
    )
    write_rois(shared, folder / "Marlowe_tpalpha.outlines.json")
    shutil.rmtree(folder / "made")
    (folder / "cohort.csv").write_text(
        "subject,timepoint,images,landmarks,approach,surgery_date,operated_side,operated_levels\n"
        "Marlowe,tpalpha,Marlowe_tpalpha,Marlowe_tpalpha.outlines.json,zany,2001-03-19,left,L4-L5\n"
    )
    return folder / "cohort.csv"


def read_native(made):
    from multifidus.io.read import read_exam

    return read_rois(made.with_name(made.name + ".outlines.json"), read_exam(made))


def only_item(cohort, **how):
    return open_worklist(SessionRequest(cohort, "AB", **how)).items(now())[0]


@pytest.mark.parametrize("image_format", ["dicom", "nifti"])
def test_nothing_of_an_opened_exam_tells_whose_it_is(tmp_path, phantom, image_format):
    cohort = study(tmp_path, phantom, image_format)
    item = only_item(cohort, blind=True, seed=1)
    opened = open_item(item, blinded=True)
    texts = [text.casefold() for text in texts_of(opened, set())]
    for _, attributes, _ in layer_data(opened):
        texts += [text.casefold() for text in texts_of(attributes, set())]
    assert len(texts) > 50
    assert [text for text in texts if any(secret in text for secret in SECRETS)] == []
    assert opened.exam.date is None
    assert not opened.exam.identity
    named = open_item(item, blinded=False)
    assert any("marlowe" in text.casefold() for text in texts_of(named, set()))
    # The levels that raters share are there all the same.
    assert shared_levels(opened).landmarks == shared_levels(named).landmarks != ()


def test_what_goes_wrong_is_said_without_names(tmp_path, phantom):
    cohort = study(tmp_path, phantom, "nifti")
    item = only_item(cohort, blind=True, seed=1)
    shutil.rmtree(tmp_path / "Marlowe_tpalpha")
    with pytest.raises(MultifidusError) as caught:
        open_item(item, blinded=True)
    assert not any(secret in str(caught.value).casefold() for secret in SECRETS[:2])
    assert caught.value.__cause__ is None
    with pytest.raises(MultifidusError, match="Marlowe_tpalpha"):
        open_item(item, blinded=False)


def test_an_exam_that_the_cohort_lists_no_more_is_refused_by_its_code(tmp_path, phantom):
    from dataclasses import replace

    item = replace(only_item(study(tmp_path, phantom, "nifti"), blind=True, seed=1), case=None)
    with pytest.raises(CohortError, match=item.by.subject):
        open_item(item, blinded=True)


def test_a_veil_hides_names_and_paths_and_nothing_else(tmp_path):
    cohort = tmp_path / "cohort.csv"
    cohort.write_text("subject,timepoint,images\nMarlowe,pre,in/Marlowe_pre;x.nii.gz\n")
    item = only_item(cohort)
    hide = redactor(item)
    image = item.case.images[0] / "IM0001.dcm"
    assert hide(f"Cannot read {image}: damaged.") == "Cannot read …: damaged."
    assert hide("Marlowe_pre and subject marlowe, not MARLOWES") == "… and subject …, not MARLOWES"
    assert hide("What was pressed before is pre, not preset") == (
        "What was pressed before is …, not preset"
    )
    assert hide("multifidus left on slice 3") == "multifidus left on slice 3"
