"""What the page of results shows of each exam: numbers, flags, outliers, small pictures."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from multifidus.data.anatomy import Level, Side
from multifidus.data.measurement import Quantity
from multifidus.data.roi import Reading
from multifidus.data.slice_number import slice_number
from multifidus.figures.picture_files import (
    SAGITTAL,
    SMALL,
    Thumbnail,
    picture_stem,
    read_thumbnail,
    reading_stem,
    without_comments,
)
from multifidus.io.table_csv import Row
from multifidus.study.outliers import AREA, Outlier, Place, place_of

MOST_SLICES = 3
"""So many slices of a level are shown: the first, the middle and the last."""

SHARE_OF_FRAMES = 0.95
"""Share of the pictures that a frame of the page is large enough for."""

SAGITTAL_COLUMN = "sagittal"

Names = tuple[str, str, str, int]
"""Subject, timepoint, rater and reading."""


@dataclass(slots=True)
class StudyOverview:
    """What is known of all readings before the first is written."""

    flagged: set[Names] = field(default_factory=set)
    readings: set[Names] = field(default_factory=set)
    timepoints: dict[str, None] = field(default_factory=dict)
    raters: set[str] = field(default_factory=set)
    levels: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, summary: Iterable[Row]) -> StudyOverview:
        """Go through the rows of the wide table."""
        found = cls()
        for row in summary:
            names = names_of(row)
            found.readings.add(names)
            found.timepoints[names[1]] = None
            found.raters.add(names[2])
            found.levels.add(row["level"])
            if row["flags"]:
                found.flagged.add(names)
        return found

    def columns(self) -> list[str]:
        """Return levels from cranial to caudal, those without a level last."""
        return sorted(self.levels, key=lambda name: Level(name).rank if name else math.inf)


def names_of(row: Row) -> Names:
    """Return of which reading a row is."""
    return row["subject"], row["timepoint"], row["rater"], row["reading"]


def anchor(names: Names) -> str:
    """Return the name of an exam's place on the page."""
    return picture_stem(Reading(*names))


@dataclass(slots=True)
class PictureBook:
    """The pictures of a run by reading, read when an exam is written and not kept.

    Parameters
    ----------
    folder
        Where they are.
    embeds
        Whether small pictures become part of the page.
    """

    folder: Path
    embeds: bool
    names: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    sizes: list[tuple[float, float]] = field(default_factory=list)
    levels: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, pictures: Iterable[tuple[str, str]], folder: Path, *, embeds: bool) -> PictureBook:
        """Sort file names and captions by their reading."""
        found = cls(folder, embeds)
        for name, caption in pictures:
            found.names.setdefault(reading_stem(Path(name).stem), []).append((name, caption))
        return found

    @property
    def has_sagittals(self) -> bool:
        """Whether any exam has a picture from the side."""
        return any(
            Path(name).stem.endswith(SAGITTAL) for own in self.names.values() for name, _ in own
        )

    def without_values(self) -> Iterator[Names]:
        """Yield the readings that were not shown so far: of references alone, for example."""
        for stem in [*self.names]:
            if stem in self.written:
                continue
            for name, _ in self.names[stem]:
                small = self._small(name)
                if small.exists():
                    said = read_thumbnail(small)
                    yield said.subject, said.timepoint, said.rater, said.reading
                    break

    def frame_mm(self) -> tuple[float, float]:
        """Return height and width that most of the pictures fit in."""
        if not self.sizes:
            return 100.0, 120.0
        place = math.ceil(SHARE_OF_FRAMES * len(self.sizes)) - 1
        high, wide = (sorted(sizes)[place] for sizes in zip(*self.sizes, strict=True))
        return round(high, 2), round(wide, 2)

    def shown(
        self, stem: str, slices: Mapping[str, set[int]]
    ) -> tuple[list[dict[str, Any]], list[dict[str, str]], list[str]]:
        """Return what the page holds of a reading's pictures.

        Parameters
        ----------
        stem
            Of the names of its files.
        slices
            Which slices enter the value of each level.

        Returns
        -------
        tuple
            Pictures in the columns of the page, other ones, and the data of the small ones.
        """
        by_level: dict[str, list[tuple[Thumbnail, str, str]]] = {}
        others = []
        self.written.add(stem)
        for name, caption in self.names.get(stem, ()):
            small = self._small(name)
            if small.exists():
                said = read_thumbnail(small)
                level = SAGITTAL_COLUMN if small.stem.endswith(SAGITTAL) else said.level
                by_level.setdefault(level, []).append((said, name, caption))
            else:
                others.append({"file": self._address(name), "caption": caption})
        found: list[dict[str, Any]] = []
        data: list[str] = []
        for level, all_slices in by_level.items():
            entering = slices.get(level, set())
            taken = [item for item in all_slices if item[0].slice_index in entering] or all_slices
            for said, name, caption in _first_middle_last(taken):
                size = [step * count for step, count in zip(said.pixel_mm, said.shape, strict=True)]
                if level != SAGITTAL_COLUMN:
                    self.levels.add(level)
                    self.sizes.append((size[0], size[1]))
                facts = {"level": level, "caption": caption, "large": self._address(name),
                         "mm": [round(length, 2) for length in size],
                         "note": _slices_in_words(level, taken)}  # fmt: skip
                if self.embeds:
                    facts["data"] = len(data)
                    jpeg = without_comments(said.path.read_bytes())
                    data.append(base64.b64encode(jpeg).decode())
                else:
                    facts["file"] = self._address(f"{SMALL}/{said.path.name}")
                found.append(facts)
        return found, others, data

    def _small(self, name: str) -> Path:
        return (self.folder / SMALL / name).with_suffix(".jpg")

    def _address(self, name: str) -> str:
        return quote(f"{self.folder.name}/{name}")


def _first_middle_last(items: Sequence[Any]) -> list[Any]:
    if len(items) <= MOST_SLICES:
        return [*items]
    return [items[0], items[(len(items) - 1) // 2], items[-1]]


def _slices_in_words(level: str, taken: Sequence[tuple[Thumbnail, str, str]]) -> str:
    if level == SAGITTAL_COLUMN:
        return ""
    numbers = [slice_number(said.slice_index) for said, _, _ in taken]
    if len(numbers) > MOST_SLICES:
        return f"{MOST_SLICES} of {len(numbers)} slices"
    return f"slice{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def exams_of(
    summary: Iterable[Row],
    cells: Iterable[Sequence[str]],
    outliers: Mapping[Place, Sequence[str]],
    fat_columns: Sequence[tuple[str, str]],
) -> Iterator[tuple[Names, dict[str, Any], dict[str, set[int]]]]:
    """Yield what the page holds of each exam, apart from its pictures and what it lacks.

    Parameters
    ----------
    summary
        Rows of the wide table, one reading after another.
    cells
        The same rows as people read them.
    outliers
        What stands out of each muscle, in words.
    fat_columns
        Columns of fat to show, and what they are called.

    Yields
    ------
    tuple
        Names of the reading, its facts, and the slices that enter the value of each level.
    """
    pairs = zip(summary, cells, strict=True)
    for names, members in groupby(pairs, key=lambda pair: names_of(pair[0])):
        muscles: list[dict[str, Any]] = []
        slices: dict[str, set[int]] = {}
        values = []
        both: list[Row] = []
        taken: set[str] = set()
        for row, shown in members:
            values.append(list(shown))
            entering = filter(None, str(row["slice_indices"]).split(";"))
            slices.setdefault(row["level"], set()).update(map(int, entering))
            if row["side"] == Side.BOTH:
                both.append(row)
                continue
            muscles.append(_muscle(row, outliers, fat_columns, _free(anchor(names), row, taken)))
        muscles = _right_first(muscles)
        facts = {"names": list(names), "muscles": muscles, "values": values}
        yield names, {**facts, "both": _of_both_sides(both, muscles)}, slices


def _of_both_sides(rows: Iterable[Row], muscles: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the flags of both sides together that neither side has, by level and structure."""
    found = []
    for row in rows:
        level, structure = row["level"], row["structure"]
        shown = {
            flag
            for one in muscles
            if (one["level"], one["structure"]) == (level, structure)
            for flag in one["flags"]
        }
        flags = [flag for flag in row["flags"].split(";") if flag and flag not in shown]
        if flags:
            words = [structure.replace("_", " ")] if structure != "multifidus" else []
            found.append(
                {
                    "level": level,
                    "structure": structure,
                    "words": " ".join((*words, "both sides")),
                    "flags": flags,
                }
            )
    return found


def _right_first(muscles: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the two sides in the order in which they are seen on an image."""
    order: dict[tuple[str, str], int] = {}
    ranks = {Side.RIGHT: 0, Side.LEFT: 1}
    for one in (muscles := [*muscles]):
        order.setdefault((one["level"], one["structure"]), len(order))
    return sorted(
        muscles,
        key=lambda one: (order[one["level"], one["structure"]], ranks.get(one["side"], 2)),
    )


def _free(stem: str, row: Row, taken: set[str]) -> str:
    """Return a name for a muscle's place on the page that no other one has."""
    usual = ".".join((stem, row["level"] or "unknown", row["side"], row["structure"]))
    name, number = usual, 1
    while name in taken:
        number += 1
        name = f"{usual}.{number}"
    taken.add(name)
    return name


def _muscle(
    row: Row,
    outliers: Mapping[Place, Sequence[str]],
    fat_columns: Sequence[tuple[str, str]],
    name: str,
) -> dict[str, Any]:
    structure, side = row["structure"], row["side"]
    words = [side[0].upper()] if side in {Side.LEFT, Side.RIGHT} else []
    words += [structure.replace("_", " ")] if structure != "multifidus" else []
    fat = [
        f"{called} {'undefined' if math.isnan(value) else f'{value:.0f} %'}"
        for column, called in fat_columns
        if isinstance(value := row.get(column), float | int)
    ]
    return {
        "id": name,
        "level": row["level"],
        "side": side,
        "structure": structure,
        "words": " ".join((*words, row["name"])).strip() or structure,
        "area": _area(row.get(AREA)),
        "fat": " · ".join(fat),
        "flags": row["flags"].split(";") if row["flags"] else [],
        "outliers": list(outliers.get(place_of(row), ())),
    }


def _area(value: Any) -> str:
    if not isinstance(value, float | int):
        return ""
    return "area undefined" if math.isnan(value) else f"{value / 100:.2f} cm²"


def fat_columns_of(columns: Sequence[str]) -> list[tuple[str, str]]:
    """Name the columns of fat among those that are looked at, as short as a card needs."""
    called: dict[str, str] = {
        Quantity.FF_SIGNAL_PCT: "fraction",
        Quantity.DIXON_FF_RATIO_PCT: "Dixon",
        Quantity.PDFF_MEAN_PCT: "PDFF",
    }
    return [(name, called.get(name, "fat")) for name in columns if name != AREA]


def outliers_by_place(found: Iterable[Outlier]) -> dict[Place, list[str]]:
    """Return what stands out of each muscle, in a few words."""
    by_place: dict[Place, list[str]] = {}
    for item in found:
        for place in item.places:
            by_place.setdefault(place, []).append(in_few_words(item))
    return by_place


def in_few_words(item: Outlier) -> str:
    """Say how a value stands out."""
    what = "area" if item.column == AREA else dict(fat_columns_of([item.column]))[item.column]
    if not item.is_change:
        return f"{what}: robust z {item.z:+.1f}"
    unit = " %" if item.column == AREA else " points"
    return f"{what}: {item.change:+.0f}{unit} {item.earlier} → {item.place.timepoint}"


def number_in_words(item: Outlier) -> Callable[[float], str]:
    """Return what writes the values of an outlier's column."""
    if item.column == AREA:
        return lambda value: f"{value / 100:.2f} cm²"
    return lambda value: f"{value:.1f} %"
