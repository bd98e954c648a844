"""What a report needs beyond the core, and what is said where it is not there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from multifidus.errors import ReadError


@contextlib.contextmanager
def the_report_extra() -> Iterator[None]:
    """Import from the extra ``report`` within this.

    Raises
    ------
    ReadError
        If it is not installed.
    """
    try:
        yield
    except ImportError as error:
        msg = "Reports need jinja2 and matplotlib, which are not installed."
        raise ReadError(msg, remedy="Install them: pip install 'multifidus[report]'.") from error
