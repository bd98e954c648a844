"""Finishing one case of a run: measured, drawn, and its record written."""

from __future__ import annotations

import datetime
import errno
import hashlib
import platform
import time
from dataclasses import dataclass
from pathlib import Path

from multifidus.data.cohort import Case
from multifidus.data.drawing import AS_USUAL, PictureStyle
from multifidus.errors import MultifidusError
from multifidus.study.batch import Failure, Measured, measure_cases
from multifidus.study.pictures import draw_pictures
from multifidus.study.results_folder import PICTURES
from multifidus.study.run.content import RunSettings, content_of
from multifidus.study.run.last_exam import LastExam
from multifidus.study.run.record import Pictures, record_of, with_facts
from multifidus.study.run.record_files import record_path, write_record

OF_THE_MACHINE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EIO}
)
"""Faults of writing that are no fault of a picture: the next case would meet them as well."""


@dataclass(frozen=True, slots=True)
class CaseSettings:
    """How cases of a run are finished.

    Parameters
    ----------
    folder
        The results folder.
    settings
        What their rows depend on.
    contrasts
        The user's own table of contrasts.
    pictures
        Whether to draw.
    part
        Folder of its own for what is unpacked, where others unpack beside it.
    drawing
        Which slices are drawn, and in what format.
    """

    folder: Path
    settings: RunSettings
    contrasts: Path | None = None
    pictures: bool = True
    part: str = ""
    drawing: PictureStyle = AS_USUAL


def finish_case(case: Case, how: CaseSettings, last: LastExam) -> Path:
    """Measure a case, draw it, and write its record, which is there only when all else is.

    Parameters
    ----------
    case
        What is measured.
    how
        In what way.
    last
        The exam of the case before, of which this case may be another reading.

    Returns
    -------
    Path
        The record.

    Raises
    ------
    OSError
        If the machine does not let it write; nothing of the case is kept then.
    """
    begun, used = time.monotonic(), time.process_time()
    started = datetime.datetime.now(datetime.UTC)
    content = content_of(case, how.settings, last.hashes)
    (outcome,) = measure_cases([case], how.settings.protocol, how.contrasts, last.read)
    pictures, undrawn = _drawn(outcome, how)
    facts = {
        "key": content.key,
        "settings": how.settings.digest,
        "files": dict(content.files),
        "cells": dict(content.cells),
        "undrawn": undrawn,
        "drawn": how.drawing.words,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - begun, 3),
        "cpu_s": round(time.process_time() - used, 3),
        "python": platform.python_version(),
    }
    record = with_facts(record_of(outcome, pictures), facts)
    rows = outcome.rows if isinstance(outcome, Measured) else ()
    path = record_path(how.folder, content.key)
    write_record(record, rows, path)
    return path


def _drawn(outcome: Measured | Failure, how: CaseSettings) -> tuple[Pictures | None, str]:
    """Draw a case; a picture that cannot be drawn fails nothing but itself, and is said."""
    if isinstance(outcome, Failure) or not how.pictures:
        return None, ""
    try:
        return draw_pictures(outcome, how.folder / PICTURES, how.drawing), ""
    except MultifidusError as error:
        return (), str(error)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in OF_THE_MACHINE:
            raise
        return (), f"{type(error).__name__}: {error}"


def write_failure(failure: Failure, how: CaseSettings, seconds: float) -> Path:
    """Write the record of a case that ended with its process.

    It is done again in the next run whatever its content, so that the record is named after the
    case alone.
    """
    facts = {"settings": how.settings.digest, "seconds": seconds}
    record = with_facts(record_of(failure), facts)
    name = hashlib.sha256(repr(failure.case.reading).encode()).hexdigest()
    path = record_path(how.folder, name)
    write_record(record, (), path)
    return path
