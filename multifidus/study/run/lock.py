"""The lock of a results folder: one run of all cases, or one of each shard, never both."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from multifidus.errors import WriteError
from multifidus.io.files import make_folder
from multifidus.study.results_folder import SHARDS
from multifidus.study.run.shard import WHOLE, Shard

LOCK = ".run.lock"

LOOKS, LOOK_S = 5, 0.1
"""How often it is looked who holds a lock, and how long is waited between."""

NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL})
"""What network drives say that have no locks."""


@contextlib.contextmanager
def locked(folder: Path, shard: Shard = WHOLE) -> Iterator[bool]:
    """Keep a folder for one run; yields whether this system can tell of another.

    The lock dies with its process, however that ends. Shards share the folder's, each with one of
    its own.

    Parameters
    ----------
    folder
        Made if need be.
    shard
        Of the run.

    Raises
    ------
    WriteError
        If another run writes to the folder.
    """
    make_folder(folder)
    with contextlib.ExitStack() as held:
        try:
            import fcntl
        except ImportError:
            yield False
            return
        mine, locks = "Another run", [folder / LOCK]
        is_known = _held(held, locks[0], fcntl.LOCK_EX if shard.of == 1 else fcntl.LOCK_SH)
        if shard.of > 1 and is_known:
            mine, locks = f"Another run of shard {shard}", [shard.lock(folder)]
            locks[0].parent.mkdir(exist_ok=True)
            is_known = _held(held, locks[0], fcntl.LOCK_EX)
        if is_known is None:
            if shard.of == 1:
                locks += sorted((folder / SHARDS).glob("*.lock"))
            msg = f"{mine}{_holder(locks)} is writing to {folder}."
            raise WriteError(msg, remedy="Wait for it, or choose another folder.")
        yield is_known


def _held(stack: contextlib.ExitStack, path: Path, kind: int) -> bool | None:
    """Lock a file; None where another holds it, false where its drive has no locks."""
    import fcntl

    # To read and to write: where NFS locks in the place of flock it takes both.
    file: IO[str] = stack.enter_context(path.open("a+", encoding="utf-8"))
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno in NO_LOCKS:
            return False
        raise
    if kind == fcntl.LOCK_EX:
        stack.callback(_name_holder, file, "")
        _name_holder(file, f"process {os.getpid()} on {socket.gethostname()}")
    return True


def _name_holder(file: IO[str], holder: str) -> None:
    """Write who holds a lock into its file, for those who are refused; nothing depends on it."""
    with contextlib.suppress(OSError):  # the disk may be full
        file.truncate(0)
        file.write(holder)
        file.flush()


def _holder(locks: Sequence[Path]) -> str:
    """Return who holds one of several locks, in brackets; empty where no file says it."""
    for _ in range(LOOKS):  # it may just be about to write it
        for path in locks:
            with contextlib.suppress(OSError, ValueError):
                if found := path.read_text(encoding="utf-8"):
                    return f" ({found})"
        time.sleep(LOOK_S)
    return ""
