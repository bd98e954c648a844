"""What a report needs beyond the core, and what is said where it is not there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from importlib.util import find_spec

from multifidus.errors import ReadError

NEEDS = "Reports need jinja2 and matplotlib, which are not installed."
HOW_TO = "Install them: pip install 'multifidus[report]'."


def can_report() -> bool:
    """Whether the extra ``report`` is installed."""
    return all(find_spec(name) is not None for name in ("jinja2", "matplotlib"))


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
        raise ReadError(NEEDS, remedy=HOW_TO) from error
