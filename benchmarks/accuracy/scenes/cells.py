"""The scenes of a comparison: one factor at a time, in each pattern of fat; then two at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.accuracy.scenes.factors import CROSSED, FACTORS
from benchmarks.accuracy.scenes.scene import Pattern, Scene


@dataclass(frozen=True, slots=True)
class Cell:
    """One scene of a comparison.

    Parameters
    ----------
    factor, level
        What differs from the neutral scene; both empty for that scene itself.
    pattern
        In which pattern of fat.
    """

    factor: str
    level: str
    pattern: Pattern
    scene: Scene

    @property
    def name(self) -> str:
        """Factor, level and pattern in one word."""
        return "/".join(filter(None, (self.factor, self.level, self.pattern.value)))


def vary(factors: Mapping[str, Mapping[str, Mapping[str, object]]] | None = None) -> Iterator[Cell]:
    """List the scenes of a comparison: one factor at a time, in each pattern of fat; then crossed.

    Parameters
    ----------
    factors
        Changes by factor and level; those of ``FACTORS`` where none are given.
    """
    chosen = FACTORS if factors is None else factors
    neutral = Scene()
    yield Cell("", "", Pattern.LEAN, neutral.but(pattern=Pattern.LEAN))
    for pattern in (Pattern.STREAKS, Pattern.DIFFUSE, Pattern.BOTH):
        base = neutral.but(pattern=pattern)
        yield Cell("", "", pattern, base)
        for factor, levels in chosen.items():
            # The width of streaks says nothing where there are none.
            if factor == "streak_width" and pattern is Pattern.DIFFUSE:
                continue
            for level, changes in levels.items():
                yield Cell(factor, level, pattern, base.but(**changes))
    if factors is None:
        for level, changes in CROSSED.items():
            scene = neutral.but(pattern=Pattern.DIFFUSE, **changes)
            yield Cell("crossed", level, Pattern.DIFFUSE, scene)
