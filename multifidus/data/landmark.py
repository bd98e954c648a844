"""Named points on the spine."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Level, choose
from multifidus.data.geometry import readonly
from multifidus.errors import LevelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LandmarkKind(StrEnum):
    """What a landmark marks."""

    DISC_CENTRE = "disc_centre"
    SUPERIOR_ENDPLATE = "superior_endplate"
    INFERIOR_ENDPLATE = "inferior_endplate"
    CAGE = "cage"


@dataclass(frozen=True, slots=True, eq=False)
class Landmark:
    """A named point on the spine, placed on the sagittal series.

    Parameters
    ----------
    kind
        What it marks.
    level
        Of which disc or vertebra.
    position_mm
        Where it is, LPS, shape (3,).

    Raises
    ------
    LevelError
        If the kind or the level is none of the choices, or the position is no three finite numbers.
    """

    kind: LandmarkKind
    level: Level
    position_mm: NDArray[np.float64]

    def __post_init__(self) -> None:
        choose(self, {"kind": LandmarkKind, "level": Level}, LevelError)
        position = readonly(self.position_mm, (3,), "position_mm", LevelError)
        object.__setattr__(self, "position_mm", position)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Landmark) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    @property
    def _identity(self) -> tuple[object, ...]:
        return (self.kind, self.level, *self.position_mm.tolist())
