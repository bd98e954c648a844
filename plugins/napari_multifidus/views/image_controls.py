"""Grey levels by numbers, smooth or square pixels, and how outlines look; no number changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QLabel, QWidget

from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.models.image_view import FAINTEST, THICKEST_PX, THINNEST_PX, OutlineStyle
from napari_multifidus.views.widgets import button, grid, only_deliberate

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator

LARGEST_SIGNAL = 1e7


class ImageControls(QWidget):
    """How the image and the outlines on it are looked at.

    Parameters
    ----------
    annotator
        Whose image it is.
    """

    def __init__(self, annotator: Annotator) -> None:
        super().__init__()
        self._annotator = annotator
        drag = "Right button: drag right for less contrast, up for a brighter image"
        signals = (-LARGEST_SIGNAL, LARGEST_SIGNAL)
        self.black = _field(f"Signal that is shown black\n{drag}", *signals)
        self.white = _field(f"Signal that is shown white\n{drag}", *signals)
        self.smooth = QCheckBox("Smooth pixels")
        self.smooth.setToolTip("Smooth the image for the eye; nothing is measured on it")
        self.thickness = _field("Thickness of outlines on the screen", THINNEST_PX, THICKEST_PX)
        self.thickness.setSuffix(" px")
        self.thickness.setSingleStep(0.2)
        self.opacity = _field("Opacity of outlines", 100 * FAINTEST, 100)
        self.opacity.setDecimals(0)
        self.opacity.setSingleStep(10)
        self.opacity.setSuffix(" %")
        self.bare = button(
            "Bare image", "Hide everything that lies on the image ( Shift+B )", checkable=True
        )
        grid(
            self,
            (QLabel("Black"), 0, 0),
            (self.black, 0, 1),
            (QLabel("White"), 0, 2),
            (self.white, 0, 3),
            (QLabel("Outlines"), 1, 0),
            (self.thickness, 1, 1),
            (QLabel("Opacity"), 1, 2),
            (self.opacity, 1, 3),
            (self.smooth, 2, 0, 1, 2),
            (self.bare, 2, 2, 1, 2),
        )
        for field in (self.black, self.white):
            field.valueChanged.connect(self._say_limits)
        for field in (self.thickness, self.opacity):
            field.valueChanged.connect(self._say_style)
        self.smooth.toggled.connect(self._say_smooth)
        self.bare.clicked.connect(self._say_bare)
        annotator.image_view.changed.connect(self.refresh)
        annotator.workspace.selection_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how the image is looked at now."""
        view, limits = self._annotator.image_view, self._annotator.display.limits
        for n, field in enumerate((self.black, self.white)):
            field.setEnabled(limits is not None)
            if limits is not None:
                _show(field, limits[n])
        _show(self.thickness, view.style.thickness_px)
        _show(self.opacity, 100 * view.style.opacity)
        blocked = QSignalBlocker(self.smooth)
        self.smooth.setChecked(self._annotator.display.is_smooth)
        del blocked
        self.bare.setChecked(view.is_bare)
        self.bare.setEnabled(limits is not None)

    def _say_limits(self) -> None:
        with reported(self._annotator.workspace.warning):
            self._annotator.display.set_limits(self.black.value(), self.white.value())

    def _say_style(self) -> None:
        style = OutlineStyle(self.thickness.value(), self.opacity.value() / 100)
        self._annotator.image_view.set_style(style)

    def _say_smooth(self) -> None:
        self._annotator.image_view.set_smooth(on=self.smooth.isChecked())

    def _say_bare(self) -> None:
        self._annotator.image_view.toggle_bare()


def _field(tip: str, lowest: float, highest: float) -> QDoubleSpinBox:
    made = QDoubleSpinBox()
    made.setToolTip(tip)
    made.setDecimals(1)
    made.setRange(lowest, highest)
    # A number counts once it is typed to its end.
    made.setKeyboardTracking(False)
    made.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
    made.setAlignment(Qt.AlignmentFlag.AlignRight)
    only_deliberate(made)
    return made


def _show(field: QDoubleSpinBox, value: float) -> None:
    """Show a value without saying it; one that is rounded as it is shown stays as it is."""
    if round(value, field.decimals()) != field.value():
        blocked = QSignalBlocker(field)
        field.setValue(value)
        del blocked
