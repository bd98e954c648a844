"""The levels that a number's slices lie at: of a volume there may be several."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from multifidus.data.measurement import Measurement
from multifidus.study.level_value import OF_MANY_SLICES


@dataclass(frozen=True, slots=True)
class SliceLevels:
    """The levels of the slices of readings, by the rows of their measurements."""

    _levels: Mapping[Hashable, dict[int | None, set[str]]] = field(default_factory=dict)
    _runs: Mapping[Hashable, set[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: Iterable[Measurement]) -> SliceLevels:
        """Gather them; all rows of a reading are needed."""
        levels: dict[Hashable, dict[int | None, set[str]]] = {}
        runs: dict[Hashable, set[int]] = {}
        for row in rows:
            index = row.provenance.slice_index
            if row.quantity in OF_MANY_SLICES:
                runs.setdefault((_muscle(row), index), set()).update(_run(row))
            else:
                here = levels.setdefault(_muscle(row), {}).setdefault(index, set())
                here.add(row.provenance.level or "")
        return cls(levels, runs)

    def of_row(self, row: Measurement) -> tuple[str, ...]:
        """Return the levels of a number, an empty one where it is not known.

        A volume over several levels is of each of them. Where its row does not say which slices it
        is of, it is of all slices of its muscle in its series.
        """
        level = row.provenance.level or ""
        if level or row.quantity not in OF_MANY_SLICES:
            return (level,)
        known = self._levels.get(_muscle(row), {})
        # That of both sides does not list its slices; those of either side do.
        run: Iterable[int | None] = self._runs.get((_muscle(row), row.provenance.slice_index), ())
        run = run or known
        return tuple(sorted({""}.union(*(known.get(index, ()) for index in run))))


def _muscle(row: Measurement) -> Hashable:
    return row.key.reading, row.provenance.series, row.key.structure, row.key.name


def _run(row: Measurement) -> Iterator[int]:
    found = row.parameters.get("slice_indices")
    yield from map(int, found) if isinstance(found, list) else ()
