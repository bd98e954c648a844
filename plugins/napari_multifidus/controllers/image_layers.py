"""The image layers of a viewer: added below the outlines, and used again for the next exam."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_multifidus import _compat
from napari_multifidus.models.opening import METADATA

if TYPE_CHECKING:
    from multifidus.data.image import Exam
    from napari_multifidus.models.opening import LayerData


def exam_images(viewer: Any) -> list[Any]:
    """Return the layers of a viewer that show images of exams."""
    return [layer for layer in viewer.layers if METADATA in layer.metadata]


def remove_images(viewer: Any, exam: Exam) -> None:
    """Take the images of an exam out of a viewer."""
    gone = [layer for layer in exam_images(viewer) if layer.metadata[METADATA].exam is exam]
    if gone:
        with _compat.swapping_layers(viewer):
            for layer in gone:
                viewer.layers.remove(layer)


def add_image(viewer: Any, data: Any, attributes: dict[str, Any]) -> None:
    """Add an image above other images and below everything else."""
    from napari.layers import Image

    others = (n for n, layer in enumerate(viewer.layers) if not isinstance(layer, Image))
    viewer.layers.insert(next(others, len(viewer.layers)), Image(data, **attributes))


def replace_images(viewer: Any, wanted: Sequence[LayerData]) -> None:
    """Show images in the place of those of another exam.

    A layer that is there already is used again: to take one away and add another takes napari a
    fifth of a second.
    """
    there = exam_images(viewer)
    batch = _compat.swapping_layers(viewer) if len(there) != len(wanted) else None
    with batch or contextlib.nullcontext():
        for layer in there[len(wanted) :]:
            viewer.layers.remove(layer)
        for layer, (data, attributes, _) in zip(there, wanted, strict=False):
            _show_in(layer, data, attributes)
        for data, attributes, _ in wanted[len(there) :]:
            add_image(viewer, data, attributes)


def _show_in(layer: Any, data: Any, attributes: dict[str, Any]) -> None:
    # What says whose image it is comes first: no other exam's name stands beside it meanwhile.
    layer.metadata, layer.name = attributes["metadata"], attributes["name"]
    layer.visible = attributes["visible"]
    layer.data = data
    layer.scale = attributes["scale"]
    layer.gamma = 1.0
    if layer.colormap.name != attributes["colormap"]:
        layer.colormap = attributes["colormap"]
    layer.contrast_limits_range = attributes["contrast_limits"]
    layer.contrast_limits = attributes["contrast_limits"]
