"""How exams are measured, and the tables and pictures that are written."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QObject

from multifidus.io.protocol_toml import DEFAULT, load_protocol
from napari_multifidus._compat import Signal
from napari_multifidus.controllers.workspace import Workspace
from napari_multifidus.models.measured import Pictures, Tables, write_pictures, write_tables


class Outputs(QObject):
    """Chooses the protocol, and writes tables and pictures.

    Parameters
    ----------
    workspace
        What is open.

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
            workspace.warn_if_not_measured()

    def measure_into(self, folder: Path, *, overwrite: bool = False) -> Tables:
        """Write the tables into a folder, as the command line writes them.

        Raises
        ------
        MultifidusError
            If no exam is open, nothing can be measured, or the folder holds tables.
        """
        session = self.workspace.session
        self.workspace.flush()
        tables = write_tables(session, folder, overwrite=overwrite)
        emit = self.workspace.warning if tables.left_out else self.workspace.message
        emit.emit(tables.words)
        return tables

    def pictures_into(self, folder: Path) -> Pictures:
        """Write a picture of every measured slice into a folder.

        Raises
        ------
        MultifidusError
            If no exam is open, nothing can be measured, or nothing can be written there.
        """
        session = self.workspace.session
        self.workspace.flush()
        done = write_pictures(session, folder)
        self.workspace.message.emit(done.words)
        return done
