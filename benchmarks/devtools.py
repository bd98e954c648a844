"""A page driven as a person would: keys, screenshots, memory; through the pipe of Chromium."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.browser import OPTIONS, chromium

_LIMIT_S = 60.0

_HIGH = 10

_LAUNCH = """import os, sys
for given, wanted in zip(sys.argv[1:3], (3, 4)):
    os.dup2(int(given), wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""

_CODES = {"ArrowDown": 40, "ArrowUp": 38, "ArrowRight": 39, "ArrowLeft": 37, "Enter": 13,
          "Escape": 27}  # fmt: skip


@dataclass(slots=True)
class Tab:
    """A tab of a browser without a window.

    Parameters
    ----------
    to, back
        Descriptors of the two pipes: commands and answers, each ended by a zero byte.
    process
        The browser.
    session
        Of the tab, among others of the browser.
    messages
        Of the page's console, and errors of its scripts.
    """

    to: int
    back: int
    process: subprocess.Popen[bytes]
    session: str = ""
    messages: list[str] = field(default_factory=list)
    _number: int = 0
    _read: bytes = b""
    _events: list[dict[str, Any]] = field(default_factory=list)

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol; returns its result."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": params}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.to, json.dumps(command).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    msg = f"{method}: {answer['error']['message']}"
                    raise RuntimeError(msg)
                result: dict[str, Any] = answer["result"]
                return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            if not select.select([self.back], [], [], _LIMIT_S)[0]:
                msg = "The browser does not answer."
                raise TimeoutError(msg)
            read = os.read(self.back, 1 << 20)
            if not read:
                msg = "The browser has ended."
                raise RuntimeError(msg)
            self._read += read
        text, _, self._read = self._read.partition(b"\0")
        answer: dict[str, Any] = json.loads(text)
        if answer.get("method") == "Runtime.exceptionThrown":
            self.messages.append(json.dumps(answer["params"]["exceptionDetails"]))
        if answer.get("method") in {"Runtime.consoleAPICalled", "Log.entryAdded"}:
            self.messages.append(json.dumps(answer["params"]))
        return answer

    def evaluate(self, script: str) -> Any:
        """Return what a script in the page gives."""
        found = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(json.dumps(found["exceptionDetails"]))
        return found["result"].get("value")

    def open(self, page: Path, script: str = "document.readyState === 'complete'") -> float:
        """Open a page and wait until a script says it is there; returns the seconds it took."""
        begun = time.monotonic()
        self.ask("Page.navigate", url=page.as_uri())
        self.wait(script)
        return time.monotonic() - begun

    def wait(self, script: str) -> None:
        """Wait until a script in the page gives true."""
        ends = time.monotonic() + _LIMIT_S
        while time.monotonic() < ends:
            with contextlib.suppress(RuntimeError):
                if self.evaluate(script) is True:
                    return
            time.sleep(0.02)
        msg = f"The page never came to: {script}"
        raise TimeoutError(msg)

    def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            text = {"text": "\r"} if key == "Enter" else {}
            facts: dict[str, Any] = {"key": key, **text}
            if len(key) == 1:
                facts["text"] = key
            facts["windowsVirtualKeyCode"] = _CODES.get(key, ord(key.upper()[0]))
            self.ask("Input.dispatchKeyEvent", type="keyDown", **facts)
            self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)

    def resize(self, width: int, height: int, scheme: str = "light") -> None:
        """Give the page another size, and the light or dark colours."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)  # fmt: skip
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", features=[feature])

    def screenshot(self, path: Path) -> None:
        """Write what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))

    def downloads_to(self, folder: Path) -> None:
        """Let files that the page saves go to a folder."""
        self.ask("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def memory_mb(self) -> tuple[float, float]:
        """Return the memory of the page's process, and of the whole browser, each share once."""
        kinds: dict[str, float] = {}
        total = 0.0
        for pid, command in _below(self.process.pid):
            used = _proportional_mb(pid)
            kind = "renderer" if "--type=renderer" in command else "other"
            kinds[kind] = max(kinds.get(kind, 0.0), used)
            total += used
        return kinds.get("renderer", 0.0), total


@contextlib.contextmanager
def tab() -> Iterator[Tab]:
    """Start a browser with one empty tab, and end it."""
    program = chromium()
    assert program is not None  # noqa: S101 - asked before
    import fcntl  # not on every system

    command_read, command_write = os.pipe()
    answer_read, answer_write = os.pipe()
    # Beyond those that the browser is to have: it reads commands from 3 and answers to 4.
    passed = [fcntl.fcntl(one, fcntl.F_DUPFD, _HIGH) for one in (command_read, answer_write)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _LAUNCH, *map(str, passed), program, *OPTIONS,
             "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            pass_fds=passed, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for one in passed:
            os.close(one)
        os.close(command_read)
        os.close(answer_write)
        found = Tab(command_write, answer_read, process)
        try:
            targets = found.ask("Target.getTargets")["targetInfos"]
            page = next(item for item in targets if item["type"] == "page")
            attached = found.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)
            found.session = attached["sessionId"]
            for domain in ("Page", "Runtime", "Log"):
                found.ask(f"{domain}.enable")
            yield found
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            os.close(command_write)
            os.close(answer_read)


def _below(pid: int) -> Iterator[tuple[int, str]]:
    """Yield a process and all that it started, with their command lines."""
    parents: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(place.read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(place.parent.name))
    waiting = [pid]
    while waiting:
        now = waiting.pop()
        waiting += parents.get(now, [])
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{now}/cmdline").read_bytes().replace(b"\0", b" ")
            yield now, words.decode(errors="replace")


def _proportional_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
