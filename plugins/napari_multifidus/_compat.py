"""Everything that depends on napari's version or on its private parts; nothing else touches them.

Written for napari 0.9. Where napari offers a public way, the rest of the plugin uses it directly.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from qtpy.QtCore import Signal  # type: ignore[attr-defined] # qtpy renames the binding's own

from napari_multifidus._shaders import keep_shaders

__all__ = [
    "PLUGIN",
    "WIDGET",
    "Signal",
    "current_viewer",
    "fade_texts",
    "focus_image",
    "give_up_shape",
    "has_window",
    "is_drawing",
    "is_held",
    "layer_docks",
    "let_go",
    "maximise",
    "move_corner",
    "native_canvas",
    "new_viewer",
    "notify",
    "open_dock",
    "orient",
    "refreshed_once",
    "resize_dock",
    "set_scale_bar",
    "set_text",
    "show_below_canvas",
    "show_over_controls",
    "show_over_list",
    "show_pixels",
    "show_slice_numbers",
    "stay_open",
    "swapping_layers",
    "tab_with",
    "take_back_vertex",
    "text_width",
    "theme_of",
    "world_at",
]

FIRST_CORNERS = 2
"""A polygon that napari begins: where it was clicked, and where the mouse is."""

SCREEN_DPI, POINTS_PER_INCH = 96, 72
"""napari's letters on the canvas are larger than Qt's of the same size by this ratio."""

_SLICE_NUMBERS = ("slice_label", "slice_label_sep")
"""How napari names the numbers beside a slider: of the slice shown, and of how many."""

PLUGIN = "multifidus"
WIDGET = "Outline muscles"


def current_viewer() -> Any | None:
    """Return the viewer in use if it has a window, or None."""
    import napari

    viewer = napari.current_viewer()
    return viewer if hasattr(viewer, "window") else None


def new_viewer() -> Any:
    """Open a viewer in a window as large as the screen leaves it."""
    import napari

    keep_shaders()
    viewer = napari.Viewer()
    maximise(viewer)
    return viewer


def maximise(viewer: Any) -> None:
    """Make the window of a viewer as large as the screen leaves it."""
    viewer.window._qt_window.showMaximized()  # noqa: SLF001 - resize() would cover the task bar


def stay_open() -> None:
    """Hand the windows to the person; returns when they are closed."""
    import napari

    napari.run()


def open_dock(viewer: Any) -> Any:
    """Show the plugin's window in a viewer, and return it."""
    return viewer.window.add_plugin_dock_widget(PLUGIN, WIDGET)[1]


def show_over_controls(viewer: Any, panel: Any, title: str) -> None:
    """Show a panel in one place with the layer controls, as tabs, itself in front."""
    _show_over(viewer, "layer controls", panel, title)


def show_over_list(viewer: Any, panel: Any, title: str) -> None:
    """Show a panel in one place with the layer list, as tabs, itself in front."""
    _show_over(viewer, "layer list", panel, title)


def _show_over(viewer: Any, other: str, panel: Any, title: str) -> None:
    """Tab a panel with another: below what is on the left, the window would outgrow screens."""
    viewer.window.add_dock_widget(panel, name=title, area="left")
    tab_with(panel, other)
    holder = _holder(panel)
    holder.show()
    holder.raise_()


def tab_with(panel: Any, other: str) -> None:
    """Put a panel in one place with one of napari's own, and with what is there already."""
    main, holder = panel.window(), _holder(panel)
    for dock in _docks(main, other):
        main.tabifyDockWidget(dock, holder)


def show_below_canvas(viewer: Any, panel: Any, title: str, *, in_front: bool = True) -> None:
    """Show a panel below the canvas and what is left of it; before or behind others there."""
    from qtpy.QtCore import Qt

    viewer.window.add_dock_widget(panel, name=title, area="bottom")
    main, holder = panel.window(), _holder(panel)
    main.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
    main.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
    there = (
        dock
        for dock in _docks(main)
        # One that is hidden now would later take its room from what is beside it.
        if main.dockWidgetArea(dock) == Qt.DockWidgetArea.BottomDockWidgetArea
        and dock is not holder
    )
    first = next(there, None)
    if first is not None:
        main.tabifyDockWidget(first, holder)
        # What is hidden yet cannot be in front.
        holder.show()
        (holder if in_front else first).raise_()


def show_slice_numbers(viewer: Any, *, shown: bool) -> None:
    """Show or hide the numbers beside the sliders, which count slices from 0.

    While they are hidden, Tab leaves the names of axes out.
    """
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QWidget

    policy = Qt.FocusPolicy
    window = getattr(viewer, "__wrapped__", viewer).window
    if not hasattr(getattr(window, "__wrapped__", window), "_qt_window"):
        # The window has gone before the exam in it.
        return
    for slider in _qt_viewer(viewer).dims.slider_widgets:
        for part in slider.findChildren(QWidget):
            if part.objectName() in _SLICE_NUMBERS:
                part.setVisible(shown)
            if part.objectName() == "axis_label":
                # Left with Tab, it gives the keys to the sliders, and the image is never reached.
                part.setFocusPolicy(policy.StrongFocus if shown else policy.ClickFocus)


def layer_docks(main: Any) -> tuple[Any, ...]:
    """Return napari's own panels: the layer list, and the controls of the active layer."""
    return (*_docks(main, "layer controls"), *_docks(main, "layer list"))


def _docks(main: Any, name: str = "") -> list[Any]:
    """Return the dock widgets of a window, by name where one is given.

    They are its own children: a search among all the widgets in it takes a tenth of the time in
    which an exam is opened.
    """
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QDockWidget

    direct = Qt.FindChildOption.FindDirectChildrenOnly
    found = main.findChildren(QDockWidget, options=direct)
    return [dock for dock in found if not name or dock.objectName() == name]


def resize_dock(panel: Any, *, width: int = 0, height: int = 0) -> None:
    """Give the dock widget of a panel another width or height."""
    from qtpy.QtCore import Qt

    holder = _holder(panel)
    if width:
        panel.window().resizeDocks([holder], [width], Qt.Orientation.Horizontal)
    if height:
        panel.window().resizeDocks([holder], [height], Qt.Orientation.Vertical)


def _holder(panel: Any) -> Any:
    """Return the dock widget that a panel is in."""
    from qtpy.QtWidgets import QDockWidget

    holder = panel.parentWidget()
    while not isinstance(holder, QDockWidget):
        holder = holder.parentWidget()
    return holder


_swapped: list[Any] = []


@contextlib.contextmanager
def swapping_layers(viewer: Any) -> Iterator[None]:
    """Take away many layers at once, and add others; one swap within another is part of it.

    For each layer that goes, napari collects garbage and builds the scene anew, a tenth of a
    second each time. Here it does so once, at the end: even where no layer went, so that adding
    alone is faster without.
    """
    layers = getattr(viewer.layers, "__wrapped__", viewer.layers)
    # The end of napari's own batch ends every batch around it.
    if any(layers is swapped for swapped in _swapped):
        yield
        return
    _swapped.append(layers)
    try:
        with layers.batched_update():
            yield
    finally:
        _swapped.pop()


def without_proxy(viewer: Any) -> Any:
    """Return the viewer itself, for what napari gives to a widget.

    That asks of every attribute whether it is public, a hundred times for one slice; here a
    test of the sources does.
    """
    return getattr(viewer, "__wrapped__", viewer)


def focus_image(widget: Any) -> None:
    """Let keys go to the image of the window that a widget is in; napari has no public way."""
    while widget is not None and not hasattr(widget, "_qt_viewer"):
        widget = widget.parentWidget()
    if widget is not None:
        widget._qt_viewer.canvas.native.setFocus()  # noqa: SLF001


def notify(message: str, *, bad: bool) -> None:
    """Show a message in the corner of the window, without a traceback."""
    from napari.utils.notifications import show_info, show_warning

    (show_warning if bad else show_info)(message)


def has_window(viewer: Any) -> bool:
    """Whether a viewer is seen anywhere, and not a model alone."""
    return hasattr(getattr(viewer, "__wrapped__", viewer), "window")


def native_canvas(viewer: Any) -> Any:
    """Return the widget that the image is drawn on, and that the mouse moves over."""
    return _canvas(viewer).native


def world_at(viewer: Any, point: tuple[float, float]) -> tuple[float, ...]:
    """Return where in the world a point of the canvas, (x, y), lies, on all axes."""
    canvas = _canvas(viewer)
    return tuple(map(float, canvas._map_canvas2world(point, canvas.view)))  # noqa: SLF001


def _canvas(viewer: Any) -> Any:
    return _qt_viewer(viewer).canvas


def _qt_viewer(viewer: Any) -> Any:
    window = getattr(viewer, "__wrapped__", viewer).window
    return getattr(window, "__wrapped__", window)._qt_viewer  # noqa: SLF001


def show_pixels(viewer: Any, layer: Any) -> None:
    """Show the pixels of an image layer that were changed in place, and nothing else anew.

    Where it lies, its extent and its thumbnail stay; napari's own refresh takes ten times as long.
    """
    own = getattr(layer, "__wrapped__", layer)
    shown = own._data_view  # noqa: SLF001
    node = _canvas(viewer).layer_to_visual[own].node
    if np.shares_memory(shown, own.data) and node.visible:
        node.set_data(shown)
        node.update()
    else:
        layer.refresh(extent=False, thumbnail=False, highlight=False)


@contextlib.contextmanager
def refreshed_once(layer: Any) -> Iterator[None]:
    """Change a layer in several steps, and let it be sliced and drawn anew once, at the end.

    napari does so with every step, and three times where the shapes of a layer are set.
    """
    own = getattr(layer, "__wrapped__", layer)
    with own._block_refresh():  # noqa: SLF001
        yield
    own.refresh()


def is_drawing(layer: Any) -> bool:
    """Whether a shape is being drawn and not finished; napari has no public word for it."""
    return bool(getattr(layer, "__wrapped__", layer)._is_creating)  # noqa: SLF001


def is_held(layer: Any) -> bool:
    """Whether the mouse holds a shape or a vertex; napari has no public word for it."""
    return bool(getattr(layer, "__wrapped__", layer)._is_moving)  # noqa: SLF001


def let_go(layer: Any) -> None:
    """Let go of the shape or vertex that the mouse holds, where it is now.

    napari would take a vertex along to another slice, and leave the others of its shape behind.
    """
    own = getattr(layer, "__wrapped__", layer)
    if own._is_creating or own._moving_value == (None, None):  # noqa: SLF001
        return
    own._finish_drawing()  # noqa: SLF001
    if str(own.mode) == "select":
        # Without a vertex napari moves all that is selected.
        own.selected_data = set()


def move_corner(layer: Any, position: tuple[float, ...]) -> None:
    """Move the last corner of the polygon that is being drawn to a place in the world.

    napari sets a corner where it last saw the mouse move, which a fast hand has left long ago.
    """
    own = getattr(layer, "__wrapped__", layer)
    shape, vertex = own._moving_value  # noqa: SLF001
    if vertex is not None:
        vertices = own._data_view.shapes[shape].data.copy()  # noqa: SLF001
        vertices[vertex] = own.world_to_data(position)
        own._data_view.edit(shape, vertices)  # noqa: SLF001


def take_back_vertex(layer: Any) -> None:
    """Take back the last corner of the polygon that is being drawn, with napari's own tool.

    Its last vertex follows the mouse, so that the one before it goes.
    """
    own = getattr(layer, "__wrapped__", layer)
    shape, vertex = own._moving_value  # noqa: SLF001
    vertices = own._data_view.shapes[shape].data  # noqa: SLF001
    if vertex is None or len(vertices) <= FIRST_CORNERS:
        own._finish_drawing()  # noqa: SLF001 - gives up a polygon of so few
        return
    left = np.delete(vertices, -2, axis=0)
    kind = None if len(left) > FIRST_CORNERS else "path"
    own._data_view.edit(shape, left, new_type=kind)  # noqa: SLF001
    own._value = own._moving_value = (shape, len(left) - 1)  # noqa: SLF001
    own.refresh()


def give_up_shape(layer: Any) -> None:
    """Give up the polygon that is being drawn: napari's own Escape would make a shape of it."""
    while is_drawing(layer):
        take_back_vertex(layer)


def set_text(
    viewer: Any, name: str, text: str, *, place: str, font_size: float, **style: Any
) -> None:
    """Show a text in a corner of the canvas; an empty text hides it."""
    from napari.components.overlays import TextOverlay

    overlays = viewer.canvas.overlays
    full_name = f"{PLUGIN}_{name}"
    if full_name not in overlays:
        overlays[full_name] = TextOverlay(position=place, font_size=font_size, **style)
    overlay = overlays[full_name]
    # napari takes half a millisecond for each, whether anything changes or not.
    if text and overlay.font_size != font_size:
        overlay.font_size = font_size
    if overlay.text != text:
        overlay.text = text
        overlay.visible = bool(text) and _is_shown(overlay)


def text_width(viewer: Any, words: str, font_size: float) -> float:
    """Return how wide a line of words is on the canvas, as napari itself works it out."""
    from qtpy.QtGui import QFont, QFontMetricsF

    font = QFont(_canvas(viewer).font_info().face, int(font_size))
    return float(QFontMetricsF(font).horizontalAdvance(words)) * SCREEN_DPI / POINTS_PER_INCH


def _is_shown(overlay: Any) -> bool:
    """Whether an overlay has not been hidden with all the others."""
    return bool(overlay.opacity > 0)


def fade_texts(viewer: Any, *, hidden: bool) -> None:
    """Make all texts of ours and the scale bar invisible, whatever they say; or visible again."""
    overlays = viewer.canvas.overlays
    for name in [*(name for name in overlays if name.startswith(f"{PLUGIN}_")), "scale_bar"]:
        if name == f"{PLUGIN}_bare":
            continue
        # What is written meanwhile stays hidden by this; the box around a text ignores it.
        overlays[name].opacity = 0.0 if hidden else 1.0
        overlays[name].visible = not hidden and bool(getattr(overlays[name], "text", True))


def set_scale_bar(viewer: Any, *, visible: bool) -> None:
    """Show or hide the scale bar."""
    bar = viewer.canvas.overlays.scale_bar
    if bar.visible != (visible and _is_shown(bar)):
        bar.visible = visible and _is_shown(bar)


def orient(viewer: Any, vertical: str, horizontal: str) -> None:
    """Choose which way the axes of the canvas run: ``down`` or ``up``, ``right`` or ``left``."""
    viewer.scene.camera.orientation2d = (vertical, horizontal)


def theme_of(viewer: Any) -> tuple[dict[str, str], float]:
    """Return the colours of a viewer's theme, ``#rrggbb`` by name, and the font size in points."""
    from napari.settings import get_settings
    from napari.utils.theme import get_theme

    theme = get_theme(viewer.theme)
    names = ("background", "foreground", "secondary", "text", "current")
    colours = {name: getattr(theme, name).as_hex(format="long") for name in names}
    return colours, float(get_settings().appearance.font_size)
