"""A study's changes as a paper prints them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from multifidus.data.measurement import is_grade
from multifidus.io.table_csv import Row
from multifidus.reporting.labels import fat_notes
from multifidus.reporting.tables.exclusions import exclusions_table
from multifidus.reporting.tables.paper_table import TIMES, PaperTable
from multifidus.reporting.tables.reliability import short
from multifidus.stats.change.document import change_rows, trajectory_rows
from multifidus.stats.change.groups import Change, Classification, Contrast, GroupChange
from multifidus.stats.change.mixed_model import MixedModel
from multifidus.stats.change.paired_tests import MOST_EXACT
from multifidus.stats.change.study import ChangeStudy

_TESTS = ("n", "mean change [95 % CI]", "d_z [95 % CI]", "p (t)", "p (t), Holm", "n (Wilcoxon)",
          "p (Wilcoxon)", "p (Wilcoxon), Holm", "tests")  # fmt: skip

_TEST_NOTES = (
    "Value: reading used for analysis, and how the slices of a level were combined.",
    "Mean change with 95 % confidence interval; P by the paired t test and by the Wilcoxon "
    "signed-rank test, unadjusted and Holm-adjusted. A Holm family is all tests of this table of "
    "one quantity, fat method and structure; t tests and signed-rank tests are adjusted "
    "separately. "
    "d_z: mean over standard deviation of the changes, interval by the noncentral t distribution. "
    f"The signed-rank test excludes changes of 0, n (Wilcoxon); P is exact up to n = "
    f"{MOST_EXACT}, ties included, and by the normal distribution with corrections for ties and "
    "continuity beyond.",
)

_BEYOND_NOTE = (
    "Exceeding MDC95: muscles whose change exceeded the minimal detectable change (decrease / "
    "increase / assessable); it applies to single muscles, never to the mean of a group."
)


def change_tables(study: ChangeStudy, remarks: Iterable[str] = ()) -> tuple[PaperTable, ...]:
    """Make the tables of a study's changes, remarks below the first; an empty one is left out."""
    extra = (study.column,) if study.column else ()
    by_muscle, by_zone = ("level", "side", *extra), ("zone", *extra)
    seen = fat_notes(item.pair.quantity for item in study.changes)
    notes = (*_TEST_NOTES, _BEYOND_NOTE, *seen)
    tables = (
        PaperTable(
            "change", "Change by level and side.", _headings(by_muscle), _groups(study.muscles),
            (*notes, *study.problems, *remarks),
        ),
        PaperTable(
            "change_by_zone", "Change by distance from the operated levels.", _headings(by_zone),
            _groups(study.zones), notes,
        ),
        _contrasts(study, extra),
        _models(study.models),
        exclusions_table("change_left_out", study.exclusions),
    )  # fmt: skip
    return tuple(table for table in tables if table.rows)


def _headings(places: Sequence[str]) -> tuple[str, ...]:
    return ("quantity", "structure", "exams", *places, "value", "before", "after", *_TESTS,
            "change, %", "beyond error", "without")  # fmt: skip


def _groups(groups: Iterable[GroupChange]) -> tuple[tuple[str, ...], ...]:
    rows = []
    for item in groups:
        quantity, method, structure, span, *rest = item.key
        rows.append(
            (
                _quantity(quantity, method),
                _words(structure),
                span,
                *rest,
                item.value_rule,
                short(item.mean_before),
                short(item.mean_after),
                *_tests(item),
                _relative(quantity, item.mean_pct),
                f"{item.beyond_decrease} / {item.beyond_increase} / {item.judged}",
                str(item.n_missing),
            )
        )
    return tuple(rows)


def _contrasts(study: ChangeStudy, extra: tuple[str, ...]) -> PaperTable:
    rows = []
    for item in study.contrasts:
        quantity, method, structure, span, *rest = item.key
        rows.append(
            (
                _quantity(quantity, method),
                _words(structure),
                span,
                *rest,
                f"{item.first} - {item.second}",
                item.value_rule,
                *_tests(item),
                str(item.n_missing),
            )
        )
    headings = ("quantity", "structure", "exams", *extra, "contrast", "value", *_TESTS, "without")
    note = (
        "Within each subject, change of the first minus change of the second. Contralateral: the "
        "other side of the operated levels; not defined in midline surgery."
    )
    return PaperTable(
        "change_contrasts", "Within-subject contrasts of change.", headings, tuple(rows),
        (note, *_TEST_NOTES),
    )  # fmt: skip


def _model_rows(models: Iterable[MixedModel], times: str) -> tuple[tuple[str, ...], ...]:
    """Make one row a term, with this sign of an interaction."""
    return tuple(
        (
            _quantity(model.quantity, model.method),
            _words(model.structure),
            model.value_rule,
            term.effect.named(times),
            _interval(term.estimate, term.ci95),
            short(term.df) if term.df % 1 else f"{term.df:.0f}",
            p_value(term.p),
            str(model.n_subjects),
            str(model.n_muscles),
            str(model.n_missing),
        )
        for model in models
        for term in model.terms
    )


def _models(models: Sequence[MixedModel]) -> PaperTable:
    notes = [
        *dict.fromkeys(map(model_rule, models)),
        f"Intercept: first timepoint of the reference; timepoint {TIMES} factor: interaction of "
        "time and the factor. P values are not adjusted for multiple testing.",
        *(
            f"{_quantity(model.quantity, model.method)}, {_words(model.structure)}: {_sds(model)}. "
            f"{' '.join(model.problems)}".strip()
            for model in models
        ),
    ]
    headings = ("quantity", "structure", "value", "term", "estimate [95 % CI]", "df", "p",
                "subjects", "muscles", "muscles left out")  # fmt: skip
    return PaperTable(
        "change_model", "Linear mixed model.", headings, _model_rows(models, "x"), tuple(notes),
        _model_rows(models, TIMES),
    )  # fmt: skip


def _sds(model: MixedModel) -> str:
    """Give the standard deviations that have a number."""
    parts = (
        ("between subjects at the first timepoint", model.sd_subjects),
        ("between the muscles of one", model.sd_muscles),
        ("of change between subjects", model.sd_changes),
        ("between the muscles of one", model.sd_residual),
    )
    known = (f"{short(size)} {words}" for words, size in parts if math.isfinite(size))
    return f"standard deviations {', '.join(known)}"


def model_rule(model: MixedModel) -> str:
    """Say what a mixed model is made of."""
    fixed = f"time, {model.factor} and their interaction" if model.factor else "time"
    return (
        "Linear mixed model by restricted maximum likelihood: random intercepts for subject and "
        "muscle (level and side of a subject) and a random change of each subject; fixed effects "
        f"of {fixed}. Muscles measured at all timepoints entered. Intervals and P by Student's t "
        "with standard errors robust to clustering within subjects (CR2) and Satterthwaite "
        "degrees of freedom."
    )


def all_digits(study: ChangeStudy) -> dict[str, list[Row]]:
    """Return the rows of ``changes.csv``, one a pair, and of ``courses.csv``, one a value.

    There are courses where there are more than two timepoints.
    """
    return {
        "changes.csv": change_rows(study.changes),
        "courses.csv": trajectory_rows(study.trajectories),
    }


def subject_table(changes: Iterable[Change]) -> PaperTable:
    """Make the table of single muscles, with what each was held against."""
    headings = ("subject", "quantity", "structure", "level", "side", "exams", "value", "before",
                "after", "change", "change, %", "MDC95", "verdict", "notes")  # fmt: skip
    changes = tuple(changes)
    rows = tuple(_subject(item) for item in changes)
    note = "MDC95: minimal detectable change of a single muscle, from reliability."
    seen = fat_notes(item.pair.quantity for item in changes)
    bases = dict.fromkeys(item.basis for item in changes if not math.isnan(item.mdc95))
    notes = (note, *seen, *bases)
    return PaperTable("change_subjects", "Change of each muscle.", headings, rows, notes)


def _subject(item: Change) -> tuple[str, ...]:
    pair = item.pair
    return (
        pair.subject,
        _quantity(pair.quantity, pair.method),
        _words(pair.structure),
        pair.level,
        pair.side,
        pair.span,
        pair.value_rule,
        short(pair.before.value),
        short(pair.after.value),
        short(pair.delta),
        _relative(pair.quantity, pair.delta_pct),
        short(item.mdc95),
        _classification(item),
        "; ".join(filter(None, (pair.problem, *pair.notes))),
    )


def _classification(item: Change) -> str:
    if item.classification is not Classification.UNKNOWN or item.pair.problem:
        return item.classification.value
    return f"{item.classification.value}: {item.basis}"


def _tests(item: GroupChange | Contrast) -> tuple[str, ...]:
    tests = item.tests
    return (
        str(item.n),
        _interval(tests.mean, tests.ci95),
        _interval(tests.dz, tests.dz_ci95),
        p_value(tests.p_t),
        p_value(item.p_t_holm),
        str(tests.n_wilcoxon),
        p_value(tests.p_wilcoxon),
        p_value(item.p_wilcoxon_holm),
        str(item.family),
    )


def _interval(value: float, ci95: tuple[float, float]) -> str:
    if not math.isfinite(value):
        return ""
    low, high = map(short, ci95)
    return f"{short(value)} [{low}, {high}]" if low and high else short(value)


def p_value(p: float) -> str:
    """Print p as papers do: three decimals, ``<0.001`` below, nothing where it is undefined."""
    if math.isnan(p):
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004 - the usual limit


def _relative(quantity: str, pct: float) -> str:
    """Print a change in percent; that of a percentage is in points, and a grade has none."""
    return "" if is_grade(quantity) or quantity.endswith("_pct") else short(pct)


def _quantity(quantity: str, method: str) -> str:
    return f"{quantity} ({method})" if method else quantity


def _words(structure: str) -> str:
    return structure.replace("_", " ")
