import sys

import pytest

from multifidus.errors import ReadError
from multifidus.report import rendering
from multifidus.report.figures import style

NEEDED = {
    "jinja2": lambda: rendering.render("report.html", {}),
    "matplotlib": lambda: style._style().__enter__(),
}


@pytest.mark.parametrize("module", NEEDED)
def test_without_the_extra_the_error_names_it(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    rendering._environment.cache_clear()
    with pytest.raises(ReadError, match=r"multifidus\[report\]"):
        NEEDED[module]()
