"""The page on which results are looked through: what it holds, without a browser."""

from __future__ import annotations

import base64
import json
from html.parser import HTMLParser

import pytest
from PIL import Image

from multifidus.figures.picture_files import write_thumbnail
from multifidus.study.qc_page import PageContent, write_page
from multifidus.study.results_page import is_page

NASTY = "</script><img src=x onerror=alert(1)>\"'&\u2028=1+1"


class Parsed(HTMLParser):
    """Collects what a browser would make of the page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.texts, self._open = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._open = (dict(attrs), [])

    def handle_endtag(self, tag):
        if tag == "script":
            self.scripts.append((self._open[0], "".join(self._open[1])))
            self._open = None

    def handle_data(self, data):
        (self.texts if self._open is None else self._open[1]).append(data)

    def blocks(self, name):
        return [json.loads(text) for facts, text in self.scripts if facts.get("class") == name]

    def study(self):
        (found,) = (text for facts, text in self.scripts if facts.get("id") == "study")
        return json.loads(found)


def row(subject="S1", timepoint="pre", level="L4-L5", side="left", **values):
    names = {"rater": "A", "reading": 1, "structure": "multifidus", "name": ""}
    usual = {"n_slices": 1, "slice_indices": "3", "tilt_deg": 1.0, "tcsa_mm2": 800.0,
             "pooled_otsu_fi_pct": 20.0, "flags": ""}  # fmt: skip
    keys = {"subject": subject, "timepoint": timepoint, "level": level, "side": side}
    return {**keys, **names, **usual, **values}


def failure(**values):
    usual = dict.fromkeys(("subject", "timepoint", "rater", "path", "error", "message", "remedy"))
    return {**usual, "reading": 1, **values}


def picture(folder, name, **said):
    """Write a small picture; returns its name and caption."""
    usual = {"subject": "S1", "timepoint": "pre", "rater": "A", "reading": 1, "level": "L4-L5",
             "series": "1.2.826.0.1", "slice_index": 3, "pixel_mm": [0.5, 0.5]}  # fmt: skip
    write_thumbnail(Image.new("RGB", (240, 180)), {**usual, **said}, folder / "small" / name)
    return name, f"caption of {name}"


@pytest.fixture
def page(tmp_path):
    """Return what writes a page and reads it as a browser would."""

    def make(rows, failures=(), missing=(), pictures=()):
        content = PageContent(rows, failures, missing, pictures, tmp_path / "pictures")
        write_page(content, tmp_path / "index.html")
        return Parsed((tmp_path / "index.html").read_text(encoding="utf-8"))

    return make


def test_an_exam_holds_its_muscles_right_first_and_each_has_a_place_of_its_own(page):
    found = page([row(), row(side="right"), row(side="both", asymmetry_pct=3.0), row("S2")])
    first, second = found.blocks("facts")
    assert first["names"] == ["S1", "pre", "A", 1]
    assert [one["side"] for one in first["muscles"]] == ["right", "left"]
    assert first["muscles"][0]["id"] == "S1_pre_A_r1.L4-L5.right.multifidus"
    assert (first["muscles"][0]["area"], first["muscles"][0]["fat"]) == ("8.00 cm²", "fat 20 %")
    assert second["names"][0] == "S2"
    sections = [facts["id"] for tag, facts in found.tags if tag == "section"]
    assert sections == ["S1_pre_A_r1", "S2_pre_A_r1"]
    assert found.study()["columns"] == ["L4-L5"]


def test_nothing_that_a_study_says_becomes_html_or_a_script(page):
    rows = [row(NASTY, "pre", flags="few_points"), row(timepoint=NASTY, rater=NASTY, name=NASTY)]
    gone = failure(subject=NASTY, timepoint="pre", error=NASTY, message=NASTY, remedy=NASTY)
    lost = {"subject": NASTY, "timepoint": "pre", "rater": "A", "reading": 1, "level": "L4-L5",
            "structure": "multifidus", "side": "right", "reason": "not_outlined",
            "detail": NASTY, "rater_note": ""}  # fmt: skip
    found = page(rows, [gone], [lost])
    assert not [facts for tag, facts in found.tags if facts.get("src") == "x"]
    assert not [name for _, facts in found.tags for name in facts if name.startswith("on")]
    assert NASTY in {facts["names"][0] for facts in found.blocks("facts")}
    assert found.blocks("facts")[1]["missing"][0]["detail"] == NASTY
    assert any(NASTY in text for text in found.texts)


def test_the_page_asks_for_no_other_file_until_an_image_is_enlarged(page, tmp_path):
    drawn = picture(tmp_path / "pictures", "S1_pre_A_r1_series1_slice003.png")
    found = page([row()], pictures=[drawn])
    tags = {tag for tag, facts in found.tags if facts.get("src") or facts.get("href")}
    assert tags <= {"a", "link"}
    assert [facts["href"] for tag, facts in found.tags if tag == "link"] == ["data:,"]
    assert not [facts for facts, _ in found.scripts if "src" in facts]
    (facts,), (data,) = found.blocks("facts"), found.blocks("images")
    assert facts["pictures"][0]["large"] == f"pictures/{drawn[0]}"
    assert base64.b64decode(data[0]).startswith(b"\xff\xd8")


def test_pictures_of_the_page_do_not_carry_the_uids_that_their_files_do(page, tmp_path):
    folder = tmp_path / "pictures"
    drawn = picture(folder, "S1_pre_A_r1_series1_slice003.png")
    found = page([row()], pictures=[drawn])
    assert b"1.2.826.0.1" in (folder / "small" / "S1_pre_A_r1_series1_slice003.jpg").read_bytes()
    (data,) = found.blocks("images")
    assert b"1.2.826.0.1" not in base64.b64decode(data[0])


def test_of_many_slices_the_first_middle_and_last_that_enter_are_shown(page, tmp_path):
    names = [
        picture(tmp_path / "pictures", f"S1_pre_A_r1_series1_slice{n:03d}.png", slice_index=n)
        for n in range(9)
    ]
    found = page([row(slice_indices="2;3;4;5;6")], pictures=names)
    (facts,) = found.blocks("facts")
    assert [one["large"][-7:-4] for one in facts["pictures"]] == ["002", "004", "006"]
    assert facts["pictures"][0]["note"] == "3 of 5 slices"
    # 240 pixels of 0.5 mm.
    assert found.study()["frame"] == [90.0, 120.0]


def test_an_exam_of_references_alone_is_shown_as_well(page, tmp_path):
    drawn = picture(tmp_path / "pictures", "S7_pre_A_r1_series1_slice003.png", subject="S7")
    found = page([row()], pictures=[drawn])
    assert [facts["names"][0] for facts in found.blocks("facts")] == ["S1", "S7"]


def test_outliers_stand_on_their_muscles_and_are_listed_as_text(page):
    rows = [row(f"S{n}", tcsa_mm2=800.0 + n) for n in range(9)]
    rows += [row("S9", tcsa_mm2=1e4), row("S9", "later", tcsa_mm2=900.0)]
    found = page(rows)
    marked = {tuple(facts["names"][:2]): facts["muscles"][0]["outliers"]
              for facts in found.blocks("facts") if facts["muscles"][0]["outliers"]}  # fmt: skip
    assert set(marked) == {("S9", "pre"), ("S9", "later")}
    assert marked["S9", "later"] == ["area: -91 % pre → later"]
    text = " ".join(found.texts)
    assert "Outliers: 2 values in 2 readings" in text
    assert "median 8.04 cm² of 10" in text
    hrefs = [facts.get("href") for tag, facts in found.tags if tag == "a"]
    assert "#S9_pre_A_r1.L4-L5.left.multifidus" in hrefs


def test_the_head_counts_readings_by_what_is_to_be_looked_at(page):
    rows = [row(flags="few_points"), row("S2"), row("S2", side="both", flags="grades_differ")]
    rows += [row("S4"), row("S4", rater="B")]
    found = page(rows, [failure(subject="S3", timepoint="pre")])
    counts = " ".join(" ".join(found.texts).split())
    assert "5 readings" in counts
    assert "2 flagged" in counts
    assert "1 not measured" in counts


def test_flags_of_both_sides_stand_on_the_level_unless_a_side_has_them(page):
    rows = [row(flags="few_points"), row(side="right")]
    rows.append(row(side="both", flags="few_points;grades_differ"))
    rows.append(row(level="L5-S1", side="both", flags="grades_differ"))
    rows.append(row(level="L5-S1", side="both", structure="psoas", flags=""))
    (facts,) = page(rows).blocks("facts")
    assert [(one["level"], one["words"], one["flags"]) for one in facts["both"]] == [
        ("L4-L5", "both sides", ["grades_differ"]),
        ("L5-S1", "both sides", ["grades_differ"]),
    ]


def test_the_page_is_known_by_its_title_and_of_other_values_by_its_id(page, tmp_path):
    first = page([row()]).study()["id"]
    assert is_page(tmp_path / "index.html")
    assert page([row()]).study()["id"] == first
    assert page([row(tcsa_mm2=801.0)]).study()["id"] != first
