"""Files of every kind that lies about in a lab, none of them an image."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = (".dcm", "", ".txt", ".nii", ".nii.gz", ".zip", ".json", ".IMA")


def junk(folder: Path, count: int) -> Path:
    """Write so many files of text into a folder, a third of them empty."""
    folder.mkdir(parents=True)
    for number in range(count):
        content = b"" if number % 3 == 0 else f"junk {number}".encode() * (number % 50)
        (folder / f"{number}{SUFFIXES[number % len(SUFFIXES)]}").write_bytes(content)
    return folder
