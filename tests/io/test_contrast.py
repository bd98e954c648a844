"""What the words of a header say about the contrast, in the shipped table and a user's own."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.acquisition import Acquisition
from multifidus.data.image import Weighting
from multifidus.errors import ReadError
from multifidus.io.contrast import load_contrasts, shipped_contrasts
from multifidus.io.inspect import inspection
from multifidus.io.read import read_exam
from multifidus.io.scan import scan
from tests.support.dicoms import classic, write
from tests.support.exams import axial_plane
from tests.support.niftis import lumbar_affine, read_nifti, save

PIXELS = np.zeros((4, 5), np.uint16)
SHIPPED = shipped_contrasts()
WORDS = [token for rule in SHIPPED.tables[0] for token in sorted(rule.tokens)]


@given(st.sampled_from(WORDS), st.sampled_from(WORDS))
def test_what_two_contrasts_claim_is_none_of_them_unless_one_holds_anyway(first, second):
    alone = {SHIPPED.of_words((word,)) for word in (first, second)}
    both = SHIPPED.of_words((first, second))
    strong = alone & {
        Weighting.LOCALIZER,
        Weighting.PDFF,
        Weighting.FAT_FRACTION,
        Weighting.NO_SIGNAL,
    }
    assert both in (alone if len(alone) == 1 else strong or {Weighting.UNKNOWN})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("M", "DIXON", "WATER"), Weighting.DIXON_WATER),
        (("water", "m"), Weighting.DIXON_WATER),
        (("WATER", "FAT"), Weighting.UNKNOWN),
        (("DIXON", "WATER", "P"), Weighting.NO_SIGNAL),
        (("FAT_FRACTION", "REAL"), Weighting.FAT_FRACTION),
        (("FAT_FRACTION", "PDFF"), Weighting.PDFF),
        (("LOCALIZER", "WATER"), Weighting.LOCALIZER),
        (("DCM 129101",), Weighting.DIXON_IN_PHASE),
        (("WATERY", "FATTY", "M", "SE", "ND", "NORM", "DIS2D"), None),
        ((), None),
    ],
)
def test_whole_words_tell_the_contrast(words, expected):
    assert SHIPPED.of_words(words) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WATER: Ax T2 FSE Flex", Weighting.DIXON_WATER),
        ("FAT: Ax T2 FSE Flex", Weighting.DIXON_FAT),
        ("InPhase: Ax LAVA", Weighting.DIXON_IN_PHASE),
        ("OutPhase: Ax LAVA", Weighting.DIXON_OPPOSED_PHASE),
        ("FatFrac: Ax IDEAL IQ", Weighting.FAT_FRACTION),
        ("t2_tse_dixon_tra_W", Weighting.DIXON_WATER),
        ("t2_tse_dixon_tra_F", Weighting.DIXON_FAT),
        ("t1_vibe_dixon_tra_in", Weighting.DIXON_IN_PHASE),
        ("t1_vibe_dixon_tra_opp", Weighting.DIXON_OPPOSED_PHASE),
        ("T2 Dixon Water", Weighting.DIXON_WATER),
        ("ax dixon fat only", Weighting.DIXON_FAT),
        ("mDIXON Quant FF", Weighting.FAT_FRACTION),
        ("PDFF map", Weighting.PDFF),
        ("t2_stir_sag", Weighting.STIR),
        ("Survey", Weighting.LOCALIZER),
        ("3-plane loc", Weighting.LOCALIZER),
        # What must not be taken for a contrast:
        ("T1 dixon fat sat", None),
        ("T1 dixon fatsat", None),
        ("T2 dixon water excitation", None),
        ("T2 dixon water/fat", None),
        ("T2 dixon fat/water", None),
        ("T2 fat", None),
        ("T1 dixon w gd", None),
        ("Ax T2 waterfall", None),
        ("local shim", None),
        ("", None),
    ],
)
def test_descriptions_are_understood_where_they_are_clear(text, expected):
    assert SHIPPED.of_description(text) is expected


def test_descriptions_are_asked_only_where_the_words_say_nothing():
    def never() -> str:
        pytest.fail("the description was asked")

    times = Acquisition(echo_time_ms=100, repetition_time_ms=4000)
    assert SHIPPED.weighting(("FAT",), times, describe=never) is Weighting.DIXON_FAT
    told = SHIPPED.weighting(("M",), times, describe=lambda: "dixon_W")
    assert told is Weighting.DIXON_WATER
    assert SHIPPED.weighting(("M",), times, describe=lambda: "ax") is Weighting.T2


def write_table(path, text):
    path.write_text(text, encoding="utf-8")
    return path


OWN = """
[[contrast]]
weighting = "pdff"
tokens = ["ff"]
vendor = "acme"

[[contrast]]
weighting = "dixon_water"
descriptions = ["^wasser"]
"""


def test_a_users_words_are_asked_first_for_the_vendor_that_they_are_of(tmp_path):
    found = load_contrasts(write_table(tmp_path / "own.toml", OWN))
    assert found.of_words(("FF",), "ACME Imaging") is Weighting.PDFF
    assert found.of_words(("FF",), "Other") is Weighting.FAT_FRACTION
    assert found.of_words(("WATER",)) is Weighting.DIXON_WATER
    assert found.of_description("Wasserbild") is Weighting.DIXON_WATER


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[contrast]\n", "line 1"),
        ("", r"to hold \[\[contrast\]\] entries"),
        ("contrast = 3", r"to hold \[\[contrast\]\] entries"),
        ("contrast = [3]", "contrast 1 is no table"),
        ('title = "x"\n' + OWN, "it has title"),
        (OWN + '[[contrast]]\nweighting = "t1"\n', "contrast 3 has neither tokens nor"),
        (OWN + '[[contrast]]\nweighting = "t9"\ntokens = ["X"]', "contrast 3: weighting is 't9'"),
        (OWN + '[[contrast]]\nweighting = ["t1"]\ntokens = ["X"]', "contrast 3: weighting is"),
        (OWN + '[[contrast]]\ntokens = ["X"]', "contrast 3: weighting is None"),
        ('[[contrast]]\nweighting = "t1"\ntokens = "X"', "contrast 1: tokens is no list"),
        ('[[contrast]]\nweighting = "t1"\ntokens = [" "]', "contrast 1: tokens is no list"),
        ('[[contrast]]\nweighting = "t1"\nwords = ["X"]', "contrast 1 has words; known are"),
        ('[[contrast]]\nweighting = "t1"\ntokens = ["X"]\nvendor = 1', "contrast 1: vendor is no"),
        ('[[contrast]]\nweighting = "t1"\ndescriptions = ["("]', r"has '\(', which is no regular"),
    ],
)
def test_a_malformed_table_is_refused_with_the_place(tmp_path, text, said):
    path = write_table(tmp_path / "own.toml", text)
    with pytest.raises(ReadError, match=said) as caught:
        load_contrasts(path)
    assert str(path) in str(caught.value)


def test_a_table_that_is_not_there_or_no_text_is_refused(tmp_path):
    with pytest.raises(ReadError, match="missing"):
        load_contrasts(tmp_path / "missing.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReadError, match="not a table of contrasts"):
        load_contrasts(tmp_path / "bad.toml")


def dicom(folder, description, *tokens):
    dataset = classic(axial_plane(), PIXELS)
    dataset.ImageType = ["DERIVED", "PRIMARY", *tokens]
    dataset.SeriesDescription = description
    write(dataset, folder / "a.dcm")
    return folder


def test_a_description_tells_the_contrast_and_is_never_shown(tmp_path):
    found = scan(dicom(tmp_path, "MEIER KNEE dixon_tra_F", "M"))
    ((series,),) = (exam.series for exam in found.exams)
    assert series.weighting is Weighting.DIXON_FAT
    assert "MEIER" not in json.dumps(inspection(found)) + repr(found)


def test_a_users_table_reaches_every_reader(tmp_path):
    table = write_table(tmp_path / "own.toml", OWN)
    exam = read_exam(dicom(tmp_path / "d", "", "FF"), contrasts=table)
    assert exam.series[0].weighting is Weighting.PDFF
    path = save(tmp_path / "a.nii", np.zeros((4, 4, 1), np.int16), lumbar_affine())
    (tmp_path / "a.json").write_text('{"ImageType": ["FF"], "Manufacturer": "Acme"}')
    assert read_exam(path, contrasts=table).series[0].weighting is Weighting.PDFF
    assert read_exam(path).series[0].weighting is Weighting.FAT_FRACTION


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        ("a", {"ImageType": ["DERIVED", "PRIMARY", "DIXON", "WATER"]}, Weighting.DIXON_WATER),
        ("a", {"ImageType": ["ORIGINAL", "F", "M"]}, Weighting.UNKNOWN),
        ("a", {"SeriesDescription": "t2_dixon_F"}, Weighting.DIXON_FAT),
        ("a", {"EchoTime": 0.1, "RepetitionTime": 4}, Weighting.T2),
        ("a", {"InversionTime": 0.15}, Weighting.STIR),
        ("sub-1_acq-water_T1w", {}, Weighting.DIXON_WATER),
        ("sub-1_desc-fat_T1w", {}, Weighting.DIXON_FAT),
        ("sub-1_rec-PDFF_T1w", {}, Weighting.PDFF),
        ("sub-1_FF", {}, Weighting.FAT_FRACTION),
        ("sub-1_part-phase_T1w", {}, Weighting.NO_SIGNAL),
        ("sub-1_acq-W_T1w", {}, Weighting.T1),
        ("sub-1_T2w", {"EchoTime": 0.01, "RepetitionTime": 0.5}, Weighting.T2),
        ("sub-1_acq-water_T1w", {"ImageType": ["FAT"]}, Weighting.UNKNOWN),
        ("fat", {}, Weighting.UNKNOWN),
    ],
)
def test_names_and_sidecars_of_nifti_files_use_the_same_words(tmp_path, name, facts, expected):
    path = save(tmp_path / f"{name}.nii", np.zeros((4, 4, 1), np.int16), lumbar_affine())
    (tmp_path / f"{name}.json").write_text(json.dumps(facts))
    assert read_nifti(path).weighting is expected


def nifti_pair(folder, fat, water, **facts):
    for value, (name, words) in enumerate(((fat, ["FAT"]), (water, ["WATER"])), 1):
        save(folder / f"{name}.nii", np.full((4, 4, 2), value, np.int16), lumbar_affine())
        (folder / f"{name}.json").write_text(json.dumps({"ImageType": words, **facts}))


def pairs_of(folder):
    (exam,) = inspection(scan(folder))["exams"]
    return [item["pair"] is not None for item in exam["series"]], exam["series"]


def test_nifti_files_are_paired_by_their_names_where_several_fit(tmp_path):
    for run in "ab":
        nifti_pair(tmp_path, f"{run}_fat", f"{run}_water")
        # Another content, so that nothing is passed over as a copy.
        for kind in ("fat", "water"):
            path = tmp_path / f"{run}_{kind}.nii"
            path.write_bytes(path.read_bytes().replace(b"\0" * 10, run.encode() * 10, 1))
    paired, _ = pairs_of(tmp_path)
    assert paired == [True] * 4


def test_bids_runs_are_never_mixed(tmp_path):
    nifti_pair(tmp_path, "sub-1_run-1_acq-fat_T1w", "sub-1_run-2_acq-water_T1w")
    paired, series = pairs_of(tmp_path)
    assert paired == [False, False]
    assert "another repeat" in series[0]["problem"]


def test_a_real_pair_whose_headers_disagree_is_found_and_refused(tmp_path, shared_data):
    for kind in ("fat", "water"):
        source = shared_data / "a01_real_lumbar_dixon_TUM01" / f"{kind}.nii.gz"
        (tmp_path / f"{kind}.nii.gz").symlink_to(source)
        (tmp_path / f"{kind}.json").write_text(json.dumps({"ImageType": [kind.upper()]}))
    paired, series = pairs_of(tmp_path)
    assert paired == [False, False]
    for item in series:
        assert "lies on another grid: 29 slices of 400 x 400" in item["problem"]
        assert item["problem"].count("first pixel at LPS") == 2
