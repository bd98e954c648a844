"""A decoder of JPEG-LS that does what a stream names: what libraries in C do at damaged images.

Processes find it in the place of the real one where this folder is first on their path.
"""

from __future__ import annotations

import ctypes
import os

__version__ = "1.5.1"

DAY_S = 86_400


def decode_pixel_data(stream: bytes) -> tuple[bytearray, dict[str, int]]:
    """Crash, hang, or ask for more memory than there is."""
    for name, fault in FAULTS.items():
        if name in bytes(stream):
            return fault()
    msg = "no fault that is known"
    raise ValueError(msg)


FAULTS = {
    b"segfault": lambda: ctypes.string_at(0),
    b"abort": os.abort,
    # The interpreter runs nothing else meanwhile, no signal handler and no thread.
    b"hang": lambda: ctypes.PyDLL(None).sleep(DAY_S),
    b"30 GB": lambda: bytearray(30 << 30),
}
