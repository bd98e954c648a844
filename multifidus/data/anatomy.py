"""The closed vocabularies: sides, structures, levels and slice positions.

Every value is the string that stands in files and tables. ``Side`` is always the patient's side,
whatever the screen shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar, cast

from multifidus.errors import MultifidusError

Word = TypeVar("Word", bound=StrEnum)


def choice(
    name: str, word: Any, choices: type[Word], error: type[MultifidusError], *, hint: str = ""
) -> Word:
    """Return a word of a closed vocabulary, given as itself or as its string.

    Parameters
    ----------
    name
        What the word says, such as ``level``.
    word, choices
        What was given, and the vocabulary.
    error
        What is raised for any other word.
    hint
        What else to do about a word that is none of them.

    Raises
    ------
    MultifidusError
        ``error``, which lists the choices.
    """
    try:
        return choices(word)
    except ValueError:
        msg = f"{name} is {word!r}, which is none of its choices."
        remedy = f"Choose one of: {', '.join(choices)}. {hint}".rstrip()
        raise error(msg, remedy=remedy) from None


def word_or_text(text: str, choices: type[Word]) -> Word:
    """Return a word of a closed vocabulary, or the text itself where it is not one.

    Only for tables made by other software, which may use words of its own.
    """
    try:
        return choices(text)
    except ValueError:
        return cast("Word", text)


def choose(
    item: object, vocabularies: Mapping[str, type[StrEnum]], error: type[MultifidusError]
) -> None:
    """Turn the named fields of a frozen dataclass into words of their vocabularies, at its birth.

    Raises
    ------
    MultifidusError
        ``error``, as of :func:`choice`.
    """
    for name, choices in vocabularies.items():
        object.__setattr__(item, name, choice(name, getattr(item, name), choices, error))


class Side(StrEnum):
    """The patient's side; ``BOTH`` for a quantity of the pair, ``NONE`` for a midline structure."""

    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"
    NONE = "none"


class Structure(StrEnum):
    """What an outline encloses.

    ``AUTOCHTHONOUS`` is the deep back muscles as one, as some automatic segmenters draw them; it is
    never taken for the multifidus.
    """

    MULTIFIDUS = "multifidus"
    ERECTOR_SPINAE = "erector_spinae"
    PSOAS = "psoas"
    QUADRATUS_LUMBORUM = "quadratus_lumborum"
    AUTOCHTHONOUS = "autochthonous"
    VERTEBRAL_BODY = "vertebral_body"
    DISC = "disc"
    LEAN_REFERENCE = "lean_reference"
    FAT_REFERENCE = "fat_reference"
    SUBCUTANEOUS_FAT = "subcutaneous_fat"
    CSF = "csf"
    ARTEFACT = "artefact"

    @property
    def is_muscle(self) -> bool:
        """Whether fat infiltration is measured in it."""
        return self in MUSCLES


MUSCLES = frozenset(
    {
        Structure.MULTIFIDUS,
        Structure.ERECTOR_SPINAE,
        Structure.PSOAS,
        Structure.QUADRATUS_LUMBORUM,
        Structure.AUTOCHTHONOUS,
    }
)
"""Structures in which fat infiltration is measured."""


class Level(StrEnum):
    """A disc (``L4-L5``) or a vertebral body (``L4``), declared from cranial to caudal.

    ``L6``, ``L5-L6`` and ``L6-S1`` exist for transitional anatomy.
    """

    T12 = "T12"
    T12_L1 = "T12-L1"
    L1 = "L1"
    L1_L2 = "L1-L2"
    L2 = "L2"
    L2_L3 = "L2-L3"
    L3 = "L3"
    L3_L4 = "L3-L4"
    L4 = "L4"
    L4_L5 = "L4-L5"
    L5 = "L5"
    L5_L6 = "L5-L6"
    L6 = "L6"
    L6_S1 = "L6-S1"
    L5_S1 = "L5-S1"
    S1 = "S1"

    @property
    def rank(self) -> int:
        """Place along the spine, counted from cranial to caudal."""
        return _RANKS[self]

    @property
    def is_disc(self) -> bool:
        """Whether it is a disc, not a vertebra."""
        return "-" in self


_RANKS = {level: rank for rank, level in enumerate(Level)}


class SlicePosition(StrEnum):
    """Where in its level a slice lies."""

    MID_DISC = "mid_disc"
    SUPERIOR_ENDPLATE = "superior_endplate"
    INFERIOR_ENDPLATE = "inferior_endplate"
    MID_BODY = "mid_body"
    PEDICLE = "pedicle"
    UNKNOWN = "unknown"


class RoiRule(StrEnum):
    """By which rule the muscle was outlined.

    ``FASCIAL`` runs along the inside of the fascial plane and includes epimuscular fat;
    ``MUSCLE_BORDER`` follows the visible muscle. Multifidus area differs by 4 % between them
    (Berry et al. 2018, doi:10.1186/s12891-018-2059-x).
    """

    FASCIAL = "fascial"
    MUSCLE_BORDER = "muscle_border"
    UNKNOWN = "unknown"
