"""Solids: rounded shapes across the spine whose place and size change smoothly along it.

A solid's cross-section is a convex template, rounded by a power mean of the distances to its
edges, and scaled into a box that varies along the spine. Everything about it follows from one
implicit function, negative inside, which knows nothing of pixels, slices or outlines.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from multifidus.phantom.spine import STATION_S_MM

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

TRACK_STEP_MM = 0.5
"""Tracks are tabulated this finely along the spine and are linear in between, by definition."""

_TRACK_START_MM = -200.0
_TRACK_ROWS = 801

_MARGIN_MM = 0.1
"""Bounds are taken from a few cross-sections; no solid swells by this much between them."""


@dataclass(frozen=True, eq=False)
class Track:
    """Values that change along the spine.

    Parameters
    ----------
    table
        One row every ``TRACK_STEP_MM`` from 200 mm below L3-L4 on, shape (801, k).
    """

    table: Array

    @classmethod
    def through(cls, values: ArrayLike, stations_mm: Sequence[float] = STATION_S_MM) -> Track:
        """Interpolate monotonically through values at stations, shape (stations, k)."""
        from scipy.interpolate import PchipInterpolator

        rows = np.asarray(values, dtype=np.float64)
        s = _TRACK_START_MM + TRACK_STEP_MM * np.arange(_TRACK_ROWS)
        s = np.clip(s, stations_mm[0], stations_mm[-1])
        return cls(np.asarray(PchipInterpolator(np.asarray(stations_mm), rows)(s)))

    @classmethod
    def constant(cls, values: ArrayLike) -> Track:
        """Keep values, shape (k,), all along the spine."""
        return cls(np.tile(np.asarray(values, dtype=np.float64), (_TRACK_ROWS, 1)))

    def at(self, s: Array) -> Array:
        """Values at positions along the spine, shape (k, n) for s of shape (n,)."""
        place = np.clip((s - _TRACK_START_MM) / TRACK_STEP_MM, 0.0, _TRACK_ROWS - 1.001)
        row = place.astype(np.intp)
        rest = place - row
        found = np.empty((self.table.shape[1], len(s)))
        for k, step in enumerate(self._steps):
            np.multiply(rest, step[row], out=found[k])
            found[k] += self.table[row, k]
        return found

    @cached_property
    def _steps(self) -> Array:
        """From each row of the table to the next, shape (k, 800)."""
        return np.diff(self.table, axis=0).T.copy()


@dataclass(frozen=True, eq=False)
class Template:
    """A convex cross-section in its own unit box, with rounded corners.

    The implicit function is the sum over the edges of ``max(0, distance ratio) ** power``: 1 on
    the boundary, less inside. The ratio is 0 at the centroid of the corners and 1 on the edge,
    so the shape touches each edge and cuts every corner; a higher power cuts less.

    Parameters
    ----------
    corners
        Convex, in turn, shape (n, 2), in (lateral, posterior) order.
    power
        Even whole number.
    """

    corners: Array
    power: int

    @cached_property
    def centre(self) -> Array:
        """Where the shape is seen from: the mean of its corners, shape (2,)."""
        return np.asarray(self.corners.mean(axis=0))

    @cached_property
    def edges(self) -> Array:
        """Normal over distance from the centre, one row an edge, shape (n, 2)."""
        start = self.corners - self.centre
        along = np.roll(start, -1, axis=0) - start
        normal = np.column_stack((along[:, 1], -along[:, 0]))
        return np.asarray(normal / (normal * start).sum(axis=1)[:, None])

    @cached_property
    def unit_area(self) -> float:
        """Area inside the implicit boundary, by the trapezoidal rule over all directions."""
        angle = np.linspace(0, 2 * np.pi, 7200, endpoint=False)
        gauge = self.raised(np.cos(angle), np.sin(angle)) ** (1 / self.power)
        return float((gauge**-2).mean() * np.pi)

    def raised(self, x: Array, y: Array) -> Array:
        """Evaluate the sum of raised ratios at offsets from the centre."""
        total = np.zeros_like(x)
        for a, b in self.edges:
            ratio = a * x
            ratio += b * y
            np.maximum(ratio, 0.0, out=ratio)
            total += _raise(ratio, self.power)
        return total


def _raise(values: Array, power: int) -> Array:
    """Raise to an even power by squaring: many times faster than a general power."""
    result: Array | None = None
    while power:
        if power & 1:
            result = values if result is None else result * values
        power >>= 1
        if power:
            values = values * values
    return np.ones_like(values) if result is None else result


def template(corners: Sequence[tuple[float, float]], power: int = 8) -> Template:
    """Scale corners in (lateral, posterior) order into the unit box and make a template."""
    points = np.array(corners, dtype=np.float64)
    points -= points.min(axis=0)
    return Template(points / points.max(axis=0), power)


def ellipse(power: int = 2) -> Template:
    """Return an ellipse filling the unit box; a higher power makes it squarer."""
    return Template(np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]), power)


@dataclass(frozen=True, slots=True, eq=False)
class Solid:
    """A template carried along the spine.

    Parameters
    ----------
    shape
        The cross-section.
    box
        Track of (lateral start, v start, width, height) in millimetres.
    mirror
        1 for the patient's left or a midline solid, -1 for the right.
    middle_mm, half_mm
        Where along the spine it has its middle, and how far it reaches to either side; it rounds
        off towards both ends. Infinite by default.
    """

    shape: Template
    box: Track
    mirror: int = 1
    middle_mm: float = 0.0
    half_mm: float = float("inf")

    def raised(self, u: Array, v: Array, s: Array) -> Array:
        """Evaluate the implicit function: below 1 inside, 1 on the boundary."""
        lateral, start, width, height = self.box.at(s)
        centre_x, centre_y = self.shape.centre
        x = (self.mirror * u - lateral) / width - centre_x
        y = (v - start) / height - centre_y
        total = self.shape.raised(x, y)
        if np.isfinite(self.half_mm):
            total += ((s - self.middle_mm) / self.half_mm) ** 4
        return total

    def contains(self, u: Array, v: Array, s: Array) -> NDArray[np.bool_]:
        """Which points lie inside; evaluated only within the solid's bounds."""
        if not len(s):
            return np.zeros(0, dtype=np.bool_)
        (u0, u1), (v0, v1), (s0, s1) = self.bounds(float(s.min()), float(s.max()))
        if s0 > s1:
            return np.zeros(len(s), dtype=np.bool_)
        inside = (u > u0) & (u < u1)
        near = np.flatnonzero(inside)
        near = near[(v[near] > v0) & (v[near] < v1)]
        if np.isfinite(self.half_mm):
            near = near[np.abs(s[near] - self.middle_mm) < self.half_mm]
        inside[:] = False
        inside[near] = self.raised(u[near], v[near], s[near]) < 1.0
        return inside

    def bounds(self, low: float, high: float) -> tuple[tuple[float, float], ...]:
        """Bounds of u, v and s of the part between two places along the spine."""
        low = max(low, self.middle_mm - self.half_mm)
        high = min(high, self.middle_mm + self.half_mm)
        if low > high:
            return ((0.0, 0.0), (0.0, 0.0), (low, high))
        s = np.append(np.arange(low, high, TRACK_STEP_MM), high)
        lateral, start, width, height = self.box.at(s)
        u = (self.mirror * lateral, self.mirror * (lateral + width))
        return (
            (float(np.min(u)) - _MARGIN_MM, float(np.max(u)) + _MARGIN_MM),
            (float(start.min()) - _MARGIN_MM, float((start + height).max()) + _MARGIN_MM),
            (low, high),
        )

    def centre_mm(self, s: float) -> tuple[float, float]:
        """Return (u, v) of the centre at a place along the spine."""
        lateral, start, width, height = self.box.at(np.array([s]))[:, 0]
        x, y = self.shape.centre
        return float(self.mirror * (lateral + x * width)), float(start + y * height)


def sized(shape: Template, rows: ArrayLike, mirror: int = 1) -> Solid:
    """Make a solid of given areas.

    Parameters
    ----------
    shape
        The cross-section.
    rows
        One a station: lateral start, v start (mm), area (mm2) and width over height.
    mirror
        As in :class:`Solid`.
    """
    lateral, start, area_mm2, aspect = np.asarray(rows, dtype=np.float64).T
    height = np.sqrt(area_mm2 / (shape.unit_area * aspect))
    return Solid(
        shape, Track.through(np.column_stack((lateral, start, aspect * height, height))), mirror
    )
