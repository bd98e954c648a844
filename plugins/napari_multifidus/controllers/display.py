"""What is seen: which slice, which image of it in which grey levels, with or without outlines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_multifidus.controllers.image_layers import ImageLayers
from napari_multifidus.controllers.workspace import Workspace

if TYPE_CHECKING:
    from napari_multifidus.models.display_images import DisplayImage, WindowPreset


class Display:
    """Chooses what is seen of the exam that is open.

    Parameters
    ----------
    workspace
        What is open.
    images
        Its image layers.
    """

    def __init__(self, workspace: Workspace, images: ImageLayers) -> None:
        self.workspace, self.images = workspace, images
        self.hides_outlines = False

    def step(self, count: int) -> None:
        """Go on by so many slices."""
        canvas = self.workspace.canvas
        canvas.go_to(canvas.index + count)

    def toggle_outlines(self) -> None:
        """Hide all outlines, to see the image; or show them again."""
        self.hides_outlines = not self.hides_outlines
        for layer in self.workspace.canvas.layers.values():
            layer.visible = not self.hides_outlines

    def show_image(self, image: DisplayImage) -> None:
        """See another image of the same slices."""
        self.images.choose(image)
        self.workspace.selection_changed.emit()

    def next_image(self) -> None:
        """See the next image of the same slices: T1, water, fat, fat fraction."""
        self.images.step()
        self.workspace.selection_changed.emit()

    def set_window(self, window: WindowPreset) -> None:
        """Show other grey levels."""
        self.images.set_window(window)
        self.workspace.selection_changed.emit()

    def next_window(self) -> None:
        """Show the next grey levels: all, muscle's, fat's."""
        self.images.step_window()
        self.workspace.selection_changed.emit()
