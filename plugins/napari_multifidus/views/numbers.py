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
from napari_multifidus.models.preview import (
    Numbers,
    asymmetry_pct,
    asymmetry_uncertainty,
)
from napari_multifidus.models.shapes import PROBLEM_COLOUR, LayerKey, colour_of
from napari_multifidus.views.histogram import HistogramView
from napari_multifidus.views.widgets import QUIET_COLOUR, WARNING_COLOUR, grid, label, text_style

MM2_PER_CM2 = 100
NOTHING = "\N{EN DASH}"
SIDE_WIDTH = 120
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
        fat = "Fat fraction" if numbers.fat_method == FatMethod.LINEAR else "Visible fat"
        return f"{fat} {stated(numbers.fat_pct, numbers.fat_u_pct, 0)} %"
    if Flag.NO_REFERENCE in numbers.flags:
        return "Fat: draw references"
    return "Fat: undetectable" if Flag.UNDETECTABLE in numbers.flags else f"Fat {NOTHING}"


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
    larger = "right larger" if pct > 0 else "left larger" if pct < 0 else "equal"
    return f"Asymmetry {stated(abs(pct), doubt, 0)} %, {larger}"


class FlagList(QWidget):
    """Quality flags, one a line; what each means and what to do about it is its tooltip."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[QLabel] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(0)

    def show_flags(self, flags: Iterable[Flag]) -> None:
        """Show other flags."""
        shown = tuple(flags)
        while len(self.lines) < len(shown):
            line = label(px=11, colour=WARNING_COLOUR, wrap=False)
            self._layout.addWidget(line)
            self.lines.append(line)
        for n, line in enumerate(self.lines):
            line.setVisible(n < len(shown))
            words = f"▲ {flag_words(shown[n])}" if n < len(shown) else ""
            if line.text() != words:
                line.setText(words)
                line.setToolTip(flag_tip(shown[n]) if words else "")

    @property
    def words(self) -> tuple[str, ...]:
        """What is shown."""
        return tuple(line.text() for line in self.lines if line.text())


class SideNumbersPanel(QFrame):
    """Area and fat of one side.

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
        self._frame: tuple[str, int] | None = None
        # A long name takes two lines rather than lose its side.
        self.title = label(px=13, colour=self._colour, bold=True)
        self.area, self.fat = label(px=18, bold=True, wrap=False), label(px=13)
        self.detail, self.grade = label(px=11), label(wrap=False)
        self.warnings = FlagList()
        self.area.setToolTip(
            "Cross-sectional area in the plane of the slice ± standard uncertainty"
        )
        self.detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 6, 6)
        layout.setSpacing(2)
        parts = (self.title, self.area, self.fat, self.detail, self.grade, self.warnings)
        for part in parts:
            # What does not fit is cut off, not the window made wider.
            part.setMinimumWidth(SIDE_WIDTH)
            layout.addWidget(part)
        layout.addStretch(1)
        self.grade.hide()
        self.show_numbers(Structure.MULTIFIDUS, None)

    def show_numbers(self, structure: Structure, numbers: Numbers | None) -> None:
        """Show numbers; None where nothing is drawn."""
        self.numbers = numbers
        self.title.setText(f"{structure.replace('_', ' ')} {self.side.value.upper()}")
        shown = numbers or Numbers()
        problem = shown.problem
        self.area.setText(NOTHING if problem else area_words(shown))
        self.fat.setText("not measured" if problem else fat_words(shown) if numbers else "")
        self.fat.setToolTip(_fat_tip(shown))
        self.detail.setText(problem or (detail_words(shown) if numbers else "not drawn"))
        self.warnings.show_flags(flag for flag in shown.flags if flag not in SAID_AS_FAT)
        self._frame_as(problem)

    def _frame_as(self, problem: str) -> None:
        """Frame it red where there is a problem; styles are costly, so only when that changes."""
        wanted = (PROBLEM_COLOUR, 3) if problem else (self._colour, 1)
        if wanted == self._frame:
            return
        self._frame = wanted
        edge, width = wanted
        quiet = PROBLEM_COLOUR if problem else QUIET_COLOUR
        self.detail.setStyleSheet(text_style(11, quiet))
        self.setStyleSheet(
            f"SideNumbersPanel {{ border: {width}px solid {edge}; border-left: 5px solid {edge};"
            " border-radius: 4px; }"
        )

    def show_grades(self, words: str) -> None:
        """Show how this side was graded at the level shown; nothing where it was not."""
        self.grade.setText(words)
        self.grade.setVisible(bool(words))


def _fat_tip(numbers: Numbers) -> str:
    why = [flag_tip(flag) for flag in numbers.flags if flag in SAID_AS_FAT]
    return "\n".join(why) or (
        "Visible fat: share of the muscle in pixels classified as fat ± standard uncertainty. "
        "Fat fraction: by the linear method between lean and fat reference."
    )


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
        self.setMinimumHeight(118)

    def follow(self, key: LayerKey | None) -> None:
        """Show the active structure, if it has sides; else go on with the one before."""
        if key is not None and key.structure.is_muscle:
            self.structure = key.structure

    def keys(self) -> tuple[LayerKey, ...]:
        """Return the two structures shown, the patient's right first."""
        return tuple(replace(LayerKey(self.structure), side=side) for side in self.sides)

    def show_numbers(self, key: LayerKey, numbers: Numbers | None) -> None:
        """Show numbers of one of them; others are passed over."""
        if key not in self.keys():
            return
        self.sides[key.side].show_numbers(key.structure, numbers)
        right, left = (panel.numbers for panel in self.sides.values())
        doubt = asymmetry_uncertainty(right, left)
        self.asymmetry.setText(asymmetry_words(asymmetry_pct(right, left), doubt))
