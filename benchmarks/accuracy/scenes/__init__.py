"""Lumbar exams with known fat, drawn without regard to how fat is measured.

``make(scene, seed)`` makes one; ``vary()`` lists scenes that differ by one factor. Nothing here
shares anatomy, texture or coil with the digital phantom of the library.
"""

from __future__ import annotations

from benchmarks.accuracy.scenes.cells import Cell, vary
from benchmarks.accuracy.scenes.exam import Made, make
from benchmarks.accuracy.scenes.factors import CROSSED, FACTORS
from benchmarks.accuracy.scenes.scene import QUIET, Scene

__all__ = ["CROSSED", "FACTORS", "QUIET", "Cell", "Made", "Scene", "make", "vary"]
