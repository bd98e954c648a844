"""What is asked of a study's table: how reliable it is, and what changed between its exams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from multifidus.errors import StatisticsError
from multifidus.io.measurements_csv import read_measurements
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.change.given_change import GivenChange
from multifidus.stats.change.mdc import (
    MdcOf,
    given_mdc,
    limit_warnings,
    mdc_from_reliability,
    protocol_warnings,
    unknown_mdc,
)
from multifidus.stats.change.mixed_model import MixedModel, Unfitted, model_changes
from multifidus.stats.change.study import ChangeStudy, spans_of, study_change
from multifidus.stats.reliability.results import ReliabilityStudy
from multifidus.stats.reliability.study import USUALLY_APART, reliability
from multifidus.stats.reliability.target_groups import TargetRule
from multifidus.stats.reliability.targets import Compare
from multifidus.stats.study_table import StudyTable, study_table
from multifidus.stats.values import Value, of_quantities
from multifidus.study.level_value import matching_of
from multifidus.study.results_folder import PROTOCOL
from multifidus.study.reviewed import review_beside, reviewed

AUTOMATIC = "automatic"
"""The factor of a mixed model that follows from the study: groups, else zones, else levels."""


def read_study(
    path: Path,
    *,
    quantities: Sequence[str] = (),
    structures: Sequence[str] = (),
    protocol: str | Path | None = None,
    mix_protocols: bool = False,
    review: str | Path | None = None,
) -> tuple[StudyTable, str]:
    """Read ``measurements.csv``, with the protocol and the review beside it.

    Parameters
    ----------
    path
        The table.
    quantities, structures
        Only these; all if empty.
    protocol
        A preset or file, in place of the protocol beside the table.
    mix_protocols
        Whether one quantity may have been measured by several protocols.
    review
        A table of verdicts, in place of the ``review.csv`` beside the table: what did not pass
        has no value.

    Returns
    -------
    tuple
        The table, and a remark on how its file was read; empty where there is none.

    Raises
    ------
    ReadError, ProtocolError, StatisticsError
        As :func:`multifidus.stats.study_table.study_table`; or if the table lacks a quantity or a
        structure.
    """
    read = read_measurements(path)
    passed = reviewed(read.rows, review_beside(path, review))
    table = study_table(
        passed.rows, path.parent / PROTOCOL, protocol, lines=read.lines, mix_protocols=mix_protocols
    )
    found = replace(
        table,
        values=of_quantities(table.values, quantities, structures),
        remarks=(*table.remarks, *passed.remarks),
    )
    return found, read.remark


@dataclass(frozen=True, slots=True)
class ReliabilityRequest:
    """Whose measurements are compared, and which.

    Parameters
    ----------
    compare, by, raters
        As of :func:`multifidus.stats.reliability.study.reliability`.
    timepoints, group, mix_protocols
        As of :class:`multifidus.stats.reliability.target_groups.TargetRule`.
    match
        ``slice`` or ``level``; empty: as the table's protocol says.
    """

    compare: Compare | str = Compare.RATER
    by: Sequence[str] = USUALLY_APART
    raters: Sequence[str] = ()
    timepoints: tuple[str, ...] = ()
    group: str = ""
    match: str = ""
    mix_protocols: bool = False


def study_reliability(table: StudyTable, request: ReliabilityRequest) -> ReliabilityStudy:
    """Estimate inter-rater or intra-rater reliability of a study's measurements.

    Raises
    ------
    StatisticsError
        If a name is unknown, or nothing in the table can be compared.
    """
    match = request.match or matching_of(table.protocol)
    targets = TargetRule(match, request.timepoints, request.group, request.mix_protocols)
    study = reliability(
        table.values,
        compare=request.compare,
        by=request.by,
        raters=request.raters,
        targets=targets,
    )
    return replace(study, problems=(*study.problems, *table.remarks))


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """Which exams are compared, by whose readings, and what changes are held against.

    Parameters
    ----------
    before, after
        Timepoints; empty: the first and the last.
    choice
        Reading used for analysis.
    reliability
        What ``reliability --json`` printed: the source of the MDC95.
    mdc
        MDC95 by quantity instead.
    given
        Changes that were printed before: their timepoints, reading and MDC95 are taken over.
    column
        Grouping column.
    model
        Fixed factor of a mixed model: ``zone``, ``level``, ``side``, a column, or empty for time
        alone; :data:`AUTOMATIC`; None: no model.
    model_is_optional
        Whether a model that cannot be made is a remark rather than an error.
    """

    before: str = ""
    after: str = ""
    choice: ReadingChoice = ReadingChoice()  # noqa: RUF009 - frozen
    reliability: Mapping[str, Any] | None = None
    mdc: Mapping[str, float] = field(default_factory=dict)
    given: GivenChange | None = None
    column: str = ""
    model: str | None = None
    model_is_optional: bool = False

    @property
    def mdc_of(self) -> MdcOf:
        """Which MDC95 the change of a pair is held against."""
        if self.given is not None:
            return self.given.mdc_of
        if self.reliability is not None:
            return mdc_from_reliability(self.reliability)
        return given_mdc(self.mdc) if self.mdc else unknown_mdc

    def warnings(self, values: Sequence[Value]) -> tuple[str, ...]:
        """Say why the MDC95 may not be that of these values."""
        if self.reliability is not None:
            return protocol_warnings(self.reliability, values)
        return limit_warnings(self.mdc, values)


def compare_exams(table: StudyTable, request: ChangeRequest) -> ChangeStudy:
    """Test change between a study's exams, and compare it with the MDC95.

    Returns
    -------
    ChangeStudy
        With its mixed models; its remarks say what of the table and of the MDC95 is doubtful.

    Raises
    ------
    StatisticsError
        If a timepoint, column or factor is unknown, it is not clear whose value to take, no pair
        has a change, or changes given are not those of the table.
    """
    values, given = table.values, request.given
    choice = given.choice if given else request.choice
    spans = given.spans if given else spans_of(values, request.before, request.after)
    study = study_change(
        values,
        spans,
        choice=choice,
        mdc_of=request.mdc_of,
        minimal_valid_fraction=table.protocol.minimal_valid_fraction,
        column=request.column,
    )
    if given is not None:
        given.check(study)
    models, unfitted = _models(study, table, replace(request, choice=choice))
    remarks = (*request.warnings(values), *map(str, unfitted), *table.remarks)
    return replace(study, models=tuple(models), unfitted=tuple(unfitted), remarks=remarks)


def _models(
    study: ChangeStudy, table: StudyTable, request: ChangeRequest
) -> tuple[list[MixedModel], list[Unfitted]]:
    """Model the change where that is asked for."""
    if request.model is None:
        return [], []
    factor = _factor(study, table.values, request)
    try:
        return model_changes(
            table.values,
            study.timepoints,
            factor,
            request.choice,
            minimal_valid_fraction=table.protocol.minimal_valid_fraction,
        )
    except StatisticsError as error:
        if not request.model_is_optional:
            raise
        return [], [Unfitted(str(error))]


def _factor(study: ChangeStudy, values: Sequence[Value], request: ChangeRequest) -> str:
    if request.model != AUTOMATIC:
        return request.model or ""
    if request.column:
        return request.column
    if any(item.pair.zone for item in study.changes):
        return "zone"
    return "level" if len({item.level for item in values}) > 1 else ""
