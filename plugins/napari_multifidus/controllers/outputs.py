"""How exams are measured, and the tables and pictures that are written.

The buttons *Measure* and *Pictures* write what ``multifidus measure`` writes, by its functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject

from multifidus.errors import MultifidusError
from multifidus.figures.overlay import draw_overlays
from multifidus.io.protocol_toml import DEFAULT, load_protocol
from multifidus.study.batch import case_of, measure_exam
from multifidus.study.results import write_results
from multifidus.study.results_folder import Output
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.session import Session

if TYPE_CHECKING:
    from napari_multifidus.models.drawing import StructureOnSlice


@dataclass(frozen=True, slots=True)
class Tables:
    """What was written.

    Attributes
    ----------
    left_out
        What is drawn and could not be measured, one sentence each.
    """

    folder: Path
    outlines: int
    left_out: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Say it to the person."""
        done = f"Measured {self.outlines} outlines; the tables are in {self.folder}."
        return done + _left_out_words(self.left_out)


def _left_out_words(left_out: Sequence[str]) -> str:
    return f" Left out: {'; '.join(left_out)}." if left_out else ""


def write_tables(
    session: Session,
    folder: Path,
    *,
    overwrite: bool = False,
    in_hand: Sequence[StructureOnSlice] = (),
) -> Tables:
    """Measure all outlines and write measurements.csv, summary.csv and dictionary.json.

    Where an outline is in the hand it is said to be left out, as one that waits to be closed is.

    Raises
    ------
    MultifidusError
        If there is nothing to measure, left and right are swapped, or the folder holds results
        already and ``overwrite`` is not set.
    """
    rois = session.analysis.rois_to_measure()
    if not rois.rois:
        msg = "There is no outline to measure yet."
        raise MultifidusError(msg, remedy="Draw one first.")
    output = Output(folder, overwrite=overwrite)
    output.check()
    measured = measure_exam(session.exam, rois, session.protocol, case_of((), (), None))
    write_results([measured], output, session.protocol)
    return Tables(folder, len(rois.rois), session.drawing.not_measured(in_hand))


class Outputs(QObject):
    """Chooses the protocol, and writes tables and pictures.

    Attributes
    ----------
    protocol_changed
        Emitted when another protocol was chosen, or refused.
    """

    protocol_changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self.workspace = workspace
        self.protocol_name = DEFAULT

    def choose_protocol(self, name: str) -> None:
        """Measure by a preset, or by a protocol file, from now on.

        Raises
        ------
        MultifidusError
            If there is no such protocol, or it is wrong; then the old one stays.
        """
        workspace = self.workspace
        try:
            if name:
                workspace.protocol, self.protocol_name = load_protocol(name), name
        finally:
            self.protocol_changed.emit()
        if workspace.is_open and workspace.session.set_protocol(workspace.protocol):
            workspace.canvas.refresh()
            workspace.changed.emit()

    def measure_into(self, folder: Path, *, overwrite: bool = False) -> Tables:
        """Write the tables into a folder, as the command line writes them.

        Raises
        ------
        MultifidusError
            If no exam is open, nothing can be measured, or the folder holds tables.
        """
        session = self.workspace.session
        self.workspace.flush()
        in_hand = self.workspace.canvas.in_hand.places()
        tables = write_tables(session, folder, overwrite=overwrite, in_hand=in_hand)
        emit = self.workspace.warning if tables.left_out else self.workspace.message
        emit.emit(tables.words)
        return tables

    def pictures_into(self, folder: Path) -> None:
        """Draw every measured slice with its outlines, its fat and its numbers, into a folder.

        Raises
        ------
        MultifidusError
            If no exam is open, nothing can be measured, or nothing can be written there.
        """
        session = self.workspace.session
        self.workspace.flush()
        rois = session.analysis.rois_to_measure()
        if not rois.rois:
            msg = "There is no outline to make a picture of yet."
            raise MultifidusError(msg, remedy="Draw one first.")
        drawn = draw_overlays(session.exam, rois, session.analysis.measure(), folder)
        what = "1 picture" if len(drawn) == 1 else f"{len(drawn)} pictures"
        left_out = session.drawing.not_measured(self.workspace.canvas.in_hand.places())
        emit = self.workspace.warning if left_out else self.workspace.message
        emit.emit(f"Wrote {what} into {folder}.{_left_out_words(left_out)}")
