"""Numbers that were made in different ways: by several protocols, or versions of the software."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from multifidus.data.cells import is_missing
from multifidus.data.measurement import Measurement
from multifidus.errors import StatisticsError
from multifidus.stats.values import Value

MOST_EXAMS = 5
"""So many exams are named where several protocols are."""

Origin = tuple[str, str, str]
"""A quantity with its method, an exam, and a protocol's digest or a version; empty if unknown."""


def refuse_mixed(origins: Iterable[Origin]) -> None:
    """Refuse one quantity by several protocols.

    Which settings a quantity does not depend on is not asked: another digest is another protocol.

    Raises
    ------
    StatisticsError
        Naming the digests, and of which exams they are.
    """
    found: dict[str, dict[str, Counter[str]]] = {}
    for quantity, exam, digest in origins:
        if digest:
            found.setdefault(quantity, {}).setdefault(digest, Counter())[exam] += 1
    for quantity, digests in found.items():
        if len(digests) > 1:
            msg = f"{quantity} was measured by several protocols: {_by_exam(digests)}."
            remedy = (
                "Measure all exams again by one protocol, or say that they may be mixed: "
                "--mix-protocols of reliability and change."
            )
            raise StatisticsError(msg, remedy=remedy)


def mixtures(values: Iterable[Value]) -> tuple[str, ...]:
    """Report values of other protocols or versions than the rest, or that name none."""
    items = tuple(values)
    remarks = []
    for name in ("protocol", "version"):
        found: dict[str, Counter[str]] = {}
        for _, exam, word in (origin_of(item, name) for item in items):
            found.setdefault(word, Counter())[exam] += 1
        silent = found.pop("", None)
        if len(found) > 1:
            remarks.append(f"Numbers are of several {name}s: {_by_exam(found)}.")
        if found and silent:
            remarks.append(f"Of {_counted(silent)} no {name} is named: {_named(silent)}.")
    return tuple(remarks)


def _by_exam(found: Mapping[str, Mapping[str, int]]) -> str:
    return "; ".join(
        f"{word} ({_counted(rows)}: {_named(rows)})" for word, rows in sorted(found.items())
    )


def _counted(rows: Mapping[str, int]) -> str:
    count = sum(rows.values())
    return "1 value" if count == 1 else f"{count} values"


def _named(rows: Iterable[str]) -> str:
    names = sorted(rows)
    more = len(names) - MOST_EXAMS
    return ", ".join(names[:MOST_EXAMS]) + (f" and {more} more exams" if more > 0 else "")


def check_protocols(values: Iterable[Value]) -> None:
    """Refuse values of one quantity that were measured by several protocols.

    Raises
    ------
    StatisticsError
        Naming the protocols, and which exams are of which.
    """
    refuse_mixed(origin_of(item, "protocol") for item in values)


def protocols_of(values: Iterable[Value]) -> tuple[str, ...]:
    """Return the digests of the protocols by which values were measured, where known."""
    return tuple(sorted({origin_of(item, "protocol")[2] for item in values} - {""}))


def origin_of(item: Value, name: str) -> Origin:
    """Return by which protocol or version a value was measured, and of which exam it is."""
    word = item.extra.get(name, "")
    return (
        _joined(item.quantity, item.method, by=" by "),
        _joined(item.subject, item.timepoint, item.rater),
        "" if is_missing(word) else word.strip(),
    )


def protocol_of(row: Measurement) -> Origin:
    """Return by which protocol a row was measured, and of which exam it is."""
    by = row.key.reading
    return (
        _joined(row.quantity, row.method, by=" by "),
        _joined(by.subject, by.timepoint, by.rater),
        row.provenance.protocol,
    )


def _joined(*words: str, by: str = " ") -> str:
    return by.join(filter(None, words))
