"""``multifidus annotate``: the window opens as the named rater, where the outlines are kept."""

from __future__ import annotations

import pytest
from napari_multifidus import annotate as opening
from napari_multifidus._compat import open_dock
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.readings.audit import entries
from multifidus.readings.key_file import BLINDED
from multifidus.sample import sample_dir


@pytest.mark.gui
def test_the_command_opens_an_exam_as_its_rater(tmp_path, monkeypatch):
    seen = []

    def look():
        import napari

        viewer = napari.current_viewer()
        seen.append([layer.name for layer in viewer.layers])
        viewer.close()

    monkeypatch.setattr(opening, "stay_open", look)
    images = str(sample_dir() / "S01_pre")
    arguments = ["annotate", images, "--rater", "CD", "--folder", str(tmp_path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert any("multifidus left" in name for name in seen[0])


def test_a_folder_without_an_exam_is_refused_in_words(tmp_path):
    done = CliRunner().invoke(app, ["annotate", str(tmp_path)])
    assert done.exit_code != 0
    assert "No image to measure" in str(done.exception)


@pytest.mark.gui
def test_the_command_opens_a_worklist_and_closing_the_window_ends_the_reading(
    tmp_path, monkeypatch
):
    seen = []

    def look():
        import napari

        viewer = napari.current_viewer()
        seen.append(open_dock(viewer).annotator.session.reading)
        viewer.close()

    monkeypatch.setattr(opening, "stay_open", look)
    cohort = tmp_path / "cohort.csv"
    cohort.write_text(f"subject,timepoint,images\nP07,pre,{sample_dir() / 'S01_pre'}\n")
    done = CliRunner().invoke(app, ["annotate", str(cohort), "--rater", "CD", "--blind"])
    assert done.exit_code == 0, done.output
    (reading,) = seen
    assert reading.timepoint == BLINDED
    assert "P07" not in reading.subject
    (log,) = (tmp_path / "readings" / "CD").glob("*.audit.jsonl")
    assert [entry["event"] for entry in entries(log)] == ["opened", "closed"]
