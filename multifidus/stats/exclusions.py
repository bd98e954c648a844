"""What does not enter a comparison, why, and which name may have been meant."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from multifidus.data.cells import nearly
from multifidus.stats.values import Value

MOST_HINTS = 10
"""So many pairs of nearly equal names are said in sentences; the table has all."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """One value that has nothing to be compared with.

    Parameters
    ----------
    compare
        What is compared: ``rater``, ``reading`` or ``timepoint``.
    quantity, method, structure, subject, timepoint, level, side
        What it is of; of a change, the timepoint that has a value.
    has, lacks
        Raters, readings or timepoints with and without a value, joined by commas.
    reason
        Why.
    nearest
        A subject of nearly the same name that has what this one lacks; empty where there is none.
    """

    compare: str
    quantity: str
    method: str
    structure: str
    subject: str
    timepoint: str
    level: str
    side: str
    has: str
    lacks: str
    reason: str
    nearest: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it as plain values."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Exclusion:
        """Read what :meth:`as_dict` returned."""
        return cls(**{item.name: str(found[item.name]) for item in fields(cls)})


def rating_exclusions(
    members: Sequence[Value],
    compare: str,
    column: Callable[[Value], str],
    names: Sequence[str] = (),
) -> Iterator[Exclusion]:
    """List the targets that lack a value of a rater or reading.

    Parameters
    ----------
    members
        Values of one result.
    compare
        ``rater`` or ``reading``.
    column
        Whose a value is.
    names
        Whose values are compared; all that there are if empty.
    """
    wanted = tuple(names) or tuple(sorted({column(item) for item in members}))
    targets: dict[tuple[str, ...], dict[str, Value]] = {}
    subjects: dict[tuple[str, str], set[str]] = {}
    for item in members:
        key = (item.subject, item.timepoint, item.level, item.side)
        targets.setdefault(key, {})[column(item)] = item
        subjects.setdefault((column(item), nearly(item.timepoint)), set()).add(item.subject)
    for (subject, timepoint, level, side), row in sorted(targets.items()):
        lacks = [name for name in wanted if name not in row or not math.isfinite(row[name].value)]
        if not lacks:
            continue
        one = next(iter(row.values()))
        near = (_nearest(subject, subjects.get((n, nearly(timepoint)), ())) for n in lacks)
        yield Exclusion(
            compare, one.quantity, one.method, one.structure, subject, timepoint,
            level=level,
            side=side,
            has=", ".join(name for name in wanted if name not in lacks),
            lacks=", ".join(lacks),
            reason="; ".join(_why(row.get(name), compare, name) for name in lacks),
            nearest=next(filter(None, near), ""),
        )  # fmt: skip


def _why(item: Value | None, compare: str, name: str) -> str:
    if item is None:
        return f"no value of {compare} {name}"
    flags = ", ".join(sorted(item.flags))
    return f"undefined by {compare} {name}" + (f" ({flags})" if flags else "")


def pair_exclusions(pairs: Iterable[Any]) -> tuple[Exclusion, ...]:
    """List the pairs of two exams that have no change.

    Parameters
    ----------
    pairs
        As :func:`multifidus.stats.change.pairs.make_pairs` makes them.
    """
    items = list(pairs)
    subjects: dict[str, set[str]] = {}
    for pair in items:
        for exam in (pair.before, pair.after):
            if exam.readings:
                subjects.setdefault(exam.timepoint, set()).add(pair.subject)
    found = []
    for pair in items:
        if not pair.problem:
            continue
        exams = (pair.before, pair.after)
        lacks = [exam.timepoint for exam in exams if not math.isfinite(exam.value)]
        has = [exam.timepoint for exam in exams if exam.timepoint not in lacks]
        near = (_nearest(pair.subject, subjects.get(name, ())) for name in lacks)
        found.append(
            Exclusion(
                "timepoint", pair.quantity, pair.method, pair.structure, pair.subject,
                timepoint=", ".join(has),
                level=pair.level,
                side=pair.side,
                has=", ".join(has),
                lacks=", ".join(lacks),
                reason=pair.problem,
                nearest=next(filter(None, near), ""),
            )
        )  # fmt: skip
    return tuple(found)


def _nearest(subject: str, others: Iterable[str]) -> str:
    """Return a subject of nearly this name; empty where this very one is there as well."""
    if subject in others:
        return ""
    return next((name for name in sorted(others) if nearly(name) == nearly(subject)), "")


def name_hints(found: Iterable[Exclusion]) -> tuple[str, ...]:
    """Say which subjects may be one person under two names, each two of them once."""
    said: dict[frozenset[str], Exclusion] = {}
    for item in found:
        if item.nearest:
            both = frozenset((item.subject, item.nearest))
            # The shorter name is the one that lost something, such as its zeros.
            if both not in said or (len(item.subject), item.subject) < (
                len(said[both].subject), said[both].subject
            ):  # fmt: skip
                said[both] = item
    sentences = [
        f"Subject {item.subject!r} of {item.compare} {item.has} has no partner; did you mean "
        f"{item.nearest!r}?"
        for item in said.values()
    ]
    more = len(sentences) - MOST_HINTS
    if more > 0:
        sentences[MOST_HINTS:] = [f"{more} more subjects have a partner of nearly the same name."]
    return tuple(sentences)
