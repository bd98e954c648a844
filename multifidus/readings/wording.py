"""Sentences for a paper's Methods about how exams were read, and what blinding was not."""

from __future__ import annotations

LIMITS = (
    "Blinding hid labels, not screws: metal, scars, resected bone and text in the pixels stay "
    "visible in the images, and tell an exam after surgery from one before."
)

BLINDED_LIST = (
    "Readers saw codes in place of subject, timepoint and side of surgery, another code for each "
    "reading, and no outlines of other readers."
)


def methods(*, blinded: bool, repeats: int, apart_days: int) -> str:
    """Say how a list was read; to be put into Methods as it is.

    Examples
    --------
    >>> methods(blinded=False, repeats=0, apart_days=14)
    'Exams were read in random order. Readers were not blinded.'
    """
    words = ["Exams were read in random order."]
    if repeats:
        exams = "1 exam was" if repeats == 1 else f"{repeats} exams were"
        words.append(f"{exams} read a second time, at least {apart_days} days after the first.")
    if blinded:
        words += [BLINDED_LIST, LIMITS]
    else:
        words.append("Readers were not blinded.")
    return " ".join(words)
