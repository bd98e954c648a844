"""Pre and post: the pairs of a study, one a subject, level and side."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from multifidus.data.cells import nearly
from multifidus.data.flags import Flag
from multifidus.errors import StatisticsError
from multifidus.stats.compared_slices import apart_mm, distance_words, middle_offset_mm, shared
from multifidus.stats.exam_facts import check_operated_sides, facts_of_exams
from multifidus.stats.mixed_protocols import check_protocols
from multifidus.stats.values import Value
from multifidus.study.exam_order import COLUMNS, places

FIRST, MEAN, CONSENSUS, RATER = "first", "mean", "consensus", "rater:"

NEEDS_VALID = ("fcsa_mm2", "fat_csa_mm2")
"""Quantities that artefacts take from: a change is believed only where both exams are whole."""


@dataclass(frozen=True, slots=True)
class ReadingChoice:
    """Which reading's value enters a comparison; never an accidental average.

    Parameters
    ----------
    rule
        ``first``: the first reading of the only rater. ``mean``: of all readings. ``consensus``:
        the rater of that name. ``rater:ID``: the first reading of one rater.
    mix_protocols
        Whether one quantity may have been measured by several protocols.

    Raises
    ------
    StatisticsError
        If the rule is none of these.
    """

    rule: str = FIRST
    mix_protocols: bool = False

    def __post_init__(self) -> None:
        known = self.rule in (FIRST, MEAN, CONSENSUS)
        if not known and not (self.rule.startswith(RATER) and len(self.rule) > len(RATER)):
            msg = f"No such value to compare: {self.rule!r}."
            remedy = "Choose first, mean, consensus or rater:ID."
            raise StatisticsError(msg, remedy=remedy)

    def of(self, readings: Sequence[Value]) -> tuple[Value, ...]:
        """Return which readings of one exam, level and side enter, by rater and reading.

        Raises
        ------
        StatisticsError
            If several raters read the exam and the rule is ``first``.
        """
        ordered = tuple(sorted(readings, key=lambda item: (item.rater, item.reading)))
        if self.rule == MEAN:
            return ordered
        raters = list(dict.fromkeys(item.rater for item in ordered))
        if self.rule == FIRST and len(raters) > 1:
            msg = f"{len(raters)} raters ({', '.join(raters)}) read {_where(readings[0])}."
            remedy = "Say whose value to compare: mean, consensus or rater:ID."
            raise StatisticsError(msg, remedy=remedy)
        wanted = {FIRST: raters[0], CONSENSUS: CONSENSUS}.get(
            self.rule, self.rule.removeprefix(RATER)
        )
        own = tuple(item for item in ordered if item.rater == wanted)
        # A second reading, which knows the first, is not taken for one.
        return own[:1] if self.rule == CONSENSUS or _has_first(own) else ()


def _has_first(readings: Sequence[Value]) -> bool:
    return any(item.reading == 1 for item in readings)


def _where(item: Value) -> str:
    return " ".join(filter(None, (item.subject, item.timepoint, item.level, item.side)))


@dataclass(frozen=True, slots=True)
class ExamValue:
    """What enters of one exam.

    Parameters
    ----------
    value
        The number: of one reading, or the mean of several.
    readings, raters
        Of how many readings, by whom; 0 and empty where the exam has none.
    tilt_deg, valid_fraction
        Mean tilt and least valid fraction of these readings.
    slices
        Of how many slices each of these readings' values is.
    rule
        Which slices these are, and what is made of them.
    uncertainty
        Mean of the readings' standard uncertainties: errors of tracing are not taken to cancel.
    offset_mm
        How far from the landmark of their level the slices lie in the mean, positive to cranial;
        NaN where it is not known of all.
    apart_mm
        How far apart the slices of several readings lie: 0 where they are the same, NaN where
        they differ and nothing says by how much.
    """

    timepoint: str
    value: float
    readings: int
    raters: tuple[str, ...]
    tilt_deg: float
    valid_fraction: float
    slice_position: str
    flags: frozenset[str]
    extra: Mapping[str, str]
    slices: tuple[int, ...] = ()
    rule: str = ""
    uncertainty: float = math.nan
    offset_mm: float = math.nan
    apart_mm: float = 0.0


@dataclass(frozen=True, slots=True)
class ExamPair:
    """One quantity of one muscle at one level and side of a subject, at two timepoints.

    Parameters
    ----------
    distance
        Levels from the nearest operated one: 0 operated, 1 adjacent, more remote; None where the
        table names no operated level.
    problem
        Why the pair has no change; empty where it has one.
    notes
        What differs between the exams besides the muscle.
    choice
        Whose value entered: the rule.
    """

    subject: str
    structure: str
    level: str
    side: str
    quantity: str
    method: str
    before: ExamValue
    after: ExamValue
    distance: int | None
    problem: str
    notes: tuple[str, ...]
    choice: str = ""

    @property
    def value_rule(self) -> str:
        """Which values entered: whose readings, and what of a level's slices."""
        rules = dict.fromkeys((self.choice, self.before.rule, self.after.rule))
        return "; ".join(filter(None, rules))

    @property
    def delta(self) -> float:
        """After minus before; NaN where there is a problem."""
        return math.nan if self.problem else self.after.value - self.before.value

    @property
    def delta_pct(self) -> float:
        """Change in percent of the value before; NaN where that is not positive."""
        before = self.before.value
        return 100 * self.delta / before if before > 0 else math.nan

    @property
    def readings(self) -> int:
        """The fewer readings of the two exams, which say how exact the change is."""
        return min(self.before.readings, self.after.readings)

    @property
    def span(self) -> str:
        """Names of its two timepoints, as groups are told apart by."""
        return f"{self.before.timepoint} to {self.after.timepoint}"

    @property
    def operated_side(self) -> str:
        """The side of the surgery: ``left``, ``right``, ``both``, ``none``, or empty."""
        return self.column("operated_side")

    @property
    def approached(self) -> str:
        """``operated`` or ``contralateral``; empty in midline surgery and where it is unknown."""
        sides = ("left", "right")
        if self.side not in sides or self.operated_side not in sides:
            return ""
        return "operated" if self.side == self.operated_side else "contralateral"

    def column(self, name: str) -> str:
        """Return what another column says of the later exam, else of the earlier."""
        return self.after.extra.get(name, "") or self.before.extra.get(name, "")

    @property
    def zone(self) -> str:
        """``operated``, ``adjacent`` or ``remote``; empty where nothing was operated."""
        return zone_of(self.distance)


def zone_of(distance: int | None) -> str:
    """Name the zone so many levels from the nearest operated one; empty where there is none."""
    if distance is None:
        return ""
    return ("operated", "adjacent")[distance] if distance < 2 else "remote"  # noqa: PLR2004


def timepoints_of(values: Iterable[Value]) -> tuple[str, ...]:
    """Return the timepoints in order: by the cohort's ``order`` column, else by days or date.

    Raises
    ------
    StatisticsError
        If subjects disagree on the order, or nothing in the table orders several timepoints.
    """
    items = tuple(values)
    names = sorted({item.timepoint for item in items})
    if len(names) < 2:  # noqa: PLR2004 - one timepoint needs no order
        return tuple(names)
    for column in COLUMNS:
        found = places(items, column)
        if set(found) == set(names):
            return tuple(sorted(names, key=found.__getitem__))
    msg = f"Nothing in the table says in which order {', '.join(names)} were."
    raise StatisticsError(msg, remedy="Add an order column, or name the two timepoints.")


def make_pairs(
    values: Iterable[Value],
    before: str,
    after: str,
    *,
    choice: ReadingChoice = ReadingChoice(),
    minimal_valid_fraction: float,
) -> tuple[ExamPair, ...]:
    """Pair every subject's values before and after.

    Parameters
    ----------
    values
        Of a study.
    before, after
        Names of the two timepoints.
    choice
        Whose value enters.
    minimal_valid_fraction
        Lean and fat areas are compared only where artefacts left so much in both exams.

    Returns
    -------
    tuple of Pair
        Also those that lack an exam or a value, with the problem.

    Raises
    ------
    StatisticsError
        If a timepoint is unknown, or it is not clear whose value to take.
    """
    items = tuple(values)
    if not choice.mix_protocols:
        check_protocols(items)
    known = {item.timepoint for item in items}
    for name in (before, after):
        if name not in known:
            raise unknown_timepoint(name, known)
    if before == after:
        msg = f"Both timepoints are {before!r}."
        raise StatisticsError(msg)
    groups: dict[tuple[str, ...], dict[str, list[Value]]] = {}
    for item in items:
        key = (item.subject, item.structure, item.level, item.side, item.quantity, item.method)
        groups.setdefault(key, {}).setdefault(item.timepoint, []).append(item)
    operated = operated_levels(items, before, after)
    check_operated_sides(item for item in items if item.timepoint in {before, after})
    return tuple(
        _pair(key, exams, (before, after), choice, operated[key[0]], minimal_valid_fraction)
        for key, exams in sorted(groups.items())
        if before in exams or after in exams
    )


def unknown_timepoint(name: str, known: Iterable[str]) -> StatisticsError:
    """Say that no exam is of a timepoint, and which there are."""
    names = sorted(known)
    near = [one for one in names if nearly(one) == nearly(name)]
    meant = f"Did you mean {near[0]!r}? " if near else ""
    msg = f"The table has no timepoint {name!r}."
    return StatisticsError(msg, remedy=f"{meant}It has: {', '.join(names)}.")


def operated_levels(items: Iterable[Value], before: str, after: str) -> dict[str, str]:
    """Return each subject's operated levels: as said of the later exam, else of the earlier.

    Raises
    ------
    StatisticsError
        If the rows of one exam disagree.
    """
    found = list(items)
    said = facts_of_exams(found, "operated_levels")
    return {
        subject: said.get((subject, after)) or said.get((subject, before)) or ""
        for subject in dict.fromkeys(item.subject for item in found)
    }


def _pair(  # noqa: PLR0917 - what one pair is made of
    key: tuple[str, ...],
    exams: Mapping[str, Sequence[Value]],
    names: tuple[str, str],
    choice: ReadingChoice,
    operated: str,
    least: float,
) -> ExamPair:
    first, second = (exam_value(name, exams.get(name, ()), choice) for name in names)
    subject, structure, level, side, quantity, method = key
    return ExamPair(
        subject=subject,
        structure=structure,
        level=level,
        side=side,
        quantity=quantity,
        method=method,
        before=first,
        after=second,
        distance=levels_away(level, operated),
        problem=_problem(quantity, exams, names, (first, second), least),
        notes=tuple(_notes(first, second)),
        choice=choice.rule,
    )


def exam_value(name: str, readings: Sequence[Value], choice: ReadingChoice) -> ExamValue:
    """Take what enters of one exam, from its readings of one quantity of one muscle."""
    chosen = choice.of(readings) if readings else ()
    if not chosen:
        return ExamValue(name, math.nan, 0, (), math.nan, math.nan, "", frozenset(), {})
    return ExamValue(
        timepoint=name,
        value=_mean([item.value for item in chosen]),
        readings=len(chosen),
        raters=tuple(dict.fromkeys(item.rater for item in chosen)),
        tilt_deg=_mean([item.tilt_deg for item in chosen]),
        valid_fraction=min(item.valid_fraction for item in chosen),
        slice_position=chosen[0].extra.get("slice_position", ""),
        flags=frozenset().union(*(item.flags for item in chosen)),
        extra=chosen[0].extra,
        slices=tuple(item.slices for item in chosen),
        rule=chosen[0].rule,
        uncertainty=_mean([item.uncertainty for item in chosen]),
        offset_mm=middle_offset_mm(one for item in chosen for one in item.outlined),
        apart_mm=apart_mm([item.outlined for item in chosen]) if _differ(chosen) else 0.0,
    )


def _differ(readings: Sequence[Value]) -> bool:
    """Whether readings are of different slices; those that record none do not say."""
    slices = [item.outlined for item in readings if item.outlined]
    common = shared(slices)
    return any(len(own) < len(every) for own, every in zip(common, slices, strict=True))


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)


def _problem(  # noqa: PLR0917 - what one pair is judged by
    quantity: str,
    exams: Mapping[str, Sequence[Value]],
    names: tuple[str, str],
    pair: tuple[ExamValue, ExamValue],
    least: float,
) -> str:
    missing = [name for name in names if name not in exams]
    if missing:
        return f"not measured at {', '.join(missing)}"
    unread = [item.timepoint for item in pair if not item.readings]
    late = [name for name in unread if not _has_first(exams[name])]
    if late:
        return f"no first reading at {', '.join(late)}"
    if unread:
        return f"not read at {', '.join(unread)} by whose value was asked for"
    undefined = [item for item in pair if not math.isfinite(item.value)]
    if undefined:
        why = sorted(set().union(*(item.flags for item in undefined)))
        at = ", ".join(item.timepoint for item in undefined)
        return f"undefined at {at}" + (f" ({', '.join(why)})" if why else "")
    if quantity in NEEDS_VALID and any(item.valid_fraction < least for item in pair):
        return f"artefacts left less than {least:g} of the muscle in one exam"
    return ""


TILT_NOTE_DEG = 5.0
"""A pair whose tilts differ by more is noted: it makes an area differ by up to 1.5 %."""

OFFSET_NOTE_MM = 1.0
"""A pair whose slices lie at places of their level that differ by more is noted: exams are paired
by level, and a muscle's section changes along its length."""

COMPARED = {
    "slice_position": "slice position",
    "operated_levels": "operated levels",
    "operated_side": "operated side",
    "weighting": "sequence",
    "manufacturer": "scanner",
    "field_strength_t": "field strength",
    "pixel_mm": "pixel size",
    "thickness_mm": "slice thickness",
}
"""Columns that should be equal in both exams, where the table has them."""


DOUBTS = (
    Flag.AREA_IMPLAUSIBLE, Flag.OUTSIDE_IMAGE, Flag.TOUCHES_BORDER, Flag.FEW_POINTS,
    Flag.DRAFT_UNEDITED, Flag.SIDE_DOUBTFUL, Flag.SIDES_EXCHANGED, Flag.LEVEL_AMBIGUOUS,
    Flag.LEVEL_CONFLICT, Flag.SPACING_CONFLICT, Flag.AFFINE_CONFLICT, Flag.SLICES_DUPLICATED,
    Flag.ARTEFACT, Flag.LOW_SIGNAL, Flag.OEDEMA_WINDOW, Flag.WATER_FAT_SWAPPED,
    Flag.SCALE_UNVERIFIED, Flag.SHADING_STRONG, Flag.SHADING_UNCLEAR, Flag.BIAS_NOT_CORRECTED,
)  # fmt: skip
"""Flags that make a number doubtful: a pair of which one exam has one is noted."""


def _doubts(first: ExamValue, second: ExamValue) -> Iterable[str]:
    for flag in DOUBTS:
        where = [
            when for exam, when in ((first, "before"), (second, "after")) if flag in exam.flags
        ]
        if where:
            yield f"{flag.value} {' and '.join(where)}"


def _notes(first: ExamValue, second: ExamValue) -> Iterable[str]:
    if not (first.readings and second.readings):
        return
    tilt = tilt_difference_deg(first, second)
    if math.isnan(tilt):
        yield "tilt against the spine unknown: its effect on the area cannot be said"
    elif abs(tilt) > TILT_NOTE_DEG:
        effect = tilt_effect_pct(first, second)
        yield (
            f"tilt differs by {tilt:+.0f} deg: {effect:+.1f} % in area of a prism, and the muscle "
            "is met elsewhere along its length"
        )
    if abs(offset_difference_mm(first, second)) > OFFSET_NOTE_MM:
        yield (
            f"slices lie {first.offset_mm:+.1f} mm before and {second.offset_mm:+.1f} mm after "
            "from the landmark of their level: "
            f"{abs(offset_difference_mm(first, second)):.1f} mm apart along the muscle"
        )
    for exam in (first, second):
        if exam.apart_mm:  # NaN, of an unknown distance, as well
            yield (
                f"readings at {exam.timepoint} are of different slices "
                f"({distance_words([exam.apart_mm])})"
            )
    for column, words in COMPARED.items():
        one, two = first.extra.get(column, ""), second.extra.get(column, "")
        if one and two and one != two:
            yield f"{words}: {one} before, {two} after"
    if (first.raters, first.readings) != (second.raters, second.readings):
        yield f"read by {_readers(first)} before, {_readers(second)} after"
    yield from _doubts(first, second)


def _readers(exam: ExamValue) -> str:
    names = ", ".join(name or "an unnamed rater" for name in exam.raters)
    return f"{names} ({exam.readings} readings)" if exam.readings > 1 else names


def tilt_difference_deg(first: ExamValue, second: ExamValue) -> float:
    """Return by how much the slices' tilt differs; NaN unless both are against the spine.

    Patient z is no axis to compare two exams by: the patient lies differently, and the muscle is
    inclined itself.
    """
    if any(item.extra.get("tilt_axis", "") != "spine" for item in (first, second)):
        return math.nan
    return second.tilt_deg - first.tilt_deg


def offset_difference_mm(first: ExamValue, second: ExamValue) -> float:
    """Return how much further to cranial of its level's landmark the later exam's slices lie.

    NaN where either is not known. Not a distance between the exams' slices in one frame: there is
    none for two scans.
    """
    return second.offset_mm - first.offset_mm


def tilt_effect_pct(first: ExamValue, second: ExamValue) -> float:
    """Return how much larger a prism's section is after than before because of tilt alone.

    Not the whole effect: a slice that turns about its disc meets the muscle behind it at another
    place of its length, which may matter more (``docs/evidence/cohort.md``).
    """
    if math.isnan(tilt_difference_deg(first, second)):
        return math.nan
    cosines = [math.cos(math.radians(item.tilt_deg)) for item in (first, second)]
    return 100 * (cosines[0] / cosines[1] - 1)


_DISCS = ("T12-L1", "L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1")
_DISCS_WITH_L6 = (*_DISCS[:-1], "L5-L6", "L6-S1")


def levels_away(level: str, operated: str) -> int | None:
    """Count levels from a disc or body to the nearest operated disc, along the subject's spine.

    A body is half way between its discs, so that both bodies at an operated disc are operated.
    """
    discs = [part.strip() for part in operated.replace(",", ";").split(";") if part.strip()]
    if not discs or not level:
        return None
    spine = _DISCS_WITH_L6 if any("L6" in name for name in (level, *discs)) else _DISCS
    places = {name: float(place) for place, name in enumerate(spine)}
    bodies = {name.split("-")[1]: place + 0.5 for name, place in places.items()}
    places |= bodies | {"T12": -0.5}
    try:
        return min(int(abs(places[level] - places[disc])) for disc in discs)
    except KeyError as error:
        msg = f"{error.args[0]!r} is no level of a spine of {', '.join(spine)}."
        raise StatisticsError(msg, remedy="Check the operated levels.") from None


def by_quantity(pairs: Iterable[ExamPair]) -> Counter[str]:
    """Count the pairs of each quantity that have a change."""
    return Counter(pair.quantity for pair in pairs if not pair.problem)
