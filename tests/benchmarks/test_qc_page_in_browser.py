"""The results page as a reviewer uses it: keys, filters, files, and what a browser keeps."""

from __future__ import annotations

import csv
import json
import time

import pytest

from benchmarks.browser import chromium
from benchmarks.devtools import tab
from benchmarks.qc_page import READY, make_page
from multifidus.io.review_csv import read_review
from multifidus.study.qc_page import PageContent, write_page

pytestmark = pytest.mark.skipif(chromium() is None, reason="there is no Chromium")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("results")
    make_page(12, found)
    return found


@pytest.fixture
def page(folder, tmp_path):
    with tab() as found:
        found.resize(1366, 768)
        found.downloads_to(tmp_path)
        found.open(folder / "index.html", READY)
        yield found
        assert found.messages == []


def saved(page, tmp_path):
    (tmp_path / "review.csv").unlink(missing_ok=True)
    page.press("s")
    ends = time.monotonic() + 20
    while not (tmp_path / "review.csv").exists() and time.monotonic() < ends:
        time.sleep(0.05)
    return read_review(tmp_path / "review.csv").entries


def shown(page):
    return page.evaluate("exams.filter((exam) => exam.shown).length")


def text(page, name):
    return page.evaluate(f"document.getElementById({json.dumps(name)}).textContent")


def write(page, name, value):
    page.evaluate(
        f"(() => {{ const node = document.getElementById({json.dumps(name)});"
        f"node.value = {json.dumps(value)};"
        "node.dispatchEvent(new Event('input')); node.dispatchEvent(new Event('change')); })()"
    )


def comment(page, words):
    page.press("c")
    page.evaluate(f"document.querySelector('#note input').value = {json.dumps(words)}")
    page.evaluate("document.querySelector('#note button[value=keep]').click()")
    page.wait("!document.getElementById('note').open")


def test_verdicts_by_keyboard_are_saved_as_the_table_that_is_read(page, tmp_path):
    write(page, "reviewer", "KL")
    page.press("j", "j", "p", "f")
    comment(page, '=1+1, "quoted"\u00e4 </script>')
    page.press("ArrowRight", "r", "ArrowRight", "f", "x", "ArrowRight", "p", "z")
    page.press("j", "p", "n")
    entries = saved(page, tmp_path)
    assert [(one.subject, one.timepoint, one.level, one.side, one.verdict) for one in entries] == [
        ("S0001", "pre", "", "", "pass"),
        ("S0001", "post", "", "", "fail"),
        ("S0001", "post", "L1-L2", "right", "repeat"),
        ("S0002", "pre", "", "", "pass"),
    ]
    assert entries[1].comment == '=1+1, "quoted"\u00e4 </script>'
    assert {(one.reviewer, one.rater, one.reading) for one in entries} == {("KL", "A", 1)}
    assert {one.structure for one in entries} == {"", "multifidus"}
    assert text(page, "progress") == "3 of 12 reviewed"
    with (tmp_path / "review.csv").open(encoding="utf-8", newline="") as file:
        assert [row["comment"][:2] for row in csv.DictReader(file)][1] == "'="


def test_verdicts_outlive_the_tab_and_a_table_can_be_loaded(page, folder, tmp_path):
    page.press("j", "j", "f")
    page.open(folder / "index.html", READY)
    assert text(page, "progress") == "1 of 12 reviewed · not saved"
    before = saved(page, tmp_path)
    page.evaluate("localStorage.clear()")
    page.open(folder / "index.html", READY)
    assert text(page, "progress") == "0 of 12 reviewed"
    loaded = json.dumps((tmp_path / "review.csv").read_text(encoding="utf-8"))
    page.evaluate(f"load({loaded})")
    assert text(page, "progress") == "1 of 12 reviewed"
    assert saved(page, tmp_path) == before


def test_of_two_verdicts_the_later_one_counts_and_a_broken_table_changes_nothing(page, tmp_path):
    head = "subject,timepoint,rater,reading,level,side,structure,verdict,comment,reviewer,date"
    first = "S0001,pre,A,1,,,,fail,old,KL,2026-11-30\nS0099,pre,,,,,,fail,gone,KL,2026-11-30\n"
    page.evaluate(f"load({json.dumps(head + chr(10) + first)})")
    later = "S0001,pre,A,1,,,,pass,new,KL,2026-12-01\n"
    page.evaluate(f"load({json.dumps(head + chr(10) + later)})")
    page.evaluate(f"load({json.dumps(head + chr(10) + first)})")
    page.evaluate(f"load({json.dumps(head + chr(10) + 'S0001,pre,A,1,,,,perhaps,,,')})")
    assert "Line 2" in text(page, "said")
    assert [(one.subject, one.comment) for one in saved(page, tmp_path)] == [
        ("S0099", "gone"),
        ("S0001", "new"),
    ]


def test_the_latest_verdict_counts_on_a_muscle_however_wide_it_is(page):
    page.press("j", "j", "f", "ArrowRight", "p")
    seen = "exams[1].verdicts.map((one) => one.verdict)"
    assert page.evaluate(seen) == ["pass"] + ["fail"] * 9
    page.press("f", "ArrowLeft")
    time.sleep(1.1)
    page.press("p")
    assert page.evaluate(seen) == ["pass"] * 10
    assert "takes back those on 1 of its muscles" in text(page, "said")
    page.press("z")
    assert page.evaluate(seen) == ["fail"] * 10


def test_flags_of_both_sides_together_are_found_and_shown(tmp_path):
    both = {"side": "both", "structure": "multifidus", "name": "", "slice_indices": "1"}
    rows = [
        {"subject": subject, "timepoint": "pre", "rater": "A", "reading": 1, "level": "L4-L5",
         "n_slices": 1, "tilt_deg": 1.5, "tcsa_mm2": 700.0, **both, **more}
        for subject in ("S1", "S2")
        for more in ({"side": "left", "flags": ""}, {"flags": "grades_differ" * (subject == "S2")})
    ]  # fmt: skip
    write_page(PageContent(rows, (), (), (), tmp_path / "pictures"), tmp_path / "index.html")
    with tab() as page:
        page.open(tmp_path / "index.html", READY)
        page.evaluate("document.querySelector('[data-show=flagged]').click()")
        assert shown(page) == 1
        assert page.evaluate("document.querySelector('[data-show=flagged] b').textContent") == "1"
        page.press("j")
        chip = page.evaluate("document.querySelector('.exam.now .muscle.both .chip').textContent")
        assert chip == "grades_differ"
        write(page, "search", "grades_differ")
        assert shown(page) == 1
        assert page.messages == []


def test_filters_search_and_anchors_find_exams(page):
    assert shown(page) == 13
    write(page, "timepoint", "post")
    assert shown(page) == 6
    write(page, "timepoint", "")
    write(page, "search", "s0003 pre")
    assert shown(page) == 1
    write(page, "search", "")
    page.evaluate("document.querySelector('[data-show=failed]').click()")
    assert shown(page) == 1
    page.evaluate("location.hash = 'S0006_post_A_r1.L5-S1.left.multifidus'")
    page.wait("now.exam?.unit.subject === 'S0006'")
    assert page.evaluate("now.exam.muscles[now.place - 1].level") == "L5-S1"
    assert shown(page) == 13
    write(page, "level", "L4-L5")
    page.wait("document.querySelectorAll('.exam.now .level').length === 1")


def test_exams_far_from_the_window_hold_no_images(page):
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait("exams.at(-1).built !== null && exams[1].built === null")
    assert page.evaluate("exams.at(-1).node.querySelectorAll('img').length") == 6


def test_verdicts_on_an_earlier_measurement_wait_for_a_decision(page, folder, tmp_path):
    page.press("j", "j", "f")
    make_page(10, folder)
    page.open(folder / "index.html", READY)
    assert text(page, "progress") == "0 of 10 reviewed"
    assert "1 verdicts in this browser are of an earlier measurement" in text(page, "said")
    page.evaluate("document.querySelector('#said button').click()")
    assert text(page, "progress") == "1 of 10 reviewed · not saved"
    assert [one.subject for one in saved(page, tmp_path)] == ["S0001"]
