"""One number about one outline, with all it takes to know where it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, overload

from multifidus.data.anatomy import Level, RoiRule, SlicePosition
from multifidus.data.equality import equal_by_fields
from multifidus.data.flags import Flag
from multifidus.data.frozen_dict import NOTHING, FrozenDict
from multifidus.data.protocol import TiltAxis
from multifidus.data.roi import RoiKey, Source


class Quantity(StrEnum):
    """What is measured. The name ends in its unit; percentages are 0 to 100."""

    TCSA_MM2 = "tcsa_mm2"
    TCSA_PIXEL_MM2 = "tcsa_pixel_mm2"
    TCSA_COS_MM2 = "tcsa_cos_mm2"
    VALID_CSA_MM2 = "valid_csa_mm2"
    MEAN_SI = "mean_si"
    FCSA_MM2 = "fcsa_mm2"
    FAT_CSA_MM2 = "fat_csa_mm2"
    FI_PCT = "fi_pct"
    FF_LINEAR_PCT = "ff_linear_pct"
    FF_LINEAR_CLIPPED_PCT = "ff_linear_clipped_pct"
    FF_SIGNAL_PCT = "ff_signal_pct"
    DIXON_FF_MEAN_PCT = "dixon_ff_mean_pct"
    DIXON_FF_RATIO_PCT = "dixon_ff_ratio_pct"
    PDFF_MEAN_PCT = "pdff_mean_pct"
    FI_Q1_PCT = "fi_q1_pct"
    FI_Q2_PCT = "fi_q2_pct"
    FI_Q3_PCT = "fi_q3_pct"
    FI_Q4_PCT = "fi_q4_pct"
    FI_DEEP_PCT = "fi_deep_pct"
    RCSA_VERTEBRAL_BODY_PCT = "rcsa_vertebral_body_pct"
    RCSA_DISC_PCT = "rcsa_disc_pct"
    TCSA_PER_HEIGHT2 = "tcsa_per_height2"
    TCSA_PER_BMI = "tcsa_per_bmi"
    SIR_PSOAS = "sir_psoas"
    SIR_SUBCUTANEOUS_FAT = "sir_subcutaneous_fat"
    SIR_CSF = "sir_csf"
    ASYMMETRY_PCT = "asymmetry_pct"
    ASYMMETRY_MAX_PCT = "asymmetry_max_pct"
    FCSA_ASYMMETRY_PCT = "fcsa_asymmetry_pct"
    FCSA_ASYMMETRY_MAX_PCT = "fcsa_asymmetry_max_pct"
    FI_DIFFERENCE_PCT = "fi_difference_pct"
    OPERATED_CONTRALATERAL_PCT = "operated_contralateral_pct"
    FCSA_OPERATED_CONTRALATERAL_PCT = "fcsa_operated_contralateral_pct"
    FI_OPERATED_DIFFERENCE_PCT = "fi_operated_difference_pct"
    VOLUME_ML = "volume_ml"
    STORHEIM_GRADE = "storheim_grade"
    GOUTALLIER_GRADE = "goutallier_grade"
    VISUAL_GRADE = "visual_grade"

    @property
    def is_grade(self) -> bool:
        """Whether it is a grade: an order without distances, so that it has no mean."""
        return is_grade(self)

    @property
    def unit(self) -> str:
        """Unit as tables print it; ``1`` for grades, and signal in the scanner's own."""
        return _UNIT_OF[self]

    @property
    def definition(self) -> str:
        """What it is, in one sentence."""
        return _DEFINITIONS[self][0]

    @property
    def source(self) -> str:
        """Where its definition comes from."""
        return _DEFINITIONS[self][1]


def is_grade(quantity: str) -> bool:
    """Whether a quantity is a grade, by the ending of its name."""
    return quantity.endswith("_grade")


_UNITS = {
    "_mm2": "mm2",
    "_pct": "%",
    "_ml": "ml",
    "_per_height2": "mm2/m2",
    "_per_bmi": "mm2/(kg/m2)",
}

_UNIT_OF = {
    quantity: next((unit for suffix, unit in _UNITS.items() if quantity.endswith(suffix)), "1")
    for quantity in Quantity
}

_OURS = "this software"

_FORTIN = "Fortin and Battie 2012, doi:10.2522/ptj.20110380"

_DEFINITIONS = {
    Quantity.TCSA_MM2: (
        "Total cross-sectional area: exact area of the outline in its slice's own plane, even-odd "
        "over holes and islands. Artefact outlines take nothing from it.",
        "Crawford et al. 2017, doi:10.1186/s12891-016-1378-z",
    ),
    Quantity.TCSA_PIXEL_MM2: (
        "Pixels whose centre is inside the outline, times the pixel area: ImageJ's convention.",
        "ImageJ 1.53t, compared outline by outline",
    ),
    Quantity.TCSA_COS_MM2: (
        "Area corrected for tilt: tcsa_mm2 x abs(cos) of the angle between the slice's normal and "
        "tilt_axis, which is the section at right angles to the axis of a prism along it. The "
        "angle is tilt_deg, combined with any coronal tilt. Stands beside tcsa_mm2 and "
        "never in its place.",
        _OURS,
    ),
    Quantity.VALID_CSA_MM2: (
        "Area of the outline inside the image and outside artefact outlines; what fat is measured "
        "in.",
        _OURS,
    ),
    Quantity.MEAN_SI: (
        "Mean signal of the valid pixels, each weighted by how much of it lies inside the outline.",
        _OURS,
    ),
    Quantity.FCSA_MM2: (
        "Functional (lean) cross-sectional area: valid area whose signal is not fat by the named "
        "method.",
        _FORTIN,
    ),
    Quantity.FAT_CSA_MM2: (
        "Visible fat area: valid area whose signal is fat by the named method; with fcsa_mm2 it "
        "makes up valid_csa_mm2. Fat within pixels that are mostly muscle is not seen.",
        _FORTIN,
    ),
    Quantity.FI_PCT: (
        "Visible fat infiltration: 100 x fat_csa_mm2 / (fcsa_mm2 + fat_csa_mm2), by the named "
        "method. It counts pixels that are fat, not the fat that is spread in lean ones: where fat "
        "is diffuse it is lower than a fat fraction.",
        _FORTIN,
    ),
    Quantity.FF_LINEAR_PCT: (
        "Fat fraction by linear mixing: 100 x mean of (S - S_lean) / (S_fat - S_lean), with the "
        "medians of the references; not clipped, so that noise does not bias it.",
        _OURS,
    ),
    Quantity.FF_LINEAR_CLIPPED_PCT: (
        "The same with every pixel clipped to 0..1; noise biases it upwards in lean muscle.",
        _OURS,
    ),
    Quantity.FF_SIGNAL_PCT: (
        "Fat signal fraction: 100 x mean of (S / field - S_lean) / (S_fat - S_lean), with a bias "
        "field, a lean level of each muscle and a level of fat in muscle that are fitted to "
        "muscles, references and the fat around; not clipped.",
        _OURS,
    ),
    Quantity.DIXON_FF_MEAN_PCT: (
        "Dixon signal fat fraction: 100 x mean of F / (F + W) over pixels with F + W > 0.",
        "this software; both forms are in use and differ by 1 to 4 points",
    ),
    Quantity.PDFF_MEAN_PCT: (
        "Mean of the scanner's own map over the valid pixels, where the map is declared to be of "
        "the proton-density fat fraction.",
        "Reeder et al. 2012, doi:10.1002/jmri.23741",
    ),
    Quantity.DIXON_FF_RATIO_PCT: (
        "Dixon signal fat fraction: 100 x sum of F / sum of (F + W) over pixels with F + W > 0.",
        "this software; both forms are in use and differ by 1 to 4 points",
    ),
    **{
        Quantity(f"fi_q{number}_pct"): (
            "Visible fat infiltration, by the named method, of one quarter of the outline: "
            "quarters have equal area and are cut along patient x, from 1 (medial) to 4 (lateral). "
            "Side says which way is lateral.",
            _OURS,
        )
        for number in (1, 2, 3, 4)
    },
    Quantity.FI_DEEP_PCT: (
        "Visible fat infiltration, by the named method, of the most anterior 15 % of the outline's "
        "area, cut along patient y.",
        _OURS,
    ),
    Quantity.RCSA_VERTEBRAL_BODY_PCT: (
        "Relative area: 100 x tcsa_mm2 / area of the vertebral body outlined on the slice, else at "
        "its level.",
        _OURS,
    ),
    Quantity.RCSA_DISC_PCT: (
        "Relative area: 100 x tcsa_mm2 / area of the disc outlined on the slice, else at its "
        "level.",
        _OURS,
    ),
    Quantity.TCSA_PER_HEIGHT2: ("Area tcsa_mm2 over the subject's height squared.", _OURS),
    Quantity.TCSA_PER_BMI: ("Area tcsa_mm2 over the subject's body mass index.", _OURS),
    **{
        Quantity(f"sir_{name}"): (
            f"Signal ratio: mean_si of the outline / mean_si of {what}; of the outlines on the "
            "slice, those on its own side first, else of all in the exam on one signal scale.",
            _OURS,
        )
        for name, what in (
            ("psoas", "the psoas"),
            ("subcutaneous_fat", "subcutaneous fat"),
            ("csf", "cerebrospinal fluid"),
        )
    },
    Quantity.ASYMMETRY_PCT: (
        "Asymmetry of tcsa_mm2, positive where the right is larger: 100 x (R - L) / ((R + L) / 2).",
        _OURS,
    ),
    Quantity.ASYMMETRY_MAX_PCT: (
        "Asymmetry of tcsa_mm2 without sign: 100 x abs(R - L) / max(R, L).",
        _OURS,
    ),
    Quantity.FCSA_ASYMMETRY_PCT: (
        "Asymmetry of fcsa_mm2, by the named method, positive where the right is larger: "
        "100 x (R - L) / ((R + L) / 2).",
        _OURS,
    ),
    Quantity.FCSA_ASYMMETRY_MAX_PCT: (
        "Asymmetry of fcsa_mm2, by the named method, without sign: 100 x abs(R - L) / max(R, L).",
        _OURS,
    ),
    Quantity.FI_DIFFERENCE_PCT: (
        "Side difference of fi_pct (visible fat), by the named method, in percentage points: "
        "right minus left.",
        _OURS,
    ),
    Quantity.OPERATED_CONTRALATERAL_PCT: (
        "Operated side against the other: 100 x tcsa_mm2 / tcsa_mm2, at operated levels.",
        _OURS,
    ),
    Quantity.FCSA_OPERATED_CONTRALATERAL_PCT: (
        "Operated side against the other: 100 x fcsa_mm2 / fcsa_mm2, by the named method, at "
        "operated levels.",
        _OURS,
    ),
    Quantity.FI_OPERATED_DIFFERENCE_PCT: (
        "Difference in fi_pct (visible fat), by the named method, in percentage points, at "
        "operated levels: operated side minus the other.",
        _OURS,
    ),
    Quantity.VOLUME_ML: (
        "Sum of tcsa_mm2 x slice step over an unbroken run of two or more slices of one stack; "
        "the row stands on the run's first slice.",
        _OURS,
    ),
    Quantity.STORHEIM_GRADE: (
        "Grade derived from visible fat, by the named method, of both sides together: 0 below "
        "20 %, 1 from 20 to 50 %, 2 above 50 %. The source graded by eye.",
        "Storheim et al. 2017, doi:10.1186/s12891-017-1505-5",
    ),
    Quantity.GOUTALLIER_GRADE: (
        "Visual grade that the rater assigned: 0 normal, 1 streaks of fat, 2 less fat than muscle, "
        "3 as much, 4 more.",
        "Goutallier et al. 1994",
    ),
    Quantity.VISUAL_GRADE: (
        "Visual grade that the rater assigned, by the scheme named as its method.",
        "the rater",
    ),
}


@equal_by_fields
@dataclass(frozen=True, slots=True, eq=False)
class Provenance:
    """What all measurements of one outline share: slice, level, source, protocol and version.

    Parameters
    ----------
    series, slice_index
        UID of the series and 0-based place of the slice in it; empty and None for what a rater
        recorded for a whole level.
    tilt_deg
        Signed tilt of the slice against ``tilt_axis`` (:func:`multifidus.data.geometry.tilt_deg`).
    valid_fraction
        Share of the outline's area inside the image that artefact outlines left over.
    protocol, version
        Digest of the protocol and version of the software.
    image_sha256, outline_sha256
        Hashes of the slice and of the outline that were measured.
    tilt_axis
        Against what tilt was measured.
    offset_mm
        Signed distance of the slice plane from the landmark of its level, positive to cranial;
        NaN where none is known.
    """

    series: str
    slice_index: int | None
    level: Level | None
    slice_position: SlicePosition
    tilt_deg: float
    valid_fraction: float
    roi_rule: RoiRule
    source: Source | None
    protocol: str
    version: str
    image_sha256: str
    outline_sha256: str
    tilt_axis: TiltAxis = TiltAxis.PATIENT_Z
    offset_mm: float = float("nan")

    def __hash__(self) -> int:
        return hash((self.series, self.slice_index, self.image_sha256, self.outline_sha256))


_RANK_OF = {level: level.rank for level in Level}


@equal_by_fields
@dataclass(frozen=True, slots=True, eq=False)
class Measurement:
    """One number: a row of the tidy table.

    A row that was read from a table made by other software keeps unknown words as text.

    Parameters
    ----------
    key
        Of which outline.
    quantity, value
        What, and how much; NaN with a flag where it is undefined.
    provenance
        What it shares with the outline's other numbers.
    n_pixels
        Pixels that entered it; None where a table does not say.
    method, parameters
        How, with the values used, such as the threshold and its basis.
    flags
        Quality flags.
    uncertainty
        Standard uncertainty in the unit of the value, its parts among the parameters
        (:mod:`multifidus.measuring.uncertainty.budget`); NaN where none is stated.
    extra
        Columns of the cohort table that pass through to the results, such as ``group`` and
        ``days``; they follow the columns of the tidy table.
    """

    key: RoiKey
    quantity: Quantity
    value: float
    provenance: Provenance
    n_pixels: int | None
    method: str = ""
    parameters: Mapping[str, Any] = NOTHING
    flags: tuple[Flag, ...] = ()
    uncertainty: float = float("nan")
    extra: Mapping[str, str] = NOTHING

    def __hash__(self) -> int:
        return hash((self.key, self.quantity, self.method, self.provenance))

    @property
    def unit(self) -> str:
        """Unit of the value; empty for a quantity that is not a :class:`Quantity`."""
        return _UNIT_OF.get(self.quantity, "")

    @property
    def is_not_measurable(self) -> bool:
        """Whether the rater declared that there is nothing to measure."""
        return Flag.NOT_MEASURABLE in self.flags

    @property
    def sort_key(self) -> tuple[object, ...]:
        """The place in the tidy table: by key, then quantity and method."""
        key, origin = self.key, self.provenance
        # What a rater records for a whole level lies in no series: there the level sorts.
        level = -1 if origin.level is None else _RANK_OF.get(origin.level, -1)
        level = level if origin.slice_index is None else -1
        where = (origin.series, -1 if origin.slice_index is None else origin.slice_index, level)
        return (key.reading, where, key.structure, key.side, key.name, self.quantity, self.method)

    def with_uncertainty(self, uncertainty: float, parts: Mapping[str, float]) -> Measurement:
        """Return the same number with its uncertainty, and that one's parts as parameters."""
        # Thousands of rows an exam pass here; dataclasses.replace takes several times as long.
        return Measurement(
            self.key,
            self.quantity,
            self.value,
            self.provenance,
            self.n_pixels,
            self.method,
            FrozenDict({**self.parameters, **parts}),
            self.flags,
            uncertainty,
            self.extra,
        )

    def with_flags(self, *flags: Flag) -> Measurement:
        """Return the same number with more flags; none stands twice."""
        return replace(self, flags=tuple(dict.fromkeys((*self.flags, *flags))))


@dataclass(frozen=True, slots=True)
class Measurements(Sequence[Measurement]):
    """Measurements in the order of the tidy table, or of the table that they were read from.

    Examples
    --------
    >>> len(Measurements()), list(Measurements())
    (0, [])
    """

    rows: tuple[Measurement, ...] = ()

    @overload
    def __getitem__(self, index: int) -> Measurement: ...

    @overload
    def __getitem__(self, index: slice) -> Measurements: ...

    def __getitem__(self, index: int | slice) -> Measurement | Measurements:
        """Return one of them, or those of a slice."""
        if isinstance(index, slice):
            return Measurements(self.rows[index])
        return self.rows[index]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.rows)

    def __iter__(self) -> Iterator[Measurement]:
        """Yield one after another."""
        return iter(self.rows)

    def __add__(self, others: Sequence[Measurement]) -> Measurements:
        """Return them with those of another sequence, such as another exam's, behind them."""
        return Measurements((*self.rows, *others))

    def __radd__(self, others: Sequence[Measurement]) -> Measurements:
        """Return them behind those of a tuple or list."""
        return Measurements((*others, *self.rows))
