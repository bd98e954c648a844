"""Sentences of a report, what they are about, and what they cite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from multifidus.reporting.text.facts import Range

NOT_RECORDED = "not found in the tables"


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of one topic.

    Parameters
    ----------
    topic
        In a word or two.
    text
        Sentences.
    cites
        Keys of references.
    """

    topic: str
    text: str
    cites: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        """Whether the tables hold anything about it."""
        return NOT_RECORDED not in self.text


def unknown(topic: str) -> Statement:
    """Say that the tables do not hold it."""
    return Statement(topic, f"{topic}: {NOT_RECORDED}.")


def listed(words: Iterable[str], last: str = "and") -> str:
    """Put words in a row: ``a, b and c``."""
    items = list(words)
    return f" {last} ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def counted(number: int, noun: str) -> str:
    """Count things: ``1 subject``, ``3 subjects``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def range_text(found: Range, unit: str, form: str = ".0f") -> str:
    """Print a median and a range, or one number where all are alike."""
    low, middle, high = (format(number, form) for number in (found.low, found.middle, found.high))
    unit = f" {unit}" if unit else ""
    return f"{middle}{unit}" if low == high else f"median {middle}{unit}, range {low} to {high}"


def by_topic(found: Sequence[Statement]) -> list[list[Statement]]:
    """Put statements of one topic that follow each other together."""
    return [list(members) for _, members in groupby(found, key=lambda item: item.topic)]


def as_paragraph(found: Sequence[Statement]) -> str:
    """Join statements to a paragraph of Markdown, citations as ``[@key]``."""
    return " ".join(
        item.text.removesuffix(".") + f" [{'; '.join(f'@{key}' for key in item.cites)}]."
        if item.cites
        else item.text
        for item in found
    )
