"""Results folders that cannot be written to, are taken, or are of an older version."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cluster.tiny import TinyCohort, records_in, tiny_cohort
from multifidus.study.run.record_files import read_record, read_rows

JOBS = ("--jobs", "2")

WAIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What became of runs into one folder.

    Parameters
    ----------
    what
        What was in the way.
    code
        What the run exited with that met it.
    said
        What it said of it.
    kept
        Cases that were finished then.
    problems
        What is not as it should be, at the obstacle or after it.
    """

    what: str
    code: int
    said: str
    kept: int
    problems: tuple[str, ...] = ()


def no_mounts() -> str:
    """Say why no file systems can be mounted here; empty where they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "mounting takes root on Linux"
    with tempfile.TemporaryDirectory() as name:
        try:
            _system("mount", "-t", "tmpfs", "tmpfs", name)
        except (OSError, subprocess.CalledProcessError):
            return "file systems cannot be mounted here"
        _system("umount", name)
    return ""


def _system(*words: str | Path) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True)


@contextmanager
def _mounted(folder: Path, kb: int) -> Iterator[Path]:
    """Yield a folder on a small drive of its own."""
    folder.mkdir()
    _system("mount", "-t", "tmpfs", "-o", f"size={kb}k", "tmpfs", folder)
    try:
        yield folder
    finally:
        _system("umount", folder)


def _remount(folder: Path, how: str) -> None:
    _system("mount", "-o", f"remount,{how}", folder)


def _run(cohort: TinyCohort, out: Path, *words: str) -> tuple[int, str]:
    process = cohort.begin(out, *(words or JOBS))
    _, said = process.communicate(timeout=WAIT_S)
    return process.returncode, said


def full_disk(cohort: TinyCohort, folder: Path, kb: int, *words: str) -> Obstacle:
    """Measure into a drive that gets full, then give it room."""
    words = (*JOBS, *words)
    by = f" ({' '.join(words[2:])})" if words[2:] else ""
    with _mounted(folder, kb) as out:
        code, said = _run(cohort, out, *words)
        before = records_in(out)
        problems = [*_half_written(out), *_expected(code, 4, said, "No space left")]
        _remount(out, "size=100m")
        problems += _completes(cohort, out, before, *words)
    return Obstacle(f"full disk, {kb} kB{by}", code, _told(said), len(before), tuple(problems))


def read_only(cohort: TinyCohort, folder: Path, begun: int) -> Obstacle:
    """Measure into a drive that is read-only, with so many cases measured before."""
    with _mounted(folder, 100_000) as out:
        if begun:
            _run(cohort, out, *JOBS, "--limit", str(begun))
        before = records_in(out)
        _remount(out, "ro")
        code, said = _run(cohort, out)
        problems = [*_expected(code, 4, said, "Read-only file system")]
        _remount(out, "rw")
        problems += _completes(cohort, out, before)
    what = f"read-only folder, {begun or 'no'} cases done before"
    return Obstacle(what, code, _told(said), len(before), tuple(problems))


def two_at_once(cohort: TinyCohort, folder: Path, times: int) -> Obstacle:
    """Begin two runs into one folder at the same moment, again and again."""
    problems, kept, code, said = [], 0, 0, ""
    for number in range(times):
        out = folder / str(number)
        begun = [cohort.begin(out, "--jobs", "1") for _ in range(2)]
        ended = [(process.communicate(timeout=WAIT_S)[1], process) for process in begun]
        (_, first), (said, last) = sorted(ended, key=lambda item: item[1].returncode)
        code = last.returncode
        if (first.returncode, code) != (0, 3):
            problems.append(f"exit codes {first.returncode} and {code}")
        if f"process {first.pid} on " not in said:
            problems.append(f"the run that is refused does not name the other: {said}")
        if not cohort.is_equal(out):
            problems.append("other tables")
        kept = len(records_in(out))
    what = f"two runs at once, {times} times"
    return Obstacle(what, code, _told(said), kept, tuple(problems))


def older_version(cohort: TinyCohort, folder: Path, what: str) -> Obstacle:
    """Go on in a folder of another version, or of another format of records."""
    _run(cohort, folder)
    facts = json.loads((folder / "run.json").read_text())
    facts |= {"version": "0.0.1"} if what == "version" else {"format": facts["format"] - 1}
    (folder / "run.json").write_text(json.dumps(facts))
    if what == "format of records":
        for path in folder.glob("cases/??/*.jsonl"):
            record = json.loads(path.read_text().splitlines()[0])
            path.write_text(json.dumps(record | {"areas": None}) + "\n{}\n")
    before = _contents(folder)
    code, said = _run(cohort, folder)
    words = "version 0.0.1, not " if what == "version" else "format "
    problems = [*_expected(code, 3, said, words)]
    if _contents(folder) != before:
        problems.append("the refused run changed the folder")
    old = records_in(folder)
    problems += _completes(cohort, folder, {}, *JOBS, "--overwrite")
    after = records_in(folder)
    if len(after) != cohort.number or any(after[n] == old[n] for n in after if n in old):
        problems.append("not all were measured anew, or old records were left")
    return Obstacle(f"older {what}", code, _told(said), len(old), tuple(problems))


def _expected(code: int, wanted: int, said: str, words: str) -> Iterator[str]:
    if code != wanted:
        yield f"exit code {code}, not {wanted}"
    if words not in said or "Traceback" in said:
        yield f"it says: {said[-500:]}"


def _completes(cohort: TinyCohort, out: Path, before: dict[str, int], *words: str) -> Iterator[str]:
    """Run again where nothing is in the way; yield what is not as it should be then."""
    code, said = _run(cohort, out, *words)
    after = records_in(out)
    if code:
        yield f"the run after it exits with {code}: {said[-500:]}"
    if not cohort.is_equal(out):
        yield "the run after it makes other tables"
    if any(after.get(name) != written for name, written in before.items()):
        yield "the run after it measures again what was done"


def _half_written(out: Path) -> Iterator[str]:
    for path in out.glob("cases/??/[!.]*.jsonl"):
        try:
            read_record(path)
            read_rows(path)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            yield f"{path.name} is half written: {error}"
    yield from (f"{path.name} is left" for path in out.rglob(".*.*.json*"))


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _told(said: str) -> str:
    """Return what a run said of what was in the way, without its remedy and other folders."""
    lines = [line for line in said.splitlines() if line.startswith("multifidus:")]
    words = (" ".join(lines) or said[-200:]).removeprefix("multifidus: ").partition(". ")[0]
    return re.sub(r"/\S*/(?=\S)", "", words)


def met(folder: Path, *, smoke: bool) -> Iterator[Obstacle]:
    """Yield what becomes of runs at each obstacle."""
    number, times = (4, 2) if smoke else (12, 20)
    cohort = tiny_cohort(folder / "study", number)
    yield two_at_once(cohort, folder / "two", times)
    for what in ("version", "format of records"):
        yield older_version(cohort, folder / what.replace(" ", "_"), what)
    if no_mounts():
        return
    yield read_only(cohort, folder / "ro_0", 0)
    if smoke:
        yield full_disk(cohort, folder / "full", 100)
        return
    yield read_only(cohort, folder / "ro_5", 5)
    whole = folder / "study" / "whole"
    all_kb = sum(path.stat().st_size for path in whole.rglob("*") if path.is_file()) // 1024
    for place, share in enumerate((0.1, 0.4, 0.7, 0.95)):
        yield full_disk(cohort, folder / f"full_{place}", int(share * all_kb))
    yield full_disk(cohort, folder / "full_dask", int(0.4 * all_kb), "--executor", "dask")
