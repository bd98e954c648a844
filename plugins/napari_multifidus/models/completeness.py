"""What a reading still lacks before it is finished: each with its words, its weight, where it is.

Asked for is what the protocol wants of every slice that has a level: outlines of the checklist,
references that its fat methods need, and grades, once somebody has begun to grade.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi_set import Reason
from multifidus.data.slice_number import slice_number, slice_words
from multifidus.measuring.fat.estimator import Need
from multifidus.measuring.fat.methods import METHODS
from napari_multifidus.models import checklist
from napari_multifidus.models.shapes import FAT, LEAN, LayerKey

if TYPE_CHECKING:
    from napari_multifidus.models.analysis import Analysis
    from napari_multifidus.models.drawing import StructureOnSlice
    from napari_multifidus.models.session import Session


class Kind(StrEnum):
    """What is missing or wrong."""

    UNMEASURABLE = "unmeasurable"
    UNFINISHED = "unfinished"
    EMPTY = "empty"
    CONTRADICTED = "contradicted"
    LEVEL = "level"
    OUTLINE = "outline"
    REFERENCE = "reference"
    GRADE = "grade"
    FLAG = "flag"


class Weight(StrEnum):
    """What it takes to finish a reading nevertheless."""

    MUST_BE_MENDED = "must be mended"
    NEEDS_REASON = "needs a reason"
    TO_CHECK = "to check"


_WEIGHTS = {
    Kind.LEVEL: Weight.NEEDS_REASON,
    Kind.OUTLINE: Weight.NEEDS_REASON,
    Kind.REFERENCE: Weight.NEEDS_REASON,
    Kind.GRADE: Weight.NEEDS_REASON,
    Kind.FLAG: Weight.TO_CHECK,
}

TO_CHECK = frozenset(
    {
        Flag.FEW_POINTS, Flag.OUTLINES_OVERLAP, Flag.TOUCHES_BORDER, Flag.OUTSIDE_IMAGE,
        Flag.AREA_IMPLAUSIBLE, Flag.DRAFT_UNEDITED, Flag.SIDE_DOUBTFUL,
    }
)  # fmt: skip
"""Flags of one outline that drawing can take away; those of the images are for the tables."""

LEVEL_FLAGS = frozenset({Flag.LEVEL_AMBIGUOUS, Flag.LEVEL_CONFLICT})

REFERENCE_FLAGS = {
    Flag.REFERENCE_INVERTED: LEAN,
    Flag.REFERENCE_MIXED: LEAN,
    Flag.REFERENCE_SMALL: LEAN,
    Flag.LEAN_REFERENCES_UNEQUAL: LEAN,
    Flag.REFERENCE_OVERLAPS_MUSCLE: FAT,
    Flag.REFERENCE_SATURATED: FAT,
}
"""Flags that all outlines have because of the references, and which one to look at first."""

_REFERENCES = {Need.LEAN_REFERENCE: LEAN, Need.FAT_REFERENCE: FAT}


@dataclass(frozen=True, slots=True)
class MissingItem:
    """One thing that a reading lacks, or that is wrong with it.

    Attributes
    ----------
    words
        What it is, in one line.
    slice_index, key
        Where to go for it: a slice, a structure; None where it has none.
    weight
        What it takes to finish nevertheless.
    """

    kind: Kind
    words: str
    slice_index: int | None = None
    key: LayerKey | None = None
    level: Level | None = None
    weight: Weight = Weight.MUST_BE_MENDED

    def as_dict(self) -> dict[str, object]:
        """Return plain values, for the log."""
        found: dict[str, object] = {"kind": self.kind.value}
        if self.key is not None:
            found |= {"structure": self.key.structure.value, "side": self.key.side.value}
        if self.level is not None:
            found["level"] = self.level.value
        if self.slice_index is not None:
            found["slice"] = slice_number(self.slice_index)
        return found


@dataclass(frozen=True, slots=True)
class Completeness:
    """All that a reading lacks, what must be mended first."""

    items: tuple[MissingItem, ...]

    @property
    def must_be_mended(self) -> bool:
        """Whether it cannot be finished as it is."""
        return any(item.weight is Weight.MUST_BE_MENDED for item in self.items)

    @property
    def needs_reason(self) -> bool:
        """Whether it can be finished with a reason only."""
        return any(item.weight is Weight.NEEDS_REASON for item in self.items)

    @property
    def summary(self) -> str:
        """How many of what are missing, in one line."""
        counts = {kind: sum(item.kind is kind for item in self.items) for kind in Kind}
        return ", ".join(
            _PLURALS[kind].format(n=n) if n > 1 else _SINGULARS[kind]
            for kind, n in counts.items()
            if n
        )


_SINGULARS = {
    Kind.UNMEASURABLE: "nothing can be measured",
    Kind.UNFINISHED: "1 outline is unfinished or crosses itself",
    Kind.EMPTY: "nothing is outlined",
    Kind.CONTRADICTED: "1 structure is outlined and marked as not measurable",
    Kind.LEVEL: "1 slice without a level",
    Kind.OUTLINE: "1 outline missing",
    Kind.REFERENCE: "1 reference missing",
    Kind.GRADE: "1 grade missing",
    Kind.FLAG: "1 quality flag to check",
}
_PLURALS = {
    Kind.UNMEASURABLE: "nothing can be measured",
    Kind.UNFINISHED: "{n} outlines are unfinished or cross themselves",
    Kind.EMPTY: "nothing is outlined",
    Kind.CONTRADICTED: "{n} structures are outlined and marked as not measurable",
    Kind.LEVEL: "{n} slices without a level",
    Kind.OUTLINE: "{n} outlines missing",
    Kind.REFERENCE: "{n} references missing",
    Kind.GRADE: "{n} grades missing",
    Kind.FLAG: "{n} quality flags to check",
}


def completeness(
    analysis: Analysis,
    off_slice: Sequence[str] = (),
    in_hand: Sequence[StructureOnSlice] = (),
    wanted: Sequence[LayerKey] = checklist.CHECKLIST,
    *,
    elsewhere: Sequence[str] = (),
) -> Completeness:
    """List what a reading still lacks.

    Parameters
    ----------
    analysis
        Of the reading.
    off_slice
        Shapes that lie on no slice, in words: they are not saved.
    in_hand
        What is being drawn and not closed.
    wanted
        The structures that are outlined on every slice with a level.
    elsewhere
        What is no outline yet on other series of the exam, in words.
    """
    return Completeness(
        (
            *_unmeasurable(analysis),
            *_unfinished(analysis, off_slice, in_hand),
            *(_item(Kind.UNFINISHED, _sentence(words)) for words in elsewhere),
            *_empty(analysis),
            *_contradicted(analysis),
            *_levels(analysis),
            *_outlines(analysis, wanted),
            *_references(analysis),
            *_grades(analysis),
            *_flags(analysis),
        )
    )


def explain(session: Session, found: Completeness, note: str) -> None:
    """Mark as not measurable, for a reason in words, what is missing at its whole level.

    Other slices of a level may have an outline: then it is measured there, and nothing is marked.
    """
    for item in found.items:
        if item.kind is not Kind.OUTLINE or item.key is None or item.slice_index is None:
            continue
        analysis = session.analysis
        drawing = analysis.drawing
        held = {index for key, index in drawing.half_drawn if key == item.key}
        drawn = {analysis.level_of(i)[0] for i in {*drawing.slices_of(item.key), *held}}
        known = analysis.not_measurable(item.key, item.slice_index)
        if item.level not in drawn and known is None:
            session.set_not_measurable(item.key, item.slice_index, Reason.OTHER, note)


def needed_references(protocol: MeasurementProtocol) -> tuple[LayerKey, ...]:
    """List the references that the fat methods of a protocol need to be drawn."""
    if protocol.propose_references:
        return ()
    needs = {need for method in protocol.fat_methods for need in METHODS[method].needs}
    return tuple(key for need, key in _REFERENCES.items() if need in needs)


# --- what is missing ---------------------------------------------------------------------------


def _item(
    kind: Kind, words: str, where: StructureOnSlice | None = None, level: Level | None = None
) -> MissingItem:
    key, index = where or (None, None)
    weight = _WEIGHTS.get(kind, Weight.MUST_BE_MENDED)
    return MissingItem(kind, words, index, key, level, weight)


def _unmeasurable(analysis: Analysis) -> Iterator[MissingItem]:
    found = analysis.obstacle
    if found is None or not found.is_refusal:
        return
    key, index = next(iter(found.places), (None, None))
    weight = Weight.MUST_BE_MENDED if found.is_raters else Weight.NEEDS_REASON
    yield MissingItem(Kind.UNMEASURABLE, found.words, index, key, weight=weight)


def _unfinished(
    analysis: Analysis, off_slice: Sequence[str], in_hand: Sequence[StructureOnSlice]
) -> Iterator[MissingItem]:
    for held in analysis.drawing.incomplete():
        yield _item(Kind.UNFINISHED, _sentence(held.words), (held.key, held.index))
    for where in in_hand:
        if where not in analysis.drawing.half_drawn:
            yield _item(Kind.UNFINISHED, f"{_place(*where)} is being drawn: finish it", where)
    for words in off_slice:
        yield _item(Kind.UNFINISHED, words)


def _empty(analysis: Analysis) -> Iterator[MissingItem]:
    """Nothing can be said for a reading without levels: there is nothing to say it of."""
    rois = analysis.drawing.rois(analysis.series)
    has_level = any(info.settled.level is not None for info in analysis.slice_levels)
    muscles = [roi for roi in rois.rois if roi.key.structure.is_muscle]
    if not (muscles or rois.not_measurable or analysis.drawing.incomplete() or has_level):
        words = "No muscle is outlined, and no slice has a level: mark levels first"
        yield _item(Kind.EMPTY, words)


def _contradicted(analysis: Analysis) -> Iterator[MissingItem]:
    seen = set()
    for key, index in analysis.drawing.in_slice_order():
        found = analysis.not_measurable(key, index)
        if found is not None and found not in seen:
            seen.add(found)
            words = (
                f"{_place(key, index)} is outlined, and {found.level} is marked as not measurable"
            )
            yield _item(Kind.CONTRADICTED, words, (key, index), found.level)


def _levels(analysis: Analysis) -> Iterator[MissingItem]:
    muscles = {index for key, index in analysis.drawing.in_slice_order() if key.structure.is_muscle}
    for index in sorted(muscles):
        if analysis.level_of(index)[0] is None:
            words = (
                f"Slice {slice_number(index)} has outlines and no level: they enter no comparison"
            )
            yield MissingItem(Kind.LEVEL, words, index, weight=Weight.NEEDS_REASON)


def _outlines(analysis: Analysis, wanted: Sequence[LayerKey]) -> Iterator[MissingItem]:
    begun = {(held.key, held.index) for held in analysis.drawing.incomplete()}
    for key, index in checklist.missing(analysis, wanted):
        if (key, index) not in begun:
            level = analysis.level_of(index)[0]
            words = f"{_place(key, index)} ({level}) is not outlined"
            yield _item(Kind.OUTLINE, words, (key, index), level)


def _references(analysis: Analysis) -> Iterator[MissingItem]:
    muscles = [index for key, index in analysis.drawing.in_slice_order() if key.structure.is_muscle]
    there = {roi.key.structure for roi in analysis.drawing.rois(analysis.series)}
    for key in needed_references(analysis.protocol) if muscles else ():
        if key.structure not in there:
            words = f"No {key.words} is drawn: fat by the protocol needs one"
            yield _item(Kind.REFERENCE, words, (key, muscles[0]))


def _grades(analysis: Analysis) -> Iterator[MissingItem]:
    """Grades of levels that are outlined, by schemes that somebody has begun to grade by."""
    grades = analysis.drawing.own_grades
    outlined = [
        (key, index, analysis.level_of(index)[0])
        for key, index in analysis.drawing.in_slice_order()
        if key.structure is Structure.MULTIFIDUS and key.side in {Side.LEFT, Side.RIGHT}
    ]
    asked: set[tuple[str, Level, Side]] = set()
    for scheme in sorted({scheme for scheme, *_ in grades}):
        for key, index, level in outlined:
            if level is None or (scheme, level, key.side) in {*grades, *asked}:
                continue
            asked.add((scheme, level, key.side))
            words = f"{key.words} at {level} has no {scheme.capitalize()} grade"
            yield _item(Kind.GRADE, _sentence(words), (key, index), level)


def _flags(analysis: Analysis) -> Iterator[MissingItem]:
    if analysis.error is not None:
        return
    of_references: set[Flag] = set()
    said: set[tuple[int, Flag]] = set()
    for key, index in analysis.drawing.outlines:
        numbers = analysis.numbers(key, index)
        flags = numbers.flags if numbers is not None else ()
        of_references.update(flag for flag in flags if flag in REFERENCE_FLAGS)
        new = [flag for flag in flags if flag in LEVEL_FLAGS and (index, flag) not in said]
        said.update((index, flag) for flag in new)
        for flag in new:
            words = f"Slice {slice_number(index)}: {_words(flag)}"
            yield MissingItem(Kind.FLAG, words, index, weight=Weight.TO_CHECK)
        own = [_words(flag) for flag in flags if flag in TO_CHECK and _matters(flag, key)]
        if own:
            yield _item(Kind.FLAG, f"{_place(key, index)}: {', '.join(own)}", (key, index))
    for flag in sorted(of_references):
        yield _of_reference(analysis, flag)


def _matters(flag: Flag, key: LayerKey) -> bool:
    """Whether a flag is of any matter: few points make an area doubtful, and samples have none."""
    return flag is not Flag.FEW_POINTS or not key.holds_samples


def _of_reference(analysis: Analysis, flag: Flag) -> MissingItem:
    key = REFERENCE_FLAGS[flag]
    index = next(iter(analysis.drawing.slices_of(key)), None)
    return MissingItem(Kind.FLAG, f"References: {_words(flag)}", index, key, weight=Weight.TO_CHECK)


def _place(key: LayerKey, index: int) -> str:
    return _sentence(f"{key.words} on {slice_words(index)}")


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]


def _words(flag: Flag) -> str:
    return flag.value.replace("_", " ")
