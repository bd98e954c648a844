"""Reliability of measurements, and whether a change is real."""
