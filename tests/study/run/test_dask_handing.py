"""How cases go to Dask workers and back, with a cluster that is none."""

from concurrent.futures import Future
from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from multifidus.data.cohort import Case
from multifidus.data.protocol import MeasurementProtocol
from multifidus.data.roi import Reading
from multifidus.study.run import dask_pool
from multifidus.study.run.cases import CaseSettings
from multifidus.study.run.cluster_config import ClusterConfig
from multifidus.study.run.content import RunSettings
from multifidus.study.run.pool import Limits

THREADS, CASES = 4, 40


class InstantFuture(Future):
    """A case that is finished when it is handed out."""

    def __init__(self, key, path):
        super().__init__()
        self.key = key
        self.set_result(str(path))

    def release(self):
        pass


class Client:
    """Counts what the scheduler would be asked."""

    def __init__(self, path):
        self.path, self.submitted, self.asked = path, 0, 0

    def nthreads(self):
        self.asked += 1
        return {f"worker-{number}": 1 for number in range(THREADS)}

    def submit(self, task, case, order, *, key):
        self.submitted += 1
        return InstantFuture(key, self.path)


@pytest.fixture
def handing(tmp_path, monkeypatch):
    """Return what begins a run over such a cluster."""
    path = tmp_path / "cases" / "00" / "0.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("")
    client = Client(path)
    monkeypatch.setattr(dask_pool, "connected", lambda *_: nullcontext(client))
    how = CaseSettings(tmp_path, RunSettings(MeasurementProtocol()))
    cases = [Case(Reading(f"S{number}", "pre", "A", 1), ()) for number in range(CASES)]

    def begin(stopping=lambda: False):
        pool = dask_pool.DaskPool(how, Limits(), ClusterConfig(), stopping)
        return client, pool.finish(cases)

    return begin


def test_the_scheduler_is_not_asked_for_its_workers_after_each_case(handing):
    client, finished = handing()
    assert len([*finished]) == CASES
    assert client.asked < CASES / 4


def test_a_thread_has_its_next_case_before_the_record_of_the_last_is_read(handing):
    client, finished = handing()
    for number, _ in enumerate(finished, 1):
        assert client.submitted >= min(THREADS + number, CASES)


def test_nothing_more_is_handed_out_once_the_user_stops(handing):
    state = SimpleNamespace(stops=False)
    client, finished = handing(lambda: state.stops)
    next(finished)
    state.stops, before = True, client.submitted
    assert len([*finished]) == before - 1
    assert client.submitted == before
