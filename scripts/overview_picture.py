"""Make docs/images/overlay.png, the README's picture: L4-L5 of the sample, before and after."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from multifidus import MeasurementProtocol
from multifidus.figures.overlay import draw_slice
from multifidus.io.cohort_csv import read_cohort
from multifidus.measuring.locate import place
from multifidus.sample_data import sample_dir
from multifidus.study.batch import measure_case

OUTPUT = Path(__file__).parent.parent / "docs" / "images" / "overlay.png"
LEVEL = ("L4-L5", "mid_disc")
WIDTH = 1400
WORDS = {"pre": "before", "post": "after"}


def main() -> None:
    """Draw the same level of both exams and put them side by side."""
    pictures = []
    for case in read_cohort(sample_dir() / "cohort.csv").cases:
        done = measure_case(case, MeasurementProtocol())
        rows = [
            row
            for row in done.rows
            if (row.provenance.level, row.provenance.slice_position) == LEVEL
        ]
        uids = {row.key.slice_uid for row in rows}
        members = [item for item in place(done.rois, done.exam) if item.slice.uid in uids]
        caption = f"{WORDS[case.reading.timepoint]} surgery · L4-L5 mid disc · digital phantom"
        pictures.append(draw_slice(members, rows, caption))
    height = max(picture.height for picture in pictures)
    canvas = Image.new("RGB", (sum(picture.width for picture in pictures) + 12, height), "white")
    left = 0
    for picture in pictures:
        canvas.paste(picture, (left, 0))
        left += picture.width + 12
    canvas = canvas.crop((0, 0, canvas.width, canvas.height * 7 // 8))
    canvas.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    canvas.save(OUTPUT, optimize=True)


if __name__ == "__main__":
    main()
