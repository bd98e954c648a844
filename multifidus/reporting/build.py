"""The use case: a results folder becomes a report of the study."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multifidus.data.anatomy import Structure
from multifidus.data.measurement import Quantity, is_grade
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import ReadError, StatisticsError
from multifidus.figures.picture_files import Thumbnail, read_thumbnails
from multifidus.io.files import refuse_existing, write_text
from multifidus.io.json_documents import load_printed
from multifidus.io.measurements_csv import MeasurementTable, read_measurements
from multifidus.io.table_reader import read_rows
from multifidus.reading.schedule import BLINDED_LIST, LIMITS
from multifidus.reading.unblind import BLINDED_LIST_NAME
from multifidus.reporting.pages.study_page import as_markdown, content_of, study_page
from multifidus.reporting.pages.subject_page import sheet_files, subject_sheets
from multifidus.reporting.plots.asymmetry import QUANTITY as ASYMMETRY
from multifidus.reporting.plots.study_plots import draw_study
from multifidus.reporting.plots.style import files_of, write_drawing
from multifidus.reporting.study_data import StudyData
from multifidus.reporting.tables.change import all_digits, subject_table
from multifidus.reporting.tables.paper_table import files_of_tables, write_tables
from multifidus.reporting.text.acquired import of_measured
from multifidus.reporting.text.citations import as_bibtex
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.change.given_change import GivenChange
from multifidus.stats.change.mdc import protocol_warnings
from multifidus.stats.change.pairs import timepoints_of
from multifidus.stats.reliability.document import given_study, plain_study
from multifidus.stats.reliability.results import ReliabilityStudy
from multifidus.stats.reliability.targets import Compare
from multifidus.stats.requests import (
    AUTOMATIC,
    ChangeRequest,
    ReliabilityRequest,
    compare_exams,
    study_reliability,
)
from multifidus.stats.study_table import StudyTable, left_out, study_table
from multifidus.stats.values import Metric, Value
from multifidus.study.results_folder import (
    ACQUISITIONS,
    FAILURES,
    MISSING,
    PICTURES,
    PROTOCOL,
    TABLE,
)
from multifidus.study.reviewed import review_beside, reviewed, without_verdicts

USUAL = (
    Quantity.TCSA_MM2, Quantity.FCSA_MM2, Quantity.FI_PCT, Quantity.FF_LINEAR_PCT,
    Quantity.FF_SIGNAL_PCT, Quantity.DIXON_FF_RATIO_PCT, Quantity.PDFF_MEAN_PCT,
)  # fmt: skip
"""What a report is about unless told otherwise, where the study has it."""

_WITHOUT_CHOICE = (
    Quantity.FF_SIGNAL_PCT, Quantity.DIXON_FF_RATIO_PCT, Quantity.PDFF_MEAN_PCT,
)  # fmt: skip
"""Quantities that are reported whatever method a protocol names first."""

_TOLD_OF = (Quantity.TCSA_MM2, Quantity.TCSA_PIXEL_MM2, Quantity.FI_PCT, Quantity(ASYMMETRY))
"""Quantities whose rows say how a study was made, whether or not the report is about them."""


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """What to report.

    Parameters
    ----------
    folder
        A results folder.
    reliability
        What ``reliability --json`` printed, of this study or of another; else computed from the
        folder's own repeated readings.
    change
        What ``change --json`` printed of this study: its timepoints, its rule and what changes
        were held against are taken over.
    quantities
        In place of the usual ones.
    structure
        Which muscle.
    value
        Whose value enters a change: the rule.
    before, after
        Timepoints to compare; else the first with the last.
    column
        Column that keeps groups of subjects apart.
    model
        What a mixed model has fixed beside the timepoint: a column, ``zone``, ``level``, ``side``
        or nothing. None: ``column``, else zone where there was surgery, else level.
    protocol
        A preset or file, in place of the folder's own protocol.
    review
        A table of verdicts, in place of the folder's own ``review.csv``.
    """

    folder: Path
    reliability: Path | None = None
    change: Path | None = None
    quantities: tuple[str, ...] = ()
    structure: str = Structure.MULTIFIDUS
    value: str = "first"
    before: str = ""
    after: str = ""
    column: str = ""
    model: str | None = None
    protocol: str | None = None
    review: Path | None = None


def load_study(request: ReportRequest) -> StudyData:
    """Read a results folder and compute what its report shows.

    Raises
    ------
    ReadError
        If a table, picture or file cannot be read, or the folder holds no results.
    StatisticsError
        If a quantity, structure or timepoint is unknown, the table contradicts itself, it is not
        clear whose value to compare, or a given file is of other numbers.
    """
    folder = request.folder
    if not (folder / TABLE).is_file():
        msg = f"{folder} holds no {TABLE}."
        raise ReadError(msg, remedy="Give the folder that 'multifidus measure -o' wrote.")
    absent: list[str] = []
    remarks: list[str] = []
    given = None
    if request.change is not None:
        given = GivenChange.of(load_printed(request.change, "a study's changes"))
    read = _read(request)
    passed = reviewed(read.rows, review_beside(folder / TABLE, request.review))
    rows = passed.rows
    remarks += [read.remark] if read.remark else []
    table = study_table(rows, _protocol_file(request), request.protocol, lines=read.lines)
    values, protocol = table.values, table.protocol
    absent += left_out(rows)
    remarks += (remark for remark in table.remarks if remark not in absent)
    remarks += passed.remarks
    metrics = _metrics(values, request, protocol, given)
    mine = tuple(item for metric in metrics for item in metric.of(values))
    reported = StudyTable(mine, protocol, ())
    if request.reliability is None:
        between, within = _reliability(reported, absent)
        results = [
            item for study in (between, within) if study for item in plain_study(study)["results"]
        ]
        document = {"results": results} if results else None
    else:
        document = load_printed(request.reliability, "a study's reliability")
        between, within = _given_reliability(document)
        remarks += protocol_warnings(document, mine)
    change = None
    if given or len({item.timepoint for item in mine}) > 1:
        change = compare_exams(reported, _change_request(request, given, document))
    else:
        absent.append("There is one timepoint: no change is reported.")
    return StudyData(
        rows=rows,
        values=values,
        metrics=metrics,
        timepoints=change.timepoints if change else timepoints_of(mine),
        choice=given.choice if given else ReadingChoice(request.value),
        missing=[*without_verdicts(_table(folder / MISSING, absent)), *passed.missing],
        failures=_table(folder / FAILURES, absent),
        acquired=of_measured(rows, _acquired(folder)),
        protocol=protocol,
        between=between,
        within=within,
        given=request.reliability is not None,
        change=change,
        pictures=_pictures(folder, absent),
        proven_list=BLINDED_LIST_NAME,
        blinded_list=BLINDED_LIST,
        blinding_limits=LIMITS,
        absent=tuple(absent),
        remarks=tuple(remarks),
    )


def _protocol_file(request: ReportRequest) -> Path:
    path = request.folder / PROTOCOL
    if not path.is_file() and request.protocol is None:
        msg = f"{request.folder} holds no {PROTOCOL}."
        raise ReadError(msg, remedy="Give the folder that 'multifidus measure -o' wrote.")
    return path


def _read(request: ReportRequest) -> MeasurementTable:
    """Read the rows that the report speaks of; the rest of a long table is passed over."""
    path = request.folder / TABLE
    quantities = {*map(str, (*USUAL, *_TOLD_OF)), *request.quantities}
    read = read_measurements(path, {"structure": {request.structure}, "quantity": quantities})
    if not read.rows:
        msg = f"{path} has no {request.structure.replace('_', ' ')}."
        raise StatisticsError(msg, remedy="Name what was outlined: --structure NAME.")
    missing = [name for name in _NEEDED if name not in read.header]
    if missing:
        msg = f"{path} lacks the columns {', '.join(missing)}."
        raise ReadError(msg, remedy="Give the table as 'multifidus measure' wrote it.")
    return read


_NEEDED = ("subject", "timepoint", "rater", "reading", "series", "slice_index", "level",
           "structure", "side", "quantity", "method", "value", "flags")  # fmt: skip
"""Columns that a report cannot do without; what others would say is not recorded."""


def _metrics(
    values: Sequence[Value],
    request: ReportRequest,
    protocol: MeasurementProtocol,
    given: GivenChange | None,
) -> tuple[Metric, ...]:
    """Choose which numbers the report is about: those asked for, or the usual ones there are."""
    there = sorted({Metric.about(item) for item in values if math.isfinite(item.value)})
    if request.quantities:
        known = sorted({metric.quantity for metric in there})
        unknown = sorted({*request.quantities} - {*known})
        if unknown:
            msg = f"The table has no value of {', '.join(unknown)}."
            raise StatisticsError(msg, remedy=f"Among others it has: {', '.join(known)}.")
        if any(map(is_grade, request.quantities)):
            msg = "Grades have no mean, and no figure of a report shows them."
            raise StatisticsError(msg, remedy="See 'multifidus reliability' and 'change'.")
        return tuple(item for name in request.quantities for item in there if item.quantity == name)
    main = ("", str(protocol.fat_methods[0]) if protocol.fat_methods else "")
    found = tuple(
        metric
        for name in USUAL
        for metric in there
        if metric.quantity == name
        and (metric.method in main or name in _WITHOUT_CHOICE)
        and (given is None or name in given.quantities)
    )
    if not found:
        msg = f"None of {', '.join(USUAL)} has a value."
        raise StatisticsError(msg, remedy="Name what to report: --quantity NAME.")
    return found


def _given_reliability(document: Mapping[str, Any]) -> Iterator[ReliabilityStudy | None]:
    """Part what was printed into reliability between raters and that of re-reading."""
    study = given_study(document)
    for compare in Compare:
        results = tuple(item for item in study.results if item.compare is compare)
        lost = tuple(item for item in study.exclusions if item.compare == compare)
        yield ReliabilityStudy(results, study.problems, exclusions=lost) if results else None


def _reliability(table: StudyTable, absent: list[str]) -> list[ReliabilityStudy | None]:
    """Compute reliability between raters, and that of re-reading."""
    found: list[ReliabilityStudy | None] = []
    for compare, there in (
        (Compare.RATER, len({item.rater for item in table.values}) > 1),
        (Compare.READING, any(item.reading > 1 for item in table.values)),
    ):
        if not there:
            absent.append(_NONE[compare])
            found.append(None)
            continue
        try:
            found.append(study_reliability(table, ReliabilityRequest(compare)))
        except StatisticsError as error:
            found.append(None)
            absent.append(str(error))
    return found


_NONE = {
    Compare.RATER: "There is one rater: no inter-rater reliability is reported.",
    Compare.READING: "No examination was read twice by one rater: no intra-rater reliability is "
    "reported.",
}


def _change_request(
    request: ReportRequest, given: GivenChange | None, document: Mapping[str, Any] | None
) -> ChangeRequest:
    return ChangeRequest(
        before=request.before,
        after=request.after,
        choice=ReadingChoice(request.value),
        reliability=document,
        given=given,
        column=request.column,
        model=AUTOMATIC if request.model is None else request.model,
        model_is_optional=True,
    )


def _table(path: Path, absent: list[str]) -> list[dict[str, str]]:
    if not path.is_file():
        absent.append(f"There is no {path.name}: what it would say is not in the report.")
        return []
    return read_rows(path)


def _acquired(folder: Path) -> list[dict[str, str]]:
    path = folder / ACQUISITIONS
    return read_rows(path) if path.is_file() else []


def _pictures(folder: Path, absent: list[str]) -> tuple[Thumbnail, ...]:
    found = tuple(read_thumbnails(folder / PICTURES))
    if not found:
        absent.append("There are no small pictures of slices: none are shown.")
    return found


PAGE, TEXT, BIBTEX = "report.html", "text.md", "references.bib"
FIGURES, TABLES, SUBJECTS = "figures", "tables", "subjects"

FORMATS = ("pdf", "svg", "png")
"""What figures can be written as."""


def write_report(
    data: StudyData, output: Path, formats: Sequence[str] = ("pdf",), *, overwrite: bool = False
) -> list[Path]:
    """Write a study's report: the page, text for a paper, tables, figures, a sheet a subject.

    Parameters
    ----------
    data
        The study.
    output
        Folder; made if need be.
    formats
        Of the figures: ``pdf``, ``svg``, ``png``.
    overwrite
        Whether files already there may be replaced.

    Returns
    -------
    list of Path
        The page first.

    Raises
    ------
    WriteError
        If a file exists and ``overwrite`` is not set; then nothing is written.
    ReadError
        If the extra ``report`` is not installed.
    """
    content = content_of(data)
    drawings = list(draw_study(data))
    sheets = sheet_files(row.key.reading.subject for row in data.rows)
    changes = () if data.change is None else data.change.changes
    change_tables = (*content.change, subject_table(changes)) if changes else ()
    tables = (*content.reliability, *change_tables)
    raw = {} if data.change is None else all_digits(data.change)
    texts = {
        output / PAGE: study_page(data, content, drawings, tuple(sheets.items())),
        output / TEXT: as_markdown(data, content),
        output / BIBTEX: as_bibtex(content.references),
    }
    planned = [
        *texts,
        *(output / SUBJECTS / name for name in sheets.values()),
        *(path for item in drawings for path in files_of(item.name, output / FIGURES, formats)),
    ]
    for path in (*planned, *files_of_tables(tables, output / TABLES, raw)):
        refuse_existing(path, overwrite=overwrite)
    for path, text in texts.items():
        write_text(path, text, overwrite=overwrite)
    for subject, sheet in subject_sheets(data):
        write_text(output / SUBJECTS / sheets[subject], sheet, overwrite=overwrite)
    for item in drawings:
        write_drawing(item, output / FIGURES, formats, overwrite=overwrite)
    return planned + write_tables(tables, output / TABLES, raw, overwrite=overwrite)
