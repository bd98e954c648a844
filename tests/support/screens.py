"""A screen without a monitor, for one of several processes that run tests side by side."""

from __future__ import annotations

import os
import subprocess
import sys

SIZE = "1280x960x24"


def own_screen() -> subprocess.Popen[bytes] | None:
    """Begin a screen and make it this process's own; None where there is nothing to begin.

    Raises
    ------
    RuntimeError
        If it does not begin.
    """
    if sys.platform != "linux":
        return None
    told, telling = os.pipe()
    # The server takes the first number that is free, and tells it.
    # It ends with its last window, so that a process that is killed leaves none behind.
    command = ["Xvfb", "-displayfd", str(telling), "-screen", "0", SIZE, "-nolisten", "tcp"]
    command.append("-terminate")
    server = subprocess.Popen(command, pass_fds=(telling,), stderr=subprocess.DEVNULL)  # noqa: S603
    os.close(telling)
    with os.fdopen(told) as lines:
        number = lines.readline().strip()
    if not number:
        msg = f"Xvfb ended with {server.wait()} before it had a screen."
        raise RuntimeError(msg)
    os.environ["DISPLAY"] = f":{number}"
    os.environ.pop("XAUTHORITY", None)
    # Mesa draws in as many threads as there are cores, in each process.
    os.environ.setdefault("LP_NUM_THREADS", "0")
    return server
