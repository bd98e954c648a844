"""What somebody decided who looked through the results: which measurements pass.

Verdicts are on outlines. A number passes where every outline that enters it does, and of the
verdicts on one outline the latest counts, however wide or narrow they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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

UNKNOWN_LEVEL = "unknown"
"""Level of a verdict on outlines whose level is not known, since an empty one stands for all."""

_PAIR = (Side.LEFT, Side.RIGHT)

_ANY_SIDE = (*_PAIR, Side.NONE)


@dataclass(frozen=True, slots=True)
class ReviewedOutline:
    """An outline that enters a number.

    Parameters
    ----------
    level, side, structure
        What it is of; an empty level is one that is not known.
    is_own
        Whether the number is of it; not one that it is related to, such as a reference.
    """

    level: str
    side: str
    structure: str
    is_own: bool = True


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
        Of which muscle; empty: of all. The side both is left and right; the level
        :data:`UNKNOWN_LEVEL` is that of outlines whose level is not known.
    verdict
        What was decided.
    comment, reviewer, date
        Why, by whom and when (ISO 8601).
    line
        Where it stands in its file; None where it is of none.
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
    line: int | None = field(default=None, compare=False)

    @property
    def exam(self) -> tuple[str, str]:
        """Subject and timepoint."""
        return self.subject, self.timepoint

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides that it is about; none where it is about all."""
        if self.side == Side.BOTH:
            return _PAIR
        return (self.side,) if self.side else ()

    def is_of_reading(self, row: Measurement) -> bool:
        """Whether it is about the exam and the reading of a number."""
        by = row.key.reading
        return (
            self.exam == (by.subject, by.timepoint)
            and self.rater in {"", by.rater}
            and self.reading in {None, by.reading}
        )

    def is_at(self, level: str | None) -> bool:
        """Whether it is about outlines of a level; an empty one is not known."""
        return self.level in {"", level or UNKNOWN_LEVEL}

    def is_on(self, outline: ReviewedOutline) -> bool:
        """Whether it is about an outline of its readings."""
        return (
            self.is_at(outline.level)
            and self.structure in {"", outline.structure}
            and (not self.side or outline.side in self.sides)
        )


def outlines_of(
    row: Measurement, levels: Sequence[str], entries: Sequence[ReviewEntry]
) -> Iterator[ReviewedOutline]:
    """Yield the outlines that enter a number; of other structures, those that verdicts name.

    Parameters
    ----------
    row
        The number.
    levels
        Those of its slices.
    entries
        The verdicts on its exam.
    """
    both = row.key.side == Side.BOTH or row.quantity in _OF_BOTH_SIDES
    for level in levels:
        for side in _PAIR if both else (row.key.side,):
            yield ReviewedOutline(level, side, row.key.structure)
    named = {entry.structure for entry in entries} - {"", row.key.structure}
    for structure in sorted(named):
        where: Iterable[str] = ()
        if row.quantity in _BY_STRUCTURE.get(structure, ()):  # type: ignore[call-overload]
            where = levels
        elif structure in _REFERENCES and row.quantity not in _AREAS:
            # One reference is for all levels of its reading, wherever it lies.
            where = {entry.level for entry in entries} - {UNKNOWN_LEVEL} | {""}
        for level in where:
            for side in _ANY_SIDE:
                yield ReviewedOutline(level, side, structure, is_own=False)


@dataclass(frozen=True, slots=True)
class Review:
    """Verdicts of a study; of several on one outline the last one counts.

    Parameters
    ----------
    entries
        In the order of their dates, those without one first; of one date, as they were written.
    """

    entries: tuple[ReviewEntry, ...] = ()
    _by_exam: Mapping[tuple[str, str], tuple[ReviewEntry, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def of(cls, entries: Iterable[ReviewEntry]) -> Review:
        """Put verdicts in the order of their dates."""
        ordered = tuple(sorted(entries, key=lambda entry: entry.date))
        exams: dict[tuple[str, str], list[ReviewEntry]] = {}
        for entry in ordered:
            exams.setdefault(entry.exam, []).append(entry)
        return cls(ordered, {exam: tuple(found) for exam, found in exams.items()})

    def of_exam(self, exam: tuple[str, str]) -> tuple[ReviewEntry, ...]:
        """Return the verdicts on an exam (subject and timepoint)."""
        return self._by_exam.get(exam, ())

    def against(self, row: Measurement, levels: Sequence[str]) -> ReviewEntry | None:
        """Return the verdict by which a number does not pass; None where it does.

        Parameters
        ----------
        row
            The number.
        levels
            Those of its slices; an empty one where it is not known.
        """
        entries = self._of_reading(row)
        found = [
            last
            for outline in (outlines_of(row, levels, entries) if entries else ())
            if (last := _last_on(outline, entries)) and last.verdict is not Verdict.PASS
        ]
        return max(found, key=entries.index) if found else None

    def about(self, row: Measurement, levels: Sequence[str]) -> Iterator[ReviewEntry]:
        """Yield the verdicts on an outline that enters a number, whether they count or not."""
        entries = self._of_reading(row)
        outlines = [*outlines_of(row, levels, entries)] if entries else []
        for entry in entries:
            if any(_reaches(entry, outline) for outline in outlines):
                yield entry

    def _of_reading(self, row: Measurement) -> tuple[ReviewEntry, ...]:
        by = row.key.reading
        exam = self.of_exam((by.subject, by.timepoint))
        return tuple(entry for entry in exam if entry.is_of_reading(row))


def _reaches(entry: ReviewEntry, outline: ReviewedOutline) -> bool:
    """Whether a verdict is on an outline, and if that is another structure's, names it."""
    return entry.is_on(outline) and (outline.is_own or bool(entry.structure))


def _last_on(outline: ReviewedOutline, entries: Sequence[ReviewEntry]) -> ReviewEntry | None:
    """Return the verdict that counts for an outline.

    One that is against all structures of another level is not one against its references.
    """
    for entry in reversed(entries):
        takes_back = entry.verdict is Verdict.PASS and entry.is_on(outline)
        if takes_back or _reaches(entry, outline):
            return entry
    return None
