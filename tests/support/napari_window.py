"""What tests need of napari's window and layers, and napari gives no public name."""

from __future__ import annotations

from typing import Any


def qt_window(viewer: Any) -> Any:
    """Return the window of a viewer as Qt knows it."""
    return viewer.window._qt_window  # noqa: SLF001


def qt_canvas(viewer: Any) -> Any:
    """Return what lies in the middle of the window: the canvas and its sliders."""
    return viewer.window._qt_viewer  # noqa: SLF001


def know_view(viewer: Any) -> None:
    """Let layers know how large they are seen, as they do when the canvas is painted."""
    qt_canvas(viewer).canvas.on_draw()


def layer_list(viewer: Any) -> Any:
    """Return napari's own list of layers."""
    return qt_canvas(viewer).layers


def layer_controls(viewer: Any, layer: Any) -> Any:
    """Return napari's own controls of a layer."""
    return qt_canvas(viewer).controls.widgets[layer]


def slice_numbers(viewer: Any) -> list[Any]:
    """Return what tells the number of a slice, and of how many, beside napari's sliders."""
    from qtpy.QtWidgets import QWidget

    sliders = qt_canvas(viewer).dims.slider_widgets
    return [
        part
        for slider in sliders
        for part in slider.findChildren(QWidget)
        if part.objectName().startswith("slice_label")
    ]


def copy_shapes(layer: Any) -> None:
    """Copy the chosen shapes, as Ctrl+C does."""
    layer._copy_data()  # noqa: SLF001


def paste_shapes(layer: Any) -> None:
    """Paste what was copied, as Ctrl+V does."""
    layer._paste_data()  # noqa: SLF001


def finish_shape(layer: Any) -> None:
    """End the shape that is drawn, as Escape does."""
    layer._finish_drawing()  # noqa: SLF001


def text_size(viewer: Any, name: str) -> tuple[float, float]:
    """Return width and height of a text on the canvas, as napari lays it out."""
    overlay = viewer.canvas.overlays[name]
    overlay = getattr(overlay, "__wrapped__", overlay)
    (shown,) = qt_canvas(viewer).canvas._viewer_overlay_to_visual[overlay]  # noqa: SLF001
    return shown.x_size, shown.y_size
