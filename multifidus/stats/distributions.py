"""Quantiles of the distributions that intervals rest on; each is looked up once.

They depend on numbers of subjects and raters alone, and a study asks for the same ones again for
every quantity, level and side, and thousands of times where it is resampled.
"""

from __future__ import annotations

from functools import lru_cache

_KEPT = 1024


@lru_cache(_KEPT)
def f_quantile(p: float, df1: float, df2: float) -> float:
    """Quantile of the F distribution."""
    from scipy.special import fdtri

    return float(fdtri(df1, df2, p))


@lru_cache(_KEPT)
def chi2_quantile(p: float, df: float) -> float:
    """Quantile of the chi-squared distribution."""
    from scipy.special import chdtri

    return float(chdtri(df, 1 - p))


@lru_cache(_KEPT)
def t_quantile(p: float, df: float) -> float:
    """Quantile of Student's t."""
    from scipy.special import stdtrit

    return float(stdtrit(df, p))


@lru_cache(_KEPT)
def noncentral_t_quantile(p: float, df: float, shift: float) -> float:
    """Quantile of the noncentral t distribution."""
    from scipy.stats import nct

    return float(nct.ppf(p, df, shift))
