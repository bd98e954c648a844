import datetime

import pytest
from hypothesis import given, strategies as st

from multifidus.data.anatomy import Level, Side
from multifidus.data.clinical import Clinical
from multifidus.errors import CohortError

DAYS = st.dates(datetime.date(1990, 1, 1), datetime.date(2050, 1, 1))


def test_a_row_of_a_study_says_it_all():
    cells = {
        "height_cm": "178",
        "weight_kg": "82.5",
        "date": "2002-03-25",
        "surgery_date": "2001-03-19",
        "operated_levels": "L4-L5; L5-S1;",
        "operated_side": "left",
        "approach": "open",
    }
    assert Clinical.from_cells(cells) == Clinical(
        178.0, 82.5, 371, (Level.L4_L5, Level.L5_S1), Side.LEFT, "open"
    )


@pytest.mark.parametrize("cells", [{}, dict.fromkeys(("height_cm", "date", "operated_side"), "")])
def test_what_nobody_said_is_unknown(cells):
    assert Clinical.from_cells(cells) == Clinical()
    assert Clinical().body_mass_index is None
    assert Clinical(weight_kg=80).body_mass_index is None


def test_body_mass_index():
    assert Clinical(200.0, 80.0).body_mass_index == 20


@pytest.mark.parametrize(("height", "weight"), [("82", "178"), ("70", "180"), ("182", "30")])
def test_height_and_weight_that_no_person_has_together_are_refused(height, weight):
    with pytest.raises(CohortError, match="body mass index") as error:
        Clinical.from_cells({"height_cm": height, "weight_kg": weight})
    assert "own columns" in error.value.remedy


@given(DAYS, DAYS)
def test_days_since_surgery_are_counted_between_the_dates(exam, surgery):
    cells = {"date": exam.isoformat(), "surgery_date": surgery.isoformat()}
    days = Clinical.from_cells(cells).days_since_surgery
    assert surgery + datetime.timedelta(days=days) == exam
    assert Clinical.from_cells(cells | {"days_since_surgery": str(days)}).days_since_surgery == days
    with pytest.raises(CohortError, match="days apart"):
        Clinical.from_cells(cells | {"days_since_surgery": str(days + 1)})


@pytest.mark.parametrize("dates", [{}, {"date": "2001-01-01"}, {"surgery_date": "2001-01-01"}])
def test_days_may_stand_in_for_dates(dates):
    assert Clinical.from_cells({**dates, "days_since_surgery": "-12"}).days_since_surgery == -12
    assert Clinical.from_cells(dates).days_since_surgery is None


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("height_cm", "1.78"),
        ("height_cm", "tall"),
        ("height_cm", "inf"),
        ("height_cm", "1_78"),
        ("weight_kg", "82000"),
        ("weight_kg", "82,5"),
        ("operated_levels", "L4/5"),
        ("operated_levels", "L4-L5,L5-S1"),
        ("operated_side", "Left"),
        ("date", "25.03.2002"),
        ("surgery_date", "2002-02-30"),
        ("days_since_surgery", "a year"),
        ("days_since_surgery", "--5"),
    ],
)
def test_a_cell_that_cannot_be_meant_is_refused_with_its_column(column, cell):
    with pytest.raises(CohortError, match=f"^{column} ") as error:
        Clinical.from_cells({column: cell})
    assert error.value.remedy


@pytest.mark.parametrize("word", ["NA", "n/a", "NaN", "#N/A", ""])
def test_words_for_nothing_say_nothing(word):
    names = ("height_cm", "operated_levels", "operated_side", "date", "days_since_surgery")
    assert Clinical.from_cells({**dict.fromkeys(names, word), "approach": word}) == Clinical()


def test_days_that_a_spreadsheet_wrote_with_a_decimal_are_whole():
    assert Clinical.from_cells({"days_since_surgery": "-5.0"}).days_since_surgery == -5
