"""Areas, means and fat at a fixed threshold beside ImageJ's own, outline by outline.

ImageJ counts pixels whose centre is inside, from the pixel's corner: its coordinates are half a
pixel larger than ours. It runs on a virtual screen, since its menus need one.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from multifidus.data.geometry import Plane
from multifidus.data.polygon import MINIMAL_POINTS, first_crossing
from multifidus.data.protocol import MeasurementProtocol
from multifidus.measuring.coverage import Region
from multifidus.measuring.fat.methods import fat_fraction

JAR = Path("/usr/share/java/ij.jar")
SHAPE = (320, 320)
SPACING_MM = (0.6875, 0.5)

THRESHOLD = 2600
"""ImageJ counts pixels from this value on; ours are brighter than half a value below."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One outline as both measure it.

    Parameters
    ----------
    ours, imagej
        Area in mm2, mean signal, and percent of the pixels above the threshold.
    exact_mm2
        Exact area.
    fi_pct
        What the fat method ``fixed`` says: pixels at least half inside, by their coverage.
    """

    ours: tuple[float, float, float]
    imagej: tuple[float, float, float]
    exact_mm2: float
    fi_pct: float


def available() -> bool:
    """Whether ImageJ and a virtual screen are installed."""
    return JAR.exists() and all(shutil.which(name) for name in ("java", "xvfb-run"))


def compare(number: int, seed: int, *, whole: bool = False) -> list[Pair]:
    """Measure random outlines, concave and sub-pixel or ``whole``-numbered ones, with both."""
    from PIL import Image

    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 4000, SHAPE).astype(np.uint16)
    outlines = [_whole_outline(rng) if whole else _outline(rng) for _ in range(number)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        Image.fromarray(pixels).save(folder / "image.tif")
        (folder / "measure.ijm").write_text(_macro(folder, outlines))
        subprocess.run(
            [shutil.which("xvfb-run") or "", "-a", "java", "-cp", str(JAR), "ij.ImageJ", "-batch",
             str(folder / "measure.ijm")],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        rows = list(csv.reader((folder / "out.csv").read_text().splitlines()))
    return [
        Pair(
            _ours(outline, pixels),
            (float(row[0]), float(row[1]), float(row[2])),
            _exact(outline),
            _fi_pct(outline, pixels),
        )
        for outline, row in zip(outlines, rows, strict=True)
    ]


def _outline(rng: np.random.Generator) -> np.ndarray:
    """Return a closed path, (row, column), with digits enough that no centre lies on an edge."""
    angle = np.linspace(0, 2 * np.pi, int(rng.integers(8, 160)), endpoint=False)
    radius = rng.uniform(5, 60) * (
        1 + rng.uniform(0, 0.35) * np.cos(rng.integers(2, 6) * angle + rng.uniform(0, 6))
    )
    centre = rng.uniform(110, 210, 2)
    path = centre + radius[:, None] * np.stack((np.sin(angle), np.cos(angle)), axis=1)
    return np.asarray(np.round(path, 4))


def _whole_outline(rng: np.random.Generator) -> np.ndarray:
    """Return one with ImageJ's whole numbers, as its polygons have: edges pass through centres."""
    while True:
        path = np.round(_outline(rng) + 0.5) - 0.5
        path = path[(path != np.roll(path, 1, axis=0)).any(axis=1)]
        if len(path) >= MINIMAL_POINTS and first_crossing([path]) is None:
            return path


def _macro(folder: Path, outlines: list[np.ndarray]) -> str:
    row_mm, column_mm = SPACING_MM
    lines = [
        f'open("{folder}/image.tif");',
        f'run("Properties...", "channels=1 slices=1 frames=1 unit=mm pixel_width={column_mm} '
        f'pixel_height={row_mm} voxel_depth=4");',
        f"setThreshold({THRESHOLD}, 65535);",
        'text = "";',
    ]
    for outline in outlines:
        x = ", ".join(repr(float(value)) for value in outline[:, 1] + 0.5)
        y = ", ".join(repr(float(value)) for value in outline[:, 0] + 0.5)
        lines += [
            f'makeSelection("polygon", newArray({x}), newArray({y}));',
            "getStatistics(area, mean);",
            "List.setMeasurements;",
            'fat = List.getValue("%Area");',
            'text = text + d2s(area, 9) + "," + d2s(mean, 9) + "," + d2s(fat, 9) + "\\n";',
        ]
    return "\n".join([*lines, f'File.saveString(text, "{folder}/out.csv");', "run('Quit');"])


def _ours(outline: np.ndarray, pixels: np.ndarray) -> tuple[float, float, float]:
    """Measure with the pixel-centre rule, as ``tcsa_pixel_mm2`` does."""
    count = Region.of([outline]).centres(SHAPE)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    inside = _inside(outline, rows.ravel(), columns.ravel()).reshape(SHAPE)
    fat = fat_fraction(pixels, inside, "fixed", threshold=THRESHOLD - 0.5).value_pct
    return count * SPACING_MM[0] * SPACING_MM[1], float(pixels[inside].mean()), fat


def _fi_pct(outline: np.ndarray, pixels: np.ndarray) -> float:
    weights = Region.of([outline]).coverage(SHAPE).full(SHAPE)
    kept = np.where(weights >= MeasurementProtocol().minimal_coverage, weights, 0.0)
    return fat_fraction(pixels, kept, "fixed", threshold=THRESHOLD - 0.5).value_pct


def _inside(outline: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Tell by counting edges to the right of each point; independent of the product's own count."""
    inside = np.zeros(len(rows), dtype=bool)
    for (r0, c0), (r1, c1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if r0 == r1:
            continue
        spans = (r0 < rows) != (r1 < rows)
        inside ^= spans & (columns <= c0 + (rows - r0) / (r1 - r0) * (c1 - c0) + 1e-9)
    return inside


def _exact(outline: np.ndarray) -> float:
    return Region.of([outline]).area * Plane((0, 0, 0), (0, SPACING_MM[0], 0),
                                             (SPACING_MM[1], 0, 0)).pixel_area_mm2  # fmt: skip
