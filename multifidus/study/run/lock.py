"""The lock of a results folder: one run of all cases, or one of each shard, never both."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from multifidus.errors import WriteError
from multifidus.io.files import make_folder
from multifidus.study.run.shard import WHOLE, Shard

LOCK = ".run.lock"

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
        mine = "Another run"
        is_known = _held(held, folder / LOCK, fcntl.LOCK_EX if shard.of == 1 else fcntl.LOCK_SH)
        if shard.of > 1 and is_known:
            mine = f"Another run of shard {shard}"
            shard.lock(folder).parent.mkdir(exist_ok=True)
            is_known = _held(held, shard.lock(folder), fcntl.LOCK_EX)
        if is_known is None:
            msg = f"{mine} is writing to {folder}."
            raise WriteError(msg, remedy="Wait for it, or choose another folder.")
        yield is_known


def _held(stack: contextlib.ExitStack, path: Path, kind: int) -> bool | None:
    """Lock a file; None where another holds it, false where its drive has no locks."""
    import fcntl

    # To read and to write: where NFS locks in the place of flock it takes both.
    file: IO[Any] = stack.enter_context(path.open("a+"))
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return None
    except OSError as error:
        if error.errno in NO_LOCKS:
            return False
        raise
    return True
