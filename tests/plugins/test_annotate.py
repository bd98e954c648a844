"""``multifidus annotate``: the window opens as the named rater, where the outlines are kept."""

from __future__ import annotations

import pytest
from napari_multifidus import annotate as opening
from napari_multifidus._compat import open_dock
from napari_multifidus.reader import get_reader, read_cohort_list
from qtpy.QtWidgets import QInputDialog
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.reading.audit_log import entries
from multifidus.reading.code_key import BLINDED
from multifidus.sample_data import sample_dir


@pytest.mark.gui
def test_the_command_opens_an_exam_as_its_rater(win, tmp_path, monkeypatch):
    seen = []

    def look():
        seen.append([layer.name for layer in win.viewer.layers])

    # The next command has a window of its own: a new one takes seconds.
    monkeypatch.setattr(opening, "new_viewer", lambda: win.viewer)
    monkeypatch.setattr(opening, "stay_open", look)
    images = str(sample_dir() / "S01_pre")
    arguments = ["annotate", images, "--rater", "CD", "--folder", str(tmp_path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert any("multifidus right" in name for name in seen[0])


def test_a_folder_without_an_exam_is_refused_in_words(tmp_path):
    done = CliRunner().invoke(app, ["annotate", str(tmp_path)])
    assert done.exit_code != 0
    assert "No image to measure" in str(done.exception)


@pytest.fixture
def cohort(tmp_path):
    """Return the table of a study of one exam."""
    table = tmp_path / "my_cohort.csv"
    table.write_text(f"subject,timepoint,images\nP07,pre,{sample_dir() / 'S01_pre'}\n")
    return table


def test_a_cohort_is_ours_and_other_tables_are_not(cohort, tmp_path):
    assert get_reader(str(cohort)) is read_cohort_list
    (tmp_path / "points_cohort.csv").write_text("index,axis-0,axis-1\n0,1,2\n")
    assert get_reader(str(tmp_path / "points_cohort.csv")) is None
    (tmp_path / "junk_cohort.csv").write_bytes(b"\xff\xfe\x00")
    assert get_reader(str(tmp_path / "junk_cohort.csv")) is None
    assert get_reader(str(tmp_path / "gone_cohort.csv")) is None


@pytest.mark.gui
def test_a_cohort_is_opened_as_a_reading_list_like_any_file(win, cohort, messages, monkeypatch):
    answers, asked = [("", False), ("CD", True)], []
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: answers.pop(0))
    monkeypatch.setattr(win.dock, "_ask", lambda question: not asked.append(question))
    win.viewer.open(str(cohort), plugin="multifidus")
    assert win.annotator.worklist is None
    win.viewer.open(str(cohort), plugin="multifidus")
    controller = win.annotator.worklist
    assert len(asked) == 1
    assert "Blind this reading" in asked[0]
    assert controller.worklist.is_blinded
    assert win.annotator.workspace.session.drawing.reading.timepoint == BLINDED
    # In a blinded reading nothing else is opened; the list is closed with the program.
    win.viewer.open(str(cohort), plugin="multifidus")
    assert "blinded" in messages[-1]
    win.dock._end_reading()  # noqa: SLF001 - as the program ends
    (log,) = (cohort.parent / "readings" / "CD").glob("*.audit.jsonl")
    assert [entry["event"] for entry in entries(log)] == ["opened", "closed"]
    win.viewer.open(str(cohort), plugin="multifidus")
    assert "A reading list is open" in messages[-1]
    controller.leave()
    # The list that is there says itself that it is blinded.
    answers.append(("CD", True))
    win.viewer.open(str(cohort), plugin="multifidus")
    assert len(asked) == 1
    assert win.annotator.workspace.access.blinded
    win.annotator.worklist.leave()


@pytest.mark.gui
def test_the_command_opens_a_worklist_and_closing_the_window_ends_the_reading(
    tmp_path, monkeypatch
):
    seen = []

    def look():
        import napari

        viewer = napari.current_viewer()
        seen.append(open_dock(viewer).annotator.workspace.session.drawing.reading)
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
