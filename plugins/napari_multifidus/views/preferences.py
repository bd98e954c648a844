"""How a person likes to work, kept from one session to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QSettings

from napari_multifidus.controllers.canvas import DRAWING
from napari_multifidus.models.redraw import Redraw

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator

ADVANCES, TOOL, REDRAW, SCHEME = "advances", "tool", "redraw", "grading scheme"
YES, NO = "yes", "no"


class Preferences(QObject):
    """Takes up what was chosen last, and notes every change.

    Whether digits grade is no preference: every exam begins with ordinary keys.

    Parameters
    ----------
    annotator
        Whose tools are set.
    settings
        Returns what is remembered of a person.
    """

    def __init__(self, annotator: Annotator, settings: Callable[[], QSettings]) -> None:
        super().__init__()
        self._annotator, self._settings = annotator, settings
        self._take_up()
        annotator.workspace.preferred.connect(self._note)

    def _take_up(self) -> None:
        kept = self._settings()
        tools, workspace = self._annotator.edit_tools, self._annotator.workspace
        tools.advances = kept.value(ADVANCES, YES) != NO
        tool, redraw = str(kept.value(TOOL, "")), str(kept.value(REDRAW, ""))
        if tool in DRAWING:
            tools.drawing = tool
        if redraw in set(Redraw) - {Redraw.REPAIR}:
            workspace.redrawing.usual = Redraw(redraw)
        scheme = str(kept.value(SCHEME, "")).strip()
        if scheme:
            self._annotator.grading.set_scheme(scheme)

    def _note(self) -> None:
        tools, kept = self._annotator.edit_tools, self._settings()
        kept.setValue(ADVANCES, YES if tools.advances else NO)
        kept.setValue(TOOL, str(tools.drawing))
        kept.setValue(REDRAW, self._annotator.workspace.redrawing.usual.value)
        kept.setValue(SCHEME, self._annotator.grading.scheme)
        kept.sync()
