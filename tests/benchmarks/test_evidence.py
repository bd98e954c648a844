"""What the pages of evidence say of what went wrong, and of what was not looked at."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as speed, evidence, gui_suite
from benchmarks.speed import live

CASES = (
    ("test_a", "test_of_what_is_good", ""),
    ("test_a", "test_of_what_is_not[a b]", '<failure message="x">no</failure>'),
    ("test_b", "test_without_a_window", '<error message="x">no</error>'),
    ("test_b", "test_left_out", '<skipped message="x">no</skipped>'),
)
TABLE = f"""<testsuites>
<testsuite name="pytest" tests="{len(CASES)}" failures="1" errors="1" skipped="1" time="9.5">
{
    "".join(
        f'<testcase classname="tests.plugins.{file}" name="{name}">{what}</testcase>'
        for file, name, what in CASES
    )
}
</testsuite>
</testsuites>"""


def test_the_page_of_window_tests_names_those_that_did_not_pass(tmp_path):
    table = tmp_path / "gui.xml"
    table.write_text(TABLE)
    tests, not_passed, seconds = gui_suite.summary(table)
    assert (tests, seconds) == (4, 9.5)
    run = gui_suite.Run("PyQt6", ("Python 3",), tests, not_passed, seconds)
    assert (run.failed, run.skipped, run.good) == (2, 1, False)
    text = gui_suite.as_markdown([run])
    assert "| 4 | 1 | 2 | 1 | 10 |" in text
    for line in (
        "- PyQt6, failed: `tests/plugins/test_a.py::test_of_what_is_not[a b]`",
        "- PyQt6, failed: `tests/plugins/test_b.py::test_without_a_window`",
        "- PyQt6, skipped: `tests/plugins/test_b.py::test_left_out`",
    ):
        assert line in text.splitlines()
    assert "test_of_what_is_good" not in text


def test_the_page_of_window_tests_has_no_list_where_all_passed():
    run = gui_suite.Run("PyQt6", ("Python 3",), 3, (), 9.5)
    assert run.good
    assert "Not passed" not in gui_suite.as_markdown([run])


@pytest.mark.parametrize("smoke", [True, False])
def test_speed_without_a_display_says_what_was_left_out(monkeypatch, capsys, smoke):
    monkeypatch.setattr(live, "can_run", lambda: False)
    monkeypatch.setattr(speed, "compare", lambda repeats: [])
    found = evidence.speed_and_memory(smoke=smoke)
    assert "Not compared: " in found.text
    assert "no display" in found.text
    assert "Not compared: " in capsys.readouterr().err
    assert found.good == smoke


def test_speed_with_a_display_leaves_nothing_out(monkeypatch, capsys):
    monkeypatch.setattr(live, "can_run", lambda: True)
    monkeypatch.setattr(speed, "compare", lambda repeats: [])
    found = evidence.speed_and_memory(smoke=False)
    assert found.good
    assert "Not compared" not in found.text + capsys.readouterr().err
