"""``python -m benchmarks.screens``: the plugin's window on many screens, to be looked at.

Every state of the window (empty, tour, levels being marked, drawing, results, warnings, crossing,
grading by keys, grey levels, an outline half drawn, the previous exam, sections, reading list, what
a reading lacks, a locked one, adjudication) on a laptop's screen and on a large one, at 100, 150
and 200 % scaling, in napari's dark and light theme, and with letters twice as large; each once more
as people without green cones see it. Needs Linux with ``scripts/system_packages.sh gui``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tests.support.window_manager import managed_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "plugin_screenshots.py"

SIZES = ("1366x768", "1920x1080")
SCALES = ("1", "1.5", "2")
THEMES = ("dark", "light")
LARGE_PT = 18
"""napari's own letters have 9 points."""

LEAST_POINTS = 640 * 360
"""A screen that is smaller than this in points is none that people read on."""

DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)
"""What is left of linear red, green and blue without green cones: Machado, Oliveira and Fernandes
(2009), severity 1.0; doi 10.1109/TVCG.2009.113."""

SRGB_BEND, LINEAR_BEND = 0.04045, 0.0031308


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen and what is shown on it.

    Attributes
    ----------
    size
        Width and height in pixels, such as ``1366x768``.
    font_pt
        napari's font size; 0 for its own.
    """

    size: str
    scale: str
    theme: str
    font_pt: int = 0

    @property
    def name(self) -> str:
        """Name of its folder."""
        font = f"-{self.font_pt}pt" if self.font_pt else ""
        return f"{self.size}-{round(100 * float(self.scale))}%-{self.theme}{font}"


def screens() -> Iterator[Screen]:
    """List the screens."""
    for size, scale, theme in product(SIZES, SCALES, THEMES):
        width, height = (float(part) / float(scale) for part in size.split("x"))
        if width * height >= LEAST_POINTS:
            yield Screen(size, scale, theme)
    yield Screen("1920x1080", "1", "dark", LARGE_PT)


def as_seen(pixels: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return a picture (rows, columns, red green blue) as it is seen with other cones."""
    encoded = pixels[..., :3] / 255
    linear = np.where(encoded <= SRGB_BEND, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ matrix.T, 0, 1)
    back = np.where(seen <= LINEAR_BEND, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return np.round(255 * back).astype(np.uint8)


@contextmanager
def desktop(size: str, *, focus_by_click: bool = False) -> Iterator[dict[str, str]]:
    """Begin a screen with a window manager, and return the environment of programs on it."""
    told, telling = os.pipe()
    command = ["Xvfb", "-displayfd", str(telling), "-screen", "0", f"{size}x24"]
    server = subprocess.Popen(
        [*command, "-nolisten", "tcp"], pass_fds=(telling,), stderr=subprocess.DEVNULL
    )
    os.close(telling)
    try:
        with os.fdopen(told) as lines:
            number = lines.readline().strip()
        environment = {**os.environ, "DISPLAY": f":{number}", "NAPARI_ASYNC": "0"}
        environment.pop("XAUTHORITY", None)
        with managed_windows(environment, focus_by_click=focus_by_click):
            yield environment
    finally:
        server.terminate()
        server.wait()


def take(screen: Screen, into: Path, parts: list[str]) -> None:
    """Take the pictures of one screen."""
    folder = into / screen.name
    command = [sys.executable, str(SCRIPT), *parts, "--maximised", "--into", str(folder)]
    command += ["--theme", screen.theme, "--font", str(screen.font_pt)]
    with desktop(screen.size) as environment:
        subprocess.run(command, env={**environment, "QT_SCALE_FACTOR": screen.scale}, check=True)


def simulate(into: Path) -> None:
    """Write every picture once more as it is seen without green cones."""
    from imageio.v3 import imread, imwrite

    for path in sorted(into.rglob("plugin-*.png")):
        imwrite(path.with_name(f"deuteranopia-{path.name}"), as_seen(imread(path), DEUTERANOPIA))


def main() -> None:
    """Take the pictures of the screens that are named, else of all."""
    every = {screen.name: screen for screen in screens()}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--into", type=Path, default=ROOT / "screens", help="folder of pictures")
    parser.add_argument("--only", nargs="*", default=list(every), metavar="SCREEN")
    parser.add_argument("--parts", nargs="*", default=[], metavar="PART")
    given = parser.parse_args()
    if not every.keys() >= set(given.only):
        parser.error(f"screens are {', '.join(every)}")
    for name in given.only:
        print(name, flush=True)
        take(every[name], given.into, given.parts)
    simulate(given.into)


if __name__ == "__main__":
    main()
