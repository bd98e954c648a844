"""Which slice of an exam an outline belongs to: by UID, else by the plane it was drawn in.

Where several series lie there, the chosen one counts, or the only one that fits; never the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from multifidus.data.anatomy import Level
from multifidus.data.image import Exam, Series, Slice, Weighting
from multifidus.data.roi import Reading, Roi
from multifidus.data.roi_set import RoiSet
from multifidus.data.slice_number import slice_words as number_words
from multifidus.errors import LevelError, RoiError
from multifidus.measuring.dixon_pairs import NOT_PLAIN, Pairing, pairings

SignalScale = tuple[Reading, str]
"""What outlines have in common that share a calibration: their reading, and the scale of their
images' signal."""

OPTION = "--series N|UID|weighting (in Python series=)"
"""How a series is chosen, for messages."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedOutline:
    """An outline and the slice it lies on.

    Attributes
    ----------
    index
        0-based place of the slice in its series.
    """

    roi: Roi
    series: Series
    index: int

    @property
    def slice(self) -> Slice:
        """The slice it lies on."""
        return self.series.slices[self.index]

    @property
    def signal_scale(self) -> SignalScale:
        """What it shares with the outlines that are measured by one calibration."""
        return self.roi.key.reading, self.series.signal_group or self.series.uid


_Slices = list[tuple[Series, int]]


def place(
    rois: Iterable[Roi], exam: Exam, series: str | int | None = None
) -> tuple[PlacedOutline, ...]:
    """Find the slice of every outline.

    A slice of the outline's UID must lie where the outline's plane says. Where no slice has the
    UID, as after de-identification, the one on the same pixel grid is taken; of a Dixon pair, the
    fat image.

    Parameters
    ----------
    rois
        Outlines.
    exam
        The exam they were drawn on.
    series
        Which series those outlines belong to that are found by their place alone, as of
        :func:`choose_series`.

    Raises
    ------
    RoiError
        If no slice fits, the UID's slice lies elsewhere, several fit, or the choice of a series
        names none or several.
    """
    by_uid: dict[str, _Slices] = {}
    for item in exam.series:
        for index, each in enumerate(item.slices):
            by_uid.setdefault(each.uid, []).append((item, index))
    chosen = None if series is None else choose_series(exam, series)
    return tuple(PlacedOutline(roi, *_find(roi, exam, by_uid, chosen)) for roi in rois)


def in_order(placed: Iterable[PlacedOutline], exam: Exam) -> tuple[PlacedOutline, ...]:
    """Sort outlines by where they lie and what they are of, never by how UIDs are spelt.

    Sums are rounded, and pixels thinned out, in the order of outlines: sorted, numbers depend
    neither on the order of a file nor on what de-identification called its slices.
    """
    # Series stand in an exam by UID where nothing else tells them apart, so their place comes last.
    series = {
        id(item): (item.slices[0].plane.numbers, item.weighting, place)
        for place, item in enumerate(exam.series)
    }

    def order(item: PlacedOutline) -> tuple[object, ...]:
        key = item.roi.key
        where = (series[id(item.series)], item.index)
        return (key.reading, where, key.structure, key.side, key.name)

    return tuple(sorted(placed, key=order))


def slice_words(placed: Iterable[PlacedOutline], rois: RoiSet) -> dict[str, str]:
    """Call slices as people do, by their place and level; by the UID that outlines know."""
    found = {}
    for item in placed:
        level = rois.level_of(item.roi)[0]
        found[item.roi.key.slice_uid] = f"{number_words(item.index)}{f', {level}' if level else ''}"
    return found


def check_one_level(placed: Iterable[PlacedOutline], rois: RoiSet) -> None:
    """Refuse muscles of one slice that a reading puts at two levels.

    Other structures may differ: an oblique slice cuts a disc and the vertebra beside it.

    Parameters
    ----------
    placed
        Outlines and their slices.
    rois
        What else was said, such as the levels typed for slices.

    Raises
    ------
    LevelError
        Naming the first slice and both outlines.
    """
    first: dict[tuple[Reading, str], tuple[Roi, Level]] = {}
    for item in placed:
        level, _ = rois.level_of(item.roi)
        if level is None or not item.roi.key.structure.is_muscle:
            continue
        place = (item.roi.key.reading, item.slice.uid)
        other, found = first.setdefault(place, (item.roi, level))
        if found is not level:
            msg = f"{other.key} is said to lie at {found}, and {item.roi.key} at {level}."
            raise LevelError(msg, remedy="A slice has one level; correct one of them.")


def on_chosen_series(rois: RoiSet, exam: Exam, series: str | int) -> RoiSet:
    """Name the slices of a chosen series in outlines that are found by their place alone.

    Levels typed for their slices go with them.

    Raises
    ------
    RoiError
        As of :func:`place`.
    """
    placed = place(rois, exam, series)
    new = {item.roi.key.slice_uid: item.slice.uid for item in placed if item.roi.key.slice_uid}
    outlines = tuple(
        item.roi.under(replace(item.roi.key, slice_uid=item.slice.uid)) for item in placed
    )
    levels = tuple(
        replace(typed, slice_uid=new.get(typed.slice_uid, typed.slice_uid)) for typed in rois.levels
    )
    return replace(rois, rois=outlines, levels=levels)


def _find(
    roi: Roi, exam: Exam, by_uid: dict[str, _Slices], chosen: Series | None
) -> tuple[Series, int]:
    named = by_uid.get(roi.key.slice_uid, [])
    fitting = [
        (series, index)
        for series, index in named or exam.find_slices(roi.plane, roi.shape)
        if series.slices[index].shape == roi.shape
        and series.slices[index].plane.is_same(roi.plane, roi.shape)
    ]
    if named and not fitting:
        item = named[0][0].slices[named[0][1]]
        msg = (
            f"The outline of {roi.key} was drawn on another pixel grid than its slice has: "
            f"outline {roi.shape} at {roi.plane.numbers}, slice {item.shape} at "
            f"{item.plane.numbers}."
        )
        raise RoiError(msg, remedy="Load the images that it was drawn on.")
    if len(named) == 1:
        return named[0]
    if chosen is not None:
        fitting = [pair for pair in fitting if pair[0] is chosen]
    elif fitting:
        what = f"The outline of {roi.key}"
        only = only_series(exam, [pair[0] for pair in fitting], what)
        fitting = [pair for pair in fitting if pair[0] is only]
    if len(fitting) != 1:
        why = "no slice" if not fitting else f"{len(fitting)} slices"
        where = "" if chosen is None else f"the chosen series (...{chosen.uid[-9:]}) of "
        msg = f"The outline of {roi.key} fits {why} of {where}exam {exam.subject} {exam.timepoint}."
        remedy = "Load the images that it was drawn on, and only these; 'multifidus inspect' says "
        raise RoiError(msg, remedy=f"{remedy}which files cannot be read.")
    return fitting[0]


def choose_series(exam: Exam, choice: str | int) -> Series:
    """Return the one series that a choice names.

    Parameters
    ----------
    exam
        Where it is looked for.
    choice
        Its number as ``inspect`` counts the series of this exam alone, from 1; its UID, or as much
        of the UID's end as no other has, as ``...1234``; or its weighting. Of a Dixon pair, the
        weighting ``dixon_fat`` or ``dixon_water``.

    Raises
    ------
    RoiError
        If it names none, or several; names the candidates.

    Examples
    --------
    >>> from multifidus.phantom import make_phantom
    >>> exam = make_phantom().exam
    >>> choose_series(exam, 1) is exam.series[0]
    True
    """
    word = str(choice).strip()
    found = [
        series
        for number, series in enumerate(exam.series, 1)
        if word in {str(number), series.uid, series.weighting.value}
    ]
    if not found and word.startswith("...") and word.strip("."):
        found = [series for series in exam.series if series.uid.endswith(word[3:])]
    if len(found) == 1:
        return found[0]
    why = "none" if not found else f"{len(found)} ({describe(exam, found)})"
    msg = f"The choice {word!r} names {why} of the exam's series: {describe(exam, exam.series)}."
    raise RoiError(msg, remedy=f"Choose one by its number or UID: {OPTION}.")


def only_series(exam: Exam, fitting: Sequence[Series], what: str) -> Series:
    """Return the one series that something was drawn on, of those whose geometry fits.

    Of one Dixon acquisition, whose images share their geometry, the fat image of the pair is
    taken: what is measured there is measured on the pair.

    Parameters
    ----------
    exam
        The exam.
    fitting
        Series that fit, at least one.
    what
        What fits them, to begin a sentence with.

    Raises
    ------
    RoiError
        If several fit and nothing says which is meant; names them.
    """
    distinct = [series for series in exam.series if any(series is other for other in fitting)]
    # A phase image or a map shows no muscle; nobody draws on it where there is an image.
    shown = [item for item in distinct if item.weighting is not Weighting.NO_SIGNAL] or distinct
    if len(shown) == 1:
        return shown[0]
    pair = _dixon_pair(exam, shown)
    if pair is not None:
        return pair
    msg = (
        f"{what} fits {len(shown)} series of one geometry, and nothing says on which it was drawn: "
        f"{describe(exam, shown)}."
    )
    raise RoiError(msg, remedy=f"Choose the series: {OPTION}; or give its images alone.")


def _dixon_pair(exam: Exam, fitting: Sequence[Series]) -> Series | None:
    """Return the fat image where all that fits is of one Dixon acquisition with one pair."""
    if any(item.weighting not in NOT_PLAIN for item in fitting):
        return None
    if len({item.frame_of_reference_uid for item in fitting}) > 1:
        return None
    known = pairings(exam)
    fat, water = (
        [item for item in fitting if item.weighting is weighting]
        for weighting in (Weighting.DIXON_FAT, Weighting.DIXON_WATER)
    )
    if len(fat) != 1 or len(water) != 1:
        return None
    partner = known.get(fat[0].uid, Pairing()).partner
    return fat[0] if partner is not None and partner.uid == water[0].uid else None


def describe(exam: Exam, found: Sequence[Series]) -> str:
    """Name series as ``inspect`` shows them: number, end of the UID, weighting."""
    numbers = {id(series): number for number, series in enumerate(exam.series, 1)}
    return "; ".join(
        f"no. {numbers[id(item)]} (...{item.uid[-9:]}, {item.weighting.value})" for item in found
    )
