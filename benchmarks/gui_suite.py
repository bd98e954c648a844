"""The tests with windows on each Qt binding: how many, and how long they take."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as Xml

ROOT = Path(__file__).parent.parent

BINDINGS = {"pyqt6": ("PyQt6", ".venv"), "pyside6": ("PySide6", ".venv-pyside6")}
"""What `make test-gui` calls a binding, what packages call it, and where it is installed."""

PAINTED = "PAINTED=1"
"""`make test-gui` is told so to have every window painted all the time."""

SMOKE = ("GUI_TESTS=tests/plugins/test_compat.py", "WORKERS=0")
"""What `make test-gui` is told for a few of the tests."""

PARTS = ("napari", "vispy", "qtpy")

_SAY_VERSIONS = """
import sys
from importlib.metadata import version
print(sys.version.split()[0], *(version(name) for name in sys.argv[1:]))
"""


FAILED, SKIPPED = "failed", "skipped"
_BECAME = {"failure": FAILED, "error": FAILED, "skipped": SKIPPED}

NotPassed = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the tests with windows.

    Parameters
    ----------
    versions
        Of Python, of the binding and of what stands on it, as `name version`.
    tests
        How many.
    not_passed
        What became of each test that did not pass, `failed` or `skipped`, and its name; errors
        count as failures.
    seconds
        From the first test to the last.
    painted
        Whether every window was painted all the time.
    """

    binding: str
    versions: tuple[str, ...]
    tests: int
    not_passed: NotPassed
    seconds: float
    painted: bool = False

    @property
    def failed(self) -> int:
        """How many failed."""
        return sum(what == FAILED for what, _ in self.not_passed)

    @property
    def skipped(self) -> int:
        """How many were skipped."""
        return sum(what == SKIPPED for what, _ in self.not_passed)

    @property
    def good(self) -> bool:
        """Whether all passed."""
        return self.tests > 0 and not self.not_passed


def run(name: str, *options: str) -> Run:
    """Run the tests with windows by `make test-gui`, with options of it.

    Raises
    ------
    subprocess.CalledProcessError
        If the environment cannot be made.
    """
    binding, venv = BINDINGS[name]
    program = shutil.which("make") or "make"
    with tempfile.TemporaryDirectory() as results:
        # Failed tests are named below: no result at all is what is refused here.
        subprocess.run(
            [program, "test-gui", f"QT={name}", f"RESULTS={results}", "PYTEST_ARGS=-q", *options],
            cwd=ROOT, check=False, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        (table,) = Path(results).glob("*.xml")
        found = summary(table)
    names = (binding, *PARTS)
    said = subprocess.run(
        [ROOT / venv / "bin" / "python", "-c", _SAY_VERSIONS, *names],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    versions = tuple(
        f"{what} {which}" for what, which in zip(("Python", *names), said, strict=True)
    )
    return Run(binding, versions, *found, painted=PAINTED in options)


def summary(path: Path) -> tuple[int, NotPassed, float]:
    """Return of a JUnit table how many tests there are, which did not pass, and the seconds."""
    suites = Xml.parse(path).getroot().iter("testsuite")  # noqa: S314 - pytest's own
    (suite,) = suites
    # A test whose window cannot be taken down again fails once more; it is one test.
    not_passed = dict.fromkeys(
        (_BECAME[part.tag], _name(case))
        for case in suite.iter("testcase")
        for part in case
        if part.tag in _BECAME
    )
    return int(suite.attrib["tests"]), tuple(not_passed), float(suite.attrib["time"])


def _name(case: Xml.Element) -> str:
    """Return what pytest is told to run a test again."""
    return f"{case.attrib['classname'].replace('.', '/')}.py::{case.attrib['name']}"


def page(*, smoke: bool) -> tuple[str, bool]:
    """Run the tests on both bindings; the smoke run a few of them on one."""
    asked = [("pyqt6", *SMOKE)] if smoke else [*((name,) for name in BINDINGS), ("pyqt6", PAINTED)]
    runs = [run(*words) for words in asked]
    return as_markdown(runs), all(item.good for item in runs)


def as_markdown(runs: list[Run]) -> str:
    """Write the page."""
    lines = [
        f"| {item.binding}{', painted' if item.painted else ''} | {', '.join(item.versions)} | "
        f"{item.tests} | "
        f"{item.tests - item.failed - item.skipped} | {item.failed} | {item.skipped} | "
        f"{item.seconds:.0f} |"
        for item in runs
    ]
    return (
        "# The plugin's tests on both Qt bindings\n\n"
        "`make test-gui` and `make test-gui QT=pyside6`: every test of the plugin, most of them by "
        "mouse and keys in a real viewer on a virtual screen, as many processes as cores. "
        "A window is painted while a test runs where the test looks at that, and at the end of "
        "every other one; in the last line all the time (`make test-gui PAINTED=1`). "
        "The seconds are this machine's; none may be skipped.\n\n"
        "| binding | versions | tests | passed | failed | skipped | seconds |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
        + "\n".join(lines)
        + "\n"
        + _not_passed(runs)
    )


def _not_passed(runs: list[Run]) -> str:
    """List the tests that did not pass, if there are any."""
    lines = [
        f"- {item.binding}, {what}: `{name}`\n" for item in runs for what, name in item.not_passed
    ]
    return "\n## Not passed\n\n" + "".join(lines) if lines else ""
