"""The buttons *Measure* and *Pictures*: what ``multifidus measure`` writes, by its functions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from multifidus.errors import MultifidusError
from multifidus.figures.overlay import draw_overlays
from multifidus.study.batch import case_of, measure_exam
from multifidus.study.results import Output, write_results
from napari_multifidus.models.session import Session


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
        return f"{done} Left out: {'; '.join(self.left_out)}." if self.left_out else done


def write_tables(session: Session, folder: Path, *, overwrite: bool = False) -> Tables:
    """Measure all outlines and write measurements.csv, summary.csv and dictionary.json.

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
    return Tables(folder, len(rois.rois), session.drawing.not_measured())


@dataclass(frozen=True, slots=True)
class Pictures:
    """What was drawn: the folder, and the pictures' names."""

    folder: Path
    names: tuple[str, ...]

    @property
    def words(self) -> str:
        """Say it to the person."""
        what = "1 picture" if len(self.names) == 1 else f"{len(self.names)} pictures"
        return f"Wrote {what} into {self.folder}."


def write_pictures(session: Session, folder: Path) -> Pictures:
    """Draw every measured slice with its outlines, its fat and its numbers.

    Raises
    ------
    MultifidusError
        If there is nothing to measure, it cannot be measured, or nothing can be written there.
    """
    rois = session.analysis.rois_to_measure()
    if not rois.rois:
        msg = "There is no outline to make a picture of yet."
        raise MultifidusError(msg, remedy="Draw one first.")
    drawn = draw_overlays(session.exam, rois, session.analysis.measure(), folder)
    return Pictures(folder, tuple(name for name, _ in drawn))
