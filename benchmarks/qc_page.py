"""The page of results of a large study in a browser: time, memory, a review by keyboard."""

from __future__ import annotations

import csv
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.browser import chromium, see
from benchmarks.devtools import Tab, tab
from multifidus.figures.picture_files import SAGITTAL, write_thumbnail
from multifidus.io.review_csv import read_review
from multifidus.study.qc_page import PageContent, write_page

LEVELS = ("L1-L2", "L2-L3", "L3-L4", "L4-L5", "L5-S1")
TIMEPOINTS = ("pre", "post")

MOST_S, MOST_MB = 5.0, 400.0

READY = "document.body?.dataset.ready === 'yes'"

_PICTURE = (840, 900)
"""Height and width of a picture of a slice, before it is made small."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came of one page.

    Parameters
    ----------
    exams, page_mb, images, image_kb
        How many exams, size of the page, and how many small images of what mean size it holds.
    write_s, write_mb
        CPU seconds that writing took, and the most memory that it asked for at a time.
    open_s, page_memory_mb, browser_memory_mb
        Until the page can be used; memory of its process then and after a look at every exam, the
        larger; and of all processes of the browser.
    verdicts
        Given by keyboard, and read back from the file that the page saved.
    requests, messages
        What the page asked for, and what its console said.
    """

    exams: int
    page_mb: float
    images: int
    image_kb: float
    write_s: float
    write_mb: float
    open_s: float = 0.0
    page_memory_mb: float = 0.0
    browser_memory_mb: float = 0.0
    verdicts: tuple[int, int] | None = None
    requests: int = 0
    messages: int = 0

    @property
    def is_good(self) -> bool:
        """Whether the targets are met and the review came back whole."""
        if self.verdicts is None:
            return True
        given, read = self.verdicts
        fits = self.open_s < MOST_S and self.page_memory_mb < MOST_MB
        return fits and given == read and not self.requests and not self.messages


def make_page(exams: int, folder: Path) -> Found:
    """Write the page of a study that nobody measured."""
    rows, pictures = list(_rows(exams)), list(_pictures(exams, folder / "pictures"))
    failures = [
        {"subject": "S9999", "timepoint": "pre", "rater": "A", "reading": 1, "path": "S9999",
         "error": "ReadError", "message": "S9999 does not exist.", "remedy": "Check the path."}
    ]  # fmt: skip
    page = folder / "index.html"
    started = time.process_time()
    write_page(PageContent(rows, failures, [], pictures, folder / "pictures"), page)
    took = time.process_time() - started
    tracemalloc.start()
    write_page(PageContent(rows, failures, [], pictures, folder / "pictures"), page)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    sizes = [path.stat().st_size for path in (folder / "pictures" / "small").iterdir()]
    return Found(
        exams=exams,
        page_mb=page.stat().st_size / 1e6,
        images=len(sizes),
        image_kb=float(np.mean(sizes)) / 1e3,
        write_s=took,
        write_mb=peak,
    )


def _names(exams: int) -> Iterator[tuple[str, str]]:
    for number in range(exams):
        yield f"S{number // len(TIMEPOINTS) + 1:04d}", TIMEPOINTS[number % len(TIMEPOINTS)]


def _rows(exams: int) -> Iterator[dict[str, Any]]:
    """Yield rows of the wide table: areas and fat as in people, some flags, some outliers."""
    rng = np.random.default_rng(1)
    for subject, timepoint in _names(exams):
        size = rng.normal(1.0, 0.15)
        for place, level in enumerate(LEVELS):
            for side in ("left", "right"):
                area = (350 + 160 * place) * size * rng.normal(1, 0.05)
                area *= 0.25 if rng.random() < 0.002 else 1.0
                flags = [name for name, share in _FLAGS.items() if rng.random() < share]
                fat = float(np.clip(rng.normal(18 + 4 * place, 7), 1, 90))
                yield {
                    "subject": subject, "timepoint": timepoint, "rater": "A", "reading": 1,
                    "level": level, "structure": "multifidus", "side": side, "name": "",
                    "n_slices": 1, "slice_indices": str(3 * place + 1), "tilt_deg": 1.5,
                    "tcsa_mm2": area, "tcsa_mm2_u": 0.03 * area, "pooled_otsu_fi_pct": fat,
                    "ff_signal_pct": fat + 4.0, "flags": ";".join(flags),
                    "order": str(TIMEPOINTS.index(timepoint)),
                }  # fmt: skip


_FLAGS = {"diffuse_fat": 0.06, "few_points": 0.02, "level_ambiguous": 0.01, "low_signal": 0.01}


def _pictures(exams: int, folder: Path) -> Iterator[tuple[str, str]]:
    """Draw an image of each level and one from the side; of few slices, each many times."""
    axial = [_slice(seed) for seed in range(4)]
    side = _side()
    for subject, timepoint in _names(exams):
        stem, said = f"{subject}_{timepoint}_A_r1", {
            "subject": subject, "timepoint": timepoint, "rater": "A", "reading": 1, "series": "1.2",
        }  # fmt: skip
        for place, level in enumerate(LEVELS):
            index = 3 * place + 1
            name = f"{stem}_series1_slice{index:03d}.jpg"
            facts = {**said, "slice_index": index, "level": level, "pixel_mm": [0.15, 0.15]}
            write_thumbnail(axial[(place + len(subject)) % 4], facts, folder / "small" / name)
            yield name, f"{subject} · {timepoint} · {level} · slice {index + 1}"
        name = f"{stem}{SAGITTAL}.jpg"
        facts = {**said, "slice_index": 5, "level": "", "pixel_mm": [0.3, 0.3]}
        write_thumbnail(side, facts, folder / "small" / name)
        yield name, f"{subject} · {timepoint} · levels from the side"


def _slice(seed: int) -> Image.Image:
    """Draw something like a slice: noise, two dark muscles, outlines, fat."""
    rng = np.random.default_rng(seed)
    high, wide = _PICTURE
    back = Image.new("L", (wide, high), 150)
    pen = ImageDraw.Draw(back)
    pen.ellipse((330, 120, 570, 330), fill=60)
    boxes = ((180 - 9 * seed, 420, 420, 700), (480, 420, 720 + 9 * seed, 700))
    for box in boxes:
        pen.ellipse(box, fill=50)
    grey = np.asarray(back.filter(ImageFilter.GaussianBlur(3)), float)
    grey += rng.normal(0, 12, grey.shape)
    part = Image.fromarray(np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2))
    pen = ImageDraw.Draw(part)
    for box, colour in zip(boxes, ((230, 159, 0), (86, 180, 233)), strict=True):
        pen.ellipse(box, outline=colour, width=5)
        for _ in range(12):
            column, row = rng.integers(box[0] + 50, box[2] - 50), rng.integers(480, 640)
            pen.ellipse((column, row, column + 26, row + 12), fill=(204, 60, 140))
    return part


def _side() -> Image.Image:
    rng = np.random.default_rng(9)
    part = Image.fromarray(rng.integers(40, 90, (*_PICTURE, 3), dtype=np.uint8))
    pen = ImageDraw.Draw(part)
    for place, level in enumerate(LEVELS):
        top = 60 + 150 * place
        pen.rectangle((320, top, 560, top + 105), fill=(150, 150, 150))
        pen.line((180, top + 125, 860, top + 140), fill=(240, 228, 66), width=4)
        pen.text((700, top + 90), level, fill=(240, 228, 66), font_size=36)
    return part


def measure(exams: int, shots: Path | None = None) -> Found:
    """Write the page of a study, open it, look through it and review it by keyboard.

    Parameters
    ----------
    exams
        How many.
    shots
        Where screenshots go; None takes none.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = make_page(exams, folder)
        if not chromium():
            return found
        seen = see(folder / "index.html")
        with tab() as open_tab:
            open_tab.resize(1366, 768)
            opened = open_tab.open(folder / "index.html", READY)
            first, _ = open_tab.memory_mb()
            if shots is not None:
                take_screenshots(open_tab, shots)
            given = _review(open_tab, folder)
            _look_at_all(open_tab)
            last, browser = open_tab.memory_mb()
            messages = len(open_tab.messages) + len(seen.messages)
        read = len(read_review(folder / "review.csv").entries)
        return Found(
            **{name: getattr(found, name) for name in Found.__slots__[:6]},
            open_s=opened,
            page_memory_mb=max(first, last),
            browser_memory_mb=browser,
            verdicts=(given, read),
            requests=len(seen.requests),
            messages=messages,
        )


def _review(page: Tab, folder: Path) -> int:
    """Give verdicts by keyboard and save them; returns how many.

    The first exam is one that could not be measured, which has no verdict.
    """
    page.downloads_to(folder)
    page.press("j", "j", "p", "p", "f", "j", "ArrowRight", "r", "s")
    ends = time.monotonic() + 20
    while not (folder / "review.csv").exists() and time.monotonic() < ends:
        time.sleep(0.05)
    with (folder / "review.csv").open(encoding="utf-8", newline="") as file:
        verdicts = [row["verdict"] for row in csv.DictReader(file)]
    assert sorted(verdicts) == ["fail", "pass", "pass", "repeat"], verdicts  # noqa: S101
    return len(verdicts)


def _look_at_all(page: Tab) -> None:
    """Scroll through the whole page, a screen at a time."""
    page.evaluate("""(async () => {
        for (let at = 0; at < document.body.scrollHeight; at += 2500) {
            window.scrollTo(0, at);
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 5)));
        }
    })()""")


def take_screenshots(page: Tab, folder: Path) -> None:
    """Write what the page looks like, on small and large screens, by day and by night."""
    folder.mkdir(parents=True, exist_ok=True)
    for width, height in ((1366, 768), (1920, 1080)):
        for scheme in ("light", "dark"):
            page.resize(width, height, scheme)
            time.sleep(0.5)
            page.screenshot(folder / f"{width}-{scheme}.png")
    page.resize(1366, 768)


def as_markdown(found: Found) -> str:
    """Return the page of evidence."""
    return (
        "# The results page of a large study\n\n"
        f"An artificial study of {found.exams} exams: {found.exams // len(TIMEPOINTS)} subjects, "
        "two timepoints, five levels, both sides. Nothing of it was measured: values are random "
        "numbers, and the images are drawings of the size and noise of real ones. The page is the "
        "one that `multifidus measure cohort.csv` writes.\n\n"
        "| what | measured | target |\n| --- | --- | --- |\n"
        f"| exams | {found.exams} | |\n"
        f"| images in the page | {found.images} | |\n"
        f"| size of an image, kB | {found.image_kb:.1f} | about 10 |\n"
        f"| size of the page, MB | {found.page_mb:.1f} | |\n"
        f"| writing it, CPU s | {found.write_s:.1f} | |\n"
        f"| most memory that writing it asks for, MB | {found.write_mb:.0f} | |\n" + _browser(found)
    )


def _browser(found: Found) -> str:
    if found.verdicts is None:
        return "\nNot opened: there is no Chromium on this computer.\n"
    given, read = found.verdicts
    return (
        f"| opening it in Chromium, s | {found.open_s:.1f} | {MOST_S:g} |\n"
        f"| memory of the page's process, MB | {found.page_memory_mb:.0f} | {MOST_MB:g} |\n"
        f"| memory of the whole browser, MB | {found.browser_memory_mb:.0f} | |\n\n"
        "Opened without a window, on two shared cores. Time is from the address to a page that "
        "takes keys. Memory is the proportional set size, the larger of just opened and after a "
        "scroll past every exam.\n\n"
        f"- Verdicts given by keyboard: {given}; read back from the `review.csv` that the page "
        f"saved: {read}.\n"
        f"- Addresses that the page asked for: {found.requests}. Messages on its console, errors "
        f"of scripts among them: {found.messages}.\n"
    )
