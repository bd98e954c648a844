"""Other programs' rules for fat, on pixels whose answer is plain."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.peers import PEERS, fat_of_clusters

DARK, MIDDLE, BRIGHT = (np.arange(5.0) + level for level in (1, 50, 100))


def test_of_two_clusters_fat_is_brighter_than_every_pixel_of_the_darker_one():
    values = np.array([1.0, 7.0, 5.0, 9.0])
    found = fat_of_clusters(values, np.array([1, 1, 0, 0]), 2)
    assert list(found) == [False, False, False, True]


def test_of_three_clusters_fat_begins_at_the_darkest_pixel_of_the_brightest_one():
    values = np.array([1.0, 5.0, 2.0, 12.0, 3.0])
    found = fat_of_clusters(values, np.array([2, 1, 0, 0, 1]), 3)
    assert list(found) == [False, True, True, True, True]


def test_a_cluster_without_pixels_gives_no_answer():
    assert fat_of_clusters(DARK, np.zeros(len(DARK), dtype=np.intp), 2) is None


@pytest.mark.parametrize("peer", PEERS, ids=[peer.name for peer in PEERS])
def test_each_rule_finds_the_brightest_of_classes_that_are_far_apart(peer):
    pytest.importorskip("sklearn")
    classes = (DARK, MIDDLE, BRIGHT) if "3 components" in peer.name else (DARK, BRIGHT)
    # scikit-image's threshold lies somewhere in the bin of the brightest dark pixel.
    one_pixel = 100 / len(np.concatenate(classes)) if peer.name == "SpinoSarc" else 0
    found = peer.fat_pct(np.concatenate(classes), seed=1)
    assert found == pytest.approx(100 / len(classes), abs=one_pixel + 1e-9)


def test_a_muscle_of_few_pixels_is_left_out_by_spinosarc():
    (spinosarc,) = [peer for peer in PEERS if peer.name == "SpinoSarc"]
    assert np.isnan(spinosarc.fat_pct(np.append(DARK, BRIGHT)[:9], seed=0))
