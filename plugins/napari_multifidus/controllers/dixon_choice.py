"""Choosing which series of the exam are the fat and the water image, and taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multifidus.data.image import Weighting
from multifidus.errors import MultifidusError
from multifidus.measuring.dixon_roles import DixonRoles, possible_roles
from napari_multifidus.models.dixon_roles import IN_LIST, with_chosen_roles
from napari_multifidus.models.grid import weighting_words

if TYPE_CHECKING:
    from multifidus.data.image import Series
    from napari_multifidus.controllers.opener import ExamOpener
    from napari_multifidus.controllers.workspace import Workspace

NONE_FIT = "No two axial series of this exam lie on one grid."
LOCKED = "This reading is finished and locked."
CHECK = "Look at the fat fraction (Shift+O): fat under the skin is white."
ELSEWHERE = "Outline on one of the two: the fat fraction is not measured on other series."


class DixonChoice:
    """The Dixon pair of the exam that is open.

    Parameters
    ----------
    workspace, opener
        What is open, and what shows it anew.
    """

    def __init__(self, workspace: Workspace, opener: ExamOpener) -> None:
        self.workspace, self.opener = workspace, opener

    @property
    def refusal(self) -> str:
        """Why no pair can be chosen; empty where one can."""
        if not self.workspace.is_open:
            return "No exam is open."
        if self.workspace.access.in_list:
            return IN_LIST
        if self.workspace.is_locked:
            return LOCKED
        return "" if self.series() else NONE_FIT

    def series(self) -> tuple[Series, ...]:
        """Return the series to choose from, as they were read; none where it is not offered."""
        if not self.workspace.is_open or self.workspace.access.in_list:
            return ()
        source = self.workspace.active.source
        return possible_roles(source.as_read or source.exam)

    def names(self) -> dict[str, str]:
        """Name the series to choose from, by UID, by what tells them apart."""
        found = self.series()
        named = self.workspace.names_of(found, _short_words) if found else ()
        return {series.uid: name for series, name in zip(found, named, strict=True)}

    @property
    def chosen(self) -> DixonRoles | None:
        """The pair that was chosen; None where none was."""
        return self.workspace.active.source.roles if self.workspace.is_open else None

    def choose(self, fat: str, water: str) -> None:
        """Measure two series, by their UIDs, as a Dixon pair from now on.

        Raises
        ------
        MultifidusError
            If they cannot be a pair, or none can be chosen here.
        """
        self._see(DixonRoles(fat, water))
        names, on_pair = self.names(), self.workspace.session.series.uid in {fat, water}
        words = f"Dixon pair: fat {names[fat]}; water {names[water]}."
        self.workspace.message.emit(f"{words} {CHECK if on_pair else ELSEWHERE}")

    def take_back(self) -> None:
        """See the exam as it was read again.

        Raises
        ------
        MultifidusError
            If no pair can be chosen here.
        """
        if self.chosen is not None:
            self._see(None)
            words = "The choice of fat and water is taken back: no fat fraction is made of it."
            self.workspace.message.emit(words)

    def _see(self, roles: DixonRoles | None) -> None:
        if self.refusal:
            raise MultifidusError(self.refusal)
        workspace = self.workspace
        workspace.flush()
        source = with_chosen_roles(workspace.active.source, roles)
        self.opener.show_roles(source, None if roles is None else roles.fat)
        workspace.autosaver.save_soon()


def _short_words(series: Series) -> str:
    """Say what a series shows; of most that are chosen from, nothing is known."""
    return "series" if series.weighting is Weighting.UNKNOWN else weighting_words(series)
