"""Helpers for the hand that outlines: interpolate, mirror, smooth, snap to edges, paint, move."""
