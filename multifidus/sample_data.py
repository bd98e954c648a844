"""Where the sample exams are: inside an installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from multifidus.errors import ReadError

_PACKAGE = Path(__file__).parent


def sample_dir() -> Path:
    """Return the folder of the sample exam pair (phantom, pre and post).

    Raises
    ------
    ReadError
        If this copy of multifidus came without it.
    """
    for folder in (_PACKAGE / "_sample_data", _PACKAGE.parent / "sample_data"):
        if (folder / "cohort.csv").is_file():
            return folder
    msg = f"The sample exams are not beside {_PACKAGE}."
    raise ReadError(msg, remedy="Install multifidus again.")
