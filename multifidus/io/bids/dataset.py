"""Where the labels of BIDS names hold: one dataset's ``sub-01`` is not another's.

A dataset is a folder with a description. Folders without one count as one where the folders of
their subjects lie together.
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from multifidus.data.image import Exam, Series
from multifidus.io.bids.names import bids_name, session_order
from multifidus.io.bids.tables import acquisition_date
from multifidus.io.scan_result import Problem, ProblemKind

WITHIN = ("derivatives", "sourcedata")
"""Folders of a dataset whose labels are the dataset's own."""

_DATATYPES = {"anat", "dwi", "fmap", "func", "perf"}

_WORDS = re.compile(r"[-_ ]+")

_NOT_IN_NAMES = re.compile(r"[^\w.]+")

NO_SESSION = "exam-1"
"""The timepoint of images whose names have no session."""

DatasetSubject = tuple[Path, str]
"""A dataset's folder, and the label of a subject in it."""


def dataset_of(path: Path, roots: Collection[Path]) -> Path:
    """Return the folder in which the labels of a file's BIDS name hold.

    Parameters
    ----------
    path
        A file with a BIDS name.
    roots
        Folders that are datasets by their description.
    """
    found = next((folder for folder in path.parents if folder in roots), None)
    if found is None:
        found = _home(path)
    if found.name in WITHIN:
        return found.parent
    # What a pipeline derived is in a folder of its own.
    return found.parent.parent if found.parent.name == WITHIN[0] else found


def _home(path: Path) -> Path:
    """Return the folder that holds the folders of subjects, by the file's own name."""
    name = bids_name(path)
    for folder in path.parents:
        if folder.name == f"sub-{name.subject}":
            return folder.parent
    own = {"sub", "ses", name.subject, name.session}
    folder = path.parent
    # A folder that is named after nothing but the visit tells no two people apart.
    while folder.name in _DATATYPES or (folder.name and set(_WORDS.split(folder.name)) <= own):
        folder = folder.parent
    return folder


def subject_names(people: Iterable[DatasetSubject]) -> dict[DatasetSubject, str]:
    """Name people by their labels, with the dataset's folder in front where labels repeat.

    Examples
    --------
    >>> a, b = Path("study/a"), Path("study/b")
    >>> list(subject_names([(a, "01"), (b, "01")]).values())
    ['a-01', 'b-01']
    >>> list(subject_names([(a, "01"), (b, "02")]).values())
    ['01', '02']
    """
    known = dict.fromkeys(people)
    if len({label for _, label in known}) == len(known):
        return {person: person[1] for person in known}
    fronts = _short_names(dict.fromkeys(folder for folder, _ in known))
    return {(folder, label): f"{fronts[folder]}-{label}" for folder, label in known}


def _short_names(folders: Iterable[Path]) -> dict[Path, str]:
    """Name folders by as many of their last parts as tell them apart."""
    parts = {folder: [_plain(part) for part in folder.parts if _plain(part)] for folder in folders}
    for count in range(1, max(map(len, parts.values())) + 1):
        names = {folder: "-".join(found[-count:]) for folder, found in parts.items()}
        if len(set(names.values())) == len(names):
            return names
    return {folder: f"dataset{number}" for number, folder in enumerate(parts, 1)}


def _plain(part: str) -> str:
    return _NOT_IN_NAMES.sub("_", part.removesuffix(".zip")).strip("_.")


def _shared_labels(names: Mapping[DatasetSubject, str], exams: Iterable[Exam]) -> Iterator[Problem]:
    """Find labels that are used in several datasets, and are taken for several people."""
    counts = Counter(label for _, label in names)
    repeated = sorted(label for label, count in counts.items() if count > 1)
    if not repeated:
        return
    some = ", ".join(f"sub-{label}" for label in repeated[:3])
    more = f" and {len(repeated) - 3} more" if len(repeated) > 3 else ""  # noqa: PLR2004
    fronts = sorted({names[person].removesuffix(f"-{person[1]}") for person in names})
    own = {name for (_, label), name in names.items() if label in repeated}
    yield Problem(
        ProblemKind.LABELS_SHARED,
        f"{some}{more} stand in several of the datasets {', '.join(fronts)}: they are taken for "
        "different people, and subjects are named after their dataset.",
        tuple((exam.subject, exam.timepoint) for exam in exams if exam.subject in own),
    )


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What tells exams of files of volumes apart; empty labels where no BIDS name says anything.

    Parameters
    ----------
    home
        The dataset, as the user knows it: in its archive, not where that was unpacked.
    subject, session
        Labels.
    """

    home: Path
    subject: str
    session: str

    @property
    def person(self) -> DatasetSubject:
        """Who was seen."""
        return self.home, self.subject


@dataclass(frozen=True, slots=True)
class DatasetFolders:
    """What is known of folders.

    Parameters
    ----------
    datasets
        Those that are datasets by their description.
    archives
        Those that archives were unpacked into, to these archives.
    """

    datasets: frozenset[Path]
    archives: Mapping[Path, Path]


def session_key(path: Path, places: DatasetFolders) -> SessionKey:
    """Return the visit that a file is of, by its BIDS name and where it lies."""
    name = bids_name(path)
    if not name.subject:
        return SessionKey(Path(), "", "")
    home = dataset_of(path.absolute(), {root.absolute() for root in places.datasets})
    for folder in (home, *home.parents):
        if folder in places.archives:
            home = places.archives[folder].absolute() / home.relative_to(folder)
    return SessionKey(home, name.subject, name.session)


def exams_of_volumes(
    visits: Mapping[SessionKey, Sequence[Series]], paths: Mapping[str, Sequence[Path]], number: int
) -> tuple[tuple[Exam, ...], tuple[Problem, ...]]:
    """Make exams of visits, and report what is doubtful about who is who and when.

    Parameters
    ----------
    visits
        The series of each.
    paths
        Series UID to files.
    number
        Of the subject of files without BIDS names, who is one.

    Returns
    -------
    tuple
        The exams, people together and their sessions in order, and problems.
    """
    names = subject_names(visit.person for visit in visits if visit.subject)
    exams: list[Exam] = []
    problems: list[Problem] = []
    for visit in sorted(visits, key=_order):
        series = tuple(visits[visit])
        timepoint = visit.session or NO_SESSION
        if not visit.subject:
            exams.append(Exam(f"subject-{number}", timepoint, series))
            continue
        name = names[visit.person]
        date, reasons = _date([path for item in series for path in paths[item.uid]])
        who = ((name, timepoint),)
        problems += [Problem(ProblemKind.DATE_UNUSABLE, f"{{who}}: {why}.", who) for why in reasons]
        identity = f"{visit.home}/sub-{visit.subject}"
        exams.append(Exam(name, timepoint, series, date, identity))
    return tuple(exams), (*_shared_labels(names, exams), *problems)


def _date(paths: Sequence[Path]) -> tuple[datetime.date | None, list[str]]:
    """Return the day on which an exam's images were acquired, and why there is none."""
    found = [acquisition_date(path, dataset_of(path, ())) for path in paths]
    problems = list(dict.fromkeys(item.problem for item in found if item.problem))
    dates = {item.date for item in found if item.date is not None}
    if len(dates) > 1:
        problems.append("its images are of several days, and no date is taken")
    return next(iter(dates)) if len(dates) == 1 else None, problems


def _order(visit: SessionKey) -> tuple[object, ...]:
    return visit.subject, str(visit.home), session_order(visit.session)
