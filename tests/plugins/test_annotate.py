"""``multifidus annotate``: the window opens as the named rater, where the outlines are kept."""

from __future__ import annotations

import pytest
from napari_multifidus import annotate as opening
from typer.testing import CliRunner

from multifidus.cli.app import app
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
