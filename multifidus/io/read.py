"""Reading and writing whatever a lab has: which file is in which format.

The one place that knows all formats; each format's module knows only itself.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path

from multifidus.data.flags import Flag
from multifidus.data.identity import Person, all_conflicts, conflicts
from multifidus.data.image import Exam, Series, Weighting
from multifidus.data.roi import check_sides
from multifidus.data.roi_set import RoiSet
from multifidus.errors import GeometryError, ReadError, RoiError
from multifidus.io.archive import is_zip, unpack
from multifidus.io.bids.dataset import (
    NO_SESSION,
    DatasetFolders,
    SessionKey,
    exams_of_volumes,
    session_key,
)
from multifidus.io.bids.names import datasets, set_aside, sidecar_path
from multifidus.io.contrast import Contrasts, load_contrasts
from multifidus.io.dicom.reader import scan_dicom
from multifidus.io.dicom.syntax import NOT_DICOM
from multifidus.io.file_kinds import describe_file
from multifidus.io.grid import VoxelGrid, only
from multifidus.io.itk import data_file, is_itk, open_itk_volume, read_itk
from multifidus.io.label_names import numbers_in
from multifidus.io.labelmap import PRESETS, load_labels, read_labelmap
from multifidus.io.nifti import is_nifti, open_nifti, pair_of, read_volumes
from multifidus.io.outlines_json import SUFFIX, read_outlines, write_outlines
from multifidus.io.scan import Scan, Skipped, walk
from multifidus.measuring.dixon_pairs import (
    NOT_PLAIN,
    describe_grid,
    on_grid_of,
    paired_by_hand,
    same_grids,
    shapes,
)
from multifidus.measuring.locate import on_chosen_series, place, slice_words

ZIP_IN_ZIP = "A zip archive inside a zip archive. Unpack the outer one, and give the folder."
"""Why an archive in an archive is skipped: how far both swell together cannot be told before."""

PAIR_BY = ("geometry", "index")

Progress = Callable[[int, int], None]


def _no_progress(_done: int, _total: int) -> None:
    """Keep quiet."""


def _told(files: Sequence[Path], progress: Progress) -> Iterator[Path]:
    """Yield the files that are of no format of volumes, telling how far the whole list is."""
    for done, path in enumerate(files):
        progress(done, len(files))
        if not _is_volume(path):
            yield path


def _is_volume(path: Path) -> bool:
    """Whether a file's name is one of a format of volumes: NIfTI, NRRD or MetaImage."""
    return is_nifti(path) or is_itk(path)


def _open_grid(path: Path) -> VoxelGrid:
    return open_itk_volume(path) if is_itk(path) else open_nifti(path)


def _read_series(path: Path, contrasts: Contrasts | None = None) -> tuple[Series, ...]:
    return read_itk(path) if is_itk(path) else read_volumes(path, contrasts=contrasts)


def _parts_of(path: Path) -> tuple[Path | None, ...]:
    """Return the files that belong to a volume's: its sidecar, or its voxels; None where none."""
    if is_itk(path):
        return (data_file(path),)
    header, voxels = pair_of(path) or (None, None)
    return (sidecar_path(path), voxels if path == header else None)


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
    volumes = [path for path in files if _is_volume(path)]
    beside = {part for path in volumes for part in _parts_of(path)}
    images = [path for path in volumes if path not in beside]
    found = scan_dicom(_told([path for path in files if path not in beside], progress), known)
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
        (*found.remarks, *read.remarks),
        places,
        found.problems,
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
    """Read files of volumes; BIDS names tell people and sessions apart, others are one exam."""
    visits: dict[SessionKey, list[Series]] = {}
    paths_of: dict[str, tuple[Path, ...]] = {}
    skipped: list[Skipped] = []
    for path in files:
        visit = session_key(path, places)
        try:
            volumes = _read_series(path, contrasts)
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
    exams, remarks = exams_of_volumes(visits, paths_of, number)
    return Scan(
        exams,
        tuple(skipped),
        {
            (e.subject, e.timepoint, series.uid): paths_of[series.uid]
            for e in exams
            for series in e.series
        },
        remarks=remarks,
        people={(exam.subject, exam.timepoint): Person(exam.identity) for exam in exams},
        # These formats have no dates; what their names say of order is for a cohort's table.
        in_order=frozenset(exam.subject for exam in exams),
    )


def read_exams(path: str | Path, contrasts: Path | None = None) -> tuple[Exam, ...]:
    """Read every exam under a file or folder of DICOM, NIfTI, NRRD or MetaImage.

    Subjects and timepoints get neutral numbers, those of BIDS names their labels; names and
    identifiers are not kept. Pixels are read when they are first asked for. Use :func:`scan` to
    learn what was skipped.

    Parameters
    ----------
    path
        File or folder.
    contrasts
        As of :func:`scan`.

    Raises
    ------
    ReadError
        If the path does not exist or holds no image that can be measured.
    """
    return _some(scan(path, contrasts=contrasts), str(path)).exams


def _some(found: Scan, where: str) -> Scan:
    """Return what was found.

    Raises
    ------
    ReadError
        If that is nothing.
    """
    if not found.exams:
        reasons = "; ".join(f"{item.path.name}: {item.reason}" for item in found.skipped[:5])
        more = "" if len(found.skipped) <= 5 else f"; and {len(found.skipped) - 5} more"  # noqa: PLR2004
        why = f"{len(found.skipped)} files skipped ({reasons}{more})" if reasons else "it is empty"
        msg = f"No image to measure in {where}: {why}."
        raise ReadError(msg, remedy="Give a folder of DICOM, or a NIfTI, NRRD or MetaImage file.")
    return found


def read_exam(
    *paths: str | Path,
    fat: str | Path | None = None,
    water: str | Path | None = None,
    pair_by: str = "geometry",
    contrasts: Path | None = None,
) -> Exam:
    """Read one exam, or a Dixon pair given by hand.

    Parameters
    ----------
    paths
        Files or folders that together hold one exam.
    fat, water
        The two images of a Dixon pair, each a file of one volume or a folder of one DICOM series.
    pair_by
        ``geometry``: the two grids must agree. ``index``: equal shapes are paired pixel by pixel
        on the fat image's grid and flagged ``grid_paired_by_index``.
    contrasts
        As of :func:`scan`.

    Raises
    ------
    ReadError
        If there is not exactly one exam, or one image of a pair is missing.
    GeometryError
        If the grids of a pair disagree; names both.
    """
    if fat is not None or water is not None:
        if fat is None or water is None or paths:
            msg = "A Dixon pair is given as both fat and water, and nothing else."
            raise ReadError(msg)
        return _dixon_exam(Path(fat), Path(water), pair_by, contrasts)
    where = ", ".join(map(str, paths))
    scanned = _some(scan(*paths, contrasts=contrasts), where)
    _check_each(paths, scanned)
    found = scanned.exams
    if len(found) == 1:
        return _named_alike(found[0], where)
    # Files by hand are one exam unless their names say otherwise; most say nothing.
    named = {(exam.subject, exam.timepoint): exam for exam in found if exam.identity}
    if len(named) <= 1 and _is_all_volumes(paths):
        who = next(iter(named.values()), found[0])
        series = tuple(item for exam in found for item in exam.series)
        return _named_alike(replace(who, series=series), where)
    names = ", ".join(f"{exam.subject} {exam.timepoint}" for exam in found)
    facts = all_conflicts(scanned.people[exam.subject, exam.timepoint] for exam in found)
    why = f" They differ in: {', '.join(facts)}." if facts else ""
    doubts = "".join(f" {problem.message}" for problem in scanned.problems)
    msg = f"Expected one exam in {where}, found {len(found)}: {names}.{why}{doubts}"
    raise ReadError(msg, remedy="Give each exam's folder alone, or a cohort.csv.")


def _named_alike(exam: Exam, where: str) -> Exam:
    """Return an exam unless the names of its files say that it is several.

    Raises
    ------
    ReadError
        If they do: outside of BIDS, files are put together whatever their names.
    """
    for one, other in combinations(dict.fromkeys(series.entities for series in exam.series), 2):
        differences = one.differs_from(other)
        if differences:
            what = ", ".join(differences)
            msg = f"The images in {where} are of several exams; their names differ in: {what}."
            raise ReadError(msg, remedy="Give each exam's files alone, or a cohort.csv.")
    return exam


def _check_each(paths: Sequence[str | Path], found: Scan) -> None:
    """Refuse what was asked for by name and holds no image.

    Raises
    ------
    ReadError
        If one of the paths holds no image that can be measured.
    """
    if len(paths) == 1:
        return
    read = {path for exam in found.exams for path in found.paths_of(exam)}
    held = {place for path in read for place in (path, found.archive_of(path), *path.parents)}
    why = {item.path: item.reason for item in found.skipped}
    for path in map(Path, paths):
        if path not in held:
            msg = f"No image to measure in {path}: {why.get(path, 'nothing there was read')}"
            raise ReadError(msg, remedy="Leave it out, or give its folder.")


def _is_all_volumes(paths: Sequence[str | Path]) -> bool:
    return all(_is_volume(Path(path)) for path in paths)


def _dixon_exam(fat: Path, water: Path, pair_by: str, contrasts: Path | None) -> Exam:
    if pair_by not in PAIR_BY:
        msg = f"pair_by is {pair_by!r}."
        raise ReadError(msg, remedy=f"Choose one of: {', '.join(PAIR_BY)}.")
    ours, theirs = (
        _one_image(path, wanted, contrasts)
        for path, wanted in ((fat, Weighting.DIXON_FAT), (water, Weighting.DIXON_WATER))
    )
    first, second = ours.series, theirs.series
    if first.uid == second.uid:
        msg = f"Fat and water are one and the same image: {fat}, {water}."
        raise ReadError(msg)
    differences = ours.differs_from(theirs)
    if differences:
        msg = f"Fat {fat} and water {water} are not of one exam: they differ in {differences}."
        raise ReadError(msg, remedy="Give the fat and the water image of one acquisition.")
    flags: tuple[Flag, ...] = ()
    if not same_grids(first, second):
        if pair_by != "index" or shapes(first) != shapes(second):
            msg = (
                f"Fat and water lie on different grids. Fat {fat}: {describe_grid(first)}. "
                f"Water {water}: {describe_grid(second)}."
            )
            remedy = "If they are one acquisition with a damaged header, pair them by index."
            raise GeometryError(msg, remedy=remedy)
        flags = (Flag.GRID_PAIRED_BY_INDEX,)
        second = on_grid_of(first, second)
    subject = first.entities.subject or second.entities.subject or "subject-1"
    session = first.entities.session or second.entities.session or NO_SESSION
    return Exam(subject, session, paired_by_hand(first, second, flags))


@dataclass(frozen=True, slots=True)
class _Image:
    """One half of a pair given by hand, and what is known of whose it is and when it was made."""

    series: Series
    person: Person = field(default=Person())
    date: datetime.date | None = None

    def differs_from(self, other: _Image) -> str:
        """Say in what the two are of two exams; empty where nothing is against one."""
        days = {self.date, other.date} - {None}
        return ", ".join(
            (
                *self.series.entities.differs_from(other.series.entities),
                *conflicts(self.person, other.person),
                *(["date"] if len(days) > 1 else []),
            )
        )


def _one_image(path: Path, wanted: Weighting, contrasts: Path | None) -> _Image:
    """Read one half of a pair; a header may be silent about it, but not say something else."""
    if _is_volume(path):
        found = _Image(only(_read_series(path, load_contrasts(contrasts)), path))
    else:
        scanned = _some(scan(path, contrasts=contrasts), str(path))
        held = [(exam, series) for exam in scanned.exams for series in exam.series]
        if len(held) != 1:
            msg = f"Expected one series in {path}, found {len(held)}."
            raise ReadError(msg)
        exam, series = held[0]
        # Where a file of a volume lies is no fact about a person.
        is_volume = exam.subject in scanned.in_order
        person = Person() if is_volume else scanned.people[exam.subject, exam.timepoint]
        found = _Image(series, person, exam.date)
    series = found.series
    if series.weighting in NOT_PLAIN - {wanted}:
        msg = f"{path} is given as {wanted}, and its header says {series.weighting}."
        raise ReadError(msg, remedy="Check which file is the fat image and which the water image.")
    return found


def read_rois(
    path: str | Path,
    exam: Exam,
    *,
    labels: str | None = None,
    series: str | int | None = None,
) -> RoiSet:
    """Read outlines or a label map of an exam.

    Parameters
    ----------
    path
        An ``*.outlines.json`` file or a label map (NIfTI, NRRD, MetaImage).
    exam
        The exam they were drawn on; outlines that fit none of its slices are refused.
    labels
        For a label map: a preset's name, or a TOML or TSV file of value, structure, side.
    series
        Which series a label map was drawn on, or outlines whose slices are found by their place
        alone: its number as ``inspect`` counts the exam's series, its UID, or its weighting.
        Needed where several series have one geometry.

    Raises
    ------
    ReadError
        If the file is damaged, of another format, or a newer version.
    RoiError
        If an outline is malformed, fits no series of the exam or several of which none is chosen,
        or left and right are swapped.
    """
    file = Path(path)
    if _is_volume(file):
        if labels is None:
            msg = f"{file} is a label map, and nothing says what its numbers mean."
            raise ReadError(msg, remedy=f"Name a label preset: {', '.join(PRESETS)}; or a file.")
        scheme = load_labels(labels)
        known = frozenset[int]() if labels in PRESETS else numbers_in(labels)
        rois = read_labelmap(_open_grid(file), exam, scheme, series, passed_over=known)
    elif file.suffix == ".json":
        rois = read_outlines(file)
    else:
        msg = f"{file} is in no known outline format."
        raise ReadError(msg, remedy=f"Known are *{SUFFIX} and label maps (NIfTI, NRRD, MetaImage).")
    try:
        if series is not None:
            rois = on_chosen_series(rois, exam, series)
        check_sides(rois, slice_words(place(rois, exam), rois))
    except RoiError as error:
        raise RoiError(f"{file}: {error.message}", remedy=error.remedy) from error
    return rois


def write_rois(
    rois: RoiSet,
    path: str | Path,
    *,
    format: str | None = None,
    overwrite: bool = False,
) -> None:
    """Write one reading's outlines, atomically.

    Parameters
    ----------
    rois
        Outlines of one reading.
    path
        Usually ``*.outlines.json``.
    format
        ``native``, the default, is the only one so far.
    overwrite
        Whether an existing file may be replaced.

    Raises
    ------
    RoiError
        If the outlines are of several readings.
    WriteError
        If the file exists and ``overwrite`` is not set.
    ReadError
        If the format is not known.
    """
    if format not in (None, "native"):
        msg = f"Unknown outline format {format!r}."
        raise ReadError(msg, remedy="Known is: native.")
    write_outlines(rois, Path(path), overwrite=overwrite)
