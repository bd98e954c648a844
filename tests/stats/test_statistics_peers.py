"""Our statistics beside those of other packages, on 200 random designs each.

pingouin is under the GPL: it is for these tests alone, and nothing of it is shipped.
"""

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.multitest import multipletests

from multifidus.stats.change.paired_tests import MOST_EXACT, holm, paired_tests
from multifidus.stats.reliability.icc import icc
from multifidus.stats.reliability.kappa import weighted_kappa
from multifidus.stats.reliability.measurement_error import bland_altman, concordance, sem

DESIGNS = 200


def designs():
    """Tables of 3 to 30 subjects and 2 to 6 raters, from no agreement to nearly full."""
    for seed in range(DESIGNS):
        rng = np.random.default_rng(seed)
        n, k = int(rng.integers(3, 31)), int(rng.integers(2, 7))
        spread, raters, error = rng.uniform(0, 3), rng.uniform(0, 1), rng.uniform(0.05, 2)
        yield (
            rng.uniform(-100, 1000)
            + spread * rng.normal(size=(n, 1))
            + raters * rng.normal(size=(1, k))
            + error * rng.normal(size=(n, k))
        )


def pairs():
    for table in designs():
        if len(table) > 3:
            yield table[:, 0], table[:, 1]


@pytest.fixture
def pingouin():
    import pingouin as module

    # By default it rounds intervals to two digits.
    kept = dict(module.options)
    module.options["round.column.CI95"] = None
    yield module
    module.options.update(kept)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pandas' about pingouin
@pytest.mark.filterwarnings("ignore:.*inplace.*")
def test_all_correlations_and_their_intervals_are_pingouins(pingouin):
    compared = 0
    for table in designs():
        n, k = table.shape
        frame = pd.DataFrame(
            {
                "subject": np.repeat(np.arange(n), k),
                "rater": np.tile(np.arange(k), n),
                "value": table.ravel(),
            }
        )
        theirs = pingouin.intraclass_corr(frame, "subject", "rater", "value").set_index("Type")
        for form in icc(table):
            name = {"ICC(1)": "ICC(1,1)", "ICC(k)": "ICC(1,k)"}.get(
                form.mcgraw_wong, form.mcgraw_wong
            )
            row = theirs.loc[name]
            assert form.value == pytest.approx(row["ICC"], abs=1e-6)
            for ours, other in zip(form.ci95, row["CI95"], strict=True):
                # Where no mean of k has such a correlation, theirs is a number above 1.
                if math.isfinite(ours):
                    assert ours == pytest.approx(other, abs=1e-6), (form, row)
                    compared += 1
    assert compared > 0.9 * DESIGNS * 12


def test_the_error_of_measurement_is_that_of_statsmodels_analysis_of_variance():
    import statsmodels.formula.api as smf
    from statsmodels.stats.anova import anova_lm

    for table in designs():
        n, k = table.shape
        frame = pd.DataFrame(
            {
                "subject": np.repeat(np.arange(n), k),
                "rater": np.tile(np.arange(k), n),
                "value": table.ravel() - table.mean(),
            }
        )
        found = anova_lm(smf.ols("value ~ C(subject) + C(rater)", frame).fit())
        error = found.loc["Residual", "mean_sq"]
        raters = (found.loc["C(rater)", "mean_sq"] - error) / n
        ours = sem(table)
        assert ours.consistency == pytest.approx(math.sqrt(error), rel=1e-6)
        assert ours.agreement == pytest.approx(math.sqrt(raters + error), rel=1e-6)


def test_paired_tests_are_scipys_and_pingouins(pingouin):
    for one, two in pairs():
        ours = paired_tests(two - one)
        theirs = scipy.stats.ttest_rel(two, one)
        assert (ours.t, ours.p_t) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-6)
        assert ours.ci95 == pytest.approx(tuple(theirs.confidence_interval()), abs=1e-8)
        method = "exact" if len(one) <= MOST_EXACT else "approx"
        ranks = scipy.stats.wilcoxon(two, one, method=method, correction=method == "approx")
        assert ours.p_wilcoxon == pytest.approx(ranks.pvalue)
        other = pingouin.ttest(two, one, paired=True).iloc[0]
        assert ours.t == pytest.approx(other["T"], rel=1e-6)
        assert ours.dz == pytest.approx(ours.t / math.sqrt(len(one)))


def test_holms_correction_is_statsmodels(monkeypatch):
    # It collects garbage in every call, which takes a tenth of a second.
    monkeypatch.setattr("gc.collect", lambda: 0)
    for seed in range(DESIGNS):
        rng = np.random.default_rng(seed)
        p = rng.uniform(0, 1, int(rng.integers(1, 20))) ** 3
        p[rng.uniform(size=len(p)) < 0.2] = 0.01  # ties
        theirs = multipletests(p, method="holm")[1]
        assert holm(p.tolist()) == pytest.approx(theirs.tolist())


def test_limits_of_agreement_are_scipys():
    for one, two in pairs():
        ours = bland_altman(one, two)
        theirs = scipy.stats.ttest_rel(one, two)
        sd = scipy.stats.tstd(one - two)
        assert ours.bias_ci95 == pytest.approx(tuple(theirs.confidence_interval()), abs=1e-8)
        assert ours.limits == pytest.approx((ours.bias - 1.96 * sd, ours.bias + 1.96 * sd))
        line = scipy.stats.linregress((one + two) / 2, one - two)
        assert (ours.slope, ours.slope_p) == pytest.approx((line.slope, line.pvalue))
        # Carkeet's factors, from the interval of a quantile of a normal population.
        n = len(one)
        t = scipy.stats.nct(n - 1, 1.96 * math.sqrt(n))
        low, high = (ours.bias + t.ppf(p) * sd / math.sqrt(n) for p in (0.025, 0.975))
        assert ours.limits_ci95[1] == pytest.approx((low, high), rel=1e-9)


def test_concordance_is_one_minus_distance_over_distance_by_chance():
    """Lin's first definition: squared distance of pairs, over that if pairs were drawn anew."""
    for one, two in pairs():
        chance = np.mean(np.subtract.outer(one, two) ** 2)
        expected = 1 - np.mean((one - two) ** 2) / chance
        assert concordance(one, two).value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("weights", ["linear", "quadratic", "none"])
def test_weighted_kappa_is_scikit_learns(weights):
    for seed in range(DESIGNS):
        rng = np.random.default_rng(seed)
        n, grades = int(rng.integers(4, 60)), int(rng.integers(2, 6))
        one = rng.integers(0, grades, n)
        two = np.where(rng.uniform(size=n) < 0.6, one, rng.integers(0, grades, n))
        if len(set(one) | set(two)) == 1:
            continue
        theirs = cohen_kappa_score(
            one, two, labels=range(grades), weights=None if weights == "none" else weights
        )
        ours = weighted_kappa(one.tolist(), two.tolist(), range(grades), weights)
        assert ours.value == pytest.approx(theirs, abs=1e-9)
