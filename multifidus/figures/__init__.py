"""Pictures of measured slices: overlays, bias fields, thumbnails."""
