"""What is private to napari is touched in one module alone; the sources are read to see that."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import napari_multifidus
import pytest
from qtpy import API_NAME

FOLDER = Path(napari_multifidus.__file__).parent
COMPAT = "_compat.py"
OWN = {"self", "cls", "other"}
"""Names that stand for an object of the class that a method belongs to."""


def private(source: str) -> Iterator[str]:
    """Yield every private name of somebody else that a source reads, sets or imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and not is_own(node.value):
            yield f"{ast.unparse(node)} in line {node.lineno}"
        elif isinstance(node, ast.ImportFrom | ast.Import):
            module = getattr(node, "module", "") or ""
            names = [module, *(alias.name for alias in node.names)]
            ours = module.startswith("napari_multifidus")
            if not ours and any(is_private(part) for name in names for part in name.split(".")):
                yield f"{ast.unparse(node)} in line {node.lineno}"
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"getattr", "setattr"}:
            named = node.args[1]
            if not isinstance(named, ast.Constant) or is_private(str(named.value)):
                yield f"{ast.unparse(node)} in line {node.lineno}"


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def is_own(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in OWN


def test_nothing_private_is_touched_outside_of_one_module():
    found = {
        path.relative_to(FOLDER).as_posix(): names
        for path in sorted(FOLDER.rglob("*.py"))
        if path.name != COMPAT and (names := list(private(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize(
    "source",
    [
        "viewer.window._qt_viewer",
        "self.viewer._layers",
        "getattr(layer, '_is_creating')",
        "getattr(layer, name)",
        "setattr(layer, '_value', 1)",
        "from napari._qt import qt_viewer",
        "import napari._vispy.canvas",
        "from napari.layers import _shapes",
    ],
)
def test_the_search_finds_what_is_private(source):
    assert list(private(source))


@pytest.mark.parametrize("source", ["self._timer", "from napari_multifidus import _compat", "a.b"])
def test_the_search_leaves_alone_what_is_own(source):
    assert not list(private(source))


def test_the_one_module_does_touch_it():
    assert list(private((FOLDER / COMPAT).read_text(encoding="utf-8")))


def test_no_qt_binding_but_the_chosen_one_is_loaded(shared_viewer):
    bindings = {"PyQt5", "PyQt6", "PySide2", "PySide6"}
    assert bindings & set(sys.modules) == {API_NAME}


def test_the_panel_uses_the_viewer_itself_and_no_proxy_that_checks_every_attribute(win):
    assert win.annotator.workspace.viewer is win.viewer
    assert win.dock.viewer is win.viewer
