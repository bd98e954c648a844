"""The rows of one case as plain values, and back: what many rows share is kept once.

Exact: floats are written with every digit, and what is undefined as null.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from multifidus.data.anatomy import Level, RoiRule, SlicePosition, word_or_text
from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import FrozenDict
from multifidus.data.measurement import Measurement, Provenance, Quantity
from multifidus.data.protocol import TiltAxis
from multifidus.data.roi import Reading, RoiKey, Source
from multifidus.io.measurements_csv import plain_parameters

_WORDS = {
    "level": Level,
    "slice_position": SlicePosition,
    "roi_rule": RoiRule,
    "source": Source,
    "tilt_axis": TiltAxis,
}
"""What of a provenance is a word of a closed list."""

_NUMBERS = ("tilt_deg", "valid_fraction", "offset_mm")

_ORIGIN = tuple(item.name for item in fields(Provenance))


@dataclass(slots=True)
class _Shared:
    """Values that many rows share, each once, by their text.

    Parameters
    ----------
    plain
        Makes a value of what a row holds.
    """

    plain: Callable[[Any], Any]
    values: list[Any] = field(default_factory=list)
    by_text: dict[str, int] = field(default_factory=dict)
    by_identity: dict[int, int] = field(default_factory=dict)
    """Places of what rows hold: all rows of an outline hold the same."""

    def place(self, held: object) -> int:
        found = self.by_identity.get(id(held))
        if found is None:
            found = self.by_identity[id(held)] = self._place(self.plain(held))
        return found

    def _place(self, value: Any) -> int:
        found = self.by_text.setdefault(json.dumps(value), len(self.values))
        if found == len(self.values):
            self.values.append(value)
        return found


def packed_rows(rows: Sequence[Measurement]) -> dict[str, Any]:
    """Return rows as plain values for JSON."""
    keys, origins = _Shared(_plain_key), _Shared(_plain_origin)
    parameters, own = _Shared(plain_parameters), _Shared(dict)
    lines = [
        [
            keys.place(row.key),
            origins.place(row.provenance),
            row.quantity,
            _or_null(row.value),
            row.n_pixels,
            row.method,
            parameters.place(row.parameters),
            [str(flag) for flag in row.flags],
            _or_null(row.uncertainty),
            own.place(row.extra),
        ]
        for row in rows
    ]
    shared = {"keys": keys, "origins": origins, "parameters": parameters, "own": own}
    return {name: each.values for name, each in shared.items()} | {"rows": lines}


def _plain_key(key: RoiKey) -> list[object]:
    by = key.reading
    named = (by.subject, by.timepoint, by.rater, by.reading, key.slice_uid)
    return [*named, str(key.structure), str(key.side), key.name]


def _plain_origin(origin: Provenance) -> list[object]:
    values = (getattr(origin, name) for name in _ORIGIN)
    return [_or_null(value) if isinstance(value, float) else value for value in values]


def _or_null(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def unpacked_rows(packed: Mapping[str, Any]) -> list[Measurement]:
    """Return the rows that were packed."""
    keys = [_key(values) for values in packed["keys"]]
    origins = [_origin(values) for values in packed["origins"]]
    parameters = [FrozenDict(values) for values in packed["parameters"]]
    own = [FrozenDict(values) for values in packed["own"]]
    return [
        Measurement(
            keys[key],
            word_or_text(quantity, Quantity),
            _or_nan(value),
            origins[origin],
            n_pixels,
            method,
            parameters[used],
            tuple(word_or_text(flag, Flag) for flag in flags),
            _or_nan(uncertainty),
            own[extra],
        )
        for key, origin, quantity, value, n_pixels, method, used, flags, uncertainty, extra in (
            packed["rows"]
        )
    ]


def _key(values: list[Any]) -> RoiKey:
    subject, timepoint, rater, reading, uid, structure, side, name = values
    by = Reading(subject, timepoint, rater, reading)
    return RoiKey.as_written(by, uid, structure=structure, side=side, name=name)


def _origin(values: list[Any]) -> Provenance:
    known = dict(zip(_ORIGIN, values, strict=True))
    known |= {name: _or_nan(known[name]) for name in _NUMBERS}
    known |= {
        name: word_or_text(known[name], choices)
        for name, choices in _WORDS.items()
        if known[name] is not None
    }
    return Provenance(**known)
