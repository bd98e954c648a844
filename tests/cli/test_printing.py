"""Tables as they come out of a terminal that is wide, narrow, or none."""

from __future__ import annotations

import io

import pytest

from multifidus.cli import printing
from multifidus.cli.printing import counting, print_groups, print_remark, progress

HEADINGS = ("no.", "view", "matrix", "series")
GROUPS = (
    ("first exam", [["1", "axial", "320 x 320", "...1"], ["2", "sagittal", "4 x 4", "...2"]]),
    ("second exam", [["10", "axial", "4 x 4", "...3"]]),
)


def printed(capsys, monkeypatch, width: float) -> tuple[list[str], str]:
    monkeypatch.setattr(printing, "terminal_width", lambda: width)
    print_groups(HEADINGS, GROUPS, ("series", "matrix", "never there"))
    out, err = capsys.readouterr()
    return out.splitlines(), err


def test_rows_stand_under_their_groups_title_and_columns_under_their_heading(capsys, monkeypatch):
    lines, err = printed(capsys, monkeypatch, 200)
    assert lines == [
        "no.  view         matrix  series",
        "---  --------  ---------  ------",
        "first exam",
        "  1  axial     320 x 320  ...1",
        "  2  sagittal      4 x 4  ...2",
        "second exam",
        " 10  axial         4 x 4  ...3",
    ]
    assert err == ""


@pytest.mark.parametrize(
    ("width", "left_out"), [(32, ""), (31, "series"), (24, "series"), (23, "series; matrix")]
)
def test_a_narrow_terminal_loses_spare_columns_in_their_order_and_says_so(
    capsys, monkeypatch, width, left_out
):
    lines, err = printed(capsys, monkeypatch, width)
    assert all(len(line) <= width for line in lines)
    assert err == (f"The terminal is too narrow for the columns {left_out}.\n" if left_out else "")


def test_remarks_are_wrapped_to_the_terminal_and_left_alone_in_files(capsys, monkeypatch):
    remark = "1: " + "word " * 30 + "end"
    print_remark(remark)
    assert capsys.readouterr().out == f"{remark}\n"
    monkeypatch.setattr(printing, "terminal_width", lambda: 40)
    print_remark(remark)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert all(len(line) <= 40 for line in lines)
    assert " ".join(" ".join(lines).split()) == remark


class Terminal(io.StringIO):
    """A standard error that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("is_terminal", [True, False])
def test_progress_is_shown_on_a_terminal_and_nowhere_else(monkeypatch, is_terminal):
    stream = Terminal() if is_terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with counting("reading headers") as step:
        step(1, 2)
    with progress(2, "cases") as done:
        done("S01 pre")
    assert ("reading headers" in stream.getvalue()) is is_terminal
    assert ("S01 pre" in stream.getvalue()) is is_terminal
