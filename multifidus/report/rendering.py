"""Pages from templates; every word of a study is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from multifidus.errors import ReadError
from multifidus.version import VERSION

if TYPE_CHECKING:
    from jinja2 import Environment


def render(template: str, words: Mapping[str, Any]) -> str:
    """Fill a template; what is not there is an error, never an empty place.

    Raises
    ------
    ReadError
        If the extra ``report`` is not installed.
    """
    made = _environment().get_template(template)
    return made.render(version=VERSION, **words).lstrip()


@cache
def _environment() -> Environment:
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError as error:
        msg = "Reports need jinja2 and matplotlib, which are not installed."
        raise ReadError(msg, remedy="Install them: pip install 'multifidus[report]'.") from error
    return Environment(
        loader=PackageLoader("multifidus.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
