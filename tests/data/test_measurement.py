import re

import pytest

from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement, Measurements, Quantity


@pytest.mark.parametrize("quantity", Quantity)
def test_a_quantitys_name_ends_in_its_unit(quantity):
    units = {
        "mm2": "_mm2",
        "%": "_pct",
        "ml": "_ml",
        "1": ("_si", "_grade"),
        "mm2/m2": "tcsa_per_height2",
        "mm2/(kg/m2)": "tcsa_per_bmi",
    }
    assert quantity.value.endswith(units[quantity.unit]) or quantity.startswith("sir_")


def test_grades_are_told_from_numbers():
    assert {quantity.value for quantity in Quantity if quantity.is_grade} == {
        "storheim_grade",
        "goutallier_grade",
        "visual_grade",
    }


@pytest.mark.parametrize("quantity", Quantity)
def test_every_quantity_is_defined_and_says_by_whom(quantity):
    assert re.fullmatch(r"[A-Z].+\.", quantity.definition)
    assert quantity.source


def test_an_unknown_quantity_is_refused():
    with pytest.raises(ValueError, match="girth_mm"):
        Quantity("girth_mm")


def test_a_number_without_parameters_has_none_that_could_be_changed():
    row = Measurement(None, Quantity.TCSA_MM2, 1.0, None, 3)
    assert dict(row.parameters) == {}
    with pytest.raises(TypeError, match="make a new one"):
        row.parameters["threshold"] = 5


def test_measurements_are_a_sequence_that_is_sliced_into_measurements():
    rows = tuple(Measurement(None, Quantity.TCSA_MM2, float(n), None, 3) for n in range(4))
    found = Measurements(rows)
    assert (len(found), found[1], list(found)) == (4, rows[1], list(rows))
    assert [row.value for row in found[1:3]] == [1, 2]
    assert isinstance(found[1:3], Measurements)
    assert rows[2] in found


def test_a_flag_is_added_once():
    row = Measurement(None, Quantity.TCSA_MM2, 1.0, None, 3, flags=(Flag.ARTEFACT,))
    found = row.with_flags(Flag.FEW_POINTS, Flag.ARTEFACT)
    assert found.flags == (Flag.ARTEFACT, Flag.FEW_POINTS)
    assert row.flags == (Flag.ARTEFACT,)


@pytest.mark.parametrize("kind", [tuple, list, Measurements])
def test_measurements_of_two_exams_are_added(kind):
    first, second = Measurements(("a",)), ("b", "c")
    assert first + kind(second) == Measurements(("a", "b", "c"))
    assert kind(second) + first == Measurements(("b", "c", "a"))
