"""Least squares with parameters that all slices share, and others that one slice alone has.

The slices' own parameters are eliminated slice by slice (the Schur complement), so that no system
is larger than what one slice depends on. Solved as a whole, an exam's system would be divided among
threads, whose number then shows in the last digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SliceEquations:
    """Normal equations of s slices with c common parameters and up to p of their own.

    Slices with fewer parameters have others that nothing depends on; these are 0.

    Parameters
    ----------
    common, right
        The common parameters' own part, (c, c), and its right-hand side, (c,).
    own, cross, own_right
        Each slice's part, (s, p, p), with the common parameters (s, p, c), and its right-hand
        side, (s, p).
    """

    common: Array
    right: Array
    own: Array
    cross: Array
    own_right: Array

    @classmethod
    def of(cls, slices: Sequence[tuple[Array, Array, Array]], common_pull: Array) -> SliceEquations:
        """Sum weighted products over each slice's samples.

        Parameters
        ----------
        slices
            Of each: how its n samples depend on the common and on its own parameters, with what is
            fitted as the last column, (n, c + own + 1); their weights, (n,); and the prior
            precision of its own parameters.
        common_pull
            Prior precision of the common parameters, (c,); all prior means are 0.
        """
        c, most = len(common_pull), max(len(pull) for _, _, pull in slices)
        own = np.tile(np.eye(most), (len(slices), 1, 1))
        cross, own_right = np.zeros((len(slices), most, c)), np.zeros((len(slices), most))
        common, right = np.diag(common_pull), np.zeros(c)
        for k, (design, weights, pull) in enumerate(slices):
            products = (design * weights[:, None]).T @ design
            n = len(pull)
            common += products[:c, :c]
            right += products[:c, -1]
            own[k, :n, :n] = products[c:-1, c:-1] + np.diag(pull)
            cross[k, :n] = products[c:-1, :c]
            own_right[k, :n] = products[c:-1, -1]
        return cls(common, right, own, cross, own_right)

    def solved(self) -> tuple[Array, Array]:
        """Return the common parameters, (c,), and each slice's own, (s, p)."""
        both = np.concatenate((self.cross, self.own_right[:, :, None]), axis=2)
        by_own = np.linalg.solve(self.own, both)
        left = self.cross.transpose(0, 2, 1) @ by_own
        common = np.linalg.solve(
            self.common - left[:, :, :-1].sum(0), self.right - left[:, :, -1].sum(0)
        )
        return common, by_own[:, :, -1] - np.einsum("spc,c->sp", by_own[:, :, :-1], common)

    def covariance(self, count: int) -> Array:
        """Return the covariance of the common parameters and each slice's first ones.

        Parameters
        ----------
        count
            How many of each slice's own.

        Returns
        -------
        ndarray
            Shape (s, c + count, c + count).
        """
        c, many = len(self.right), len(self.own)
        inverse = np.linalg.inv(self.own)
        by_own = inverse[:, :count] @ self.cross
        of_common = np.linalg.inv(
            self.common - (self.cross.transpose(0, 2, 1) @ inverse @ self.cross).sum(0)
        )
        found = np.empty((many, c + count, c + count))
        found[:, :c, :c] = of_common
        found[:, c:, :c] = -by_own @ of_common
        found[:, :c, c:] = found[:, c:, :c].transpose(0, 2, 1)
        found[:, c:, c:] = inverse[:, :count, :count] + by_own @ of_common @ by_own.transpose(
            0, 2, 1
        )
        return found
