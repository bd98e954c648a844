"""What somebody decided who looked through the results: which measurements pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from multifidus.data.anatomy import Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement, Quantity


class Verdict(StrEnum):
    """What a reviewer decided."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    REPEAT = "repeat"

    @property
    def flag(self) -> Flag | None:
        """The quality flag of what does not pass."""
        return _FLAGS.get(self)


_FLAGS = {Verdict.FAIL: Flag.FAILED_REVIEW, Verdict.REPEAT: Flag.TO_BE_REPEATED}

_BY_STRUCTURE = {
    Structure.VERTEBRAL_BODY: {Quantity.RCSA_VERTEBRAL_BODY_PCT},
    Structure.DISC: {Quantity.RCSA_DISC_PCT},
    Structure.PSOAS: {Quantity.SIR_PSOAS},
    Structure.SUBCUTANEOUS_FAT: {Quantity.SIR_SUBCUTANEOUS_FAT},
    Structure.CSF: {Quantity.SIR_CSF},
}
"""Numbers of other structures that an outline of this one enters."""

_REFERENCES = {Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE}

_AREAS = {
    Quantity.TCSA_MM2, Quantity.TCSA_PIXEL_MM2, Quantity.TCSA_COS_MM2, Quantity.VALID_CSA_MM2,
    Quantity.RCSA_VERTEBRAL_BODY_PCT, Quantity.RCSA_DISC_PCT, Quantity.TCSA_PER_HEIGHT2,
    Quantity.TCSA_PER_BMI, Quantity.ASYMMETRY_PCT, Quantity.ASYMMETRY_MAX_PCT,
    Quantity.OPERATED_CONTRALATERAL_PCT, Quantity.VOLUME_ML, Quantity.GOUTALLIER_GRADE,
    Quantity.VISUAL_GRADE,
}  # fmt: skip
"""Numbers into which no reference enters."""

_OF_BOTH_SIDES = {
    Quantity.OPERATED_CONTRALATERAL_PCT, Quantity.FCSA_OPERATED_CONTRALATERAL_PCT,
    Quantity.FI_OPERATED_DIFFERENCE_PCT,
}  # fmt: skip
"""Numbers of one side that the other enters as well."""


@dataclass(frozen=True, slots=True)
class ReviewEntry:
    """A verdict on measurements.

    Parameters
    ----------
    subject, timepoint
        Of which exam.
    rater, reading
        Of which reading; empty and None: of all.
    level, side, structure
        Of which muscle; empty: of all.
    verdict
        What was decided.
    comment, reviewer, date
        Why, by whom and when (ISO 8601).
    """

    subject: str
    timepoint: str
    verdict: Verdict
    rater: str = ""
    reading: int | None = None
    level: str = ""
    side: str = ""
    structure: str = ""
    comment: str = ""
    reviewer: str = ""
    date: str = ""

    @property
    def scope(self) -> tuple[object, ...]:
        """What it is about."""
        return (
            self.subject, self.timepoint, self.rater, self.reading, self.level, self.side,
            self.structure,
        )  # fmt: skip

    @property
    def exam(self) -> tuple[str, str]:
        """Subject and timepoint."""
        return self.subject, self.timepoint

    def covers(self, row: Measurement) -> bool:
        """Whether a number is of what the verdict is about, or an outline of that enters it.

        A number of both sides, or of several slices, such as asymmetry and volume, is of either
        side and of each level. References enter every number of fat of their reading.
        """
        by = row.key.reading
        if self.exam != (by.subject, by.timepoint):
            return False
        if self.rater not in {"", by.rater} or self.reading not in {None, by.reading}:
            return False
        if self.structure in _REFERENCES and row.key.structure != self.structure:
            return row.quantity not in _AREAS
        return self._is_of_structure(row) and self._is_of_side(row) and self._is_of_level(row)

    def _is_of_structure(self, row: Measurement) -> bool:
        others = _BY_STRUCTURE.get(self.structure, set())  # type: ignore[call-overload]
        return self.structure in {"", row.key.structure} or row.quantity in others

    def _is_of_side(self, row: Measurement) -> bool:
        return (
            self.side in {"", row.key.side}
            or row.key.side in {Side.BOTH, Side.NONE}
            or row.quantity in _OF_BOTH_SIDES
            or self.structure in _BY_STRUCTURE
        )

    def _is_of_level(self, row: Measurement) -> bool:
        level = row.provenance.level
        return (
            not self.level or not level or self.level == level or row.quantity == Quantity.VOLUME_ML
        )


@dataclass(frozen=True, slots=True)
class Review:
    """Verdicts of a study; of several on the same measurements the last one counts.

    Parameters
    ----------
    entries
        In the order of their dates; of one day, as they were written.
    """

    entries: tuple[ReviewEntry, ...] = ()
    _by_exam: Mapping[tuple[str, str], tuple[ReviewEntry, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(cls, entries: Iterable[ReviewEntry]) -> Review:
        """Put verdicts in order, and keep the last of each scope."""
        ordered = sorted(entries, key=lambda entry: entry.date)
        last = {entry.scope: entry for entry in ordered}
        kept = tuple(entry for entry in ordered if last[entry.scope] is entry)
        exams: dict[tuple[str, str], tuple[ReviewEntry, ...]] = {}
        for entry in kept:
            exams[entry.exam] = (*exams.get(entry.exam, ()), entry)
        return cls(kept, exams)

    def of_exam(self, exam: tuple[str, str]) -> tuple[ReviewEntry, ...]:
        """Return the verdicts on an exam (subject and timepoint)."""
        return self._by_exam.get(exam, ())

    def against(self, row: Measurement) -> ReviewEntry | None:
        """Return the verdict by which a number does not pass; None where it does."""
        by = row.key.reading
        found = [
            entry
            for entry in self.of_exam((by.subject, by.timepoint))
            if entry.verdict is not Verdict.PASS and entry.covers(row)
        ]
        return found[-1] if found else None
