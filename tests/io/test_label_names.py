"""Names of labels are understood where they say one structure and one side, and never guessed."""

from __future__ import annotations

import pytest

from multifidus.data.anatomy import Side, Structure
from multifidus.errors import ReadError
from multifidus.io.label_names import names_left_out, structure_of
from multifidus.io.labelmap import load_labels

MF, ES = Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE


@pytest.mark.parametrize(
    ("name", "structure", "side"),
    [
        ("multifidus_left", MF, Side.LEFT),
        ("left multifidus", MF, Side.LEFT),
        ("MF_L", MF, Side.LEFT),
        ("R-MF", MF, Side.RIGHT),
        ("Multifidus (right)", MF, Side.RIGHT),
        ("multifidusLeft", MF, Side.LEFT),
        ("MFRight", MF, Side.RIGHT),
        ("Musculus multifidus sinister", MF, Side.LEFT),
        ("lumbar multifidus muscle rt", MF, Side.RIGHT),
        ("ES_R", ES, Side.RIGHT),
        ("erector spinae left", ES, Side.LEFT),
        ("LeftErectorSpinae", ES, Side.LEFT),
        ("psoas major left", Structure.PSOAS, Side.LEFT),
        ("QL_L", Structure.QUADRATUS_LUMBORUM, Side.LEFT),
        ("autochthon_right", Structure.AUTOCHTHONOUS, Side.RIGHT),
        ("vertebral body", Structure.VERTEBRAL_BODY, Side.NONE),
        ("intervertebral-disc", Structure.DISC, Side.NONE),
        ("CSF", Structure.CSF, Side.NONE),
    ],
)
def test_names_that_say_one_structure_and_one_side_are_understood(name, structure, side):
    assert structure_of(name) == (structure, side)


@pytest.mark.parametrize(
    "name",
    ["kidney_left", "psoas minor left", "iliopsoas_left", "disc left", "vertebrae_L4", "L", "",
     "background", "mfl", "gluteus_medius_left", "es fat left"],
)  # fmt: skip
def test_other_names_are_of_no_structure(name):
    assert structure_of(name) is None


@pytest.mark.parametrize(
    "name", ["multifidus", "MF", "multifidus left right", "multifidus_left_fat", "psoas", "ES"]
)
def test_a_muscle_without_one_side_is_refused(name):
    with pytest.raises(ValueError, match="one muscle and one side"):
        structure_of(name)


def test_a_bids_table_is_a_label_scheme_and_tells_what_it_leaves_out(tmp_path):
    path = tmp_path / "dseg.tsv"
    path.write_text(
        "index\tname\tabbr\n0\tbackground\tBG\n7\tmultifidus_left\tMF\n"
        "8\tright multifidus\tMF\n9\tkidney left\tK\n"
    )
    assert load_labels(str(path)) == {7: (MF, Side.LEFT), 8: (MF, Side.RIGHT)}
    assert names_left_out(path) == ["kidney left"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("1\tmultifidus\n", "one muscle and one side"),
        ("1\tkidney\n", "none of its names"),
        ("1\tMF_L\n2\tmultifidus left\n", "two numbers are called"),
        ("1\tMF_L\n1\tMF_R\n", "twice"),
        ("1.5\tMF_L\n", "invalid literal"),
    ],
)
def test_a_bids_table_that_is_ambiguous_is_refused(tmp_path, lines, why):
    path = tmp_path / "dseg.tsv"
    path.write_text("index\tname\n" + lines)
    with pytest.raises(ReadError, match=why):
        load_labels(str(path))
    with pytest.raises(ReadError, match=why):
        names_left_out(path)


def test_a_scheme_may_be_written_out():
    assert load_labels("1=multifidus left") == {1: (MF, Side.LEFT)}
    assert load_labels("1=MF_L, 2=ES_R") == {1: (MF, Side.LEFT), 2: (ES, Side.RIGHT)}
    for text in ("1=kidney", "1=multifidus", "1=MF_L,2=kidney"):
        with pytest.raises(ReadError, match="are not understood"):
            load_labels(text)
