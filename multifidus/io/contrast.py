"""The contrast of an image, derived from the words and times of its header.

The words stand in a table, ``contrasts.toml``, that users can add to.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from multifidus.data.acquisition import Acquisition
from multifidus.data.image import Weighting
from multifidus.errors import ReadError
from multifidus.io.files import reading

_KEYS = ("weighting", "tokens", "descriptions", "vendor")

_LONGEST_DESCRIPTION = 64
"""Characters of a description that are searched: DICOM allows no more."""

_INVERSION_MS = (80.0, 300.0)
"""Inversion times that null fat."""

_SPIN_ECHO = (
    (Weighting.T2, (60.0, math.inf), (0.0, math.inf)),
    (Weighting.T1, (0.0, 30.0), (0.0, 1200.0)),
    (Weighting.PD, (0.0, 50.0), (1500.0, math.inf)),
)
"""Ranges of echo and repetition time, in ms, that make a contrast."""

_STRONGEST = (
    Weighting.LOCALIZER,
    Weighting.PDFF,
    Weighting.FAT_FRACTION,
    Weighting.NO_SIGNAL,
)
"""What holds whatever else is claimed: a localizer of any contrast is one; a declared map of proton
density is one of fat fractions; a fraction may be called the real part of something; and the phase
of a water image is no water."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """Words that stand for one contrast."""

    weighting: Weighting
    tokens: frozenset[str]
    descriptions: tuple[re.Pattern[str], ...]
    vendor: str

    def holds_for(self, vendor: str) -> bool:
        return self.vendor.casefold() in vendor.casefold()


@dataclass(frozen=True, slots=True)
class Contrasts:
    """Tables of words, the first to be asked first.

    What was asked once is remembered: a scan has thousands of images and few kinds of them.
    """

    tables: tuple[tuple[_Rule, ...], ...]
    _known: dict[tuple[object, ...], Weighting | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def of_words(self, words: tuple[str, ...], vendor: str = "") -> Weighting | None:
        """Tell the contrast from words of a header; None where they say nothing.

        Where they claim several contrasts, it is unknown.
        """
        key = ("words", words, vendor)
        if key not in self._known:
            capitals = {word.strip().upper() for word in words}
            self._known[key] = self._first(vendor, lambda rule: bool(capitals & rule.tokens))
        return self._known[key]

    def of_description(self, text: str, vendor: str = "") -> Weighting | None:
        """Tell the contrast from a description of the series; None where it says nothing."""
        key = ("description", text, vendor)
        if key not in self._known:
            start = text.strip()[:_LONGEST_DESCRIPTION]
            self._known[key] = self._first(
                vendor, lambda rule: any(find.search(start) for find in rule.descriptions)
            )
        return self._known[key]

    def weighting(
        self,
        words: tuple[str, ...],
        acquisition: Acquisition,
        inversion_ms: float = math.nan,
        describe: Callable[[], str] = str,
    ) -> Weighting:
        """Tell the contrast from words, else the description, else echo and repetition time.

        Parameters
        ----------
        words
            Of the image type, the frame type and the complex component.
        acquisition, inversion_ms
            What made the image; inversion time in ms, NaN where unknown.
        describe
            Returns the description of the series; called only where the words say nothing. It is
            neither kept nor shown.
        """
        named = self.of_words(words, acquisition.manufacturer)
        if named is None:
            named = self.of_description(describe(), acquisition.manufacturer)
        return by_times(acquisition, inversion_ms) if named is None else named

    def _first(self, vendor: str, fits: Callable[[_Rule], bool]) -> Weighting | None:
        for table in self.tables:
            found = {rule.weighting for rule in table if rule.holds_for(vendor) and fits(rule)}
            if found:
                return agreed(found)
        return None


def agreed(claims: Iterable[Weighting]) -> Weighting:
    """Return the contrast that claims agree upon, unknown where they do not."""
    found = set(claims)
    if len(found) == 1:
        return found.pop()
    return next((strong for strong in _STRONGEST if strong in found), Weighting.UNKNOWN)


def by_times(acquisition: Acquisition, inversion_ms: float = math.nan) -> Weighting:
    """Tell the contrast from inversion, echo and repetition time, unknown where they do not."""
    if _INVERSION_MS[0] <= inversion_ms <= _INVERSION_MS[1]:
        return Weighting.STIR
    echo, repetition = acquisition.echo_time_ms, acquisition.repetition_time_ms
    for weighting, echoes, repetitions in _SPIN_ECHO:
        if echoes[0] <= echo <= echoes[1] and repetitions[0] <= repetition <= repetitions[1]:
            return weighting
    return Weighting.UNKNOWN


@cache
def shipped_contrasts() -> Contrasts:
    """Return the table that comes with the software."""
    text = files("multifidus.io").joinpath("contrasts.toml").read_text(encoding="utf-8")
    return Contrasts((_rules(tomllib.loads(text)),))


def load_contrasts(path: Path | None) -> Contrasts:
    """Return the shipped table, with a user's own in front of it where one is given.

    Raises
    ------
    ReadError
        If the file cannot be opened, is not TOML, or an entry is not understood; names the line
        or the entry.
    """
    shipped = shipped_contrasts()
    if path is None:
        return shipped
    with reading(path, "a table of contrasts"):
        data = path.read_bytes()
    try:
        own = _rules(tomllib.loads(data.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError) as error:
        msg = f"{path} is not a table of contrasts: {error}."
        raise ReadError(
            msg, remedy="Each [[contrast]] has a weighting, and tokens or descriptions."
        ) from error
    return Contrasts((own, *shipped.tables))


def _rules(data: Mapping[str, Any]) -> tuple[_Rule, ...]:
    entries = data.get("contrast")
    others = sorted(set(data) - {"contrast"})
    if others or not isinstance(entries, list) or not entries:
        found = f"it has {', '.join(others)}" if others else "it has none"
        msg = f"it is to hold [[contrast]] entries and nothing else; {found}"
        raise ValueError(msg)
    return tuple(_rule(entry, f"contrast {n}") for n, entry in enumerate(entries, 1))


def _rule(entry: Any, place: str) -> _Rule:
    if not isinstance(entry, dict):
        msg = f"{place} is no table"
        raise ValueError(msg)  # noqa: TRY004 - reported as every other fault of the file
    unknown = sorted(set(entry) - set(_KEYS))
    if unknown:
        msg = f"{place} has {', '.join(unknown)}; known are {', '.join(_KEYS)}"
        raise ValueError(msg)
    if entry.get("weighting") not in list(Weighting):
        msg = f"{place}: weighting is {entry.get('weighting')!r}, not one of {', '.join(Weighting)}"
        raise ValueError(msg)
    tokens, descriptions = (_texts(entry, name, place) for name in ("tokens", "descriptions"))
    if not tokens and not descriptions:
        msg = f"{place} has neither tokens nor descriptions"
        raise ValueError(msg)
    vendor = entry.get("vendor", "")
    if not isinstance(vendor, str):
        msg = f"{place}: vendor is no text"
        raise ValueError(msg)  # noqa: TRY004 - reported as every other fault of the file
    return _Rule(
        Weighting(entry["weighting"]),
        frozenset(token.strip().upper() for token in tokens),
        tuple(_pattern(text, place) for text in descriptions),
        vendor,
    )


def _texts(entry: Mapping[str, Any], name: str, place: str) -> list[str]:
    found = entry.get(name, [])
    if not isinstance(found, list) or not all(isinstance(t, str) and t.strip() for t in found):
        msg = f"{place}: {name} is no list of texts"
        raise ValueError(msg)
    return found


def _pattern(text: str, place: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        msg = f"{place}: descriptions has {text!r}, which is no regular expression: {error}"
        raise ValueError(msg) from error
