import re

import pytest

from multifidus.data.anatomy import MUSCLES, Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.flags import Flag


def test_levels_run_from_cranial_to_caudal():
    usual = ["T12", "T12-L1", "L1", "L1-L2", "L2", "L2-L3", "L3", "L3-L4", "L4", "L4-L5", "L5"]
    assert [level.value for level in sorted(Level, key=lambda level: level.rank)][:11] == usual
    assert Level.L5.rank < Level.L5_S1.rank < Level.S1.rank
    assert Level.L5.rank < Level.L5_L6.rank < Level.L6.rank < Level.L6_S1.rank < Level.S1.rank


@pytest.mark.parametrize("disc", [level for level in Level if "-" in level])
def test_a_disc_is_named_after_the_two_bodies_beside_it(disc):
    above, below = (Level(name) for name in disc.split("-"))
    assert above.rank < disc.rank < below.rank


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="L7"):
        Level("L7")


def test_fat_is_measured_in_muscles_and_nowhere_else():
    assert Structure.MULTIFIDUS.is_muscle
    assert not Structure.FAT_REFERENCE.is_muscle
    assert {item for item in Structure if item.is_muscle} == MUSCLES


def test_closed_strings_are_those_of_the_interface():
    structures = (
        "multifidus erector_spinae psoas quadratus_lumborum autochthonous vertebral_body disc "
        "lean_reference fat_reference subcutaneous_fat csf artefact"
    )
    positions = "mid_disc superior_endplate inferior_endplate mid_body pedicle unknown"
    assert [item.value for item in Side] == ["left", "right", "both", "none"]
    assert [item.value for item in Structure] == structures.split()
    assert [item.value for item in SlicePosition] == positions.split()
    assert [item.value for item in RoiRule] == ["fascial", "muscle_border", "unknown"]


@pytest.mark.parametrize("flag", Flag)
def test_every_flag_is_explained_in_whole_sentences(flag):
    assert re.fullmatch(r"[A-Z].+\.", flag.meaning)


def test_an_unknown_flag_is_refused():
    with pytest.raises(ValueError, match="maybe"):
        Flag("maybe")


def test_a_disc_lies_between_two_vertebrae():
    for level in Level:
        neighbours = level.split("-")
        assert level.is_disc == (len(neighbours) == 2)
        assert all(not Level(name).is_disc for name in neighbours)
