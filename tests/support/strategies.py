"""Random planes, polygons and outlines for property tests.

Planes are oblique, flipped and anisotropic; polygons are simple by construction, and sets of paths
nest without touching, so that shapely can say independently what they enclose.
"""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING

import numpy as np
import shapely
from hypothesis import strategies as st

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.geometry import Plane
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.protocol import BiasCorrection, FatMethod, LevelValue, MeasurementProtocol
from multifidus.data.roi import Reading, Roi, RoiKey, Source
from multifidus.data.roi_set import Grade, NotMeasurable, Reason, RoiSet, SliceLevel

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

SIGNED_PERMUTATIONS = [
    np.array([np.eye(3)[axis] * sign for axis, sign in zip(order, signs, strict=True)])
    for order in permutations(range(3))
    for signs in product((1.0, -1.0), repeat=3)
]
"""The 48 ways to permute and flip three axes."""


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


@st.composite
def rotations(draw) -> Array:
    """Draw a 3x3 matrix of orthonormal columns: oblique, or along the axes and flipped."""
    if draw(st.booleans()):
        return draw(st.sampled_from(SIGNED_PERMUTATIONS))
    w, x, y, z = draw(
        st.tuples(*[numbers(-1, 1)] * 4).filter(lambda q: float(np.dot(q, q)) > 0.05)
    ) / np.float64(1)
    n = w * w + x * x + y * y + z * z
    return np.array(
        [
            [1 - 2 * (y * y + z * z) / n, 2 * (x * y - z * w) / n, 2 * (x * z + y * w) / n],
            [2 * (x * y + z * w) / n, 1 - 2 * (x * x + z * z) / n, 2 * (y * z - x * w) / n],
            [2 * (x * z - y * w) / n, 2 * (y * z + x * w) / n, 1 - 2 * (x * x + y * y) / n],
        ]
    )


def points_mm(limit: float = 300) -> st.SearchStrategy[tuple[float, float, float]]:
    return st.tuples(*[numbers(-limit, limit)] * 3)


@st.composite
def planes(draw) -> Plane:
    """Draw a plane of any tilt, any flip, with pixels that need not be square."""
    axes = draw(rotations())
    row_mm, column_mm = draw(numbers(0.2, 7)), draw(numbers(0.2, 7))
    return Plane(draw(points_mm()), axes[:, 0] * row_mm, axes[:, 1] * column_mm)


@st.composite
def simple_polygons(draw, *, radius: float = 8.0, centre: float = 0.0, most: int = 14) -> Array:
    """Draw a simple polygon, (n, 2): corners at rising angles around a centre, at any distance."""
    n = draw(st.integers(3, most))
    steps = np.array(draw(st.lists(numbers(0.2, 1), min_size=n, max_size=n)))
    radii = np.array(draw(st.lists(numbers(0.3, 1), min_size=n, max_size=n))) * radius
    # No step reaches half a turn, so that the centre stays inside.
    steps = np.minimum(steps / steps.sum(), 0.45)
    angles = steps.cumsum() + draw(numbers(0, 1))
    angles = angles * (2 * np.pi)
    row, column = draw(numbers(-3, 3)), draw(numbers(-3, 3))
    path = np.stack((radii * np.cos(angles), radii * np.sin(angles)), axis=1)
    return np.asarray(path + np.array((row + centre, column + centre)))


@st.composite
def nested_paths(draw, *, radius: float = 8.0, centre: float = 0.0) -> list[Array]:
    """Draw an outline with a hole, an island in the hole and one apart, each there or not."""
    outer = draw(simple_polygons(radius=radius, centre=centre))
    # A polygon that its middle sees all of shrinks towards it without touching itself.
    middle = _kernel_point(outer)
    paths = [outer]
    if middle is not None:
        paths += [middle + (outer - middle) * scale for scale in draw(_SCALES)]
    if draw(st.booleans()):
        paths.append(draw(simple_polygons(radius=radius, centre=centre + 3 * radius)))
    turned = [path[::-1] if draw(st.booleans()) else path for path in paths]
    return draw(st.permutations(turned))


_SCALES = st.sampled_from([(), (0.6,), (0.7, 0.3), (0.8, 0.5, 0.2)])


def _kernel_point(path: Array) -> Array | None:
    """Return a point from which all corners are seen, or None."""
    polygon = shapely.Polygon(path)
    kernel = polygon.envelope.buffer(1)
    far = 1e3
    for start, end in zip(path, np.roll(path, -1, axis=0), strict=True):
        along = (end - start) / np.linalg.norm(end - start)
        inward = np.array((-along[1], along[0])) * np.sign(signed_area_by_shapely(path))
        a, b = start - along * far, end + along * far
        kernel = kernel.intersection(shapely.Polygon([a, b, b + inward * far, a + inward * far]))
    if kernel.area < 1e-3:
        return None
    return np.array(kernel.centroid.coords[0])


def signed_area_by_shapely(path: Array) -> float:
    ring = shapely.LinearRing(path)
    return shapely.Polygon(path).area * (1 if ring.is_ccw else -1)


def even_odd(paths: list[Array]) -> shapely.Geometry:
    """Return what paths enclose by the even-odd rule, as shapely sees it."""
    region = shapely.Polygon()
    for path in paths:
        region = region.symmetric_difference(shapely.make_valid(shapely.Polygon(path)))
    return region


LEVELS = st.sampled_from(Level)
SIDES = st.sampled_from(Side)
STRUCTURES = st.sampled_from(Structure)
WORDS = st.text(max_size=8)
READINGS = st.builds(Reading, WORDS, WORDS, WORDS, st.integers(1, 9))


@st.composite
def rois(draw, reading: Reading) -> Roi:
    """Draw an outline with holes and islands on a random plane."""
    plane = draw(planes())
    paths = draw(nested_paths())
    key = RoiKey(reading, draw(WORDS), draw(STRUCTURES), draw(SIDES), draw(WORDS))
    return Roi(
        key,
        tuple(plane.to_patient(path) for path in paths),
        plane,
        (draw(st.integers(1, 512)), draw(st.integers(1, 512))),
        draw(st.none() | LEVELS),
        draw(st.sampled_from(SlicePosition)),
        draw(st.sampled_from(RoiRule)),
        draw(st.sampled_from(Source)),
    )


@st.composite
def roi_sets(draw) -> RoiSet:
    """Draw all that one rater can say about an exam in one reading."""
    reading = draw(READINGS)
    few = {"max_size": 3}
    outlines = draw(st.lists(rois(reading), unique_by=lambda roi: roi.key, **few))
    return RoiSet(
        tuple(outlines),
        tuple(
            draw(st.lists(st.builds(Landmark, st.sampled_from(LandmarkKind), LEVELS, points_mm())))
        ),
        tuple(draw(st.lists(st.builds(SliceLevel, WORDS, LEVELS, st.sampled_from(SlicePosition))))),
        tuple(
            draw(
                st.lists(
                    st.builds(
                        NotMeasurable, LEVELS, SIDES, STRUCTURES, st.sampled_from(Reason), WORDS
                    )
                )
            )
        ),
        tuple(draw(st.lists(st.builds(Grade, WORDS, LEVELS, SIDES, st.integers(0, 4))))),
        reading,
    )


_TILT_AXES = st.fixed_dictionaries({"tilt_axis": st.sampled_from(("spine", "patient_z"))}) | (
    st.fixed_dictionaries(
        {
            "tilt_axis": st.just("vector"),
            "tilt_vector": points_mm(2).filter(lambda v: float(np.dot(v, v)) > 1e-3),
        }
    )
)
_SELECTIONS = st.fixed_dictionaries({"slice_selection": st.sampled_from(("all", "nearest"))}) | (
    st.fixed_dictionaries({"slice_selection": st.just("band"), "band_mm": numbers(0, 30)})
)


@st.composite
def protocols(draw) -> MeasurementProtocol:
    """Draw a protocol of any methods and any allowed numbers."""
    methods = tuple(draw(st.lists(st.sampled_from(FatMethod), unique=True)))
    return MeasurementProtocol(
        fat_methods=methods,
        fixed_threshold=draw(numbers(-1e4, 1e4)) if FatMethod.FIXED in methods else None,
        reference_weight=draw(numbers(0, 100)),
        minimal_separation=draw(numbers(0, 100)),
        minimal_coverage=draw(numbers(0, 1)),
        minimal_contrast=draw(numbers(0, 2)),
        maximal_disagreement_pct=draw(numbers(0, 100)),
        lean_sd_multiple=draw(numbers(0, 10)),
        minimal_points=draw(st.integers(3, 100)),
        propose_references=draw(st.booleans()),
        bias_correction=draw(st.sampled_from(BiasCorrection)),
        tracing_sd_mm=draw(numbers(0, 10)),
        tracing_correlation_mm=draw(numbers(0.1, 100)),
        tracing_offset_mm=draw(numbers(0, 10)),
        placement_sd_mm=draw(numbers(0, 10)),
        threshold_resamples=draw(st.integers(2, 1000)),
        minimal_valid_fraction=draw(numbers(0, 1)),
        oedema_weeks=draw(numbers(0, 100)),
        regional_fat=draw(st.booleans()),
        tilt_limit_deg=draw(numbers(0, 90)),
        level_value=draw(st.sampled_from(LevelValue)),
        **draw(_TILT_AXES),
        **draw(_SELECTIONS),
    )
