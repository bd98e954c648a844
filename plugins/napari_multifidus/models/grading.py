"""Visual grades: the schemes that are known by name, and what may be entered."""

from __future__ import annotations

from dataclasses import dataclass

from multifidus.errors import RoiError

MOST = 9
"""The largest grade that one key can enter."""


@dataclass(frozen=True, slots=True)
class Scheme:
    """A scheme of grades that begins at 0.

    Attributes
    ----------
    words
        What each grade means, the first one 0.
    source
        Who published it.
    """

    name: str
    words: tuple[str, ...]
    source: str

    @property
    def title(self) -> str:
        """Its name and its range."""
        return f"{self.name.capitalize()} (0\N{EN DASH}{len(self.words) - 1})"


GOUTALLIER = Scheme(
    "goutallier",
    (
        "normal muscle",
        "some streaks of fat",
        "less fat than muscle",
        "as much fat as muscle",
        "more fat than muscle",
    ),
    "Goutallier et al. 1994",
)
KJAER = Scheme(
    "kjaer",
    ("normal: fat up to 10 %", "slight: fat 10 to 50 %", "severe: fat above 50 %"),
    "Kjaer et al. 2007, doi:10.1186/1741-7015-5-2",
)
SCHEMES = {scheme.name: scheme for scheme in (GOUTALLIER, KJAER)}


def most_of(scheme: str) -> int:
    """Return the largest grade of a scheme; of one that is not known, what a key can enter."""
    known = SCHEMES.get(scheme)
    return MOST if known is None else len(known.words) - 1


def words_of(scheme: str, value: int) -> str:
    """Say what a grade means; nothing where the scheme is not known."""
    known = SCHEMES.get(scheme)
    return known.words[value] if known is not None and 0 <= value < len(known.words) else ""


def check_grade(scheme: str, value: int | None) -> None:
    """Refuse a grade that a scheme does not have.

    Raises
    ------
    RoiError
        If the scheme has no name, or no such grade.
    """
    if not scheme.strip():
        msg = "A grade needs the name of its scheme."
        raise RoiError(msg, remedy="Choose Goutallier, or type the scheme's name.")
    if value is not None and not 0 <= value <= most_of(scheme):
        msg = f"{scheme} has no grade {value}."
        raise RoiError(msg, remedy=f"Its grades are 0 to {most_of(scheme)}.")
