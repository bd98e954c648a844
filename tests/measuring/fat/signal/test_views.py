"""Which pixels of a slice are looked at, held against their definition on the whole image."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from multifidus.data.anatomy import Side, Structure
from multifidus.data.geometry import Plane
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi_set import RoiSet
from multifidus.measuring.fat.signal.views import SCALE_MM, Middle
from multifidus.measuring.locate import place
from multifidus.measuring.slice_pixels import read_outline_pixels
from tests.support.exams import READER, circle, exam_of, image_slice, outline

SHAPE = (120, 150)
DARKEST = 400.0

# No whole number of their pixels is 25 mm: rounding would say what lies within that.
PLANES = {
    "axial": Plane((-75.0, -60.0, 0.0), (0.0, 0.9371, 0.0), (0.9371, 0.0, 0.0)),
    "tilted": Plane((-75.0, -60.0, 0.0), (0.0, 0.8971, 0.3), (0.9371, 0.0, 0.0)),
    "mirrored": Plane((75.0, 60.0, 0.0), (0.0, -0.9371, 0.0), (-0.9371, 0.0, 0.0)),
    "turned": Plane((-60.0, -75.0, 0.0), (0.9371, 0.0, 0.0), (0.0, 0.9371, 0.0)),
    "askew": Plane((-75.0, -60.0, 0.0), (-0.2134, 0.9271, 0.0), (0.9271, 0.2134, 0.0)),
}


@pytest.fixture(params=PLANES)
def seen(request):
    return look(random_pixels(), PLANES[request.param])


def random_pixels():
    return np.random.default_rng(3).integers(50, 1000, SHAPE).astype(float)


def look(pixels, plane):
    """Return a view, its outlines, and the pixels, weights and coordinates of the whole image."""
    item = image_slice(pixels, plane)
    rois = RoiSet(
        (
            outline(item, circle(60, 55, 13), Structure.MULTIFIDUS, Side.RIGHT),
            outline(item, circle(62, 90, 11), Structure.ERECTOR_SPINAE, Side.LEFT),
            outline(item, circle(12, 30, 9), Structure.PSOAS, Side.RIGHT),
            outline(item, circle(60, 55, 4), Structure.LEAN_REFERENCE),
            outline(item, circle(84, 75, 3), Structure.FAT_REFERENCE),
        ),
        reading=READER,
    )
    exam = exam_of(item)
    protocol = MeasurementProtocol(fat_methods=("signal",))
    items = read_outline_pixels(exam, place(rois, exam), protocol)
    middle = Middle.of(items)
    view = middle.view(dict(enumerate(items)), DARKEST)
    weights = {n: i.footprint.coverage.full(SHAPE) for n, i in enumerate(items)}
    mm = item.plane.to_patient(np.indices(SHAPE).reshape(2, -1).T).T.reshape(3, *SHAPE)
    x, y = (mm[0] - middle.x_mm) / SCALE_MM, (mm[1] - middle.y_mm[item.uid]) / SCALE_MM
    return view, items, pixels, weights, (x, y)


def in_order(*columns):
    return np.array(sorted(zip(*(np.round(each, 9) for each in columns), strict=True)))


def test_muscles_are_seen_away_from_their_border_and_samples_by_more_than_half(seen):
    view, items, pixels, weights, (x, y) = seen
    for number, item in enumerate(items):
        whole = uniform_filter(weights[number], 3) > 1 - 1e-7
        wanted = whole if item.is_muscle else weights[number] > 0.5
        found = view.inside[number]
        mean = uniform_filter(pixels, 3)
        sd = np.sqrt((uniform_filter(pixels**2, 3) - mean**2) * 9 / 8)
        np.testing.assert_allclose(
            in_order(found.x, found.y, found.signal, found.mean, found.sd),
            in_order(x[wanted], y[wanted], pixels[wanted], mean[wanted], sd[wanted]),
            atol=1e-8,
        )


def test_fat_is_looked_for_beside_and_behind_the_muscles_of_the_back_outside_outlines(seen):
    view, items, pixels, weights, (x, y) = seen
    back = {Structure.MULTIFIDUS, Structure.ERECTOR_SPINAE}
    muscle = sum(weights[n] for n, i in enumerate(items) if i.roi.key.structure in back) > 0.5
    reach = 25 / SCALE_MM
    kept = items[0].surroundings
    rows, columns = (slice(kept.top, None), slice(kept.left, None))
    mean = np.zeros(SHAPE)
    mean[rows, columns][: kept.pixels.shape[0], : kept.pixels.shape[1]] = uniform_filter(
        kept.pixels, 3
    )
    wanted = mean > DARKEST
    wanted &= uniform_filter(sum(weights.values()), 5) < 1e-6
    wanted &= (y > y[muscle].min()) & (y < y[muscle].max() + reach)
    wanted &= (x > x[muscle].min() - reach) & (x < x[muscle].max() + reach)
    wanted &= (np.abs(x) > 15 / SCALE_MM) | (y > np.percentile(y[muscle], 90))
    assert 500 < wanted.sum() < wanted.size / 2
    np.testing.assert_array_equal(
        in_order(view.beside.x, view.beside.y, view.beside.signal),
        in_order(x[wanted], y[wanted], pixels[wanted]),
    )


def test_without_muscles_of_the_back_on_it_a_slice_shows_nothing_beside_them(seen):
    view, items, *_ = seen
    references = {n: item for n, item in view.items.items() if not item.is_muscle}
    middle = Middle.of(items)
    assert not len(middle.view(references, DARKEST).beside.x)


@pytest.mark.parametrize("nothing", [np.nan, np.inf])
def test_pixels_without_a_value_are_not_seen(nothing):
    pixels = random_pixels()
    missing = np.random.default_rng(4).random(SHAPE) < 0.1
    pixels[missing] = nothing
    view, items, _, weights, (x, y) = look(pixels, PLANES["tilted"])
    for number, item in enumerate(items):
        whole = uniform_filter(weights[number], 3) > 1 - 1e-7
        wanted = (whole if item.is_muscle else weights[number] > 0.5) & ~missing
        found = view.inside[number]
        assert wanted.sum() > 0
        np.testing.assert_allclose(
            in_order(found.x, found.y, found.signal),
            in_order(x[wanted], y[wanted], pixels[wanted]),
            atol=1e-8,
        )
    assert (view.beside.signal >= 50).all()


def test_as_many_millimetres_are_kept_around_outlines_along_rows_as_along_columns():
    plane = Plane((-47.0, -75.0, 0.0), (0.0, 1.25, 0.0), (0.625, 0.0, 0.0))
    _, items, *_ = look(random_pixels(), plane)
    kept = items[0].surroundings
    rows, columns = kept.hull(item.footprint.coverage for item in items)
    # 25 mm below the outlines and to their right; the image reaches further.
    assert kept.pixels.shape == (rows.stop + 20, columns.stop + 40)
