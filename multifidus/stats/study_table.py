"""A study's tidy table as values, by the protocol that it was measured by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multifidus.data.cells import is_missing, near_names
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import StatisticsError
from multifidus.io.protocol_toml import digests_of, protocol_of_table
from multifidus.stats.units import other_units
from multifidus.stats.values import Value, left_out, values_of
from multifidus.study.level_value import rule_in_words


@dataclass(frozen=True, slots=True)
class StudyTable:
    """What a table holds.

    Parameters
    ----------
    values
        One a reading, level and side.
    protocol
        That of the table; the default where none is known and none is needed.
    remarks
        What does not enter, and what is not known.
    """

    values: tuple[Value, ...]
    protocol: MeasurementProtocol
    remarks: tuple[str, ...]


def study_table(
    rows: Iterable[Mapping[str, Any]],
    protocol_file: Path,
    named: str | Path | None = None,
    *,
    lines: Sequence[int] = (),
    mix_protocols: bool = False,
) -> StudyTable:
    """Put the rows of a table together.

    Parameters
    ----------
    rows
        As in ``measurements.csv``.
    protocol_file
        Where the results folder of the table keeps its protocol.
    named
        Protocol to go by instead: a preset or a file.
    lines
        Where each row stands in its file.
    mix_protocols
        Whether one quantity may have been measured by several protocols.

    Raises
    ------
    ReadError, ProtocolError
        If a protocol cannot be read, or the one beside the table is another.
    StatisticsError
        If levels have several slices, and nothing says which of them speak for a level; or as
        :func:`multifidus.stats.values.values_of`.
    """
    items = list(rows)
    said = (row.get("protocol") for row in items)
    digests = {str(one).strip() for one in said if not is_missing(one)}
    found = protocol_of_table(digests, protocol_file, named)
    protocol = found or MeasurementProtocol()
    values = values_of(items, protocol, lines=lines, mix_protocols=mix_protocols)
    remarks = list(left_out(items))
    for name in ("subject", "timepoint", "rater"):
        remarks += near_names(name, {getattr(item, name) for item in values})
    remarks += other_units(values)
    by = f"protocol {', '.join(sorted(digests))}" if digests else "no protocol"
    if found is None:
        if any(item.slices > 1 for item in values):
            msg = f"The table names {by} that is known here, and levels have several slices."
            raise StatisticsError(msg, remedy="Name the protocol: --protocol FILE or PRESET.")
        remarks.append(
            f"The table names {by} that is known here: each level has one slice, which enters."
        )
    elif not digests_of(protocol).issuperset(digests):
        remarks.append(
            f"The table was measured by {by}; by the one named, {protocol.digest}, a level's "
            f"value is the {rule_in_words(protocol)}."
        )
    return StudyTable(values, protocol, tuple(remarks))
