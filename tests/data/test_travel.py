"""Results travel: they are copied, hashed, compared and sent to other processes."""

from __future__ import annotations

import copy
import dataclasses
import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import pytest

import multifidus as mf
from multifidus.data.equality import is_same
from multifidus.data.frozen_dict import FrozenDict
from tests.support.cases import write_exam, write_outlines

NAN = float("nan")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("travel")
    images = write_exam(folder / "exam", slices=2)
    outlines = write_outlines(images, folder / "outlines.json", mf.Reading("S1", "pre", "A", 1))
    (exam,) = mf.read_exams(images)
    found = mf.measure(exam, mf.read_rois(outlines, exam))
    undefined = dataclasses.replace(found[0], method="undefined", value=NAN)
    return mf.Measurements((*found, undefined))


def the_same(rows):
    return rows


def test_rows_are_equal_after_any_journey(rows):
    assert pickle.loads(pickle.dumps(rows)) == rows  # noqa: S301 - our own
    assert copy.deepcopy(rows) == rows
    assert {*pickle.loads(pickle.dumps(rows))} == {*rows}  # noqa: S301
    assert len({*rows}) == len(rows)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as pool:
        assert pool.submit(the_same, rows).result() == rows


def test_a_row_becomes_plain_values(rows):
    plain = dataclasses.asdict(rows[0])
    assert plain["value"] == rows[0].value
    assert plain["parameters"] == rows[0].parameters
    json.dumps(rows[-1].parameters)


@pytest.mark.parametrize(
    "change",
    [{"value": 1e9}, {"uncertainty": 1e9}, {"flags": ("x",)}, {"parameters": {"basis": "other"}},
     {"extra": {"group": "a"}}, {"n_pixels": -1}],
)  # fmt: skip
def test_rows_that_differ_are_not_equal(rows, change):
    assert dataclasses.replace(rows[0], **change) != rows[0]
    origin = dataclasses.replace(rows[0].provenance, offset_mm=1e9)
    assert dataclasses.replace(rows[0], provenance=origin) != rows[0]
    assert rows[0] != "a row"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (NAN, float("nan"), True),
        ((1, NAN), (1, float("nan")), True),
        ({"a": [NAN]}, {"a": [float("nan")]}, True),
        ({"a": NAN}, {"b": NAN}, False),
        ((NAN,), (NAN, NAN), False),
        (NAN, 1.0, False),
        (NAN, "nan", False),
        ("ab", ("a", "b"), False),
    ],
)
def test_what_is_not_known_is_the_same_twice(one, other, same):
    assert is_same(one, other) is same


@pytest.mark.parametrize(
    "change",
    [lambda d: d.update(a=2), lambda d: d.pop("a"), lambda d: d.clear(), lambda d: d.popitem(),
     lambda d: d.setdefault("b", 1), lambda d: d.__setitem__("a", 2), lambda d: d.__delitem__("a"),
     lambda d: d.__ior__({"a": 2})],
)  # fmt: skip
def test_a_frozen_dictionary_is_never_changed(change):
    frozen = FrozenDict(a=1)
    with pytest.raises(TypeError, match="make a new one"):
        change(frozen)
    assert frozen == {"a": 1}
    assert frozen.copy() | {"b": 2} == {"a": 1, "b": 2}
