"""The demo: with the extra for reports it ends in one, without it says how to get one."""

from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

from multifidus import sample_data as sample
from multifidus.cli.app import app
from tests.support.cases import write_cohort

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def small_sample(monkeypatch, tmp_path):
    """Let a small exam pair stand where the sample does; the sample has tests of its own."""
    cohort = write_cohort(tmp_path / "sample")
    monkeypatch.setattr(sample, "sample_dir", lambda: cohort.parent)
    return cohort


@pytest.fixture
def stale(tmp_path):
    """Leave results of an earlier demo behind."""
    folder = tmp_path / "demo"
    (folder / "report").mkdir(parents=True)
    for name in ("measurements.csv", "report/report.html"):
        (folder / name).write_text("of an earlier run")
    return folder


def test_the_demo_measures_prints_the_table_and_writes_the_report(stale):
    done = run(app, ["demo", "-o", str(stale), "--overwrite"])
    assert done.exit_code == 0, done.output
    assert "multifidus" in done.stdout
    assert "CSA" in done.stdout
    page = (stale / "report" / "report.html").read_text()
    assert "1</b>subject<" in page
    assert 'id="figures"' in page
    assert str(stale / "report" / "report.html") in done.stderr.replace("\n", "")


def test_results_there_already_are_kept_unless_asked(stale):
    assert run(app, ["demo", "-o", str(stale)]).exit_code != 0
    assert (stale / "report" / "report.html").read_text() == "of an earlier run"


@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_without_the_extra_the_demo_works_and_says_how_to_get_the_report(
    missing, monkeypatch, tmp_path
):
    monkeypatch.setitem(sys.modules, missing, None)
    done = run(app, ["demo", "-o", str(tmp_path / "demo")])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "demo" / "measurements.csv").is_file()
    assert not (tmp_path / "demo" / "report").exists()
    words = " ".join(done.stderr.split())
    assert "pip install 'multifidus[report]'" in words
    assert "multifidus report" in words
