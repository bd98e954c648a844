"""Outlines between slices, from the outlines above and below.

Shape-based interpolation (Raya and Udupa 1990, doi:10.1109/42.52981; Herman et al. 1992,
doi:10.1109/38.135915): the signed distance to either border, weighted by how near its slice is; the
outline is where the weighted distance is 0. Distances are computed from the polygons themselves,
not from masks of pixels. Both outlines are moved onto a common centroid first (that of the largest
part), so that a muscle that runs obliquely keeps its size. A cylinder gives the cylinder, a cone
the cone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from multifidus.data.geometry import SAME_DIRECTION_DEG, Plane, cross, unit
from multifidus.data.polygon import area
from multifidus.data.polygon_sets import centroid, loops_of, region_of
from multifidus.errors import GeometryError, RoiError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from multifidus.data.roi import Roi

    Array = NDArray[np.float64]

GRID_STEPS = 12
"""Grid points a pixel, along its shorter side; a sharp corner is cut by about one of them."""

THINNED_PIXELS = 0.02
"""Vertices are left out where the border moves by less than this; the area is kept."""

SMALLEST_PIXELS = 1.0
"""Specks of fewer pixels, which lie between shapes of unlike parts, are left out."""


def interpolate(first: Roi, second: Roi, plane: Plane) -> tuple[Array, ...]:
    """Interpolate an outline between two of one structure on parallel slices.

    Parameters
    ----------
    first, second
        Outlines on either side of the plane.
    plane
        The slice between them, parallel to both.

    Returns
    -------
    tuple of ndarray
        Closed paths, each (n, 2): row, column of ``plane``. They lie within 0.1 pixel of the exact
        level set.

    Raises
    ------
    GeometryError
        If the slices are at an angle to each other, as those of different stacks may be, or if the
        plane does not lie between them.
    RoiError
        If the outlines are so unlike that nothing lies between them.
    """
    share = _share(first, second, plane)
    frame = _Frame.of(plane)
    one, other = ([frame.flat(path) for path in roi.paths_mm] for roi in (first, second))
    middles = _middle(one), _middle(other)
    here = (1 - share) * middles[0] + share * middles[1]
    pixel = min(plane.pixel_spacing_mm)
    between = _level_set(
        [path - middles[0] for path in one],
        [path - middles[1] for path in other],
        share,
        pixel,
    )
    if not between:
        msg = f"The outlines of {first.key} and {second.key} are too unlike to interpolate."
        raise RoiError(msg, remedy="Copy one of them and move its points.")
    return tuple(plane.to_pixels(frame.patient(loop + here)) for loop in between)


def _share(first: Roi, second: Roi, plane: Plane) -> float:
    """Return how far the plane is on the way from the first slice to the second, 0 to 1."""
    for roi in (first, second):
        # The sine: the cosine of a small angle is 1 to rounding.
        sine = float(np.linalg.norm(cross(roi.plane.normal, plane.normal)))
        angle = np.degrees(np.arcsin(min(sine, 1.0)))
        if angle > SAME_DIRECTION_DEG:
            msg = (
                f"The outline of {roi.key} lies on a slice at {angle:.1f} degrees to this one; "
                "only parallel slices have an outline between them."
            )
            raise GeometryError(msg, remedy="Copy the outline instead, and move its points.")
    apart = [float(plane.distance_mm(roi.paths_mm[0]).mean()) for roi in (first, second)]
    if not min(apart) < 0 < max(apart):
        msg = (
            f"The slice does not lie between the outlines: they are {apart[0]:.1f} and "
            f"{apart[1]:.1f} mm from it."
        )
        raise GeometryError(msg, remedy="Draw the structure on a slice on either side.")
    return apart[0] / (apart[0] - apart[1])


def _middle(paths: Sequence[Array]) -> Array:
    """Return the centroid of the largest part: an island that ends moves nothing else."""
    return centroid([max(paths, key=lambda path: area([path]))])


class _Frame:
    """Millimetres in a plane, along two directions at right angles."""

    def __init__(self, origin: Array, axes: Array) -> None:
        self._origin, self._axes = origin, axes

    @classmethod
    def of(cls, plane: Plane) -> _Frame:
        along = unit(plane.column_step_mm)
        return cls(plane.origin_mm, np.array((cross(plane.normal, along), along)))

    def flat(self, points_mm: Array) -> Array:
        return np.asarray((points_mm - self._origin) @ self._axes.T)

    def patient(self, flat: Array) -> Array:
        return np.asarray(self._origin + flat @ self._axes)


def _level_set(
    one: Sequence[Array], other: Sequence[Array], share: float, pixel: float
) -> list[Array]:
    """Return where the weighted signed distance is 0, in millimetres."""
    from skimage import measure

    find_contours: Any = measure.find_contours

    points = np.concatenate((*one, *other))
    low = points.min(axis=0) - 2 * pixel
    blocks = (np.ceil((points.max(axis=0) - low) / pixel).astype(int) + 3).tolist()
    step = pixel / GRID_STEPS
    # The middle of each block of fine grid points, a pixel wide.
    coarse = low + pixel * _indices(*blocks)
    coarse += step * (GRID_STEPS - 1) / 2

    def depth_at(places: Array) -> Array:
        return (1 - share) * _depth(one, places) + share * _depth(other, places)

    rough = depth_at(coarse)
    # A distance changes by no more than one goes: other blocks are all inside or all outside.
    near = np.abs(rough) < pixel
    within = step * _indices(GRID_STEPS, GRID_STEPS)
    corner = low + pixel * np.argwhere(near)
    depth = np.repeat(np.repeat(rough[:, :, None, None], GRID_STEPS, 2), GRID_STEPS, 3)
    depth[near] = depth_at(corner[:, None, None] + within)
    whole = depth.transpose(0, 2, 1, 3).reshape(blocks[0] * GRID_STEPS, blocks[1] * GRID_STEPS)
    found = [low + step * line[:-1] for line in find_contours(whole, 0.0)]
    loops = [loop for loop in found if area([loop]) > SMALLEST_PIXELS * pixel**2]
    return _thinned(loops, THINNED_PIXELS * pixel) if loops else []


def _indices(rows: int, columns: int) -> Array:
    """Return the row and column of every grid point, (rows, columns, 2)."""
    return np.moveaxis(np.indices((rows, columns), dtype=np.float64), 0, -1)


def _depth(paths: Sequence[Array], places: Array) -> Array:
    """Return the distance of places, (..., 2), to the border; positive inside."""
    import shapely

    region = region_of(paths)
    border: Any = region.boundary
    shapely.prepare(region)
    shapely.prepare(border)
    away = shapely.distance(shapely.points(places), border)
    inside = shapely.contains_xy(region, places[..., 0], places[..., 1])
    return np.asarray(np.where(inside, away, -away))


def _thinned(loops: Sequence[Array], by: float) -> list[Array]:
    """Leave out vertices that say little, and scale what is left to the area of all."""
    whole = region_of(loops)
    kept = whole.simplify(by, preserve_topology=True)
    middle = np.array((whole.centroid.x, whole.centroid.y))
    growth = float(np.sqrt(whole.area / kept.area))
    return [middle + (loop - middle) * growth for loop in loops_of(kept)]
