"""What a research study knows about the person in the scanner, and when the surgery was."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass

from multifidus.data.anatomy import Level, Side, choice, choose
from multifidus.data.cells import is_missing, number, whole
from multifidus.errors import CohortError

HEIGHT_CM = (50.0, 250.0)
"""Heights beyond these are typing errors, such as metres."""

WEIGHT_KG = (20.0, 400.0)
"""Weights beyond these are typing errors, such as pounds or grams."""


BMI_KG_M2 = (10.0, 80.0)
"""Body mass indices beyond these are of exchanged columns, or of inches and pounds."""


@dataclass(frozen=True, slots=True)
class Clinical:
    """Clinical facts of one exam; what is not known is None or empty.

    Parameters
    ----------
    height_cm, weight_kg
        Of the subject.
    days_since_surgery
        Days from the surgery to the exam, negative before it. A length of time, so that no
        calendar date has to be known here.
    operated_levels
        Levels that were operated on.
    operated_side
        Side of the approach; ``BOTH`` and ``NONE`` (midline) name no operated side.
    approach
        Surgical approach, in the study's own words.

    Raises
    ------
    CohortError
        If height or weight, or both together, cannot be a person's, or a level or side is none of
        the choices.
    """

    height_cm: float | None = None
    weight_kg: float | None = None
    days_since_surgery: int | None = None
    operated_levels: tuple[Level, ...] = ()
    operated_side: Side | None = None
    approach: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "operated_levels", tuple(map(_level, self.operated_levels)))
        if self.operated_side is not None:
            choose(self, {"operated_side": Side}, CohortError)
        for name, (low, high) in (("height_cm", HEIGHT_CM), ("weight_kg", WEIGHT_KG)):
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                msg = f"{name} must be {low:g} to {high:g}, got {value:g}."
                raise CohortError(msg, remedy="Check the unit: centimetres and kilograms.")
        index, (low, high) = self.body_mass_index, BMI_KG_M2
        if index is not None and not low <= index <= high:
            msg = (
                f"height_cm {self.height_cm:g} and weight_kg {self.weight_kg:g} give a body mass "
                f"index of {index:.1f} kg/m2; {low:g} to {high:g} are allowed."
            )
            remedy = (
                "Check that height and weight stand in their own columns, in centimetres and "
                "kilograms."
            )
            raise CohortError(msg, remedy=remedy)

    @property
    def body_mass_index(self) -> float | None:
        """Weight over height squared, kg/m2; None where one is not known."""
        if self.height_cm is None or self.weight_kg is None:
            return None
        return self.weight_kg / (self.height_cm / 100) ** 2

    @classmethod
    def from_cells(cls, cells: Mapping[str, str]) -> Clinical:
        """Read the facts from one row of a cohort table, by the names of its columns.

        Days since surgery are ``date`` minus ``surgery_date``, or the column
        ``days_since_surgery`` where dates are kept out of the table. Empty cells say nothing.

        Raises
        ------
        CohortError
            Naming the column, if a cell cannot be meant.
        """
        cells = {name: "" if is_missing(text) else text for name, text in cells.items()}
        side = cells.get("operated_side", "")
        levels = [part.strip() for part in cells.get("operated_levels", "").split(";")]
        return cls(
            _number(cells, "height_cm"),
            _number(cells, "weight_kg"),
            _days(cells),
            tuple(_level(level) for level in levels if level),
            choice("operated_side", side, Side, CohortError) if side else None,
            cells.get("approach", ""),
        )


def _number(cells: Mapping[str, str], name: str) -> float | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        value = number(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        msg = f"{name} must be a number, got {text!r}."
        raise CohortError(msg, remedy="Write it with a decimal point, or leave it empty.")
    return value


def _level(word: str) -> Level:
    hint = "Write ';' between several levels."
    return choice("operated_levels", word, Level, CohortError, hint=hint)


def _days(cells: Mapping[str, str]) -> int | None:
    text = cells.get("days_since_surgery", "")
    try:
        given = whole(text)
    except ValueError:
        msg = f"days_since_surgery must be a whole number, got {text!r}."
        remedy = "Count days from the surgery; negative before it."
        raise CohortError(msg, remedy=remedy) from None
    exam, surgery = (_date(cells, name) for name in ("date", "surgery_date"))
    if exam is None or surgery is None:
        return given
    days = (exam - surgery).days
    if given is not None and given != days:
        msg = f"days_since_surgery is {given}, but date and surgery_date are {days} days apart."
        raise CohortError(msg, remedy="Correct one of them, or leave days_since_surgery empty.")
    return days


def _date(cells: Mapping[str, str], name: str) -> datetime.date | None:
    text = cells.get(name, "")
    if not text:
        return None
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=datetime.UTC).date()
    except ValueError:
        msg = f"{name} must be a date such as 2024-03-31, got {text!r}."
        raise CohortError(msg, remedy="Write year, month and day, or leave it empty.") from None


UNKNOWN = Clinical()
"""Where nothing is known."""
