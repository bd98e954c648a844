"""Subject keys: the same person gets the same neutral name in every run that has the key.

A key is a keyed hash of what the scanner knows the subject by. Without the secret in the key file
it can be neither undone nor guessed by trying identifiers, so the file stays where the scans are.
It also keeps keyed hashes of what was known of each subject (name, sex, birth date), so that a
later run does not give the name of one person to another who has the same PatientID.

People who were taken for several are joined by a table written by hand: the columns ``subject``
and ``same_as``, both names of a cohort.csv, one row a subject whose exams are those of another.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from multifidus.data.identity import Person, agrees, conflicts, merge_people
from multifidus.errors import CohortError, ReadError
from multifidus.io.json_documents import DocumentKind, Node, read_document, write_document
from multifidus.io.table_reader import ExpectedTable, read_table

KIND = DocumentKind(
    "a file of subject keys",
    "multifidus-subject-keys",
    remedy="Take it from a backup: a new file of keys names the same people otherwise.",
)
DIGITS = 8
"""Hexadecimal digits of a subject key: two of 10,000 subjects agree in about 1 % of cohorts."""

_SECRET_BYTES = 32

_FACT_DIGITS = 16
"""Hexadecimal digits that are kept of the keyed hash of a fact."""


@dataclass(frozen=True, slots=True)
class SubjectKeys:
    """Gives subjects their neutral names.

    Parameters
    ----------
    secret
        32 random bytes.
    known
        Names that were given, to what was known of their subjects, hashed by the secret.
    same
        Names to the names that stand in their place, because somebody said who is one.
    """

    secret: bytes
    known: Mapping[str, Person] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)

    def name(self, identity: str) -> str:
        """Return the neutral name of a subject."""
        return f"S{self._hash(identity.strip())[:DIGITS]}"

    def name_of(self, identity: str, person: Person) -> str:
        """Return the neutral name of a subject; another where it is another person's.

        Parameters
        ----------
        identity
            What the scanner knows the subject by, to which the seal of its facts is added where
            others beside it have the same.
        person
            What else is known of it.
        """
        base = identity.strip().removesuffix(f"|{person.seal}")
        plain, apart = self.name(base), self.name(f"{base}|{person.seal}")
        if apart in self.known:
            return apart
        is_parted = base != identity.strip()
        if plain not in self.known:
            return apart if is_parted else plain
        before, now = self.known[plain], self._sealed(person)
        is_other = bool(conflicts(before, now)) or (is_parted and not agrees(before, now))
        return apart if is_other else plain

    def with_known(self, people: Iterable[tuple[str, Person]]) -> SubjectKeys:
        """Return keys that also keep what is known of subjects, given with their names."""
        known = dict(self.known)
        for name, person in people:
            found = self._sealed(person)
            known[name] = merge_people([known[name], found]) if name in known else found
        return replace(self, known=known)

    def _hash(self, text: str) -> str:
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()

    def _sealed(self, person: Person) -> Person:
        """Return what is known, but the PatientID; without the secret it tells nothing."""

        def seal(fact: str) -> str:
            return self._hash(fact)[:_FACT_DIGITS] if fact else ""

        names = tuple(sorted(map(seal, person.names)))
        return Person("", names, seal(person.sex), seal(person.birth_date), person.shared)


def open_subject_keys(path: Path) -> tuple[SubjectKeys, bool]:
    """Read a key file, or make a new one where there is none.

    Returns
    -------
    tuple
        The keys, and whether the file was made now.

    Raises
    ------
    ReadError
        If the file is damaged or something else.
    """
    if path.exists():
        return _read(path), False
    keys = SubjectKeys(secrets.token_bytes(_SECRET_BYTES))
    write_subject_keys(keys, path, overwrite=False)
    return keys, True


def write_subject_keys(keys: SubjectKeys, path: Path, *, overwrite: bool = True) -> None:
    """Write a key file that its owner alone can read."""
    people = {
        name: {"names": list(one.names), "sex": one.sex, "birth_date": one.birth_date}
        for name, one in sorted(keys.known.items())
    }
    values = {"secret": keys.secret.hex(), "subjects": people}
    # Who has the secret and a list of identifiers can undo the names.
    write_document(path, KIND, values, private=True, overwrite=overwrite)


def _read(path: Path) -> SubjectKeys:
    root = read_document(path, KIND)
    try:
        secret = bytes.fromhex(root.get("secret", str))
    except ValueError:
        secret = b""
    if len(secret) != _SECRET_BYTES:
        msg = f"{path} is not {KIND.what}: its secret is not {_SECRET_BYTES} bytes."
        raise ReadError(msg, remedy="Give the file that an earlier run made.")
    # Files of earlier versions keep the secret alone.
    known = root.named_nodes("subjects")
    return SubjectKeys(secret, {name: _person(node) for name, node in known.items()})


def _person(known: Node) -> Person:
    names = tuple(map(str, known.get("names", list)))
    return Person("", names, known.get("sex", str), known.get("birth_date", str))


SAME_PERSON_COLUMNS = ("subject", "same_as")

_REMEDY = "Give the names of subjects in a cohort.csv that was written with the same key file."


def read_same_person(path: Path, known: Container[str]) -> dict[str, str]:
    """Read which subjects are one with which other.

    Parameters
    ----------
    path
        A CSV file of the columns ``subject`` and ``same_as``.
    known
        Names of subjects that there are, or were in earlier runs.

    Returns
    -------
    dict
        Subject to the one whose name it takes; of several in a row, the last.

    Raises
    ------
    ReadError
        If the file cannot be read.
    CohortError
        If columns are missing, a name is unknown or missing, a subject is the same as two others,
        or names go in a circle; names the line.
    """
    table = read_table(
        path, ExpectedTable("a table of who is one person", known=SAME_PERSON_COLUMNS)
    )
    missing = [name for name in SAME_PERSON_COLUMNS if name not in table.header]
    if missing:
        msg = f"{path} lacks the columns {', '.join(missing)}."
        raise CohortError(msg, remedy=f"Required are: {', '.join(SAME_PERSON_COLUMNS)}.")
    same: dict[str, str] = {}
    for line, row in zip(table.lines, table.rows, strict=True):
        where = f"{path}, line {line}"
        subject, other = (row[name].strip() for name in SAME_PERSON_COLUMNS)
        for name in (subject, other):
            if not name:
                msg = f"{where} lacks a name."
                raise CohortError(msg, remedy="Name two subjects in each line.")
            if name not in known:
                msg = f"{where}: there is no subject {name!r}."
                raise CohortError(msg, remedy=_REMEDY)
        if same.setdefault(subject, other) != other:
            msg = f"{where}: {subject} is the same as {same[subject]} and as {other}."
            raise CohortError(msg, remedy="Say each subject's other name once.")
    return {subject: _last(subject, same, path) for subject in same}


def _last(subject: str, same: dict[str, str], path: Path) -> str:
    passed = [subject]
    while passed[-1] in same:
        following = same[passed[-1]]
        if following in passed:
            msg = f"{path}: {' is the same as '.join([*passed, following])}: a circle."
            raise CohortError(msg, remedy="Choose one of the names, and let the others be its.")
        passed.append(following)
    return passed[-1]
