"""Sentences for a paper's Methods about how exams were read, and what blinding was not."""

from __future__ import annotations

LIMITS = (
    "Blinding did not extend to what the images show: implants, scars, resected bone and text in "
    "the pixels tell an examination after surgery from one before."
)

BLINDED_LIST = (
    "Raters were blinded to subject, timepoint and side of surgery: they saw codes, another for "
    "each reading, and no outlines of other raters."
)


def methods(*, blinded: bool, repeats: int, apart_days: int) -> str:
    """Say how a list was read; to be put into Methods as it is.

    Examples
    --------
    >>> methods(blinded=False, repeats=0, apart_days=14)
    'Exams were read in random order. Raters were not blinded.'
    """
    words = ["Exams were read in random order."]
    if repeats:
        exams = "1 exam was" if repeats == 1 else f"{repeats} exams were"
        words.append(f"{exams} read a second time, at least {apart_days} days after the first.")
    if blinded:
        words += [BLINDED_LIST, LIMITS]
    else:
        words.append("Raters were not blinded.")
    return " ".join(words)
