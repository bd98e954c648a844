"""Mosaics are parted where their private header allows, and refused where it does not."""

from __future__ import annotations

import gzip
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from multifidus.data.geometry import Plane
from multifidus.io.scan import scan
from tests.support.dicoms import write
from tests.support.mosaics import COLUMNS, FINEST_MM, ROWS, mosaic
from tests.support.strategies import numbers, planes


@given(
    planes().filter(lambda plane: np.abs(plane.origin_mm).max() < 300),
    st.integers(1, 17),
    numbers(0.5, 8).flatmap(lambda step: st.sampled_from([(step, 1), (step, -1)])),
)
def test_every_voxel_of_every_tile_lies_where_it_was_acquired(tmp_path_factory, plane, count, way):
    step_mm, along = way
    dataset, expected = mosaic(plane, count, step_mm, along=along)
    path = write(dataset, tmp_path_factory.getbasetemp() / "mosaic.dcm")
    (exam,) = scan(path).exams
    (series,) = exam.series
    assert len(series.slices) == count
    assert len(series.stacks) == 1
    by_uid = {item.uid: item for item in series.slices}
    for k, plane_of_tile in enumerate(expected):
        item = by_uid[f"{dataset.SOPInstanceUID}#{k + 1}"]
        assert item.plane.to_patient([(0, 0), (5, 7)]) == pytest.approx(
            plane_of_tile.to_patient([(0, 0), (5, 7)]), abs=1e-3
        )
        at = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
        apart = item.pixels.ravel() - item.plane.to_patient(at)[:, 2]
        assert np.abs(apart).max() <= FINEST_MM


LOST = {
    "no private header": "was lost",
    "no count": "was lost",
    "no direction": "was lost",
    "no distance": "how far they are apart",
    "numbered from the other end": "from the other end",
    "another direction": "another direction",
    "a count that does not fill": "do not fill",
    "an absurd count": "do not fill",
    "a damaged private header": "Damaged DICOM header",
}


@pytest.mark.parametrize("what", sorted(LOST))
def test_a_mosaic_that_lost_what_parts_it_is_refused(tmp_path, what):
    plane = Plane((0, 0, 0), (0, 1, 0), (1, 0, 0))
    changed = {
        "no count": {"NumberOfImagesInMosaic": None},
        "no direction": {"SliceNormalVector": None},
        "numbered from the other end": {"ProtocolSliceNumber": ("IS", [3])},
        "another direction": {"SliceNormalVector": ("FD", ["0.6", "0", "0.8"])},
        "a count that does not fill": {"NumberOfImagesInMosaic": ("US", [5])},
        "an absurd count": {"NumberOfImagesInMosaic": ("US", [10**9])},
    }
    dataset, _ = mosaic(plane, 4, 5.0, **changed.get(what, {}))
    if what == "no private header":
        dataset.remove_private_tags()
    if what == "no distance":
        del dataset.SpacingBetweenSlices
    if what == "a damaged private header":
        dataset[0x0029, 0x1010].value = dataset[0x0029, 0x1010].value[:90]
    found = scan(write(dataset, tmp_path / "a.dcm"))
    assert found.exams == ()
    assert LOST[what] in found.skipped[0].reason


def test_a_real_mosaic_lies_where_spm_puts_it(tmp_path):
    import nibabel

    packed = Path(nibabel.__file__).parent / "nicom" / "tests" / "data" / "siemens_dwi_0.dcm.gz"
    if not packed.is_file():
        pytest.fail("nibabel comes without its test data")
    path = tmp_path / "a.dcm"
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    (exam,) = scan(path).exams
    (series,) = exam.series
    # From SPM's conversion of this very file, as nibabel's tests have it; to RAS, (column, row).
    spm = np.array(
        [
            [-1.796875, 0, 0, 115],
            [0, -1.79684984, -0.01570896, 135.028779],
            [0, -0.00940843750, 2.99995887, -78.710481],
        ]
    )
    assert len(series.slices) == 48
    for k, item in enumerate(series.slices):
        place = item.plane.to_patient([(0, 0), (127, 100)])
        ras = [spm @ (column, row, k, 1) for row, column in ((0, 0), (127, 100))]
        assert place * (-1, -1, 1) == pytest.approx(np.array(ras), abs=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nibabel.nicom.dicomwrappers import wrapper_from_file

        theirs = wrapper_from_file(path).get_data()
    for k, item in enumerate(series.slices):
        assert item.pixels.tolist() == theirs[:, :, k].tolist()
