"""One cohort of all that ends or exhausts what reads it; the other cases are measured."""

from __future__ import annotations

import sys

import pytest

from benchmarks.cluster.poisoned import ENGINES, poisoned_run
from tests.support.poisons import write_poisoned

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs FIFOs and memory limits")


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
