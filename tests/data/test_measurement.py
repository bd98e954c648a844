import re

import pytest

from multifidus.data.measurement import Measurement, Quantity


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
    with pytest.raises(TypeError, match="does not support item assignment"):
        row.parameters["threshold"] = 5
