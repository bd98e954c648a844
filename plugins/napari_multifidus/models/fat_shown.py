"""Which fat of a muscle is shown, of all that a protocol measures, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass

from multifidus.data.measurement import Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol


@dataclass(frozen=True, slots=True)
class FatKind:
    """What methods of one kind measure.

    Parameters
    ----------
    quantity
        The quantity of their rows.
    name, head
        What it is called, in a sentence and above a column.
    exported
        Beginning of its columns' names in what is copied for a spreadsheet.
    definition
        What it is, in one sentence.
    """

    quantity: Quantity
    name: str
    head: str
    exported: str
    definition: str


_VISIBLE = FatKind(
    Quantity.FI_PCT,
    "Visible fat",
    "Visible\nfat (%)",
    "fat",
    "Share of the muscle in pixels classified as fat.",
)

_KINDS = {
    FatMethod.LINEAR: FatKind(
        Quantity.FF_LINEAR_PCT,
        "Fat fraction",
        "Fat\nfraction (%)",
        "fat",
        "Fat fraction by the linear method between lean and fat reference.",
    ),
    FatMethod.SIGNAL: FatKind(
        Quantity.FF_SIGNAL_PCT,
        "Fat signal fraction",
        "Fat signal\nfraction (%)",
        "ff_signal",
        "Share of the signal between lean muscle and fat, after a bias field and signal levels "
        "that are fitted to the exam.",
    ),
}

FRACTIONS = frozenset(_KINDS)
"""Methods that measure a fat fraction, not visible fat."""

WHY_THEY_DIFFER = (
    "Visible fat counts pixels that are fat; the fat signal fraction also counts fat spread in "
    "lean pixels."
)


def kind_of(method: str) -> FatKind:
    """Return what a fat method other than ``dixon`` measures."""
    return next((kind for name, kind in _KINDS.items() if name == method), _VISIBLE)


def is_visible(method: str) -> bool:
    """Whether a method measures visible fat."""
    return kind_of(method) is _VISIBLE


def shown_methods(protocol: MeasurementProtocol) -> tuple[FatMethod, ...]:
    """Return the methods whose fat is shown, one or two; Dixon is shown beside them.

    The first is the protocol's first. Visible fat and the fat signal fraction are shown together
    where the protocol has both.
    """
    found = [method for method in protocol.fat_methods if method is not FatMethod.DIXON]
    if not found:
        return ()
    first, *others = found
    if first is FatMethod.SIGNAL:
        beside = [method for method in others if is_visible(method)]
    else:
        beside = [method for method in others if method is FatMethod.SIGNAL]
    return (first, *beside[:1])
