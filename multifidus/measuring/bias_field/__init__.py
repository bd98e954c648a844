"""Bias field correction: a smooth field fitted to lean muscle, or N4."""
