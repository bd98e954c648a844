"""What is in files and folders: exams, and what was skipped with the reason.

With :mod:`multifidus.io.outlines` the place that knows all formats; each format knows only itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from multifidus.data.identity import Person
from multifidus.data.image import Series
from multifidus.errors import GeometryError, ReadError
from multifidus.io.bids.dataset import DatasetFolders, SessionKey, exams_of_volumes, session_key
from multifidus.io.bids.names import datasets, set_aside
from multifidus.io.contrast import Contrasts, load_contrasts
from multifidus.io.dicom.reader import scan_dicom
from multifidus.io.dicom.syntax import NOT_DICOM
from multifidus.io.file_kinds import describe_file
from multifidus.io.scan_result import Scan, Skipped
from multifidus.io.volume_files import is_volume, parts_of, read_series
from multifidus.io.walk import is_zip, unpack, walk

ZIP_IN_ZIP = "A zip archive inside a zip archive. Unpack the outer one, and give the folder."
"""Why an archive in an archive is skipped: its unpacked size is not known beforehand."""

Progress = Callable[[int, int], None]


def _no_progress(_done: int, _total: int) -> None:
    """Keep quiet."""


def _with_progress(files: Sequence[Path], progress: Progress) -> Iterator[Path]:
    """Yield the files that are of no format of volumes, and report how far the whole list is."""
    for done, path in enumerate(files):
        progress(done, len(files))
        if not is_volume(path):
            yield path


def scan(
    *paths: str | Path, progress: Progress = _no_progress, contrasts: Path | None = None
) -> Scan:
    """Find the exams under files or folders, and what was skipped with the reason.

    Headers alone are read. DICOM files are grouped by their study, NIfTI files by the subject and
    session of their BIDS names, which are the exams' subject and timepoint; other files of volumes
    (NIfTI, NRRD, MetaImage) make one exam. A label such as ``sub-01`` in two datasets names two
    people. Zip archives are looked into. Derivatives and source data of a BIDS dataset are passed
    over, unless their own folder is given, and so are its label maps.

    Parameters
    ----------
    paths
        Files or folders.
    progress
        Called with the number of files read and of all files, before each.
    contrasts
        A file that says what your scanners' words for contrasts mean; it is asked before the
        table that comes with the software.

    Raises
    ------
    ReadError
        If a path does not exist, or the file of contrasts is malformed.
    """
    known = load_contrasts(contrasts)
    given = [Path(path) for path in paths]
    walked = walk(given)
    unpacked, places, refused = _unpacked(walked.files)
    # Whatever the order in which paths were given, what is found is the same.
    ordered = sorted(dict.fromkeys(unpacked), key=lambda path: _place(path, places))
    files, aside = _set_aside(ordered)
    volumes = [path for path in files if is_volume(path)]
    beside = {part for path in volumes for part in parts_of(path)}
    images = [path for path in volumes if path not in beside]
    found = scan_dicom(
        _with_progress([path for path in files if path not in beside], progress), known
    )
    number = len({exam.subject for exam in found.exams}) + 1
    read = _scan_volumes(images, known, DatasetFolders(datasets(unpacked), places), number)
    skipped = (*walked.skipped, *refused, *aside, *found.skipped, *read.skipped)
    named = tuple(Skipped(_place(item.path, places), _reason(item)) for item in skipped)
    roots = {path: Path(path.name) for path in given if path.is_dir()}
    roots |= {folder: Path(archive.name) for folder, archive in places.items()}
    return Scan(
        found.exams + read.exams,
        named,
        {**found.paths, **read.paths},
        roots,
        places,
        (*read.problems, *found.problems),
        {**found.people, **read.people},
        read.in_order,
    )


def _reason(item: Skipped) -> str:
    """Say why a file was skipped; one that is no DICOM is named for what it is."""
    if item.reason != NOT_DICOM:
        return item.reason
    try:
        return describe_file(item.path)
    except ReadError as error:
        return str(error)


def _unpacked(
    files: Iterable[Path],
) -> tuple[list[Path], dict[Path, Path], list[Skipped]]:
    """Replace archives by what they hold; returns the files, and which folder stands for which."""
    plain: list[Path] = []
    places: dict[Path, Path] = {}
    refused: list[Skipped] = []
    for path in files:
        if not is_zip(path):
            plain.append(path)
            continue
        try:
            folder = unpack(path)
        except ReadError as error:
            refused.append(Skipped(path, str(error)))
            continue
        places[folder] = path
        for inner in walk([folder]).files:
            if is_zip(inner):
                refused.append(Skipped(inner, ZIP_IN_ZIP))
            else:
                plain.append(inner)
    return plain, places, refused


def _set_aside(files: Sequence[Path]) -> tuple[list[Path], list[Skipped]]:
    """Part the files of BIDS datasets that are no images from all others."""
    roots = datasets(files)
    reasons = {path: reason for path in files if (reason := set_aside(path, roots))}
    kept = [path for path in files if path not in reasons]
    return kept, [Skipped(path, reason) for path, reason in reasons.items()]


def _place(path: Path, places: dict[Path, Path]) -> Path:
    """Name a file where the user has it: inside its archive, not where that was unpacked."""
    for folder in (path, *path.parents) if places else ():
        if folder in places:
            return places[folder] / path.relative_to(folder)
    return path


def _scan_volumes(
    files: Sequence[Path],
    contrasts: Contrasts,
    places: DatasetFolders,
    number: int,
) -> Scan:
    """Read files of volumes; BIDS names distinguish people and sessions, others are one exam."""
    visits: dict[SessionKey, list[Series]] = {}
    paths_of: dict[str, tuple[Path, ...]] = {}
    skipped: list[Skipped] = []
    for path in files:
        visit = session_key(path, places)
        try:
            volumes = read_series(path, contrasts)
        except (ReadError, GeometryError) as error:
            skipped.append(Skipped(path, str(error)))
            continue
        if volumes[0].uid in paths_of:
            twin = paths_of[volumes[0].uid][0]
            other = session_key(twin, places) != visit
            whose = ", which is of another subject or session" if other else ""
            skipped.append(Skipped(path, f"The same content as {twin}{whose}."))
            continue
        visits.setdefault(visit, []).extend(volumes)
        paths_of.update({series.uid: (path,) for series in volumes})
    exams, problems = exams_of_volumes(visits, paths_of, number)
    return Scan(
        exams,
        tuple(skipped),
        {
            (e.subject, e.timepoint, series.uid): paths_of[series.uid]
            for e in exams
            for series in e.series
        },
        problems=problems,
        people={(exam.subject, exam.timepoint): Person(exam.identity) for exam in exams},
        # These formats have no dates; what their names say of order is for a cohort's table.
        in_order=frozenset(exam.subject for exam in exams),
    )
