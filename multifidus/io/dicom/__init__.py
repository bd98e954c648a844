"""DICOM: classic single-frame and Enhanced multi-frame images, each slice with its own geometry."""
