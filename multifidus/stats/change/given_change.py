"""A study's changes as ``multifidus change --json`` printed them: what was chosen, and checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multifidus.errors import StatisticsError
from multifidus.io.json_documents import number_or_nan
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.change.mdc import NOT_ASKED, Mdc
from multifidus.stats.change.pairs import MUSCLE, ExamPair, Span
from multifidus.stats.change.study import ChangeStudy

Key = tuple[str, ...]

_NAMES = (*MUSCLE, "from", "to")

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class GivenChange:
    """What was chosen when changes were printed, and what they were held against.

    Parameters
    ----------
    spans, choice
        Which timepoints were compared, and whose value entered.
    changes
        The printed rows, by subject, muscle, quantity and timepoints.
    """

    spans: tuple[Span, ...]
    choice: ReadingChoice
    changes: Mapping[Key, Mapping[str, Any]]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> GivenChange:
        """Read what was printed.

        Raises
        ------
        StatisticsError
            If the document is not such a one.
        """
        try:
            spans = tuple((str(before), str(after)) for before, after in document["timepoints"])
            rows = {tuple(str(row[name]) for name in _NAMES): row for row in document["changes"]}
            for row in rows.values():
                number_or_nan(row["delta"]), number_or_nan(row["mdc95"]), str(row["basis"])
            return cls(spans, ReadingChoice(str(document["value"])), rows)
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, StatisticsError):
                raise
            msg = f"These are no changes of a study: {type(error).__name__} {error}."
            raise StatisticsError(msg, remedy=_REMEDY) from error

    @property
    def quantities(self) -> frozenset[str]:
        """Which quantities there are."""
        return frozenset(key[_NAMES.index("quantity")] for key in self.changes)

    def mdc_of(self, pair: ExamPair) -> Mdc:
        """Return what a pair was held against."""
        row = self.changes.get(_key(pair))
        if row is None:
            return Mdc(math.nan, NOT_ASKED)
        return Mdc(number_or_nan(row["mdc95"]), str(row["basis"]))

    def check(self, study: ChangeStudy) -> None:
        """Refuse changes that are not those of this study's table.

        Raises
        ------
        StatisticsError
            If a pair is not among them, or changed by another number.
        """
        for item in study.changes:
            row = self.changes.get(_key(item.pair))
            words = " ".join(filter(None, _key(item.pair)))
            if row is None:
                msg = f"The changes given do not hold {words}."
                raise StatisticsError(msg, remedy=_REMEDY)
            said, found = number_or_nan(row["delta"]), item.pair.delta
            alike = math.isclose(said, found, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
            if not (alike or (math.isnan(said) and math.isnan(found))):
                msg = f"{words} changed by {found:g} in the table and by {said:g} in those given."
                raise StatisticsError(msg, remedy=_REMEDY)


_REMEDY = "Give what 'multifidus change --json' prints of this study's own table."


def _key(pair: ExamPair) -> Key:
    return (*(str(getattr(pair, name)) for name in MUSCLE), *pair.timepoints)
