"""Columns of the tables of results, and the names that they keep for themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from multifidus.data.cells import folded
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import FatMethod
from multifidus.errors import CohortError

COLUMNS: Mapping[str, str] = {
    "subject": "Subject, as the cohort or the outline file names it.",
    "timepoint": "Timepoint of the exam.",
    "rater": "Who drew the outline.",
    "reading": "Which of the rater's readings: 1, 2, ...",
    "series": "Series, by its UID; NIfTI files by the start of their SHA-256.",
    "slice_index": "0-based place of the slice in its series, one less than the number that people "
    "are shown; in NIfTI files, k. A volume stands on its first slice; what a rater recorded for a "
    "whole level has none.",
    "slice_uid": "UID of the slice.",
    "level": "Disc or vertebral body of the slice; empty where it is unknown.",
    "slice_position": "Where in its level the slice lies.",
    "structure": "What the outline encloses.",
    "side": "The patient's side; both where the two are compared or put together.",
    "quantity": "What was measured; see quantities.",
    "value": "How much; NaN where it is undefined, with a flag that says why.",
    "unit": "Unit of value; 1 for signal.",
    "method": "Fat method, where the quantity depends on one.",
    "parameters": "The values that were used, or the reason for none, as one JSON object.",
    "flags": "Quality flags, joined by ';'; see flags.",
    "tilt_deg": "Signed tilt of the slice against tilt_axis, in the sagittal plane; positive where "
    "the anterior edge is lower.",
    "n_pixels": "Pixels that entered the number.",
    "valid_fraction": "Share of the outline's area in the image that artefact outlines left over.",
    "roi_rule": "By which rule the muscle was outlined.",
    "source": "Where the outline comes from.",
    "protocol": "Digest of the measurement protocol.",
    "version": "Version of multifidus.",
    "image_sha256": "SHA-256 of the slice: rescaled pixels and plane.",
    "outline_sha256": "SHA-256 of the outline's coordinates.",
    "name": "Tells outlines of one structure on one slice apart.",
    "tilt_axis": "Against what tilt_deg is measured: spine (its own axis there, from landmarks), "
    "patient_z, or vector (the protocol's).",
    "offset_mm": "Signed distance of the slice plane from the landmark of its level, positive to "
    "cranial; NaN where no landmark says it.",
    "uncertainty": "Standard uncertainty of value, in its unit; its parts are the u_... among the "
    "parameters. NaN where none is stated.",
}
"""The tidy table's columns in order, and what they hold."""

SUMMARY_KEYS = ("subject", "timepoint", "rater", "reading", "level", "structure", "side")
"""What tells rows of the wide table apart."""

SUMMARY_COLUMNS: Mapping[str, str] = {
    "n_slices": "Outlined slices of the level that enter its values.",
    "slice_indices": "Their places in their series, joined by ';'.",
    "slice_selection": "Which of the level's outlined slices the protocol takes: all, the "
    "nearest to the level's landmark, or those in a band about it.",
    "level_value": "What is given of them: their mean, or the max of each quantity.",
    "tilt_deg": "Mean tilt of these slices.",
}
"""The wide table's columns after :data:`SUMMARY_KEYS` and before the quantities."""

MISSING_COLUMNS: Mapping[str, str] = {
    "subject": "Subject.",
    "timepoint": "Timepoint; expected of every subject if any has it.",
    "rater": "Who ought to have outlined it; empty where there is no exam.",
    "reading": "Which of the rater's readings; empty where there is none.",
    "level": "Disc or vertebral body.",
    "structure": "Muscle.",
    "side": "The patient's side.",
    "reason": "Why it is missing; see reasons.",
    "detail": "What more is known about the reason.",
    "rater_note": "What the rater wrote about it; empty where nothing was.",
}
"""Columns of the table of what is missing."""

MUSCLE_COLUMNS: Mapping[str, str] = {
    **{
        name: COLUMNS[name]
        for name in ("subject", "timepoint", "rater", "reading", "level", "side", "name")
    },
    "n_slices": SUMMARY_COLUMNS["n_slices"],
    "area_mm2": "Area of the multifidus (tcsa_mm2), mm2.",
    "fat_pct": "Visible fat (fi_pct) by fat_method, %.",
    "fcsa_mm2": "Functional (lean) area (fcsa_mm2) by fat_method, mm2.",
    "fat_method": "The protocol's first fat method that tells fat and muscle pixels apart.",
    "ff_signal_pct": "Fat signal fraction, %.",
    "ff_dixon_pct": "Mean fat fraction of a Dixon pair (dixon_ff_mean_pct), %.",
    "pdff_pct": "Mean of a map of proton density fat fractions (pdff_mean_pct), %.",
    "flags": "Flags of any of the muscle's values in summary.csv, joined by ';'.",
}
"""Columns of the small table: the multifidus, one row a reading, level and side."""

ACQUISITION_COLUMNS: Mapping[str, str] = {
    "subject": "Subject.",
    "timepoint": "Timepoint.",
    "series": "Series that was measured on, as in measurements.csv.",
    "weighting": "Contrast of the series.",
    "manufacturer": "Manufacturer of the scanner.",
    "model": "Its model, as the manufacturer names it.",
    "field_strength_t": "Field strength, T.",
    "sequence_type": "Kind of the sequence, such as SE (spin echo) or GR (gradient echo).",
    "sequence_name": "The manufacturer's name of the sequence.",
    "repetition_time_ms": "Repetition time, ms.",
    "echo_time_ms": "Echo time, ms.",
    "slice_thickness_mm": "Thickness of a slice by the header, mm.",
    "slice_spacing_mm": "From the centre of a slice to the next of its stack, by their places and "
    "the header, mm.",
    "slice_gap_mm": "Between slices: spacing less thickness, mm; negative where slices overlap.",
    "rows": "Rows of the image.",
    "columns": "Columns of the image.",
    "acquired_matrix": "What was acquired before interpolation: steps of frequency x phase "
    "encoding.",
    "pixel_row_mm": "Distance from a row to the next, mm.",
    "pixel_column_mm": "Distance from a column to the next, mm.",
    "coil": "Receiving coil.",
    "n_slices": "Slices of the series.",
    "differing": "Columns in which headers of the series contradict each other, joined by ';': all "
    "values stand there, joined by ';'. Numbers that differ by less than 0.1 % count as one.",
}
"""Columns of the table of how images were acquired; all of a header that reaches any output."""

REVIEW_COLUMNS: Mapping[str, str] = {
    "subject": "Subject.",
    "timepoint": "Timepoint.",
    "rater": "Who outlined; empty: all raters.",
    "reading": "Which of the rater's readings; empty: all.",
    "level": "Disc or vertebral body; empty: all levels.",
    "side": "The patient's side; empty: all; both: left and right.",
    "structure": "Structure; empty: all.",
    "verdict": "pass, fail or repeat.",
    "comment": "Why.",
    "reviewer": "Who decided.",
    "date": "When, as 2026-11-30 or with the time of day.",
}
"""Columns of the table of verdicts."""

FAILURE_COLUMNS: Mapping[str, str] = {
    "subject": "Subject.",
    "timepoint": "Timepoint.",
    "rater": "Who drew the outlines.",
    "reading": "Which of the rater's readings.",
    "path": "Images of the case, as the cohort names them, joined by ';'.",
    "error": "Kind of the error.",
    "message": "What is wrong, and where.",
    "remedy": "What can be done about it.",
}
"""Columns of the table of cases that failed."""

COHORT_COLUMNS = (
    "subject",
    "timepoint",
    "order",
    "date",
    "rater",
    "reading",
    "images",
    "outlines",
    "labels",
    "operated_levels",
    "operated_side",
    "approach",
    "surgery_date",
    "height_cm",
    "weight_kg",
    "days",
)
"""Columns that a cohort table is started with; ``days`` are days from the subject's first exam."""

MORE_COHORT_COLUMNS = (
    "landmarks", "levels_by", "days_since_surgery", "blinded", "reading_list",
    "reread_after_days", "reading_minutes",
)  # fmt: skip
"""What else of a cohort table is understood."""

KNOWN = (*COLUMNS, *SUMMARY_COLUMNS, *MISSING_COLUMNS, *FAILURE_COLUMNS, *COHORT_COLUMNS,
         *MORE_COHORT_COLUMNS)  # fmt: skip
"""Columns that are understood whatever their case and blanks."""

OWN_COLUMN = "Column of the cohort table."
"""What a column of the study's own is."""

UNCERTAINTY = "_u"
"""Ending of the wide table's columns of uncertainties."""


def summary_column(quantity: str, method: str) -> str:
    """Name of a quantity's column in the wide table: the method first, the unit last."""
    return quantity if method in quantity else f"{method}_{quantity}"


def _quantity_columns() -> Iterable[str]:
    """Name every column that a quantity may have in the wide table."""
    for quantity in Quantity:
        for method in ("", *FatMethod):
            name = summary_column(quantity, method)
            yield from (name, name + UNCERTAINTY)


_RESERVED = {
    folded(name): name
    for name in (
        *_quantity_columns(), *MISSING_COLUMNS, *FAILURE_COLUMNS, *SUMMARY_COLUMNS, *COLUMNS,
    )
}  # fmt: skip
"""Every name of the result tables, by how names are compared."""

_ANY_SCHEME = folded(f"_{Quantity.VISUAL_GRADE}")
"""Grades stand under the name of their scheme, which a rater chooses."""


def reserved_as(name: str) -> str:
    """Return the column of the result tables that a name would be taken for; empty if none."""
    plain = folded(name).removesuffix(folded(UNCERTAINTY))
    if plain.endswith(_ANY_SCHEME):
        return str(Quantity.VISUAL_GRADE)
    return _RESERVED.get(folded(name), "")


def check_extra(names: Collection[str]) -> None:
    """Refuse columns that would stand in a column of the result tables.

    Raises
    ------
    CohortError
        Naming the column, and a name to use instead.
    """
    taken = {folded(name) for name in names}
    for name in names:
        ours = reserved_as(name)
        if ours:
            free = f"study_{name.strip()}"
            while folded(free) in taken or reserved_as(free):
                free = f"{free}_of_study"
            msg = f"Column {name!r} has the name of a column of the results, {ours}."
            raise CohortError(msg, remedy=f"Rename it, for example {free!r}.")
