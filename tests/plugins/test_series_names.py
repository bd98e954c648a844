"""Series in lists are told apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hypothesis import given, strategies as st
from napari_multifidus.models.opening import find_exams
from napari_multifidus.models.series_names import file_names, names_of

from multifidus.data.acquisition import Acquisition
from multifidus.data.image import Weighting
from multifidus.sample_data import sample_dir
from tests.plugins.conftest import make_sagittal, make_series

TWINS = make_sagittal("5.1"), make_sagittal("5.2")


def test_a_series_alone_of_its_kind_has_the_plain_words():
    t1 = replace(make_sagittal("5.3"), weighting=Weighting.T1)
    assert names_of((TWINS[0], t1)) == ("sagittal T2, 3 slices", "sagittal T1, 3 slices")


def test_what_differs_is_named_and_nothing_else():
    late = replace(TWINS[1], acquisition=Acquisition(echo_time_ms=102.0, repetition_time_ms=4000.0))
    early = replace(TWINS[0], acquisition=Acquisition(echo_time_ms=80.0, repetition_time_ms=4000.0))
    assert names_of((early, late)) == (
        "sagittal T2, 3 slices, TE 80 ms",
        "sagittal T2, 3 slices, TE 102 ms",
    )


def test_files_tell_series_apart_where_they_may_be_named():
    files = {"5.1": "sag_fs.nii.gz", "5.2": "sag.nii.gz"}
    assert names_of(TWINS, files) == (
        "sagittal T2, 3 slices, sag_fs.nii.gz",
        "sagittal T2, 3 slices, sag.nii.gz",
    )
    assert names_of(TWINS) == (
        "sagittal T2, 3 slices (1 of 2)",
        "sagittal T2, 3 slices (2 of 2)",
    )


@given(
    st.lists(
        st.tuples(st.sampled_from((80.0, 102.0, float("nan"))), st.sampled_from(("a", "b", ""))),
        min_size=1,
        max_size=6,
    )
)
def test_no_two_names_are_the_same(kinds):
    every = [
        replace(make_series(str(n)), acquisition=Acquisition(echo_time_ms=echo))
        for n, (echo, _) in enumerate(kinds)
    ]
    names = names_of(every, {str(n): name for n, (_, name) in enumerate(kinds)})
    assert len(set(names)) == len(names) == len(every)


def test_a_file_or_a_folder_of_its_own_names_a_series():
    here = Path("study")
    found = file_names(
        {
            "1": [here / "t2.nii.gz"],
            "2": [here / "sag" / "1.dcm", here / "sag" / "2.dcm"],
            "3": [here / "all" / "1.dcm", here / "all" / "2.dcm"],
            "4": [here / "all" / "3.dcm", here / "all" / "4.dcm"],
            "5": [here / "a" / "1.dcm", here / "b" / "2.dcm"],
        }
    )
    assert found == {"1": "t2.nii.gz", "2": "sag"}


def test_series_of_a_folder_know_their_files():
    (found,) = find_exams(sample_dir() / "S01_pre")
    assert set(found.files) <= {series.uid for series in found.exam.series}
    assert found.open().files == found.files
