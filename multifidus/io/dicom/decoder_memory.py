"""Decoders that ask for more memory than there is: no fault of their image."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

_LOGGER = logging.getLogger("pydicom.pixels.decoders.base")


@contextlib.contextmanager
def memory_errors_raised() -> Iterator[None]:
    """Raise the :class:`MemoryError` of a decoder, which pydicom logs alone.

    It raises an error that names nothing but the decoder.
    """
    met: list[MemoryError] = []

    def note(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, MemoryError):
            met.append(error)
        return True

    _LOGGER.addFilter(note)
    try:
        yield
    except Exception:
        if met:
            raise met[0] from None
        raise
    finally:
        _LOGGER.removeFilter(note)
