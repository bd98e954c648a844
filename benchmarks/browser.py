"""A page as a browser without a window sees it: what it asks for, holds, and gets wrong."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome")

OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # Nothing leaves the computer, whatever the page or the browser itself asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip

_OF_BROWSER = "not an origin"
"""Who asks where the browser itself does."""

_LIMIT_S = 120


@dataclass(frozen=True, slots=True)
class Seen:
    """What a browser says of a page.

    Parameters
    ----------
    requests
        Addresses that the page asked for, besides itself.
    messages
        Of its console: errors of scripts among them.
    ids
        Of the elements that the page holds once it is loaded.
    """

    requests: tuple[str, ...]
    messages: tuple[str, ...]
    ids: frozenset[str]


def chromium() -> str | None:
    """Return where a Chromium is; None where there is none."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


def see(page: Path) -> Seen:
    """Open a page."""
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "net.json"
        done = _run(page, "--enable-logging=stderr", f"--log-net-log={log}", "--dump-dom")
        asked = _requests(json.loads(log.read_text(encoding="utf-8")))
    return Seen(
        tuple(url for url in asked if url != page.as_uri()),
        tuple(line for line in done.stderr.splitlines() if ":CONSOLE" in line),
        frozenset(re.findall(r"""\bid=["']([^"']+)""", done.stdout)),
    )


def pages_on_paper(page: Path) -> int:
    """Count the sheets of paper that a page takes."""
    with tempfile.TemporaryDirectory() as name:
        target = Path(name) / "page.pdf"
        _run(page, f"--print-to-pdf={target}", "--no-pdf-header-footer")
        return len(re.findall(rb"/Type\s*/Page\b(?!s)", target.read_bytes()))


def _run(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    program = chromium()
    assert program is not None  # noqa: S101 - asked before
    with tempfile.TemporaryDirectory() as profile:
        command = [program, *OPTIONS, f"--user-data-dir={profile}", *options, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=True)


def _requests(log: dict[str, object]) -> list[str]:
    """Return what pages asked for, from a log of the network; data of the page itself is none."""
    constants, events = log["constants"], log["events"]
    assert isinstance(constants, dict)  # noqa: S101 - the format of the log
    assert isinstance(events, list)  # noqa: S101
    start = constants["logEventTypes"]["URL_REQUEST_START_JOB"]
    started = [event.get("params", {}) for event in events if event["type"] == start]
    asked = [params for params in started if "url" in params]
    return [
        one["url"]
        for one in asked
        if one.get("initiator") != _OF_BROWSER and not one["url"].startswith(("data:", "blob:"))
    ]
