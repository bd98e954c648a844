"""Which series of an exam is meant: the chosen one, or the only one that fits; never the first."""

from __future__ import annotations

from collections.abc import Sequence

from multifidus.data.image import Exam, Series, Weighting
from multifidus.errors import RoiError
from multifidus.measuring.dixon_pairs import NOT_PLAIN, Pairing, pairings

OPTION = "--series N|UID|weighting (in Python series=)"
"""How a series is chosen, for messages."""


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
