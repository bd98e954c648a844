"""What every test may use: hypothesis profiles, the real scans, and no silent skips."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Generator

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
NO_SCANS = "no real scans: ../shared/data is not there"
IN_CI = os.environ.get("CI", "").lower() == "true"

# A window, a table or a plot is made of so many objects that looking through them all takes a
# twentieth of the time; tests that want to know what is left collect it themselves.
gc.set_threshold(50_000, 20, 100)

# Deadlines measure the machine, not the code.
settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# Counting coverage is slow, and what a line needs to be run is seldom the rarest example.
settings.register_profile("coverage", settings.get_profile("ci"), max_examples=5)
settings.register_profile("dev", max_examples=200, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "dev"))


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a case of bytes after its argument: gzip's hold the time, and all processes of a run
    have to find the same names."""
    del config
    return argname if isinstance(val, bytes) else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--no-skips``."""
    parser.addoption("--no-skips", action="store_true", help="a skipped test is a failure")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real scans beside the repository, or skip."""
    if not SHARED_DATA.is_dir():
        pytest.skip(NO_SCANS)
    return SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def _command_line_built_once() -> Generator[None]:
    """Let typer's test runner build the command line once: every run of it would, for 50 ms."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command))
        yield


@pytest.fixture(autouse=True)
def _cases_measured_here(request: pytest.FixtureRequest) -> Generator[None]:
    """Measure cohorts in the test's own process, unless the test is marked ``processes``."""
    with pytest.MonkeyPatch.context() as patch:
        if request.node.get_closest_marker("processes") is None:
            from tests.support.here import measure_here

            measure_here(patch)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where nothing may be skipped."""
    report = yield
    if item.config.getoption("--no-skips"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn the skip of a whole file into a failure, too."""
    report = yield
    if collector.config.getoption("--no-skips"):
        _refuse_skip(report)
    return report


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare the tests themselves from garbage collection."""
    _spare_what_is_there(session.config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Spare what was imported since, before anything of this test is there."""
    if len(sys.modules) > item.config.stash[_MODULES_SPARED] + MANY_MODULES:
        _spare_what_is_there(item.config)


_MODULES_SPARED = pytest.StashKey[int]()

MANY_MODULES = 200


def _spare_what_is_there(config: pytest.Config) -> None:
    """Spare what lives as long as the run from garbage collection.

    Modules and thousands of tests are millions of objects. Every full collection would look through
    them all, and statsmodels and matplotlib ask for one at every turn: a quarter of the time.
    """
    gc.collect()
    gc.freeze()
    config.stash[_MODULES_SPARED] = len(sys.modules)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line how much was not tested for want of real scans."""
    skipped = terminalreporter.stats.get("skipped", ())
    count = sum(NO_SCANS in str(report.longrepr) for report in skipped)
    if count:
        terminalreporter.write_line(
            f"{count} tests that read real scans were skipped: ../shared/data is not there"
        )


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"skipped where no test may be skipped: {reason}"
