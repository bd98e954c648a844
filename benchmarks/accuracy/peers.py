"""Other programs' rules for fat, written anew: which pixels of a muscle they count as fat.

Their rules, not their programs: what MuscleMap's ``mm_extract_metrics`` (``kmeans`` and ``gmm``,
with two or three components) and SpinoSarc's analyser do with the pixels that a mask holds.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

STARTS, TOLERANCE, MOST_ROUNDS = 20, 0.001, 1000
"""MuscleMap's settings of scikit-learn. It sets no seed."""

FEWEST = 10
"""SpinoSarc leaves out muscles of fewer pixels on a slice."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A rule of another program.

    Parameters
    ----------
    name
        Program and options.
    is_fat
        From signal, shape (n,), and a seed to which pixels are fat, (n,); None where the program
        ends without an answer.
    by_muscle
        Whether all slices of a muscle and side are parted together, or each slice on its own.
    """

    name: str
    is_fat: Callable[[Array, int], Mask | None]
    by_muscle: bool

    def fat_pct(self, values: Array, seed: int) -> float:
        """Return the share of pixels that are fat; NaN where the program has no answer."""
        found = self.is_fat(values, seed)
        return float("nan") if found is None else float(100 * found.mean())


def available() -> bool:
    """Whether scikit-learn is installed, which MuscleMap's rules are made of."""
    try:
        import sklearn  # noqa: F401
    except ImportError:
        return False
    return True


def fat_of_clusters(values: Array, labels: NDArray[np.intp], count: int) -> Mask | None:
    """Return which pixels MuscleMap counts as fat, from the cluster of each.

    Of two clusters fat is what is brighter than every pixel of the darker one. Of three it is what
    is at least as bright as the darkest pixel of the brightest one, whichever cluster it is in.
    Where clusters overlap, as those of a mixture do, neither is the brightest cluster itself.

    Parameters
    ----------
    values, labels
        Signal and cluster of each pixel, (n,).
    count
        Two or three.
    """
    clusters = [values[labels == number] for number in range(count)]
    if not all(map(len, clusters)):
        return None
    clusters.sort(key=np.mean)
    if count == 2:
        return np.asarray(values > clusters[0].max())
    return np.asarray(values >= clusters[-1].min())


def _spinosarc(values: Array, _: int) -> Mask | None:
    """Return what is above scikit-image's Otsu threshold."""
    from skimage.filters import threshold_otsu

    return None if len(values) < FEWEST else np.asarray(values > threshold_otsu(values))


def _one_thread() -> AbstractContextManager[object]:
    """Keep scikit-learn to one thread: starting more takes longer than its work on a muscle."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _kmeans(count: int) -> Peer:
    def is_fat(values: Array, seed: int) -> Mask | None:
        from sklearn.cluster import KMeans

        model = KMeans(count, n_init=STARTS, tol=TOLERANCE, max_iter=MOST_ROUNDS, random_state=seed)
        with _one_thread():
            fit = model.fit(values[:, None])
        return fat_of_clusters(values, fit.labels_, count)

    return Peer(f"MuscleMap kmeans, {count} components", is_fat, by_muscle=True)


def _gmm(count: int) -> Peer:
    def is_fat(values: Array, seed: int) -> Mask | None:
        from sklearn.mixture import GaussianMixture

        model = GaussianMixture(
            count, n_init=STARTS, tol=TOLERANCE, max_iter=MOST_ROUNDS, random_state=seed
        )
        with _one_thread():
            fit = model.fit(values[:, None])
        return fat_of_clusters(values, fit.predict(values[:, None]), count)

    return Peer(f"MuscleMap gmm, {count} components", is_fat, by_muscle=True)


PEERS = (
    _kmeans(2),
    _kmeans(3),
    _gmm(2),
    _gmm(3),
    Peer("SpinoSarc", _spinosarc, by_muscle=False),
)
