"""What a report is made of: the tables of a study, and what statistics say of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from multifidus.data.measurement import Measurement
from multifidus.data.protocol import MeasurementProtocol
from multifidus.figures.picture_files import Thumbnail
from multifidus.io.table_reader import TextRow
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.change.study import ChangeStudy
from multifidus.stats.reliability.results import ReliabilityStudy
from multifidus.stats.values import Metric, Value


@dataclass(frozen=True, slots=True)
class StudyData:
    """A study as its report sees it.

    Parameters
    ----------
    rows
        Of ``measurements.csv``: those that the report speaks of.
    values
        Their values, one a reading, level and side.
    metrics
        Which numbers the report is about, the first the one that subjects are counted by.
    timepoints
        In order.
    choice
        Whose value enters what is no reliability.
    missing, failures
        Rows of these tables.
    acquired
        What headers say of the series that rows are of; none of results of older versions.
    protocol
        By which all was measured.
    between, within
        Reliability between raters, and of raters' own readings; None where there is none.
    given
        Whether reliability came from a file rather than from this study.
    change
        None where there is one timepoint.
    pictures
        Small pictures of measured slices.
    proven_list, blinded_list, blinding_limits
        Name of a reading list that was blinded, what it hides, and what blinding cannot, in
        sentences for Methods.
    absent
        What the report does not show, and why.
    remarks
        What else a reader has to know of the tables.
    """

    rows: Sequence[Measurement]
    values: Sequence[Value]
    metrics: Sequence[Metric]
    timepoints: Sequence[str]
    choice: ReadingChoice
    missing: Sequence[TextRow]
    failures: Sequence[TextRow]
    acquired: Sequence[Mapping[str, str]]
    protocol: MeasurementProtocol
    between: ReliabilityStudy | None
    within: ReliabilityStudy | None
    given: bool
    change: ChangeStudy | None
    pictures: Sequence[Thumbnail]
    proven_list: str
    blinded_list: str
    blinding_limits: str
    absent: Sequence[str]
    remarks: Sequence[str]
