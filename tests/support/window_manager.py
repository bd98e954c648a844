"""A window manager on the screen that windows are driven on: they get the focus from it."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

NAME = "openbox"

HOLDS_NOTHING_UP = Path(__file__).with_name("openbox.xml")


@contextlib.contextmanager
def managed_windows(
    environment: Mapping[str, str] | None = None, *, focus_by_click: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a window manager, and return its process.

    Parameters
    ----------
    environment
        Of its screen; that of this process if None.
    focus_by_click
        Whether a click gives a window the focus. For that it looks at every press before the
        window does. Where it is late, as on a busy machine, the X server lets the window have the
        press where the mouse is by then: a corner is lost, and two presses are a double click.

    Raises
    ------
    OSError
        If there is none.
    """
    program = shutil.which(NAME)
    if program is None:
        msg = f"{NAME} is not installed: scripts/system_packages.sh gui installs it"
        raise OSError(msg)
    how = [] if focus_by_click else ["--config-file", str(HOLDS_NOTHING_UP)]
    with subprocess.Popen(  # noqa: S603 - found above
        [program, "--sm-disable", *how], env=environment, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.terminate()
