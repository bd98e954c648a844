"""What the plugin holds and decides; neither napari nor Qt is imported here."""
