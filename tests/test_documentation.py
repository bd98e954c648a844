"""What the pages tell people to type works."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from multifidus.data.protocol import FatMethod, MeasurementProtocol
from multifidus.io.labelmap import PRESETS
from multifidus.io.protocol_toml import load_protocol
from multifidus.sample_data import sample_dir

ROOT = Path(__file__).resolve().parent.parent
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/python.md"])
def test_python_on_a_page_runs_on_the_sample_exams(page, tmp_path, monkeypatch, capsys):
    (tmp_path / "scans").symlink_to(sample_dir(), target_is_directory=True)
    (tmp_path / "S01_pre.outlines.json").symlink_to(sample_dir() / "S01_pre.outlines.json")
    monkeypatch.chdir(tmp_path)
    blocks = PYTHON.findall((ROOT / page).read_text())
    assert blocks
    exec("\n".join(blocks), {})  # noqa: S102 - our own page
    assert "L4-L5" in capsys.readouterr().out


def test_every_picture_and_page_that_a_page_points_at_is_there():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
    for page in pages:
        if "_build" in page.parts or "generated" in page.parts:
            continue
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} points at {target}"


def test_the_guide_to_fat_numbers_names_presets_by_their_settings():
    page = (ROOT / "docs" / "how-to" / "which-fat-number.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| `(\w+)` \| (`fat_methods.*) \|$", page, re.MULTILINE)
    assert len(rows) == 6
    for preset, cell in rows:
        lines = [code for code in re.findall(r"`([^`]+)`", cell) if "=" in code]
        named = MeasurementProtocol.from_dict(tomllib.loads("\n".join(lines)))
        assert named == load_protocol(preset), preset


@pytest.mark.parametrize(
    ("page", "names"), [("reference/fat-methods.md", FatMethod), ("how-to/measure.md", PRESETS)]
)
def test_a_page_names_all_that_can_be_chosen(page, names):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert [name for name in names if f"`{name}`" not in text] == []


def test_pages_that_a_page_includes_have_the_marks_it_names():
    for page in sorted((ROOT / "docs").glob("*/*.md")):
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"^```{include} ((?:.|\n)*?)^```", text, re.MULTILINE):
            target, *options = block.strip().splitlines()
            included = (page.parent / target).read_text(encoding="utf-8")
            for option in options:
                assert option.split(": ", 1)[1] in included, option


def test_every_fragment_of_the_changelog_has_a_kind_that_the_tool_knows():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    kinds = {each["directory"] for each in project["tool"]["towncrier"]["type"]}
    for path in (ROOT / "changelog.d").glob("*.md"):
        if path.name != "README.md":
            assert re.fullmatch(rf"[a-z0-9-]+\.({'|'.join(kinds)})\.md", path.name), path.name
