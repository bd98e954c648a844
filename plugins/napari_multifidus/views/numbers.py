"""The measurements of the slice shown, side by side as the sides are on the screen."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from multifidus.data.anatomy import Side, Structure
from multifidus.data.flags import Flag
from multifidus.data.protocol import FatMethod
from napari_multifidus.models.analysis import Analysis
from napari_multifidus.models.fat_shown import WHY_THEY_DIFFER, kind_of
from napari_multifidus.models.numbers import Numbers, asymmetry_pct, asymmetry_uncertainty
from napari_multifidus.models.shapes import PROBLEM_COLOUR, LayerKey, colour_of
from napari_multifidus.views.histogram import HistogramView
from napari_multifidus.views.style import (
    LINE_HEIGHT,
    NUMBER,
    SMALL,
    SMALLEST,
    TITLE,
    Palette,
    Tone,
    give,
)
from napari_multifidus.views.widgets import (
    QUIET_COLOUR,
    WARNING_COLOUR,
    ElidedLabel,
    grid,
    label,
)

MM2_PER_CM2 = 100
NOTHING = "\N{EN DASH}"
SIDE_WIDTH = 120
FITTING = ((22, TITLE), (25, SMALL))
"""Longest words that fit a card in letters of a size; longer ones are in the smallest."""

BOLD = 1.15
"""How much wider bold letters are."""

MOST_FLAGS = 3
"""Lines of a card for quality flags; of more, the last line gives the number."""

METHOD_WORDS = {
    "pooled_otsu": "pooled Otsu",
    "otsu": "Otsu",
    "clahe_otsu": "CLAHE and Otsu",
    "circle_max": "lean maximum",
    "mean_ksd": "lean mean + k SD",
    "fixed": "fixed",
}
SAID_AS_FAT = frozenset({Flag.NO_REFERENCE, Flag.UNDETECTABLE})
"""Flags that stand in the place of the number itself."""


def stated(value: float, doubt: float, decimals: int) -> str:
    """Write a number and its standard uncertainty, with as many decimals as that asks for."""
    if math.isnan(doubt):
        return f"{value:.{decimals + 1}f}"
    if 0 < doubt < 1:
        decimals = max(decimals, math.ceil(-math.log10(doubt)))
    return f"{value:.{decimals}f} ± {doubt:.{decimals}f}"


def area_words(numbers: Numbers) -> str:
    """Write an area in cm2."""
    if math.isnan(numbers.area_mm2):
        return NOTHING
    area, doubt = numbers.area_mm2 / MM2_PER_CM2, numbers.area_u_mm2 / MM2_PER_CM2
    return f"{stated(area, doubt, 1)} cm²"


def fat_words(numbers: Numbers) -> str:
    """Write the fat of a muscle, or why there is none."""
    if not math.isnan(numbers.fat_pct):
        return _share_words(numbers.fat_method, numbers.fat_pct, numbers.fat_u_pct)
    if Flag.NO_REFERENCE in numbers.flags:
        return "Fat: draw references"
    if numbers.awaits_signal and numbers.fat_method == FatMethod.SIGNAL:
        return _AWAITED
    name = kind_of(numbers.fat_method).name if numbers.beside_method else "Fat"
    return f"{name}: undetectable" if Flag.UNDETECTABLE in numbers.flags else f"{name} {NOTHING}"


def beside_words(numbers: Numbers) -> str:
    """Write the fat by the second method, or why there is none; empty without such a method."""
    method, pct = numbers.beside_method, numbers.beside_pct
    if not method:
        return ""
    if not math.isnan(pct):
        return _share_words(method, pct, numbers.beside_u_pct)
    name = kind_of(method).name
    if Flag.NO_REFERENCE in numbers.flags:
        # The first line says it already, unless its method does without references.
        return "" if math.isnan(numbers.fat_pct) else f"{name}: draw references"
    awaited = numbers.awaits_signal and method == FatMethod.SIGNAL
    return _AWAITED if awaited else f"{name} {NOTHING}"


def _share_words(method: str, pct: float, doubt: float) -> str:
    return f"{kind_of(method).name} {stated(pct, doubt, 0)} %"


_AWAITED = f"{kind_of(FatMethod.SIGNAL).name} \N{HORIZONTAL ELLIPSIS}"


def detail_words(numbers: Numbers) -> str:
    """Write the measurements with more digits, and how fat was measured."""
    parts = []
    if not math.isnan(numbers.area_mm2):
        parts.append(f"{numbers.area_mm2 / MM2_PER_CM2:.2f} cm²")
    if not math.isnan(numbers.fat_pct):
        method = METHOD_WORDS.get(numbers.fat_method, numbers.fat_method)
        parts.append(f"{numbers.fat_pct:.1f} % {method}")
    if not math.isnan(numbers.dixon_pct):
        parts.append(f"Dixon {numbers.dixon_pct:.1f} %")
    return " · ".join(parts)


def flag_words(flag: Flag) -> str:
    """Name a quality flag in a few words."""
    return flag.value.replace("_", " ")


def flag_tip(flag: Flag) -> str:
    """Say what a quality flag means, and what to do about it."""
    return f"{flag.meaning} {flag.remedy}".strip()


def asymmetry_words(pct: float, doubt: float = math.nan) -> str:
    """Write the asymmetry of both sides and its standard uncertainty."""
    if math.isnan(pct):
        return f"Asymmetry {NOTHING}"
    if abs(pct) <= (0.0 if math.isnan(doubt) else doubt):
        # Which side is larger is not known.
        return f"Asymmetry {stated(abs(pct), doubt, 0)} %, within its uncertainty"
    side = "right" if pct > 0 else "left"
    return f"Asymmetry {stated(abs(pct), doubt, 0)} %, {side} larger"


class FlagList(QWidget):
    """Quality flags, one a line; what each means and what to do about it is its tooltip.

    The lines are always there: what is below them does not move.
    """

    def __init__(self) -> None:
        super().__init__()
        self.lines = [label(px=SMALL, colour=WARNING_COLOUR, wrap=False) for _ in range(MOST_FLAGS)]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for line in self.lines:
            layout.addWidget(line)

    def show_flags(self, flags: Iterable[Flag]) -> None:
        """Show other flags."""
        shown = tuple(flags)
        fits = len(shown) <= MOST_FLAGS
        first = shown if fits else shown[: MOST_FLAGS - 1]
        texts = [(f"▲ {flag_words(flag)}", flag_tip(flag)) for flag in first]
        if not fits:
            rest = shown[len(first) :]
            tips = "\n".join(f"{flag_words(flag)}: {flag_tip(flag)}" for flag in rest)
            texts.append((f"▲ {len(rest)} more", tips))
        texts += [("", "")] * (MOST_FLAGS - len(texts))
        for line, (words, tip) in zip(self.lines, texts, strict=True):
            if line.text() != words or line.toolTip() != tip:
                line.setText(words)
                line.setToolTip(tip)

    @property
    def words(self) -> tuple[str, ...]:
        """What is shown."""
        return tuple(line.text() for line in self.lines if line.text())


class FittedLine(QLabel):
    """A line of a card; longer words are smaller, so that they stay on one line."""

    def __init__(self, colour: str = "", *, bold: bool = False) -> None:
        super().__init__()
        self._bold = bold
        give(self, tone=colour or Tone.TEXT, strong=bold)
        self.show_words("")

    def show_words(self, words: str) -> None:
        """Show other words."""
        if words and words == self.text():
            return
        wide = len(words) * (BOLD if self._bold else 1)
        give(self, px=next((size for most, size in FITTING if wide <= most), SMALLEST))
        self.setText(words)


AREA_INDENT = 3


class SideNumbersPanel(QFrame):
    """Area and fat of one side: a card of one height, whatever there is to say.

    Parameters
    ----------
    side
        The patient's side.
    """

    def __init__(self, side: Side) -> None:
        super().__init__()
        self.side = side
        self.numbers: Numbers | None = None
        self._colour = colour_of(LayerKey(Structure.MULTIFIDUS, side))
        self.title = FittedLine(self._colour, bold=True)
        self.area = label(px=NUMBER, bold=True, wrap=False)
        # Qt begins large letters further right, and their unit would be cut off.
        self.area.setIndent(AREA_INDENT)
        self.fat, self.beside = FittedLine(), FittedLine()
        self.detail, self.grade = label(px=SMALL), ElidedLabel(px=SMALL)
        self.warnings = FlagList()
        self.area.setToolTip(
            "Cross-sectional area in the plane of the slice ± standard uncertainty"
        )
        self.detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 2, 4)
        layout.setSpacing(1)
        self._lines = {
            self.title: TITLE, self.area: NUMBER, self.fat: TITLE, self.beside: TITLE,
            self.detail: 2 * SMALL, self.grade: SMALL,
        }  # fmt: skip
        for part in (*self._lines, self.warnings):
            # What does not fit is cut off, not the window made wider.
            part.setMinimumWidth(SIDE_WIDTH)
            layout.addWidget(part)
        layout.addStretch(1)
        self.show_numbers(Structure.MULTIFIDUS, None)

    def wear(self, palette: Palette) -> None:
        """Keep the room of every line, at the size of its letters."""
        lines = {**self._lines, **dict.fromkeys(self.warnings.lines, SMALL)}
        for line, size in lines.items():
            line.setFixedHeight(palette.px(size * LINE_HEIGHT))

    def show_numbers(
        self, structure: Structure, numbers: Numbers | None, absence: str = ""
    ) -> None:
        """Show numbers; None where there is no outline, and why."""
        self.numbers = numbers
        self.title.show_words(f"{structure.replace('_', ' ')} {self.side.value.upper()}")
        shown = numbers or Numbers()
        problem = shown.problem
        self.area.setText(NOTHING if problem else area_words(shown))
        self.fat.show_words("not measured" if problem else fat_words(shown) if numbers else "")
        self.beside.show_words("" if problem else beside_words(shown))
        for line in (self.fat, self.beside):
            line.setToolTip(_fat_tip(shown))
        self.detail.setText(problem or (detail_words(shown) if numbers else absence))
        self.detail.setToolTip(problem or ("" if numbers else absence))
        self.warnings.show_flags(flag for flag in shown.flags if flag not in SAID_AS_FAT)
        give(self.detail, tone=PROBLEM_COLOUR if problem else QUIET_COLOUR)
        give(self, card="problem" if problem else self._colour)

    def show_grades(self, words: str) -> None:
        """Show how this side was graded at the level shown; nothing where it was not."""
        self.grade.setText(words)


def _fat_tip(numbers: Numbers) -> str:
    why = [flag_tip(flag) for flag in numbers.flags if flag in SAID_AS_FAT]
    if why:
        return "\n".join(why)
    methods = [numbers.fat_method, *filter(None, [numbers.beside_method])]
    kinds = [kind_of(method) for method in methods]
    meant = [f"{kind.name}: {kind.definition}" for kind in kinds]
    meant += [WHY_THEY_DIFFER] if numbers.beside_method else []
    meant += [_WHY_AWAITED] if numbers.awaits_signal else []
    return "\n".join((*meant, "Values after ± are standard uncertainties."))


_WHY_AWAITED = "The fat signal fraction is measured when the outline no longer moves."


class NumbersPanel(QWidget):
    """Both sides of one structure on the slice shown; the patient's right stands left."""

    def __init__(self) -> None:
        super().__init__()
        self.structure = Structure.MULTIFIDUS
        self.sides = {side: SideNumbersPanel(side) for side in (Side.RIGHT, Side.LEFT)}
        self.asymmetry, self.histogram = label(colour=QUIET_COLOUR, wrap=False), HistogramView()
        self.asymmetry.setToolTip(
            "Asymmetry of the areas: (right - left) / mean, in percent ± standard uncertainty"
        )
        layout = grid(self, (self.asymmetry, 1, 0, 1, 2), (self.histogram, 2, 0, 1, 2))
        for column, panel in enumerate(self.sides.values()):
            layout.addWidget(panel, 0, column)
            layout.setColumnStretch(column, 1)

    def follow(self, key: LayerKey | None) -> None:
        """Show the active structure, if it has sides; else go on with the one before."""
        if key is not None and key.structure.is_muscle:
            self.structure = key.structure

    def keys(self) -> tuple[LayerKey, ...]:
        """Return the two structures shown, the patient's right first."""
        return tuple(replace(LayerKey(self.structure), side=side) for side in self.sides)

    def show_slice(self, analysis: Analysis, index: int) -> None:
        """Show what is measured of both on a slice, or why nothing is."""
        for key in self.keys():
            absence = analysis.absence_words(key, index)
            self.show_numbers(key, analysis.numbers(key, index), absence)

    def show_numbers(self, key: LayerKey, numbers: Numbers | None, absence: str = "") -> None:
        """Show numbers of one of them, or why there are none; others are passed over."""
        if key not in self.keys():
            return
        self.sides[key.side].show_numbers(key.structure, numbers, absence)
        right, left = (panel.numbers for panel in self.sides.values())
        doubt = asymmetry_uncertainty(right, left)
        self.asymmetry.setText(asymmetry_words(asymmetry_pct(right, left), doubt))
