"""The page of a run's results, on which they are looked through: one file that asks for no other.

It is written as it is made, one exam after another. What a study calls its subjects, and what
somebody wrote about them, is text everywhere: no part of it is taken for HTML or for a script.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from multifidus.data.columns import REVIEW_COLUMNS
from multifidus.data.flags import Flag
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.review import Review
from multifidus.io.files import write_atomically
from multifidus.io.table_csv import Row
from multifidus.study.level_value import rule_in_words
from multifidus.study.missing import Absence
from multifidus.study.outliers import (
    LIMIT_AREA_PCT,
    LIMIT_FAT_POINTS,
    LIMIT_Z,
    Outlier,
    find_outliers,
    watched_columns,
)
from multifidus.study.qc_exams import (
    SAGITTAL_COLUMN,
    Names,
    PictureBook,
    StudyOverview,
    anchor,
    exams_of,
    fat_columns_of,
    in_few_words,
    number_in_words,
    outliers_by_place,
)
from multifidus.study.results_page import TITLE, printable_summary
from multifidus.study.reviewed import without_verdicts
from multifidus.version import VERSION

MOST_EMBEDDED = 2000
"""Pictures of so many readings become part of the page; of a larger study it names their files."""

_SCRIPTS = ("review.js", "exams.js", "store.js", "page.js")


@dataclass(frozen=True, slots=True)
class PageContent:
    """What the page shows.

    Parameters
    ----------
    summary
        Rows of the wide table; they are gone through several times.
    failures, missing
        Rows of these tables.
    pictures
        File names in the folder of pictures, and their captions.
    folder
        The folder of pictures.
    no_picture
        Why an exam may have no picture of a level.
    review
        The verdicts that are known; None where there are none.
    """

    summary: Iterable[Row]
    failures: Sequence[Row]
    missing: Sequence[Row]
    pictures: Sequence[tuple[str, str]]
    folder: Path
    no_picture: str = "no image"
    review: Review | None = None


def write_page(
    content: PageContent,
    path: Path,
    protocol: MeasurementProtocol = MeasurementProtocol(),  # noqa: B008 - frozen
) -> None:
    """Write the page."""
    parts = _Page.of(content, protocol).parts()

    def write(part: Path) -> None:
        with part.open("w", encoding="utf-8", newline="") as file:
            # Texts of the page and names of its parts take turns.
            for place, text in enumerate(re.split(r"\$(\w+)", _resource("page.html"))):
                file.writelines(parts[text] if place % 2 else [text])

    write_atomically(path, write, overwrite=True)


def _resource(name: str) -> str:
    return files("multifidus.study").joinpath("page", name).read_text(encoding="utf-8")


def script_json(value: object) -> str:
    r"""Return a value as JSON that may stand in a page: nothing in it ends its element.

    Examples
    --------
    >>> script_json("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return re.sub("[<>&\\u2028\\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


@dataclass(frozen=True, slots=True)
class _Page:
    """What is known before the page is written."""

    content: PageContent
    protocol: MeasurementProtocol
    overview: StudyOverview
    outliers: list[Outlier]
    book: PictureBook
    lacking: Mapping[Names, list[Row]]
    values: Any = field(default_factory=hashlib.sha256)

    @classmethod
    def of(cls, content: PageContent, protocol: MeasurementProtocol) -> _Page:
        overview = StudyOverview.of(content.summary)
        outliers = find_outliers(content.summary, watched_columns(protocol))
        embeds = len(overview.readings) <= MOST_EMBEDDED
        book = PictureBook.of(content.pictures, content.folder, embeds=embeds)
        lacking: dict[Names, list[Row]] = {}
        # What failed a review is there, with its verdict.
        lost: list[Row] = [*without_verdicts(content.missing)]
        for row in lost:
            names = row["subject"], row["timepoint"], row["rater"], row["reading"]
            if names in overview.readings:
                lacking.setdefault(names, []).append(row)
        return cls(content, protocol, overview, outliers, book, lacking)

    def parts(self) -> dict[str, Iterable[str]]:
        outlying = {place[:4] for item in self.outliers for place in item.places}
        style, scripts = _resource("page.css"), map(_resource, _SCRIPTS)
        counts = {
            "readings": len(self.overview.readings) + len(self.content.failures),
            "flagged": len(self.overview.flagged),
            "outlying": len(outlying),
            "lacking": len(self.lacking),
            "failed": len(self.content.failures),
            "limit_z": LIMIT_Z,
            "limit_area": f"{LIMIT_AREA_PCT:g}",
            "limit_fat": f"{LIMIT_FAT_POINTS:g}",
        }
        return {
            "title": [TITLE],
            "style": [style],
            "script": scripts,
            "version": [escape(VERSION)],
            "rule": [escape(rule_in_words(self.protocol))],
            "outliers": _outliers(self.outliers),
            "failures": _failures(self.content.failures),
            "missing": _missing(self.content.missing),
            "sections": self._sections(),
            "study": self._study(),
            **{name: [str(count)] for name, count in counts.items()},
        }

    def _sections(self) -> Iterator[str]:
        for number, row in enumerate(self.content.failures):
            yield _failed_section(row, number)
        _, cells = printable_summary(self.content.summary)
        columns = fat_columns_of(watched_columns(self.protocol))
        by_place = outliers_by_place(self.outliers)
        for names, facts, slices in exams_of(self.content.summary, cells, by_place, columns):
            self.values.update(json.dumps(facts).encode())
            yield self._section(names, facts, slices)
        for names in self.book.without_values():
            yield self._section(names, _empty(names), {})

    def _section(
        self, names: Names, facts: Mapping[str, Any], slices: Mapping[str, set[int]]
    ) -> str:
        pictures, others, data = self.book.shown(anchor(names), slices)
        missing = [
            {key: row[key] for key in ("level", "side", "structure", "reason", "detail")}
            for row in self.lacking.get(names, ())
        ]
        more = {"pictures": pictures, "others": others, "missing": missing}
        return _section(names, {**facts, **more}, data)

    def _study(self) -> Iterator[str]:
        """Yield what all exams have in common; asked for when all of them are written."""
        headings, _ = printable_summary(self.content.summary)
        sagittal = [SAGITTAL_COLUMN] if self.book.has_sagittals else []
        lacking = {row["level"] for rows in self.lacking.values() for row in rows}
        self.overview.levels.update(lacking, self.book.levels)
        review = _verdicts(self.content.review)
        yield script_json(
            {
                "review": review,
                "reviewId": hashlib.sha256(json.dumps(review).encode()).hexdigest(),
                "id": self.values.hexdigest(),
                "headings": headings,
                "columns": [*sagittal, *self.overview.columns()],
                "timepoints": list(self.overview.timepoints),
                "raters": sorted(self.overview.raters),
                "frame": self.book.frame_mm(),
                "noImage": self.content.no_picture,
                "flags": {flag: f"{flag.meaning} {flag.remedy}".strip() for flag in Flag},
            }
        )


def _verdicts(review: Review | None) -> list[dict[str, str]]:
    """Return verdicts as rows of their table."""
    entries = () if review is None else review.entries
    return [
        {name: "" if (value := getattr(entry, name)) is None else str(value)
         for name in REVIEW_COLUMNS}
        for entry in entries
    ]  # fmt: skip


def _section(names: Names, facts: Mapping[str, Any], data: Sequence[str]) -> str:
    subject, timepoint, rater, reading = names
    who = " · ".join(filter(None, (rater and f"rater {rater}", f"reading {reading}")))
    return (
        f'<section class="exam" id="{escape(anchor(names))}"><div class="title">'
        f'<h2><a href="#{escape(anchor(names))}">{escape(subject)} · {escape(timepoint)}</a></h2>'
        f'<span class="who">{escape(who)}</span><span class="verdict"></span>'
        '<span class="comment"></span></div>'
        f'<script type="application/json" class="facts">{script_json(facts)}</script>'
        f'<script type="application/json" class="images">{script_json(data)}</script></section>\n'
    )


def _empty(names: Names) -> dict[str, Any]:
    """Return the facts of a reading without values."""
    return {"names": list(names), "muscles": [], "both": [], "values": []}


def _failed_section(row: Row, number: int) -> str:
    names = row["subject"], row["timepoint"], row["rater"], row["reading"]
    facts = {
        **_empty(names), "pictures": [], "missing": [],
        "others": [], "failure": {"message": f"{row['error']} {row['message']}"},
    }  # fmt: skip
    title = escape(f"{names[0]} · {names[1]}")
    who = " · ".join(filter(None, (names[2] and f"rater {names[2]}", f"reading {names[3]}")))
    return (
        f'<section class="exam failed" id="failed-{number}"><div class="title">'
        f'<h2>{title}</h2><span class="who">{escape(who)}</span>'
        '<span class="verdict fail">not measured</span><span class="comment"></span></div>'
        f"<p>{escape(str(row['error']))}: {escape(str(row['message']))} "
        f"{escape(str(row['remedy']))}</p>"
        f'<script type="application/json" class="facts">{script_json(facts)}</script></section>\n'
    )


def _outliers(outliers: Sequence[Outlier]) -> Iterator[str]:
    """List the outliers as text, each with a way to its muscle."""
    if not outliers:
        return
    readings = len({place[:4] for item in outliers for place in item.places})
    yield f"<details><summary>Outliers: {len(outliers)} values in {readings} readings</summary>"
    yield '<div class="scroll"><table>\n'
    headings = ("exam", "rater", "reading", "level", "muscle", "what", "value", "compared with")
    yield _row("th", [escape(name) for name in headings])
    for item in outliers:
        yield _outlier(item)
    yield "</table></div></details>"


def _outlier(item: Outlier) -> str:
    place, number = item.place, number_in_words(item)
    exam = anchor(place[:4])
    name = ".".join((exam, place.level or "unknown", place.side, place.structure))
    beside = (
        f"{number(item.before)} at {item.earlier}"
        if item.is_change
        else f"median {number(item.centre)} of {item.n}"
    )
    muscle = f"{place.side} {place.structure.replace('_', ' ')} {place.name}".strip()
    link = f'<a href="#{escape(name)}">{escape(f"{place.subject} · {place.timepoint}")}</a>'
    texts = (place.rater, str(place.reading), place.level, muscle, in_few_words(item),
             number(item.value), beside)  # fmt: skip
    return _row("td", [link, *map(escape, texts)])


def _missing(missing: Sequence[Row]) -> Iterator[str]:
    """Count missing measurements by reason."""
    if not missing:
        return
    counts = Counter(row["reason"] for row in missing)
    yield (
        f"<details><summary>Missing measurements: {len(missing)}</summary>\n"
        "<p>Muscles outlined or declared not measurable anywhere in the study are expected in "
        "every reading of every exam. Missing ones are listed in "
        "<a href='missing.csv'>missing.csv</a>.</p>\n"
        "<div class='scroll'><table>\n"
    )
    yield _row("th", ["measurements (muscle x reading)", "muscles", "reason", "meaning"])
    for reason, n in sorted(counts.items()):
        texts = (str(n), str(_muscles(missing, reason)), reason, Absence(reason).meaning)
        yield _row("td", [*map(escape, texts)])
    yield "</table></div></details>"


def _muscles(missing: Sequence[Row], reason: str) -> int:
    """Count different muscles of examinations that are missing, in however many readings."""
    names = ("subject", "timepoint", "level", "structure", "side")
    return len({tuple(row[n] for n in names) for row in missing if row["reason"] == reason})


def _failures(failures: Sequence[Row]) -> Iterator[str]:
    if not failures:
        return
    yield f"<details><summary>Not measured: {len(failures)}</summary><div class='scroll'><table>\n"
    yield _row("th", [*map(escape, failures[0])])
    for row in failures:
        yield _row("td", [escape(str(value)) for value in row.values()])
    yield "</table></div></details>"


def _row(tag: str, cells: Sequence[str]) -> str:
    """Return a row of a table; numbers stand right, words left."""
    marked = (
        f"<{tag}{'' if cell[:1] in set('+-0123456789') else ' class=text'}>{cell}</{tag}>"
        for cell in cells
    )
    return f"<tr>{''.join(marked)}</tr>\n"
