"""``review.csv`` is read by one set of rules: by the package, and by the page of the results."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from multifidus.data.anatomy import Level, Side, Structure
from multifidus.data.columns import REVIEW_COLUMNS
from multifidus.data.review import UNKNOWN_LEVEL, Verdict
from multifidus.errors import ReadError
from multifidus.io.review_csv import read_review

CASES = json.loads(Path(__file__).with_name("review_tables.json").read_text(encoding="utf-8"))

NODE = shutil.which("node")

needs_node = pytest.mark.skipif(NODE is None, reason="there is no Node.js")


def by_page(expression, value):
    """Return what an expression of ``value`` is in the script that reads verdicts on the page."""
    script = files("multifidus.study").joinpath("page", "review.js").read_text(encoding="utf-8")
    script += f"\nconst value = {json.dumps(value)};\n"
    script += f"console.log(JSON.stringify({expression}));"
    ended = subprocess.run(  # noqa: S603
        [NODE, "-"], input=script, capture_output=True, text=True, encoding="utf-8", check=True
    )
    return json.loads(ended.stdout)


@pytest.fixture(scope="module")
def on_page():
    read = """value.map((text) => {
      try { return entriesOf(text).sort(byDate); } catch (error) { return error.message; }
    })"""
    found = by_page(read, [case["text"] for case in CASES])
    return dict(zip([case["name"] for case in CASES], found, strict=True))


def check(case, found, message):
    """Compare what was made of a table, or why it was refused, with what is expected."""
    if "refused" in case:
        assert found is None
        assert [word for word in case["refused"] if word not in message] == []
    else:
        assert message is None
        assert found == case["entries"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_package_reads_a_table(case, tmp_path):
    path = tmp_path / "review.csv"
    path.write_bytes(case["text"].encode())
    found = message = None
    try:
        entries = read_review(path).entries
    except ReadError as error:
        message = f"{error.message} {error.remedy}"
    else:
        found = [
            {name: "" if (value := getattr(one, name)) is None else str(value)
             for name in REVIEW_COLUMNS}
            for one in entries
        ]  # fmt: skip
    check(case, found, message)


@needs_node
@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_page_reads_a_table_as_the_package_does(case, on_page):
    found = on_page[case["name"]]
    check(case, *((None, found) if isinstance(found, str) else (found, None)))


@needs_node
def test_the_page_knows_the_packages_words():
    words = by_page("[COLUMNS, VERDICTS, LEVELS, SIDES, STRUCTURES]", None)
    assert words == [[*REVIEW_COLUMNS], *([*map(str, kind)] for kind in _KINDS)]


_KINDS = (Verdict, (*Level, UNKNOWN_LEVEL), Side, Structure)


@needs_node
def test_the_page_reads_files_in_both_encodings():
    read = """value.map((bytes) => {
      try { return textOf(Uint8Array.from(bytes).buffer); } catch (error) { return error.message; }
    })"""
    kinds = ("utf-8", "utf-8-sig", "utf-16")
    texts = [[*"\ufeff\u00e4,b".encode("utf-16-be")], *([*"\u00e4,b".encode(k)] for k in kinds)]
    assert by_page(read, texts) == ["\u00e4,b"] * 4
    assert by_page(read, [[*"\u00e4,b".encode("latin-1")]]) == ["It is no text in UTF-8."]


@needs_node
def test_on_the_page_the_latest_verdict_on_a_muscle_counts_however_wide_it_is():
    usual = dict.fromkeys(REVIEW_COLUMNS, "") | {"subject": "S1", "timepoint": "pre"}
    entries = [
        usual | {"verdict": "fail", "side": "both", "date": "2026-11-29"},
        usual | {"verdict": "pass", "side": "left", "date": "2026-11-30"},
        usual | {"verdict": "repeat", "level": "L3-L4", "date": "2026-12-01"},
        usual | {"verdict": "fail", "level": "L1-L2"},
    ]
    unit = usual | {"rater": "A", "reading": "1", "structure": "multifidus", "level": "L4-L5"}
    units = [
        unit | {"side": "left"},
        unit | {"side": "right"},
        unit | {"side": "none"},
        unit | {"side": "left", "level": "L3-L4"},
        unit | {"side": "left", "level": "L1-L2"},
    ]
    found = by_page(
        "value[1].map((unit) => verdictOn(value[0].sort(byDate), unit)?.verdict)", [entries, units]
    )
    assert found == ["pass", "fail", None, "repeat", "pass"]
