"""Every error a user can meet.

::

    MultifidusError
    ├── ReadError        (OSError)          a file or folder cannot be read as what it should be
    ├── WriteError       (FileExistsError)  writing would overwrite something nobody asked to lose
    ├── GeometryError    (ValueError)       planes, grids or matrices that cannot be right
    ├── RoiError         (ValueError)       an outline that is malformed or does not fit its image
    ├── LevelError       (ValueError)       landmarks or levels that contradict each other
    ├── ProtocolError    (ValueError)       a measurement protocol that contradicts itself
    ├── CohortError      (ValueError)       a cohort table with missing, repeated or unknown entries
    └── StatisticsError  (ValueError)       numbers from which a statistic cannot be computed

Each is also the builtin named beside it. A message says what is wrong and where; the remedy
says what to do about it and is kept apart, so that a table of failures can have it as a column.
Doubtful is not wrong: a doubtful number is reported with a :class:`~multifidus.data.flags.Flag`.
"""

from __future__ import annotations


class MultifidusError(Exception):
    """Base of every error that multifidus raises on purpose.

    Parameters
    ----------
    message
        What is wrong, and where: a path, a key, expected and got.
    remedy
        What the user can do about it; one sentence.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class ReadError(MultifidusError, OSError):
    """A file or folder cannot be read as what it should be."""


class WriteError(MultifidusError, FileExistsError):
    """Writing would overwrite something that nobody asked to lose."""


class GeometryError(MultifidusError, ValueError):
    """Planes, grids or matrices that cannot be right, or do not belong together."""


class RoiError(MultifidusError, ValueError):
    """An outline that is malformed or does not fit its image."""


class LevelError(MultifidusError, ValueError):
    """Landmarks or levels that contradict each other, or do not belong to the images."""


class ProtocolError(MultifidusError, ValueError):
    """A measurement protocol that contradicts itself."""


class CohortError(MultifidusError, ValueError):
    """A cohort table with missing, repeated or unknown entries."""


class StatisticsError(MultifidusError, ValueError):
    """Numbers from which a statistic cannot be computed, or not as was asked."""
