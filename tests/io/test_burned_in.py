"""Text in the pixels: warned about where headers give cause; no header proves there is none."""

from __future__ import annotations

import numpy as np
import pytest

from multifidus.errors import ReadError
from multifidus.io.identifiers import DECLARED, NO_MODALITY, SECONDARY, burned_in
from tests.support.dicoms import classic, write
from tests.support.exams import axial_plane

CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


def file(path, **values):
    dataset = classic(axial_plane(), np.zeros((8, 8), np.uint16))
    for name, value in values.items():
        setattr(dataset, name, value)
    return write(dataset, path)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"BurnedInAnnotation": "YES"}, DECLARED),
        ({"SOPClassUID": CAPTURE}, SECONDARY),
        ({"SOPClassUID": CAPTURE + ".4", "BurnedInAnnotation": "YES"}, DECLARED),
        ({"Modality": "OT"}, NO_MODALITY),
        ({"Modality": ""}, NO_MODALITY),
        ({"SOPClassUID": CAPTURE, "BurnedInAnnotation": "NO"}, None),
        ({"Modality": "MR"}, None),
    ],
)
def test_what_a_header_says(tmp_path, values, reason):
    path = file(tmp_path / "Doe.dcm", **{"Modality": "MR", **values})
    expected = () if reason is None else (f"1 file: {reason}",)
    assert burned_in([path]) == expected


def test_files_are_counted_not_named(tmp_path):
    for number in range(3):
        file(tmp_path / f"Doe{number}.dcm", Modality="MR", BurnedInAnnotation="YES")
    (tmp_path / "notes.txt").write_text("no image")
    found = burned_in([tmp_path])
    assert found == (f"3 files: {DECLARED}",)
    assert "Doe" not in " ".join(found)
    with pytest.raises(ReadError):
        burned_in([tmp_path / "none"])
