"""Image layers in a viewer without a window."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from napari.components import ViewerModel
from napari_multifidus.controllers.image_layers import add_image, exam_images, replace_images
from napari_multifidus.models.opening import METADATA, OpenedExam, layer_data

from multifidus.data.image import Exam, Weighting
from tests.plugins.conftest import make_series


def exam_of(subject: str, count: int, slices: int = 6) -> Exam:
    tilts = tuple(4.0 for _ in range(slices))
    found = [make_series(f"{subject}.{n}", tilts) for n in range(count)]
    others = (replace(series, weighting=Weighting.T1) for series in found[1:])
    return Exam(subject, "pre", (found[0], *others))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_images_of_another_exam_take_the_place_of_those_before(qapp, count):
    viewer = ViewerModel()
    first, other = exam_of("A", 2), exam_of("B", count, slices=4)
    replace_images(viewer, layer_data(OpenedExam(first, first.series[0])))
    viewer.add_shapes(ndim=3, name="outlines")
    kept = exam_images(viewer)
    kept[0].gamma, kept[0].colormap, kept[0].visible = 0.5, "red", True
    wanted = layer_data(OpenedExam(other, other.series[0]))
    replace_images(viewer, wanted)
    found = exam_images(viewer)
    assert len(found) == count
    assert [layer in kept for layer in found] == [n < 2 for n in range(count)]
    for layer, (data, attributes, _) in zip(found, wanted, strict=True):
        assert layer.metadata[METADATA].exam is other
        np.testing.assert_array_equal(layer.data, data)
        assert layer.name.startswith(attributes["name"])
        assert layer.visible == attributes["visible"]
        assert tuple(layer.contrast_limits) == pytest.approx(attributes["contrast_limits"])
        assert (layer.gamma, layer.colormap.name) == (1.0, "gray")
    # Nothing of the image covers what is drawn.
    assert viewer.layers[-1].name == "outlines"
    assert viewer.dims.nsteps[0] == 4


def test_an_image_that_is_added_lies_below_what_is_drawn(qapp):
    viewer = ViewerModel()
    viewer.add_shapes(ndim=3)
    exam = exam_of("A", 1)
    ((data, attributes, _),) = layer_data(OpenedExam(exam, exam.series[0]))
    add_image(viewer, data, attributes)
    add_image(viewer, data, attributes)
    assert [type(layer).__name__ for layer in viewer.layers] == ["Image", "Image", "Shapes"]
