import sys
from collections import OrderedDict

import numpy as np
import pytest

from multifidus.errors import ReadError
from multifidus.measuring.bias_field import n4
from multifidus.measuring.bias_field.n4 import CACHE_VARIABLE, n4_field
from tests.support.exams import axial_plane, image_slice

SIZE = 64


def stack(slices=3, seed=0):
    """Return slices of one tissue under shading that falls along the rows, and the true field."""
    row, column = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    field = np.exp(-row / SIZE)
    body = np.hypot(row, column) < SIZE * 0.45
    rng = np.random.default_rng(seed)
    pixels = np.where(body, 300 * field, 2.0) + rng.normal(0, 2, (slices, SIZE, SIZE))
    found = [
        image_slice(image, axial_plane(z=4.0 * k), uid=f"s{k}") for k, image in enumerate(pixels)
    ]
    return found, field, body


@pytest.fixture(autouse=True)
def memory(monkeypatch):
    """The fields that this process keeps: none at first."""
    kept = OrderedDict()
    monkeypatch.setattr(n4, "_memory", kept)
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    return kept


@pytest.fixture
def sitk():
    return pytest.importorskip("SimpleITK")


@pytest.mark.parametrize("slices", [1, 3])
def test_the_shading_of_one_tissue_is_found(sitk, slices):
    images, field, body = stack(slices)
    found = n4_field(images)
    assert found.shape == (slices, SIZE, SIZE)
    left = np.log(field / found)[:, body]
    assert left.std() < 0.35 * np.log(field)[body].std()


def test_a_field_is_computed_once_and_again_for_other_pixels(sitk, monkeypatch):
    runs = []
    compute = n4._compute  # noqa: SLF001 - counted, and then called
    monkeypatch.setattr(n4, "_compute", lambda *given: runs.append(1) or compute(*given))
    one, again = n4_field(stack()[0]), n4_field(stack()[0])
    assert one is again
    n4_field(stack(seed=1)[0])
    assert len(runs) == 2


def test_memory_holds_no_more_than_it_should(sitk, monkeypatch, memory):
    monkeypatch.setattr(n4, "_KEPT_IN_MEMORY", 1)
    monkeypatch.setattr(n4, "_compute", lambda _, images: np.ones((3, SIZE, SIZE), np.float32))
    for seed in range(3):
        n4_field(stack(seed=seed)[0])
    assert len(memory) == 1


def kept(folder):
    return [path for path in folder.iterdir() if path.is_file()]


def test_a_folder_keeps_the_field_for_the_next_run(sitk, tmp_path, monkeypatch, memory):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    first = n4_field(stack()[0])
    memory.clear()
    monkeypatch.setattr(n4, "_compute", lambda *_: pytest.fail("computed again"))
    np.testing.assert_array_equal(n4_field(stack()[0]), first)
    (path,) = kept(tmp_path / "cache")
    assert b"s0" not in path.read_bytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-7],
        lambda data: b"",
        lambda data: data[:100] + b"!" + data[101:],
    ],
    ids=["cut", "empty", "changed"],
)
def test_a_damaged_file_is_computed_again_and_mended(sitk, tmp_path, damage, memory):
    first = n4_field(stack()[0], tmp_path)
    (path,) = kept(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    memory.clear()
    np.testing.assert_array_equal(n4_field(stack()[0], tmp_path), first)
    assert path.read_bytes() == whole


def test_a_folder_that_cannot_be_written_is_done_without(sitk, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert n4_field(stack()[0], blocked / "cache").shape == (3, SIZE, SIZE)


def test_without_simpleitk_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    with pytest.raises(ReadError, match=r"multifidus\[preproc\]"):
        n4_field(stack()[0])
