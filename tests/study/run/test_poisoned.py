"""One cohort of all that ends or exhausts what reads it; the other cases are measured."""

from __future__ import annotations

import sys

import pytest

from benchmarks.cluster import obstacles
from benchmarks.cluster.poisoned import ENGINES, poisoned_run
from benchmarks.cluster.tiny import tiny_cohort
from tests.support.poisons import write_poisoned

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="needs FIFOs and memory limits"),
]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return write_poisoned(tmp_path_factory.mktemp("poisoned") / "study")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_poisoned_cases_fail_alone_and_are_named_with_cause_and_remedy(cohort, tmp_path, engine):
    if engine == "Dask":
        pytest.importorskip("distributed")
    run = poisoned_run(cohort, tmp_path / "out", *ENGINES[engine])
    assert not [*run.problems(cohort)], run.said


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_cohort(tmp_path_factory.mktemp("tiny") / "study", 6)


@pytest.mark.slow
def test_of_two_runs_that_begin_at_once_one_is_refused_and_names_the_other(tiny, tmp_path):
    found = obstacles.two_at_once(tiny, tmp_path, 3)
    assert not found.problems


@pytest.mark.slow
@pytest.mark.parametrize("what", ["version", "format of records"])
def test_a_folder_of_before_is_refused_and_measured_anew_when_asked(tiny, tmp_path, what):
    assert not obstacles.older_version(tiny, tmp_path / "out", what).problems


@pytest.mark.slow
@pytest.mark.skipif(bool(obstacles.no_mounts()), reason=obstacles.no_mounts())
def test_a_full_disk_and_a_read_only_one_keep_what_is_done(tiny, tmp_path):
    assert not obstacles.full_disk(tiny, tmp_path / "full", 100).problems
    assert not obstacles.read_only(tiny, tmp_path / "read_only", 2).problems
