"""The public names, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import multifidus

HEAVY = ("nibabel", "pandas", "pydicom", "scipy", "shapely", "skimage", "napari")


def test_every_public_name_can_be_had():
    for name in multifidus.__all__:
        assert getattr(multifidus, name) is not None
    assert dir(multifidus) == multifidus.__all__


def test_a_name_that_does_not_exist_is_said_so():
    with pytest.raises(AttributeError, match="attribute mesure"):
        multifidus.mesure  # noqa: B018


def test_functions_of_the_interface_are_not_hidden_by_modules_of_their_name():
    code = (
        "import multifidus.measuring.pipeline, multifidus.measuring.coverage\n"
        "import multifidus.io.read, multifidus.io.scan\n"
        "import multifidus as mf\n"
        "print(callable(mf.measure), callable(mf.coverage), callable(mf.scan))"
    )
    assert _run(code).split() == ["True"] * 3


@pytest.mark.parametrize(
    "code",
    [
        "import multifidus; multifidus.Plane; multifidus.MeasurementProtocol",
        "import sys; sys.argv = ['multifidus', '--help']\nfrom multifidus.cli import main\n"
        "try: main()\nexcept SystemExit: pass",
    ],
    ids=["import", "help"],
)
def test_importing_and_asking_for_help_load_nothing_heavy(code):
    loaded = _run(f"{code}\nimport sys; print('LOADED', *sys.modules)").split("LOADED")[-1].split()
    assert [name for name in HEAVY if name in loaded] == []


def _run(code: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout
