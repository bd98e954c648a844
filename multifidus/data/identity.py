"""What a scanner says about whose an image is: facts held against each other, never one alone.

An identifier is a hint. De-identification writes one PatientID into everybody, or none, so people
are joined only where nothing that is known of them differs. Names and birth dates are compared by
their hashes: what they were is not kept.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path


class Fact(StrEnum):
    """A fact that tells people apart, in words."""

    PATIENT_ID = "PatientID"
    NAME = "name"
    SEX = "sex"
    BIRTH_DATE = "birth date"


_SEALED_DIGITS = 16
"""Hexadecimal digits that are kept of the hash of a fact."""

_NO_SEX = ("", "U", "N", "X", "?")
"""First letters of what stands for an unknown sex."""

_NOBODY = re.compile(
    r"anon(ym(ous|i[sz]ed?)?)?|de-?identified|unknown|none|null|n/?a|removed|deleted|patient|[0x]+",
    re.IGNORECASE,
)
"""What de-identification writes for a PatientID, and what is then everybody's."""

_NO_NAME = re.compile(
    rf"{_NOBODY.pattern}|subject|study|test|phantom|name|no|lumbar|spine|mri?|[a-z]|\d+",
    re.IGNORECASE,
)
"""Words that name nobody in particular, alone or together."""

_BIRTH_DIGITS = 8

_NEW_YEAR = "0101"
"""Month and day where de-identification keeps the year alone."""


@dataclass(frozen=True, slots=True, repr=False)
class Person:
    """What is known of the person in an image; empty where nothing is.

    Parameters
    ----------
    patient_id
        As the header has it.
    names
        Hashes of the spellings of the name that count as one.
    sex
        Its first letter.
    birth_date
        Hash of the date.
    shared
        Those of these facts that de-identification may have written into many people's images.
        They tell people apart where they differ, and join nobody.
    """

    patient_id: str = ""
    names: tuple[str, ...] = ()
    sex: str = ""
    birth_date: str = ""
    shared: frozenset[Fact] = frozenset()

    @property
    def has_id(self) -> bool:
        """Whether the PatientID may be one person's."""
        return bool(self.patient_id) and not _NOBODY.fullmatch(self.patient_id)

    @property
    def seal(self) -> str:
        """Return a hash of all that is known but the PatientID."""
        return _sealed(repr((self.names, self.sex, self.birth_date)))


@lru_cache(maxsize=256)
def person_of(patient_id: str, name: str, sex: str, birth_date: str) -> Person:
    """Keep what tells people apart of what a header says.

    >>> one = person_of("4711", "Doe^Jane", "F", "19700102")
    >>> conflicts(one, person_of("4711", "DOE JANE", "", "1970.01.02"))
    ()
    >>> conflicts(one, person_of("4711", "Roe^Jane", "M", ""))
    (<Fact.NAME: 'name'>, <Fact.SEX: 'sex'>)
    """
    letter = sex.strip().upper()[:1]
    digits = re.sub(r"\D", "", birth_date)
    facts = {
        Fact.PATIENT_ID: not _NOBODY.fullmatch(patient_id.strip()),
        Fact.NAME: _is_a_name(name) and _spellings(name) != _spellings(patient_id),
        Fact.BIRTH_DATE: not digits.endswith(_NEW_YEAR) and len(set(digits)) > 1,
    }
    return Person(
        patient_id.strip(),
        _spellings(name),
        "" if letter in _NO_SEX else letter,
        _sealed(digits) if len(digits) == _BIRTH_DIGITS and digits.strip("0") else "",
        frozenset(fact for fact, is_ones_own in facts.items() if not is_ones_own),
    )


@dataclass(frozen=True, slots=True)
class BidsEntities:
    """Whose a file is by its name, as BIDS writes it; empty where it says nothing.

    Parameters
    ----------
    subject, session
        Labels, without ``sub-`` and ``ses-``.
    dataset
        The dataset that the subject is one of; None where that is not known.
    """

    subject: str = ""
    session: str = ""
    dataset: Path | None = field(default=None, repr=False)

    def differs_from(self, other: BidsEntities) -> tuple[str, ...]:
        """Say in what two files are of two exams; what one of them leaves out is no difference.

        >>> BidsEntities("02", "pre").differs_from(BidsEntities("01"))
        ('subject (sub-02, sub-01)',)
        """
        found = []
        if self.subject and other.subject and self.subject != other.subject:
            found.append(f"subject (sub-{self.subject}, sub-{other.subject})")
        elif self.dataset and other.dataset and _are_apart(self.dataset, other.dataset):
            found.append(f"dataset of sub-{self.subject}")
        if self.session and other.session and self.session != other.session:
            found.append(f"session (ses-{self.session}, ses-{other.session})")
        return tuple(found)


def _are_apart(one: Path, other: Path) -> bool:
    """Whether neither of two folders holds the other."""
    return not one.is_relative_to(other) and not other.is_relative_to(one)


def _spellings(name: str) -> tuple[str, ...]:
    """Hash a name without case, accents and marks: as it is written, and its words sorted."""
    words = _words(name)
    return tuple(sorted({_sealed("".join(words)), _sealed("".join(sorted(words)))} - {""}))


def _words(name: str) -> list[str]:
    """Return the words of a name, without case, accents and marks."""
    # Of several scripts, the first that there is.
    written = next((part for part in name.split("=") if part.strip(" ^")), "")
    apart = unicodedata.normalize("NFKD", written.casefold())
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return re.findall(r"[^\W_]+", plain)


def _is_a_name(name: str) -> bool:
    """Whether a name may be one person's: some word of it is not what stands for nobody."""
    return not all(map(_NO_NAME.fullmatch, _words(name)))


def _sealed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_SEALED_DIGITS] if text else ""


def conflicts(one: Person, other: Person) -> tuple[Fact, ...]:
    """Name the facts that two images' people differ in; what one of them lacks is no difference."""
    return tuple(fact for fact, (ours, theirs) in _pairs(one, other).items() if not ours & theirs)


def agrees(one: Person, other: Person) -> bool:
    """Whether a name or a birth date of both is known and one person's, and nothing differs."""
    return not conflicts(one, other) and bool({Fact.NAME, Fact.BIRTH_DATE} & _own(one, other))


def are_one(one: Person, other: Person) -> bool:
    """Whether two facts of PatientID, name and birth date say so, and nothing differs.

    One alone is not enough: two people may have one name, or be born on one day.

    >>> one = person_of("4711", "Doe^Jane", "F", "19700102")
    >>> are_one(one, person_of("4711", "Doe^Jane", "", ""))
    True
    >>> are_one(one, person_of("4711", "", "", ""))
    False
    >>> are_one(*2 * [person_of("ANON", "Anonymous", "F", "19000101")])
    False
    """
    telling = {Fact.PATIENT_ID, Fact.NAME, Fact.BIRTH_DATE} & _own(one, other)
    return not conflicts(one, other) and len(telling) > 1


def _own(one: Person, other: Person) -> set[Fact]:
    """Return the facts that are known of both, and not shared by many."""
    return _pairs(one, other).keys() - one.shared - other.shared


def _pairs(one: Person, other: Person) -> dict[Fact, tuple[set[str], set[str]]]:
    """Return the facts that are known of both."""
    pairs = {
        Fact.PATIENT_ID: ({one.patient_id} - {""}, {other.patient_id} - {""}),
        Fact.NAME: (set(one.names), set(other.names)),
        Fact.SEX: ({one.sex} - {""}, {other.sex} - {""}),
        Fact.BIRTH_DATE: ({one.birth_date} - {""}, {other.birth_date} - {""}),
    }
    return {fact: known for fact, known in pairs.items() if all(known)}


def all_conflicts(people: Iterable[Person]) -> tuple[Fact, ...]:
    """Name the facts that any two of some people differ in."""
    known = list(dict.fromkeys(people))
    found = {
        fact for n, one in enumerate(known) for two in known[:n] for fact in conflicts(one, two)
    }
    return tuple(fact for fact in Fact if fact in found)


def merge_people(people: Iterable[Person]) -> Person:
    """Return all that is known of a person of whose images none conflict."""
    known = tuple(people)
    return Person(
        max(one.patient_id for one in known),
        tuple(sorted({name for one in known for name in one.names})),
        max(one.sex for one in known),
        max(one.birth_date for one in known),
        frozenset().union(*(one.shared for one in known)),
    )


@dataclass(frozen=True, slots=True)
class PersonGroups:
    """Which of some people are one.

    Attributes
    ----------
    groups
        Indices of those who are one, whatever the order that they were given in.
    unclear
        Numbers of the groups that might be one with several others that conflict: joining them
        with either would be a guess.
    """

    groups: tuple[tuple[int, ...], ...]
    unclear: tuple[int, ...] = ()


def group_people(people: Sequence[Person]) -> PersonGroups:
    """Join those whose facts agree with each other and with the same others.

    That two agree is not passed on: where A agrees with B, and B with C, but A conflicts with C,
    B may be either, and all three stay apart.
    """
    distinct = list(dict.fromkeys(people))
    agreeing = {
        one: frozenset(other for other in distinct if not conflicts(one, other)) for one in distinct
    }
    groups: dict[frozenset[Person], list[int]] = {}
    for index, one in enumerate(people):
        groups.setdefault(agreeing[one], []).append(index)
    unclear = tuple(number for number, fitting in enumerate(groups) if all_conflicts(fitting))
    return PersonGroups(tuple(map(tuple, groups.values())), unclear)
