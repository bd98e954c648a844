"""The tutorial runs as it stands and prints what it shows."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent.parent / "scripts" / "tutorial.py"


@pytest.fixture(scope="module")
def tutorial():
    spec = importlib.util.spec_from_file_location("tutorial", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["tutorial"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["tutorial"]


def page(code, shown=""):
    return f"# T\n\n```python\n{code}\n```\n" + (f"\n```text\n{shown}\n```\n" if shown else "")


@pytest.mark.slow
def test_the_tutorial_prints_what_it_shows():
    done = subprocess.run(  # noqa: S603
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "ran and printed what the page shows" in done.stdout


@pytest.mark.parametrize(
    ("shown", "alike"),
    [("area 12.5 mm", True), ("area  9.71 mm", True), ("size 12.5 mm", False), ("", False)],
)
def test_numbers_may_differ_and_words_may_not(tutorial, tmp_path, shown, alike):
    steps = tutorial.steps_of(page("print('area 12.5 mm')", shown))
    printed = tutorial.run(steps, tmp_path)
    assert (tutorial.differences(steps, printed) == []) is alike


def test_what_was_printed_is_written_below_its_block_once(tutorial, tmp_path):
    text = page("x = 3\nprint(x)") + "between\n\n```sh\necho there\n```\nend\n"
    steps = tutorial.steps_of(text)
    printed = tutorial.run(steps, tmp_path)
    assert printed == ["3\n", "there\n"]
    once = tutorial.written(text, steps, printed)
    assert "```\n\n```text\n3\n```\nbetween" in once
    again = tutorial.steps_of(once)
    assert tutorial.differences(again, printed) == []
    assert tutorial.written(once, again, printed) == once


def test_a_block_that_fails_ends_the_run(tutorial, tmp_path):
    steps = tutorial.steps_of("```sh\nfalse\necho no\n```\n")
    with pytest.raises(SystemExit, match="exit code 1"):
        tutorial.run(steps, tmp_path)
