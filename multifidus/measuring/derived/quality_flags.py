"""Quality flags of fat that the image alone does not give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from multifidus.data.clinical import Clinical
from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement
from multifidus.data.protocol import MeasurementProtocol

DAYS_A_WEEK = 7


def with_fat_flags(
    rows: Iterable[Measurement], clinical: Clinical, protocol: MeasurementProtocol
) -> Iterator[Measurement]:
    """Flag what depends on fat where artefacts leave too little, or surgery was too recent."""
    recent = is_recent(clinical, protocol)
    for row in rows:
        few = row.provenance.valid_fraction < protocol.minimal_valid_fraction
        if row.method and (few or recent):
            causes = ((Flag.VALID_FRACTION_LOW, few), (Flag.OEDEMA_WINDOW, recent))
            flags = (*row.flags, *(flag for flag, raised in causes if raised))
            yield replace(row, flags=flags)
        else:
            yield row


def is_recent(clinical: Clinical, protocol: MeasurementProtocol) -> bool:
    """Whether an exam was made so soon after surgery that what is bright may be oedema."""
    days = clinical.days_since_surgery
    return days is not None and 0 <= days < protocol.oedema_weeks * DAYS_A_WEEK
