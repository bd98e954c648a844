"""Every text that a window shows or holds: in widgets, menus, tables, layers and overlays."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

Found = tuple[str, str]

DEEPEST = 8

_ASKED = (
    "text", "toPlainText", "title", "windowTitle", "toolTip", "statusTip", "whatsThis",
    "objectName", "accessibleName", "accessibleDescription", "placeholderText", "currentMessage",
    "windowFilePath", "toHtml", "windowIconText",
)  # fmt: skip
"""Methods of Qt's widgets that return what they say."""


def on_screen(viewer: Any) -> Iterator[Found]:
    """Return where each text stands, and the text."""
    from qtpy.QtWidgets import QApplication

    for widget in QApplication.allWidgets():
        yield from _of_widget(widget)
    yield from of_viewer(viewer)


def _of_widget(widget: Any) -> Iterator[Found]:
    from qtpy.QtWidgets import QAbstractItemView, QComboBox

    kind = type(widget)
    for name in _asked_of(kind):
        yield f"{kind.__name__}.{name}", str(getattr(widget, name)())
    if isinstance(widget, QComboBox):
        yield from (("QComboBox", widget.itemText(n)) for n in range(widget.count()))
    if isinstance(widget, QAbstractItemView) and widget.model() is not None:
        yield from _of_model(widget.model())
    for action in widget.actions():
        for text in (action.text(), action.toolTip(), action.statusTip(), action.iconText()):
            yield "action", text


@cache
def _asked_of(kind: type) -> tuple[str, ...]:
    return tuple(name for name in _ASKED if callable(getattr(kind, name, None)))


def _of_model(model: Any) -> Iterator[Found]:
    from qtpy.QtCore import QAbstractListModel, Qt

    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount()
    for row in range(model.rowCount()):
        for column in range(columns):
            for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
                yield type(model).__name__, str(model.data(model.index(row, column), role))


def of_viewer(viewer: Any) -> Iterator[Found]:
    """Return the texts of a viewer that need no window."""
    from napari.settings import get_settings

    yield "title", viewer.title
    yield "status", str(viewer.status)
    for layer in viewer.layers:
        yield "layer name", layer.name
        yield "layer source", str(layer.source)
        yield from (("layer metadata", text) for text in texts_of(layer.metadata, set()))
    for name in viewer.canvas.overlays:
        yield "overlay", str(getattr(viewer.canvas.overlays[name], "text", ""))
    application = get_settings().application
    for text in (*application.open_history, *application.save_history):
        yield "recent files", str(text)


def texts_of(thing: Any, seen: set[int], depth: int = 0) -> Iterator[str]:
    """Every text in a value: its fields, items, keys, and how it prints."""
    if id(thing) in seen or depth > DEEPEST or isinstance(thing, np.ndarray | float | int):
        return
    seen.add(id(thing))
    if isinstance(thing, str | Path):
        yield str(thing)
        return
    yield repr(thing)[:2000]
    inside: list[Any] = []
    if dataclasses.is_dataclass(thing):
        inside = [getattr(thing, field.name) for field in dataclasses.fields(thing)]
    elif isinstance(thing, Mapping):
        inside = [*thing.keys(), *thing.values()]
    elif isinstance(thing, tuple | list | set | frozenset):
        inside = [*thing]
    for value in inside:
        yield from texts_of(value, seen, depth + 1)
