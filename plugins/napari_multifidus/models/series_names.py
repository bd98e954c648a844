"""Names of series in a list to choose from: each says what tells it from the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_multifidus.models.grid import series_words

if TYPE_CHECKING:
    from multifidus.data.image import Series


def names_of(
    series: Sequence[Series],
    files: Mapping[str, str] | None = None,
    words: Callable[[Series], str] = series_words,
) -> tuple[str, ...]:
    """Name series; what has the same words is told apart by what differs, or is numbered.

    Parameters
    ----------
    series
        The series.
    files
        Names of their files, by UID; none where subjects are hidden.
    words
        What each is called where it is told from the others by that.
    """
    alike: dict[str, list[Series]] = {}
    for item in series:
        alike.setdefault(words(item), []).append(item)
    named = {
        item.uid: name
        for plain, group in alike.items()
        for item, name in zip(group, _told_apart(plain, group, files or {}), strict=True)
    }
    return tuple(named[item.uid] for item in series)


def file_names(paths: Mapping[str, Iterable[Path]]) -> dict[str, str]:
    """Name series by their files: one file by its own name, several by that of their folder.

    A folder that holds several series names none of them.

    Parameters
    ----------
    paths
        The files of each series, by its UID.
    """
    found: dict[str, str] = {}
    for uid, files in paths.items():
        every = list(files)
        folders = {path.parent for path in every}
        if len(every) == 1:
            found[uid] = every[0].name
        elif len(folders) == 1:
            found[uid] = folders.pop().name
    shared = Counter(found.values())
    return {uid: name for uid, name in found.items() if shared[name] == 1}


def _told_apart(words: str, group: Sequence[Series], files: Mapping[str, str]) -> list[str]:
    if len(group) == 1:
        return [words]
    facts = [_facts(item, files) for item in group]
    differing = [column for column in zip(*facts, strict=True) if len(set(column)) > 1]
    names = [
        ", ".join(filter(None, (words, *(column[n] for column in differing))))
        for n in range(len(group))
    ]
    count = Counter(names)
    return [
        name if count[name] == 1 else f"{name} ({number} of {len(group)})"
        for number, name in enumerate(names, 1)
    ]


def _facts(item: Series, files: Mapping[str, str]) -> tuple[str, ...]:
    """Say what may tell a series from another, in the same order for all."""
    acquisition, first = item.acquisition, item.slices[0]
    rows, columns = first.plane.pixel_spacing_mm
    return (
        files.get(item.uid, ""),
        _stated(acquisition.echo_time_ms, "TE {:.0f} ms"),
        _stated(acquisition.repetition_time_ms, "TR {:.0f} ms"),
        f"pixels {rows:.2f} x {columns:.2f} mm",
        f"{first.shape[0]} x {first.shape[1]}",
        _stated(first.thickness_mm, "thickness {:g} mm"),
    )


def _stated(value: float, words: str) -> str:
    return words.format(value) if value == value else ""  # noqa: PLR0124 - NaN is not itself
