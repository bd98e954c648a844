import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings, strategies as st

from multifidus.data.polygon import area, clip, first_crossing, oriented_loops, signed_area
from tests.support.exams import box, circle
from tests.support.strategies import even_odd, nested_paths, numbers, simple_polygons

GRID = st.integers(0, 6)
GRID_PATHS = st.lists(st.tuples(GRID, GRID), min_size=3, max_size=9).map(
    lambda path: np.array(path, dtype=np.float64)
)


def edges(paths):
    return [
        (tuple(a), tuple(b))
        for path in paths
        for a, b in zip(path.tolist(), np.roll(path, -1, axis=0).tolist(), strict=True)
    ]


def winding_parity_area(paths, cells=6, parts=8):
    """Even-odd area of integer paths: rows of a fine grid, crossings counted one by one."""
    total = 0.0
    for row in (np.arange(cells * parts) + 0.5) / parts:
        columns = sorted(
            a[1] + (row - a[0]) / (b[0] - a[0]) * (b[1] - a[1])
            for a, b in edges(paths)
            if (a[0] <= row) != (b[0] <= row)
        )
        total += sum(b - a for a, b in zip(columns[::2], columns[1::2], strict=True)) / parts
    return total


def test_a_circle_of_many_points_has_nearly_the_area_of_the_circle():
    n, radius = 360, 10.0
    exact = n / 2 * np.sin(2 * np.pi / n) * radius**2
    assert area([circle(100, 80, radius, n)]) == pytest.approx(exact, rel=1e-12)


def test_a_hole_is_taken_out_and_an_island_put_back():
    assert area([box(0, 0, 9, 9), box(2, 2, 7, 7), box(4, 4, 5, 5)]) == 100 - 36 + 4


@given(nested_paths())
def test_area_is_shapelys_even_odd_area(paths):
    assert area(paths) == pytest.approx(even_odd(paths).area, rel=1e-9)


@given(nested_paths(), st.data())
def test_area_does_not_depend_on_direction_start_or_order(paths, data):
    turned = [
        np.roll(path, data.draw(st.integers(0, 20)), axis=0)[:: data.draw(st.sampled_from([1, -1]))]
        for path in data.draw(st.permutations(paths))
    ]
    assert area(turned) == pytest.approx(area(paths), rel=1e-12)


@given(nested_paths(), numbers(0, 7), numbers(-1e4, 1e4), numbers(-1e4, 1e4))
def test_area_survives_turning_and_moving(paths, angle, row, column):
    cos, sin = np.cos(angle), np.sin(angle)
    moved = [path @ np.array([(cos, sin), (-sin, cos)]) + (row, column) for path in paths]
    assert area(moved) == pytest.approx(area(paths), rel=1e-9)


@given(simple_polygons())
def test_signed_area_changes_its_sign_with_the_direction(path):
    assert signed_area(path[::-1]) == pytest.approx(-signed_area(path), rel=1e-12)
    assert abs(signed_area(path)) == pytest.approx(shapely.Polygon(path).area, rel=1e-12)


@pytest.mark.parametrize("second_lobe", [1, -1], ids=["crossing", "touching"])
def test_both_lobes_of_a_figure_of_eight_count(second_lobe):
    lobe = [(2, -1), (2, 1)][::second_lobe]
    eight = np.array([(0, 0), (-2, -1), (-2, 1), (0, 0), *lobe], dtype=np.float64)
    assert first_crossing([eight]) is None
    assert area([eight]) == 4
    assert all(signed_area(loop) > 0 for loop in oriented_loops([eight]))


def test_a_pinched_ring_keeps_its_hole():
    # The hole touches the outline from inside at (0, 4), all in one path.
    ring = np.array(
        [(0, 4), (0, 8), (8, 8), (8, 0), (0, 0), (0, 4), (4, 2), (4, 6)], dtype=np.float64
    )
    assert area([ring]) == 64 - 8


def test_a_bridge_to_a_hole_that_runs_to_and_fro_encloses_nothing():
    keyhole = np.array(
        [(0, 0), (0, 4), (8, 4), (8, -4), (0, -4), (0, 0), (2, 0), (4, -2), (4, 2), (2, 0)]
    )
    assert area([keyhole.astype(np.float64)]) == 64 - 4


def test_a_path_that_runs_back_over_itself_encloses_nothing():
    there_and_back = np.array([(0.0, 0.0), (1.0, 2.0), (2.0, 4.0), (1.0, 2.0)])
    assert area([there_and_back]) == 0
    assert oriented_loops([there_and_back]) == []


def test_a_flat_path_beside_a_real_one_changes_nothing():
    flat = np.array([(2.0, 1.0), (2.0, 3.0), (2.0, 2.0)])
    assert area([box(0, 0, 9, 9), flat]) == 100


def test_one_path_given_twice_cancels():
    assert area([box(0, 0, 3, 3), box(0, 0, 3, 3)]) == 0


def test_paths_that_are_not_refused_have_their_even_odd_area():
    # Corners on a grid: paths touch, cross and run through each other at shared corners.
    rng = np.random.default_rng(5)
    measured = 0
    for _ in range(8_000):
        sizes = rng.integers(3, 9, rng.integers(1, 3))
        paths = [rng.integers(0, 5, (n, 2)).astype(np.float64) for n in sizes]
        pieces = [frozenset(edge) for edge in edges(paths) if edge[0] != edge[1]]
        if len(set(pieces)) != len(pieces) or first_crossing(paths) is not None:
            continue
        measured += 1
        assert area(paths) == pytest.approx(winding_parity_area(paths), abs=1e-9), paths
    assert measured > 800


def test_paths_that_cross_at_a_corner_of_both_are_found():
    first = np.array([(0, 0), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0)], dtype=np.float64)
    second = np.array([(1, 1), (1, 2), (1, 3), (3, 3), (3, 1), (2, 1)], dtype=np.float64)
    assert first_crossing([first, second]) in [(1, 2), (2, 1)]
    in_one = np.concatenate((np.roll(first, -2, axis=0), np.roll(second, -1, axis=0)))
    assert first_crossing([in_one]) in [(1, 2), (2, 1)]


def test_paths_that_touch_at_a_corner_or_share_an_edge_do_not_cross():
    square = np.array([(0, 0), (0, 4), (4, 4), (4, 0)], dtype=np.float64)
    at_corner, beside = square + 4, square + np.array((0, 4))
    inside = square / 2
    assert first_crossing([square, at_corner]) is None
    assert first_crossing([square, beside]) is None
    assert first_crossing([np.insert(square, (1, 4), [(0, 2), (2, 0)], axis=0), inside]) is None


@pytest.mark.parametrize("step", [2, 3])
def test_a_path_that_runs_twice_around_its_middle_crosses_itself(step):
    assert first_crossing([circle(3, 4, 2, 5)[np.arange(5) * step % 5]]) is not None


@given(nested_paths())
def test_paths_that_nest_do_not_cross(paths):
    assert first_crossing(paths) is None


@given(GRID_PATHS.filter(lambda path: len(np.unique(path, axis=0)) == len(path)))
def test_a_path_without_repeated_points_crosses_itself_where_shapely_says_so(path):
    crossing = first_crossing([path])
    ring = shapely.LinearRing(path)
    # Edges that run back over each other enclose nothing there and are let pass.
    assert crossing is None or not ring.is_simple
    if ring.is_simple:
        return
    if crossing is not None:
        assert ring.distance(shapely.Point(crossing)) < 1e-9


@given(st.lists(simple_polygons(), min_size=2, max_size=2))
def test_two_paths_cross_where_their_borders_meet(paths):
    first, second = (shapely.LinearRing(path) for path in paths)
    assume(not set(map(tuple, paths[0])) & set(map(tuple, paths[1])))
    crossing = first_crossing(paths)
    assert (crossing is not None) == first.intersects(second)
    if crossing is not None:
        point = shapely.Point(crossing)
        assert max(first.distance(point), second.distance(point)) < 1e-9


@given(simple_polygons(most=8), st.integers(0, 7), st.integers(0, 7), numbers(0.1, 0.9))
def test_a_vertex_laid_on_another_edge_is_found(path, i, j, t):
    i, j = i % len(path), j % len(path)
    assume((j - i) % len(path) not in (0, 1))
    moved = path.copy()
    moved[j] = path[i] + t * (path[(i + 1) % len(path)] - path[i])
    # Pushed across by a hair, so that rounding cannot leave it on either side.
    along = path[(i + 1) % len(path)] - path[i]
    moved[j] += 1e-6 * np.array((-along[1], along[0])) / np.linalg.norm(along)
    opposite = path.copy()
    opposite[j] = 2 * path[i] + 2 * t * along - moved[j]
    simple = [shapely.LinearRing(p).is_simple for p in (moved, opposite)]
    assume(not all(simple))
    assert [first_crossing([p]) is None for p in (moved, opposite)] == simple


def test_a_crossing_is_found_wherever_it_lies_in_a_long_path():
    path = circle(0, 0, 100, 1500)
    path[[1200, 1201]] = path[[1201, 1200]]
    assert first_crossing([circle(0, 0, 100, 1500)]) is None
    assert first_crossing([path]) == pytest.approx(path[1200], abs=0.5)


@pytest.mark.parametrize(
    "path",
    [
        [(0, 0), (0, 4), (4, 4), (4, 0), (0, 2)],
        [(0, 0), (4, 0), (4, 4), (2, 0)],
    ],
    ids=["corner on an edge", "corner on a neighbour's edge"],
)
def test_a_vertex_on_an_edge_is_a_crossing(path):
    assert first_crossing([np.array(path, dtype=np.float64)]) is not None


@given(simple_polygons(), st.tuples(*[numbers(-6, 0)] * 2), st.tuples(*[numbers(0.5, 6)] * 2))
def test_a_clipped_path_keeps_the_area_inside_the_box(path, low, high):
    inside = shapely.Polygon(path).intersection(shapely.box(*low, *high)).area
    clipped = clip(path, low, high)
    if len(clipped):
        assert (clipped >= low).all()
        assert (clipped <= high).all()
    found = abs(signed_area(clipped)) if len(clipped) else 0
    assert found == pytest.approx(inside, rel=1e-9, abs=1e-12)


def test_a_path_inside_the_box_is_not_touched():
    path = circle(5, 5, 3)
    assert clip(path, (0, 0), (10, 10)) is path


def test_nothing_is_left_of_a_path_beyond_the_box():
    assert len(clip(circle(50, 5, 3), (0, 0), (10, 10))) == 0


@given(st.integers(0, 2**32 - 1), st.integers(201, 600))
@settings(deadline=None, max_examples=30)
def test_a_crossing_is_found_among_many_points(seed, count):
    rng = np.random.default_rng(seed)
    turn = np.arange(count) * 2 * np.pi / count
    away = rng.uniform(20, 30, count)
    star = np.stack((away * np.cos(turn), away * np.sin(turn)), axis=1)
    hole = star[::-1] / 2
    assert first_crossing([star]) is None
    assert first_crossing([star, hole]) is None
    assert first_crossing([star, hole + star[0]]) is not None
    at = int(rng.integers(0, count - 40))
    crossed = star.copy()
    crossed[[at, at + 20]] = crossed[[at + 20, at]]
    assert first_crossing([crossed]) is not None
