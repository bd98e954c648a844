"""Which targets are compared, and of which examinations and people they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from multifidus.errors import StatisticsError
from multifidus.stats.exam_facts import GROUP_COLUMNS
from multifidus.stats.reliability.targets import Targets
from multifidus.stats.values import Value
from multifidus.study.level_value import Matching


@dataclass(frozen=True, slots=True)
class TargetRule:
    """Which targets are compared, and what their readings have to share.

    Parameters
    ----------
    match
        By slice or by level.
    timepoints
        Only these; all if empty.
    group
        ``COLUMN=VALUE``: only subjects of whom a column of the table says this. ``COLUMN``: each
        group of subjects apart. Empty: all together.
    mix_protocols
        Whether one quantity may have been measured by several protocols.

    Raises
    ------
    StatisticsError
        If slices cannot be matched in this way.
    """

    match: Matching | str = Matching.SLICE
    timepoints: tuple[str, ...] = ()
    group: str = ""
    mix_protocols: bool = False

    def __post_init__(self) -> None:
        if self.match not in tuple(Matching):
            msg = f"Slices cannot be compared by {str(self.match)!r}."
            raise StatisticsError(msg, remedy=f"Choose one of: {', '.join(Matching)}.")
        object.__setattr__(self, "match", Matching(self.match))

    @property
    def column(self) -> str:
        """Which column says the groups."""
        return self.group.partition("=")[0]

    @property
    def wanted(self) -> str:
        """Which group alone is asked for; empty for all."""
        return self.group.partition("=")[2]

    def of(self, values: Iterable[Value]) -> list[Value]:
        """Return the values that are asked for.

        Raises
        ------
        StatisticsError
            If the table has no such timepoint, column or group, or a subject is of several.
        """
        items = list(values)
        known = {item.timepoint for item in items}
        strange = [name for name in self.timepoints if name not in known]
        if strange:
            msg = f"The table has no timepoint {', '.join(map(repr, strange))}."
            raise StatisticsError(msg, remedy=f"It has: {', '.join(sorted(known))}.")
        groups = self._groups(items) if self.group else {}
        return [
            item
            for item in items
            if (not self.timepoints or item.timepoint in self.timepoints)
            and (not self.wanted or groups[item.subject] == self.wanted)
        ]

    def _groups(self, items: Sequence[Value]) -> dict[str, str]:
        if items and not any(self.column in item.extra for item in items):
            msg = f"The table has no column {self.column!r}."
            raise StatisticsError(msg, remedy="Name a column of the cohort table.")
        groups = groups_of(items, self.column)
        if self.wanted and self.wanted not in groups.values():
            msg = f"The table has no {self.column} {self.wanted!r}."
            names = ", ".join(sorted(set(groups.values()) - {""})) or "none"
            raise StatisticsError(msg, remedy=f"It has: {names}.")
        return groups

    def label(self, group: str) -> str:
        """Name a group of subjects: ``approach=open``; empty where groups are pooled."""
        return f"{self.column}={group}" if self.group else ""


def groups_of(values: Iterable[Value], column: str) -> dict[str, str]:
    """Return the group of each subject, by a column; empty where it says none.

    Raises
    ------
    StatisticsError
        If a subject is of several.
    """
    found = _said(values, column)
    for subject, names in found.items():
        if len(names) > 1:
            msg = f"{subject} stands in several groups of {column}: {', '.join(sorted(names))}."
            raise StatisticsError(msg, remedy="Correct the cohort table, and measure again.")
    return {subject: next(iter(names), "") for subject, names in found.items()}


def _said(values: Iterable[Value], column: str) -> dict[str, set[str]]:
    """Return all that a column says of each subject."""
    found: dict[str, set[str]] = {}
    for item in values:
        said = item.extra.get(column, "").strip()
        found.setdefault(item.subject, set()).update({said} - {""})
    return found


@dataclass(frozen=True, slots=True)
class TargetCounts:
    """Of which examinations and people the targets of a result are.

    Parameters
    ----------
    n_exams, n_subjects
        How many.
    timepoints
        Examinations at each.
    groups
        Column, group and its subjects, where the table says groups.
    """

    n_exams: int = 0
    n_subjects: int = 0
    timepoints: tuple[tuple[str, int], ...] = ()
    groups: tuple[tuple[str, str, int], ...] = ()

    @classmethod
    def of(cls, targets: Targets, members: Iterable[Value], column: str) -> TargetCounts:
        """Count those of complete targets."""
        exams = {name[:2] for name in targets.names}
        subjects = {subject for subject, _ in exams}
        timepoints = Counter(timepoint for _, timepoint in exams if timepoint)
        groups: list[tuple[str, str, int]] = []
        own = [item for item in members if item.subject in subjects]
        for name in dict.fromkeys(filter(None, (column, *GROUP_COLUMNS))):
            if any(item.extra.get(name, "").strip() for item in own):
                said = _said(own, name).values()
                counts = Counter(" and ".join(sorted(found)) for found in said)
                groups += [(name, group, n) for group, n in sorted(counts.items())]
        return cls(len(exams), len(subjects), tuple(sorted(timepoints.items())), tuple(groups))

    @property
    def by_column(self) -> Mapping[str, str]:
        """What each column says of how many: ``open 5, control 3 subjects``."""
        parts: dict[str, list[str]] = {}
        for column, group, n in self.groups:
            parts.setdefault(column, []).append(f"{group or 'not said'} {n}")
        return {column: f"{', '.join(found)} subjects" for column, found in parts.items()}

    @property
    def words(self) -> str:
        """Say it in a cell of a table: ``23 examinations of 12 subjects; pre 12, post 11``."""
        words = [
            f"{_counted(self.n_exams, 'examination')} of {_counted(self.n_subjects, 'subject')}"
        ]
        if self.timepoints:
            words.append(", ".join(f"{name} {n}" for name, n in self.timepoints))
        words += [f"{column}: {text}" for column, text in self.by_column.items()]
        return "; ".join(words)

    def warnings(self) -> Iterator[str]:
        """Say what was pooled that may differ by more than raters do."""
        counts = (
            f"{_counted(self.n_exams, 'examination')} of {_counted(self.n_subjects, 'subject')}"
        )
        if len(self.timepoints) > 1:
            parts = ", ".join(f"{name} {n}" for name, n in self.timepoints)
            yield (
                f"{counts} at several timepoints ({parts}) are pooled: what changed between them "
                "enlarges the ICC. One timepoint: --timepoint NAME; each apart: --by "
                "level,side,timepoint."
            )
        for column, text in self.by_column.items():
            if sum(name == column for name, _, _ in self.groups) > 1:
                yield (
                    f"{counts} of several groups of {column} ({text}) are pooled: differences "
                    f"between groups enlarge the ICC, which may be much lower within one. One "
                    f"group: --group {column}=NAME; each apart: --group {column}."
                )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
