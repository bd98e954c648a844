"""A window manager on the screen that tests run on: windows get the focus from it, as on a desk."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator

NAME = "openbox"


@contextlib.contextmanager
def managed_windows() -> Iterator[None]:
    """Run a window manager.

    Raises
    ------
    OSError
        If there is none.
    """
    program = shutil.which(NAME)
    if program is None:
        msg = f"{NAME} is not installed"
        raise OSError(msg)
    with subprocess.Popen([program, "--sm-disable"]) as process:  # noqa: S603 - found above
        try:
            yield
        finally:
            process.terminate()
