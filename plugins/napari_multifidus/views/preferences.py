"""How a rater likes to work, kept from one session to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from qtpy.QtCore import QObject, QSettings

from napari_multifidus.controllers.canvas import DRAWING
from napari_multifidus.models.redraw import Redraw

if TYPE_CHECKING:
    from napari_multifidus.controllers.annotator import Annotator

ADVANCES, TOOL, REDRAW, SCHEME = "advances", "tool", "redraw", "grading scheme"
YES, NO = "yes", "no"


def settings() -> QSettings:
    """Return what is remembered on this account between sessions."""
    return QSettings(
        QSettings.Format.IniFormat, QSettings.Scope.UserScope, "multifidus", "annotator"
    )


class RaterSettings:
    """What is remembered of the rater who works: several may share an account.

    What a rater has not chosen yet is as it was chosen last on the account.

    Parameters
    ----------
    rater
        Who works.
    """

    def __init__(self, rater: str) -> None:
        self.rater = rater

    def value(self, name: str, default: str = "") -> str:
        """Return what is remembered under a name."""
        kept = settings()
        return str(kept.value(self._own(name), kept.value(name, default)))

    def keep(self, name: str, value: str) -> None:
        """Remember something of the rater, and as what was chosen last."""
        kept = settings()
        kept.setValue(self._own(name), value)
        kept.setValue(name, value)
        kept.sync()

    def _own(self, name: str) -> str:
        # A stroke would begin another group.
        return f"raters/{quote(self.rater, safe='')}/{name}"


class Preferences(QObject):
    """Takes up what a rater chose last, and notes every change.

    Whether digits grade is no preference: every exam begins with ordinary keys.

    Parameters
    ----------
    annotator
        Whose tools are set.
    kept
        What is remembered of the rater.
    """

    def __init__(self, annotator: Annotator, kept: RaterSettings) -> None:
        super().__init__()
        self._annotator, self._kept = annotator, kept
        self._take_up()
        annotator.workspace.preferred.connect(self._note)
        annotator.workspace.opened.connect(self._follow_rater)
        annotator.workspace.rater_changed.connect(self._follow_soon)

    def _follow_soon(self) -> None:
        """Follow at once where no exam is open; one that is open is its rater's to its end."""
        if not self._annotator.workspace.is_open:
            self._follow_rater()

    def _follow_rater(self) -> None:
        rater = self._annotator.workspace.rater
        if rater != self._kept.rater:
            self._kept.rater = rater
            self._take_up()

    def _take_up(self) -> None:
        kept = self._kept
        tools, workspace = self._annotator.edit_tools, self._annotator.workspace
        tools.advances = kept.value(ADVANCES, YES) != NO
        tool, redraw = kept.value(TOOL), kept.value(REDRAW)
        if tool in DRAWING:
            tools.drawing = tool
        if redraw in set(Redraw) - {Redraw.REPAIR}:
            workspace.redrawing.usual = Redraw(redraw)
        scheme = kept.value(SCHEME).strip()
        if scheme:
            self._annotator.grading.set_scheme(scheme)

    def _note(self) -> None:
        tools, kept = self._annotator.edit_tools, self._kept
        kept.keep(ADVANCES, YES if tools.advances else NO)
        kept.keep(TOOL, str(tools.drawing))
        kept.keep(REDRAW, self._annotator.workspace.redrawing.usual.value)
        kept.keep(SCHEME, self._annotator.grading.scheme)
