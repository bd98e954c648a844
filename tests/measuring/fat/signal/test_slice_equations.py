import numpy as np
from hypothesis import given, strategies as st

from multifidus.measuring.fat.signal.slice_equations import SliceEquations

COMMON = 4


@st.composite
def slices(draw):
    """Samples of one to four slices with one to five parameters of their own."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    own = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    return [
        (rng.normal(size=(30, COMMON + n + 1)), rng.uniform(0.1, 2, 30), rng.uniform(0.5, 3, n))
        for n in own
    ]


def as_a_whole(made, pull):
    """All parameters in one system: the common ones, then slice after slice."""
    own = [len(precision) for *_, precision in made]
    ends = COMMON + np.cumsum(own)
    normal = np.diag(np.concatenate((pull, *(precision for *_, precision in made))))
    right = np.zeros(len(normal))
    for (design, weights, _), end, n in zip(made, ends, own, strict=True):
        columns = np.r_[:COMMON, end - n : end]
        products = (design * weights[:, None]).T @ design
        normal[np.ix_(columns, columns)] += products[:-1, :-1]
        right[columns] += products[:-1, -1]
    return normal, right, [range(end - n, end) for end, n in zip(ends, own, strict=True)]


@given(slices())
def test_slice_by_slice_gives_what_the_whole_system_gives(made):
    pull = np.array([0.0, 1.0, 2.0, 0.5])
    normal, right, places = as_a_whole(made, pull)
    expected, inverse = np.linalg.solve(normal, right), np.linalg.inv(normal)
    equations = SliceEquations.of(made, pull)
    common, own = equations.solved()
    covariance = equations.covariance(1)
    np.testing.assert_allclose(common, expected[:COMMON], rtol=1e-7, atol=1e-9)
    for k, columns in enumerate(places):
        np.testing.assert_allclose(
            own[k, : len(columns)], expected[list(columns)], rtol=1e-7, atol=1e-9
        )
        known = [*range(COMMON), columns[0]]
        np.testing.assert_allclose(
            covariance[k], inverse[np.ix_(known, known)], rtol=1e-7, atol=1e-9
        )
