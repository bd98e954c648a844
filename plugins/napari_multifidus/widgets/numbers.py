"""The numbers of the slice in hand, side by side as the sides are on the screen."""

from __future__ import annotations

import math
from dataclasses import replace

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from multifidus.anatomy import Side, Structure
from multifidus.flag import Flag
from napari_multifidus.layers import PROBLEM_COLOUR, LayerKey, colour_of
from napari_multifidus.preview import Numbers

MM2_PER_CM2 = 100
NOTHING = "\N{EN DASH}"
METHOD_WORDS = {"pooled_otsu": "pooled Otsu", "otsu": "Otsu", "fixed": "fixed threshold"}


def area_words(area_mm2: float) -> str:
    """Write an area in cm2."""
    return NOTHING if math.isnan(area_mm2) else f"{area_mm2 / MM2_PER_CM2:.2f} cm²"


def fat_words(numbers: Numbers) -> str:
    """Write the fat of a muscle, or why there is none."""
    if not math.isnan(numbers.fat_pct):
        return f"fat {numbers.fat_pct:.1f} %"
    if Flag.NO_REFERENCE in numbers.flags:
        return "fat: draw references"
    return "fat: undetectable" if Flag.UNDETECTABLE in numbers.flags else f"fat {NOTHING}"


def detail_words(numbers: Numbers) -> str:
    """Write how fat was measured, and what is doubtful."""
    parts = []
    if not math.isnan(numbers.fat_pct):
        method = METHOD_WORDS.get(numbers.fat_method, numbers.fat_method)
        parts.append(f"{method}, above {numbers.threshold:.0f}")
    if not math.isnan(numbers.dixon_pct):
        parts.append(f"Dixon {numbers.dixon_pct:.1f} %")
    hidden = {Flag.NO_REFERENCE, Flag.UNDETECTABLE}
    parts += [flag.replace("_", " ") for flag in numbers.flags if flag not in hidden]
    return "\n".join(parts)


class SideNumbers(QFrame):
    """Area and fat of one side.

    Parameters
    ----------
    side
        The patient's side.
    """

    def __init__(self, side: Side) -> None:
        super().__init__()
        self.side = side
        self._colour = colour_of(LayerKey(Structure.MULTIFIDUS, side))
        self.title, self.area, self.fat, self.detail = QLabel(), QLabel(), QLabel(), QLabel()
        self.title.setStyleSheet(f"font-size: 13px; font-weight: bold; color: {self._colour};")
        self.area.setStyleSheet("font-size: 24px; font-weight: bold;")
        self.fat.setStyleSheet("font-size: 16px;")
        self.detail.setStyleSheet("font-size: 11px; color: #b8bcc4;")
        self.detail.setWordWrap(True)
        self.detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 6, 6, 6)
        layout.setSpacing(2)
        for label in (self.title, self.area, self.fat, self.detail):
            layout.addWidget(label)
        self.show_numbers(Structure.MULTIFIDUS, None)

    def show_numbers(self, structure: Structure, numbers: Numbers | None) -> None:
        """Show numbers; None where nothing is drawn."""
        self.title.setText(f"{structure.replace('_', ' ')} {self.side.value.upper()}")
        shown = numbers or Numbers()
        problem = shown.problem
        self.area.setText(NOTHING if problem else area_words(shown.area_mm2))
        self.fat.setText("not measured" if problem else fat_words(shown) if numbers else "")
        self.detail.setText(problem or (detail_words(shown) if numbers else "not drawn"))
        self.detail.setStyleSheet(
            f"font-size: 11px; color: {PROBLEM_COLOUR if problem else '#b8bcc4'};"
        )
        edge = PROBLEM_COLOUR if problem else self._colour
        width = 3 if problem else 1
        self.setStyleSheet(
            f"SideNumbers {{ border: {width}px solid {edge}; border-left: 5px solid {edge};"
            " border-radius: 4px; }"
        )


class NumbersPanel(QWidget):
    """Both sides of one structure on the slice in hand; the patient's right stands left."""

    def __init__(self) -> None:
        super().__init__()
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.structure = Structure.MULTIFIDUS
        self.sides = {side: SideNumbers(side) for side in (Side.RIGHT, Side.LEFT)}
        for column, panel in enumerate(self.sides.values()):
            layout.addWidget(panel, 0, column)
            layout.setColumnStretch(column, 1)
        self.setMinimumHeight(118)

    def follow(self, key: LayerKey | None) -> None:
        """Show the structure in hand, if it has sides; else go on with the one before."""
        if key is not None and key.structure.is_muscle:
            self.structure = key.structure

    def keys(self) -> tuple[LayerKey, ...]:
        """Return the two structures shown, the patient's right first."""
        return tuple(replace(LayerKey(self.structure), side=side) for side in self.sides)

    def show_numbers(self, key: LayerKey, numbers: Numbers | None) -> None:
        """Show numbers of one of them; others are passed over."""
        if key in self.keys():
            self.sides[key.side].show_numbers(key.structure, numbers)
