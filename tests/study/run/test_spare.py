"""A process gets ready before it is known what it measures, and ends if nobody takes it."""

from __future__ import annotations

import multiprocessing

import pytest

from multifidus.study.run.spare import spare_process, taken_or_started

pytestmark = pytest.mark.processes


def test_the_process_that_got_ready_is_taken_once_and_outlives_the_block():
    with spare_process(None):
        (ready,) = multiprocessing.active_children()
        other, other_pipe = taken_or_started(1 << 40, None)  # another limit of memory
        taken, pipe = taken_or_started(None, None)
        assert other.pid != ready.pid == taken.pid
    assert taken.is_alive()
    for process, end in ((taken, pipe), (other, other_pipe)):
        process.kill()
        process.join()
        end.close()


def test_a_process_that_nobody_takes_ends():
    with spare_process(None):
        (ready,) = multiprocessing.active_children()
    assert ready not in multiprocessing.active_children()
