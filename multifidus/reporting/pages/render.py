"""Pages from templates; every word of a study is escaped."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from multifidus.reporting.report_extra import the_report_extra
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
    with the_report_extra():
        from jinja2 import Environment, PackageLoader, StrictUndefined
    return Environment(
        loader=PackageLoader("multifidus.reporting"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
