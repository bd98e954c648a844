from __future__ import annotations

from pathlib import Path

from napari_multifidus.keys import DANGEROUS, SHORTCUTS, help_text

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "annotate-in-napari.md"
NAPARIS_OWN = set("RELTPDSZIXFBA1234567")


def test_the_page_lists_every_key():
    rows = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    assert rows == [f"| `{item.key}` | {item.words} |" for item in SHORTCUTS]


def test_no_key_of_naparis_shapes_is_taken():
    assert not {item.key for item in SHORTCUTS} & NAPARIS_OWN
    assert DANGEROUS in NAPARIS_OWN


def test_the_help_names_every_key():
    assert all(f"{item.key}  {item.words}" in help_text() for item in SHORTCUTS)
