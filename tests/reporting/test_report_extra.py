import sys

import pytest

from multifidus.errors import ReadError
from multifidus.reporting.pages import render
from multifidus.reporting.plots import style

NEEDED = {
    "jinja2": lambda: render.render("report.html", {}),
    "matplotlib": lambda: style._style().__enter__(),  # noqa: SLF001 - what every plot begins with
}


@pytest.mark.parametrize("module", NEEDED)
def test_without_the_extra_the_error_names_it(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    render._environment.cache_clear()  # noqa: SLF001 - made once a process
    with pytest.raises(ReadError, match=r"multifidus\[report\]"):
        NEEDED[module]()
