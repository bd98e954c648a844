"""Clicks and keys of a reading: the plugin and ImageJ, both driven by events of the X server."""
