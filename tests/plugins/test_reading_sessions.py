"""A whole study read by two blinded raters: what they see, what is saved, what comes of it."""

from __future__ import annotations

import dataclasses
import datetime
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari_multifidus._compat import swapping_layers
from napari_multifidus.controllers.annotator import Annotator
from napari_multifidus.controllers.reported_errors import reported
from napari_multifidus.controllers.worklist import now
from napari_multifidus.models.edit_operations import swap_sides
from napari_multifidus.models.shapes import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, LayerKey, same_loops
from napari_multifidus.models.strokes import Tool
from napari_multifidus.views.adjudication import AdjudicationPanel
from napari_multifidus.views.worklist import WorklistPanel, read_worklist
from qtpy.QtTest import QTest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.anatomy import Level, Side, SlicePosition, Structure
from multifidus.data.landmark import Landmark, LandmarkKind
from multifidus.data.roi import Reading, Source
from multifidus.data.roi_set import Reason, RoiSet
from multifidus.errors import MultifidusError
from multifidus.io.outlines_json import read_outlines, write_outlines
from multifidus.phantom import PhantomSpec, Variant, make_phantom, write_phantom
from multifidus.reading.audit_log import audit_path, entries, outline_seconds
from multifidus.reading.session import SessionRequest, open_worklist
from multifidus.reading.worklist import ReadingState
from tests.support.exams import circle
from tests.support.keyboard import press, tab_to, to_image, write
from tests.support.napari_window import qt_window
from tests.support.searching import of_viewer, on_screen

pytestmark = pytest.mark.gui

SUBJECTS = ("Marlowe", "Quixote")
TIMEPOINTS = ("tpalpha", "tpomega")
EXAMS = len(SUBJECTS) * len(TIMEPOINTS)
APPROACH = "zanyapproach"
SECRETS = tuple(word.casefold() for word in (*SUBJECTS, *TIMEPOINTS, APPROACH, "2001-03-19"))
RATERS = ("AB", "CD")
WHY = "levels are of no matter here"
DRAWN = {Structure.MULTIFIDUS, Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE}


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> Path:
    """Two subjects before and after surgery: small phantoms in folders named after them."""
    folder = tmp_path_factory.mktemp("study")
    rows = []
    for seed, subject in enumerate(SUBJECTS):
        for timepoint, variant in zip(
            TIMEPOINTS, (Variant.PATIENT, Variant.POST_OPEN), strict=True
        ):
            spec = PhantomSpec(
                variant=variant, seed=seed, matrix=64, pixel_mm=3.4, stacks=1, slices_per_stack=1,
                sagittal=False,
            )  # fmt: skip
            images = write_phantom(make_phantom(spec), folder / "made")
            name = f"{subject}_{timepoint}"
            images.rename(folder / name)
            outlines = images.with_name(images.name + ".outlines.json")
            outlines.rename(folder / f"{name}.perfect.json")
            images.with_name(images.name + ".truth.csv").unlink()
            rows.append(f"{subject},{timepoint},{name},left,{APPROACH},2001-03-19")
    head = "subject,timepoint,images,operated_side,approach,surgery_date"
    (folder / "cohort.csv").write_text("\n".join((head, *rows)) + "\n")
    return folder


class Room:
    """Begins sessions in the shared viewer, and takes their panels away again."""

    def __init__(self, win: Any, messages: list[str], folder: Path) -> None:
        self.win, self.messages, self.folder = win, messages, folder
        self.viewer = win.viewer
        self.begun: list[Any] = []

    def start(self, study: Path, rater: str, **how: Any) -> Any:
        self.stop()
        root = how.pop("root", self.folder / "readings")
        request = SessionRequest(study / "cohort.csv", rater, root, **how)
        controller = read_worklist(open_worklist(request), request.adjudicate, viewer=self.viewer)
        self.begun.append(controller)
        return controller

    def panel(self, kind: Any) -> Any:
        return qt_window(self.viewer).findChild(kind)

    def stop(self) -> None:
        from qtpy.QtCore import QEvent
        from qtpy.QtWidgets import QApplication

        window = self.viewer.window
        for controller in self.begun:
            for panel in qt_window(self.viewer).findChildren(AdjudicationPanel):
                panel.leave()
            with swapping_layers(self.viewer):
                controller.leave()
            for kind in (WorklistPanel, AdjudicationPanel):
                for panel in qt_window(self.viewer).findChildren(kind):
                    window.remove_dock_widget(panel)
                    panel.deleteLater()
        # What is gone from the screen is searched no more.
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        self.begun.clear()

    def told(self) -> list[str]:
        """Return what was said that tells whose exam it is."""
        return [words for words in self.messages if tells(words)]


@pytest.fixture
def room(win, messages, tmp_path) -> Iterator[Room]:
    made = Room(win, messages, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def copy(study, tmp_path) -> Path:
    """Return the study as a copy that may be damaged."""
    shutil.copytree(study, tmp_path / "copy")
    return tmp_path / "copy"


def without_window(study: Path, rater: str, messages: list[str], **how: Any) -> Annotator:
    """Begin a session in a viewer that has no window: quicker, and the same for all else."""
    from napari.components import ViewerModel

    annotator = Annotator(ViewerModel(), rater)
    for said in (annotator.workspace.warning, annotator.workspace.message):
        said.connect(lambda words: messages.append(annotator.workspace.access.redact(words)))
    controller = annotator.read(open_worklist(SessionRequest(study / "cohort.csv", rater, **how)))
    controller.open_next()
    return annotator


@pytest.fixture
def begin(messages, tmp_path) -> Iterator[Callable[..., Annotator]]:
    """Return what begins sessions without a window, one after another."""
    begun: list[Annotator] = []

    def stop() -> None:
        while begun:
            controller = begun.pop().worklist
            if controller is not None:
                controller.leave()

    def start(study: Path, rater: str, **how: Any) -> Annotator:
        stop()
        begun.append(without_window(study, rater, messages, root=tmp_path / "readings", **how))
        return begun[-1]

    yield start
    stop()


def attempt(annotator: Annotator, act: Callable[..., Any], *args: Any) -> None:
    """Do what a button would: what goes wrong is said."""
    with reported(annotator.workspace.warning):
        act(*args)


def tells(text: str) -> bool:
    return any(secret in text.casefold() for secret in SECRETS)


def answer(monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    """Answer the next questions for a reason; nothing cancels."""
    from qtpy.QtWidgets import QInputDialog

    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: (reason, bool(reason)))


def draw(controller: Any, study: Path, shift: float = 0.0, only: Any = DRAWN) -> None:
    """Draw what a perfect rater would, a little shifted, as the tools do."""
    session, canvas = controller.workspace.session, controller.workspace.canvas
    truth = controller.worklist.truth(controller.by)
    perfect = read_outlines(study / f"{truth.subject}_{truth.timepoint}.perfect.json")
    places = {item.uid: index for index, item in enumerate(session.series.slices)}
    for roi in (roi for roi in perfect if roi.key.structure in only):
        side = roi.key.side if roi.key.structure.is_muscle else Side.NONE
        key, index = LayerKey(roi.key.structure, side), places[roi.key.slice_uid]
        loops = [np.asarray(path[::6]) + shift for path in roi.paths]
        session.put(key, index, (*session.drawing.loops(key, index), *loops))
    for key in session.drawing.layer_keys():
        canvas.layer(key)
        canvas.push(key)
    controller.workspace.committed()


@pytest.fixture(scope="module")
def disagreements(study, tmp_path_factory) -> dict[bool, Path]:
    """Two raters have read one exam, named or blinded, each in a folder of its own.

    The second shifts all, the left side most, and draws less.
    """
    found = {}
    for blind in (False, True):
        folder = tmp_path_factory.mktemp("disagreement")
        copy, root = folder / "copy", folder / "readings"
        shutil.copytree(study, copy)
        keep_first(copy)
        how = {"root": root, "blind": blind}
        first = without_window(copy, "AB", [], seed=3, **how).worklist
        draw(first, copy)
        first.finish(WHY)
        first.leave()
        second = without_window(copy, "CD", [], **how).worklist
        draw(second, copy, 0.6, {Structure.MULTIFIDUS})
        session = second.workspace.session
        left = session.drawing.loops(MULTIFIDUS_LEFT, 0)
        session.put(MULTIFIDUS_LEFT, 0, [loop + 1.5 for loop in left])
        second.workspace.committed()
        second.finish(WHY)
        second.leave()
        found[blind] = folder
    return found


@pytest.fixture
def disagree(disagreements, tmp_path) -> Callable[..., Path]:
    """Return what copies a study of one exam, and what two raters read of it."""

    def take(*, blind: bool) -> Path:
        shutil.copytree(disagreements[blind], tmp_path, dirs_exist_ok=True)
        return tmp_path / "copy"

    return take


def keep_first(copy: Path) -> None:
    """Leave the study its first exam only."""
    lines = (copy / "cohort.csv").read_text().splitlines(keepends=True)
    (copy / "cohort.csv").write_text("".join(lines[:2]))


# --- searching --------------------------------------------------------------------------------


def told(texts: Any) -> list[tuple[str, str]]:
    """Return what of some texts tells whose exam it is, and where it stands."""
    # Most texts stand there many times, or are empty.
    places = {text: where for where, text in texts}
    return [(where, text) for text, where in places.items() if tells(text)]


def test_the_search_finds_what_is_not_blinded(study, room):
    """A search that cannot find anything would prove nothing."""
    room.start(study, "EF", seed=1)
    found = {where for where, text in on_screen(room.viewer) if tells(text)}
    assert {"StateFilter", "layer metadata", "QLabel.text"} <= found


# --- the whole study --------------------------------------------------------------------------


def measured_now(controller: Any) -> dict[Any, float]:
    return {
        (r.key.slice_uid, r.key.structure, r.key.side, r.quantity, r.method): r.value
        for r in controller.workspace.session.analysis.measure()
    }


def read_all(controller: Any, study: Path, seen: Any, shift: float) -> dict[Any, dict[Any, float]]:
    """Read everything that is offered today; return what was measured of each, as was shown."""
    measured = {}
    while (
        controller.by is not None and controller.item(controller.by).state is not ReadingState.DONE
    ):
        draw(controller, study, shift)
        measured[controller.by] = measured_now(controller)
        assert told(seen(controller.workspace.viewer)) == []
        controller.finish_and_next(WHY)
        shift += 0.02
    return measured


def read_twice(
    controller: Any, study: Path, seen: Any, shift: float
) -> dict[Any, dict[Any, float]]:
    """Read all exams, and two weeks later all of them again."""
    begun_at = now()
    first = read_all(controller, study, seen, shift)
    assert len(first) == EXAMS
    # Of a blinded list not even the number of repeats is told.
    assert str(controller.progress()) == f"{EXAMS} of {EXAMS} done"
    controller.clock = lambda: begun_at + datetime.timedelta(days=14)
    controller.open_next()
    again = read_all(controller, study, seen, shift + 0.05)
    assert str(controller.progress()) == f"{2 * EXAMS} of {2 * EXAMS} done"
    return first | again


def check_tables(measured: Any, worklists: Any, out: Path) -> None:
    """The command line measures what the windows measured, number for number."""
    done = CliRunner().invoke(app, ["measure", str(out / "cohort.csv"), "--json"])
    assert done.exit_code == 0, done.output
    found: dict[Any, dict[Any, float]] = {}
    for row in json.loads(done.stdout)["rows"]:
        who = Reading(row["subject"], row["timepoint"], row["rater"], row["reading"])
        what = (row["slice_uid"], row["structure"], row["side"], row["quantity"], row["method"])
        found.setdefault(who, {})[what] = row["value"]
    assert len(found) == len(measured) == len(RATERS) * 2 * EXAMS
    for by, in_window in measured.items():
        by_command = found[worklists[by.rater].truth(by)]
        shared = {what: by_command[what] for what in in_window}
        expected = {w: None if np.isnan(value) else value for w, value in in_window.items()}
        assert in_window
        assert shared == expected


def check_merging(root: Path, folder: Path) -> None:
    """Two folders come back; in one, somebody has changed a reading of the other's."""
    shutil.copytree(root / "AB", folder / "one" / "AB")
    shutil.copytree(root / "CD", folder / "two" / "CD")
    planted = min((root / "AB").glob("*.outlines.json"))
    rois = read_outlines(planted)
    (folder / "two" / "AB").mkdir()
    changed = dataclasses.replace(rois, rois=rois.rois[1:])
    write_outlines(changed, folder / "two" / "AB" / planted.name)
    folders = [str(folder / "one"), str(folder / "two")]
    done = CliRunner().invoke(app, ["merge", *folders, "-o", str(folder / "merged"), "--json"])
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert [conflict["subject"] for conflict in report["conflicts"]] == [rois.reading.subject]
    # Every reading but the one that was changed.
    assert len(report["merged"]) == len(RATERS) * 2 * EXAMS - 1


def test_a_study_read_blinded_by_two_raters_twice(study, room, capsys):
    root, folder = room.folder / "readings", room.folder
    first = room.start(study, "AB", blind=True, repeats=EXAMS)
    panel = room.panel(WorklistPanel)
    # Of a blinded list none of the repeats is named before its day.
    assert panel.model.rowCount() == EXAMS
    measured = read_twice(first, study, on_screen, 0.0)
    assert panel.model.rowCount() == 2 * EXAMS
    how = {"root": root, "blind": True, "repeats": EXAMS}
    second = without_window(study, "CD", room.messages, **how).worklist
    measured |= read_twice(second, study, of_viewer, 0.1)
    worklists = {"AB": first.worklist, "CD": second.worklist}
    assert room.told() == []
    said = capsys.readouterr()
    assert not tells(said.out + said.err)
    saved = [path for path in root.rglob("*") if path.is_file()]
    assert len(saved) == 2 * (2 * EXAMS * 3 + 1)
    for path in saved:
        assert not tells(str(path.relative_to(root))), path
        assert not tells(path.read_text()), path
    key, out = study / "cohort.key.json", folder / "unblinded"
    for rater in RATERS:
        arguments = ["unblind", str(root / rater), "--key", str(key), "-o", str(out)]
        done = CliRunner().invoke(app, arguments)
        assert done.exit_code == 0, done.output
    key.unlink()
    check_tables(measured, worklists, out)
    check_merging(root, folder)
    second.leave()


def test_a_blinded_reading_is_measured_and_kept_as_any_other_and_tells_nothing(
    copy, room, monkeypatch
):
    controller = room.start(copy, "AB", blind=True, seed=3)
    tables_are_the_command_lines(controller, copy, room)
    whose_it_is_cannot_be_changed_and_no_other_outlines_be_loaded(controller, room, monkeypatch)
    an_exam_that_cannot_be_read_is_said_without_its_name(controller, copy, room)


def tables_are_the_command_lines(controller: Any, study: Path, room: Room) -> None:
    tmp_path = room.folder
    draw(controller, study)
    outlines = controller.workspace.file.path
    room.win.annotator.outputs.measure_into(tmp_path / "window")
    truth = controller.worklist.truth(controller.by)
    images = str(study / f"{truth.subject}_{truth.timepoint}")
    arguments = ["--outlines", str(outlines), "-o", str(tmp_path / "command"), "--no-pictures"]
    done = CliRunner().invoke(app, ["measure", images, *arguments])
    assert done.exit_code == 0, done.output
    for name in ("measurements.csv", "summary.csv"):
        text = (tmp_path / "window" / name).read_text()
        assert text == (tmp_path / "command" / name).read_text()
        assert not tells(text)


def whose_it_is_cannot_be_changed_and_no_other_outlines_be_loaded(
    controller: Any, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qtpy.QtWidgets import QFileDialog

    messages = room.messages
    by, path = controller.by, controller.workspace.file.path
    room.win.attempt(controller.opener.set_reading, "CD", 2)
    assert "belongs to a reading list" in messages[-1]
    room.win.attempt(controller.opener.set_folder, room.folder / "else")
    assert "belongs to a reading list" in messages[-1]
    assert (controller.workspace.session.drawing.reading, controller.workspace.file.path) == (
        by,
        path,
    )
    assert not room.win.dock.reading.rater.isEnabled()
    begins = []
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *said: begins.append(said[2]))
    room.win.dock.measure.click()
    room.win.dock.feedback.pictures.click()
    assert begins == [str(controller.worklist.folder)] * 2
    room.win.dock.tools.draft_wanted.emit()
    assert "blinded" in messages[-1]


def an_exam_that_cannot_be_read_is_said_without_its_name(
    controller: Any, copy: Path, room: Room
) -> None:
    messages = room.messages
    following = controller.worklist.listed.entries[1]
    truth = controller.worklist.truth(following)
    shutil.rmtree(copy / f"{truth.subject}_{truth.timepoint}")
    messages.clear()
    room.win.attempt(controller.open, following)
    assert messages
    assert room.told() == []


# --- locks, logs, warnings --------------------------------------------------------------------


def tools_are_refused_and_not_drawn_with_from_now_on(annotator, messages):
    attempt(annotator, annotator.edit_tools.clear)
    assert "locked" in messages.pop()
    usual = annotator.edit_tools.drawing
    attempt(annotator, annotator.edit_tools.use, Tool.LIVEWIRE)
    assert "locked" in messages.pop()
    assert annotator.edit_tools.drawing == usual


def test_a_finished_reading_cannot_be_changed_until_it_is_unlocked(study, begin, messages):
    annotator = begin(study, "AB", seed=3)
    controller, first = annotator.worklist, annotator.worklist.by
    attempt(annotator, controller.finish, WHY)
    assert "No muscle is outlined" in messages[-1]
    draw(controller, study)
    path = controller.workspace.file.path
    controller.finish(WHY)
    before = {p.name: p.read_bytes() for p in path.parent.glob(path.name.split(".")[0] + "*")}
    session, canvas = controller.workspace.session, controller.workspace.canvas
    drawn = session.drawing.loops(MULTIFIDUS_LEFT, 0)
    # By the layer, as napari's own keys do, and by a tool.
    canvas.layer(MULTIFIDUS_LEFT).selected_data = {0}
    canvas.layer(MULTIFIDUS_LEFT).remove_selected()
    assert "locked" in messages.pop()
    assert len(canvas.layer(MULTIFIDUS_LEFT).data) == len(canvas.layer(MULTIFIDUS_RIGHT).data) == 1
    tools_are_refused_and_not_drawn_with_from_now_on(annotator, messages)
    assert same_loops(session.drawing.loops(MULTIFIDUS_LEFT, 0), drawn)
    # Nor can what was drawn before be taken back.
    attempt(annotator, annotator.edit_tools.undo)
    assert same_loops(session.drawing.loops(MULTIFIDUS_LEFT, 0), drawn)
    controller.workspace.flush()
    assert {name: (path.parent / name).read_bytes() for name in before} == before
    # Opened in another way it is locked as well.
    controller.open_next()
    controller.open(first)
    assert controller.workspace.session.locked
    attempt(annotator, controller.unlock, first, " ")
    assert "No reason" in messages[-1]
    controller.unlock(first, "wrong level")
    controller.workspace.session.put(MULTIFIDUS_RIGHT, 0, ())
    controller.workspace.canvas.push(MULTIFIDUS_RIGHT)
    controller.workspace.committed()
    controller.workspace.flush()
    assert len(read_outlines(path)) == len(json.loads(before[path.name])["outlines"]) - 1
    log = entries(audit_path(path))
    events = [entry["event"] for entry in log]
    assert events[:2] == ["opened", "saved"]
    assert [e for e in events if e in {"done", "unlocked"}] == ["done", "unlocked"]
    (edited,) = log[-1]["edited"]
    assert (edited["structure"], edited["side"], edited["slice"]) == ("multifidus", "right", 1)
    assert "wrong level" in json.dumps(log)
    assert all(entry["seconds_active"] >= 0 for entry in log if "seconds_active" in entry)


def test_the_time_on_each_outline_is_in_the_log(study, begin, monkeypatch):
    """The hand is on one side for 20 s and then on the other for 30 s."""
    seen = [0.0]
    clock = SimpleNamespace(monotonic=lambda: seen[0])
    monkeypatch.setattr("napari_multifidus.controllers.worklist.time", clock)
    controller = begin(study, "AB", seed=3).worklist
    draw(controller, study, only={Structure.MULTIFIDUS})
    workspace = controller.workspace
    for key, seconds in ((MULTIFIDUS_LEFT, 20.0), (MULTIFIDUS_RIGHT, 30.0)):
        workspace.canvas.activate(key, "pan_zoom")
        workspace.selected()
        seen[0] += seconds
        moved = [loop + 0.1 for loop in workspace.session.drawing.loops(key, 0)]
        workspace.session.put(key, 0, moved)
        workspace.committed()
    workspace.flush()
    log = entries(audit_path(controller.worklist.outlines_of(controller.by)))
    found = outline_seconds(log)
    assert found == {("multifidus", "left", 1): 20.0, ("multifidus", "right", 1): 30.0}


def test_a_second_reading_shows_nothing_of_the_first(copy, begin):
    keep_first(copy)
    annotator = begin(copy, "AB", seed=3, repeats=1)
    controller = annotator.worklist
    first, second = controller.worklist.listed.entries
    draw(controller, copy)
    annotator.entries.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    controller.finish(WHY)
    controller.start_early("the days are up")
    controller.open(second)
    assert (first.reading, second.reading) == (1, 2)
    drawing = controller.workspace.session.drawing
    assert controller.workspace.session.rois() == RoiSet(reading=second)
    assert not drawing.outlines
    assert not drawing.half_drawn
    shapes = [layer for layer in controller.workspace.viewer.layers if hasattr(layer, "shape_type")]
    assert [layer.name for layer in shapes if len(layer.data)] == []
    # Nor can it be brought in by its file.
    path = controller.worklist.outlines_of(first)
    with pytest.raises(MultifidusError, match="belongs to a reading list"):
        annotator.opener.open_outlines(path)
    with pytest.raises(MultifidusError, match="your reading 1 of this exam"):
        annotator.edit_tools.take_drafts(shutil.copy(path, copy / "mine.outlines.json"))


def test_a_locked_reading_is_only_looked_at_until_it_is_unlocked_in_the_window(
    study, room, monkeypatch
):
    controller, win = room.start(study, "AB", seed=3), room.win
    draw(controller, study)
    win.annotator.entries.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    assert not win.dock.lock.isVisible()
    controller.finish()
    nothing_can_be_touched(win, room.messages)
    is_said_to_be_locked_and_how_to_unlock_it(controller, win, monkeypatch)


def is_said_to_be_locked_and_how_to_unlock_it(
    finished: Any, win: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dock, annotator = win.dock, win.annotator
    assert dock.lock.isVisible()
    assert "Finished and locked" in dock.lock.words.text()
    assert dock.lock.unlock.isVisible()
    assert "locked" in win.viewer.canvas.overlays["multifidus_lock"].text
    assert not dock.tools.isEnabled()
    assert not dock.feedback.grades.isEnabled()
    assert dock.locator.model is None or dock.locator.model.is_locked
    # Where there is no list, the banner says where it can be unlocked.
    annotator.worklist = None
    dock.lock.refresh()
    assert not dock.lock.unlock.isVisible()
    assert "only be unlocked in its reading list" in dock.lock.words.text()
    annotator.worklist = finished
    dock.lock.refresh()
    for reason in ("", "wrong level"):
        assert dock.lock.isVisible()
        answer(monkeypatch, reason)
        dock.lock.unlock.click()
    assert not dock.lock.isVisible()
    assert win.viewer.canvas.overlays["multifidus_lock"].text == ""
    assert all(layer.editable for layer in annotator.workspace.canvas.layers.values())
    assert dock.tools.isEnabled()
    win.press("O")
    assert annotator.edit_tools.tool == "polygon"


def nothing_can_be_touched(win: Any, messages: list[str]) -> None:
    annotator = win.annotator
    path, session, layers = (
        annotator.workspace.file.path,
        annotator.workspace.session,
        annotator.workspace.canvas.layers,
    )
    before = path.read_bytes()
    assert not any(layer.editable for layer in layers.values())
    # Every key that changes something is refused in words; what only shows something is not.
    refused = (
        "Q", "W", "G", "H", "O", "U", "Y", "J", "C", "Shift+C", "Shift+H", "Shift+J", "Shift+S",
        "Shift+Left", "Ctrl+Z", "Ctrl+Y",
    )  # fmt: skip
    for key in refused:
        annotator.workspace.canvas.activate(MULTIFIDUS_LEFT, "pan_zoom")
        messages.clear()
        win.press(key)
        assert messages, key
        assert "locked" in messages[-1], (key, messages)
    annotator.workspace.canvas.activate(MULTIFIDUS_LEFT, "pan_zoom")
    messages.clear()
    for key in ("N", "N", "Shift+F", "Shift+F", "Shift+G"):
        win.press(key)
    assert messages == []
    # napari's own keys and modes, its lock set free by hand, and a shape that is pasted.
    layer = layers[MULTIFIDUS_LEFT]
    for key in ("4", "5", "P", "E", "A", "3", "Delete", "Backspace"):
        win.press(key)
    layer.editable = True
    assert not layer.editable
    layer.mode = "direct"
    assert layer.mode == "pan_zoom"
    layer.add_polygons([np.array([(0.0, 5.0, 5.0), (0.0, 5.0, 9.0), (0.0, 9.0, 9.0)])])
    win.attempt(annotator.entries.set_level, Level.L3_L4, SlicePosition.UNKNOWN)
    mark = Landmark(LandmarkKind.DISC_CENTRE, Level.L4_L5, (0.0, 0.0, 0.0))
    win.attempt(annotator.entries.set_landmarks, [mark])
    win.attempt(annotator.grading.grade, Side.LEFT, 2)
    win.attempt(annotator.entries.not_measurable, Reason.METAL)
    assert all("locked" in words for words in messages[-4:])
    annotator.workspace.flush()
    assert path.read_bytes() == before
    assert len(layer.data) == 1
    assert session.drawing.own_grades == {}


@pytest.fixture
def asked(study, room):
    """Return a session whose first reading has a level, references and one side."""
    controller = room.start(study, "AB", seed=3)
    draw(controller, study)
    controller.workspace.session.put(MULTIFIDUS_LEFT, 0, ())
    controller.workspace.canvas.push(MULTIFIDUS_LEFT)
    room.win.annotator.entries.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    return controller


def click_line(gate, row):
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    place = gate.lines.visualItemRect(gate.lines.item(row)).center()
    QTest.mouseClick(gate.lines.viewport(), Qt.MouseButton.LeftButton, pos=place)


def lines_of(gate):
    return [gate.lines.item(row).text() for row in range(gate.lines.count())]


def test_an_incomplete_reading_is_shown_to_be_one_and_is_locked_with_a_reason_only(asked, room):
    grades_are_in_the_log_also_when_they_are_undone(asked, room.win)
    the_list_follows_the_hand(asked, room.win)
    it_is_locked_with_a_reason_only(asked, room)


def grades_are_in_the_log_also_when_they_are_undone(asked: Any, win: Any) -> None:
    win.annotator.workspace.canvas.activate(MULTIFIDUS_RIGHT, "pan_zoom")
    win.press("Shift+Q")
    win.press("3")
    win.annotator.edit_tools.undo()
    log = entries(audit_path(asked.workspace.file.path))
    graded = [
        (e["scheme"], e["level"], e["side"], e["value"]) for e in log if e["event"] == "graded"
    ]
    assert graded == [("goutallier", "L4-L5", "right", 3), ("goutallier", "L4-L5", "right", None)]


def the_list_follows_the_hand(asked: Any, win: Any) -> None:
    gate = win.dock.gate
    win.annotator.finish_and_next()
    assert gate.reason.isVisible()
    session, canvas = asked.workspace.session, asked.workspace.canvas
    right = session.drawing.loops(MULTIFIDUS_RIGHT, 0)[0]
    session.put(MULTIFIDUS_LEFT, 0, [right + shift for shift in np.array([(0, 10), (0, 12)])])
    asked.workspace.committed()
    assert any(line.startswith("✕ Multifidus left on slice 1 crosses") for line in lines_of(gate))
    assert not gate.reason.isVisible()
    assert not gate.lock.isEnabled()
    session.put(MULTIFIDUS_LEFT, 0, ())
    canvas.push(MULTIFIDUS_LEFT)
    win.annotator.workspace.canvas.activate(MULTIFIDUS_LEFT, "pan_zoom")
    win.annotator.entries.not_measurable(Reason.METAL)
    assert not any("✕" in line or "○" in line for line in lines_of(gate))
    assert gate.lock.isEnabled()
    win.annotator.entries.not_measurable(None)
    gate.stay.click()
    assert not gate.isVisible()


def it_is_locked_with_a_reason_only(asked: Any, room: Room) -> None:
    from qtpy.QtCore import QPoint, Qt
    from qtpy.QtTest import QTest

    win = room.win
    by, path, gate = asked.by, asked.workspace.file.path, win.dock.gate
    tools = win.dock.tools.mapTo(win.dock, QPoint(0, 0))
    asked.workspace.canvas.activate(MULTIFIDUS_RIGHT, "pan_zoom")
    win.attempt(asked.finish)
    assert "1 outline missing" in room.messages[-1]
    assert not gate.isVisible()
    win.press("Ctrl+Return")
    assert gate.isVisible()
    QTest.qWait(50)
    # What one mends with has not moved.
    assert win.dock.tools.mapTo(win.dock, QPoint(0, 0)) == tools
    assert gate.y() > tools.y()
    assert (asked.by, asked.workspace.is_locked) == (by, False)
    (line,) = [text for text in lines_of(gate) if "not outlined" in text]
    assert line == "○ Multifidus left on slice 1 (L4-L5) is not outlined"
    # A click goes there, ready to draw.
    click_line(gate, lines_of(gate).index(line))
    assert (asked.workspace.canvas.active, win.annotator.edit_tools.tool) == (
        MULTIFIDUS_LEFT, "polygon"
    )  # fmt: skip
    assert not gate.lock.isEnabled()
    QTest.mouseClick(gate.lock, Qt.MouseButton.LeftButton)
    assert asked.by == by
    gate.reason.setFocus()
    QTest.keyClicks(gate.reason, "coil artefact")
    assert gate.lock.isEnabled()
    QTest.mouseClick(gate.lock, Qt.MouseButton.LeftButton)
    assert asked.by != by
    assert not gate.isVisible()
    (said,) = read_outlines(path).not_measurable
    assert (said.level, said.side, said.reason, said.note) == (
        Level.L4_L5, Side.LEFT, Reason.OTHER, "coil artefact"
    )  # fmt: skip
    (done,) = [entry for entry in entries(audit_path(path)) if entry["event"] == "done"]
    assert done["reason"] == "coil artefact"
    left = {"kind": "outline", "structure": "multifidus", "side": "left", "level": "L4-L5"}
    assert left | {"slice": 1} in done["missing"]


def test_what_is_missing_is_gone_through_and_locked_by_keys_alone(asked, win):
    from qtpy.QtCore import Qt
    from qtpy.QtWidgets import QApplication

    by, path, gate = asked.by, asked.workspace.file.path, win.dock.gate
    asked.workspace.canvas.activate(MULTIFIDUS_RIGHT, "pan_zoom")

    def finish():
        to_image(win)
        press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert gate.isVisible()
        win.wait(lambda: QApplication.focusWidget() is gate.reason)

    finish()
    press(Qt.Key.Key_Escape)
    assert not gate.isVisible()
    win.wait(lambda: QApplication.focusWidget() is win.canvas)
    finish()
    # Nothing is locked without a reason.
    press(Qt.Key.Key_Return)
    assert (asked.by, asked.workspace.is_locked) == (by, False)
    tab_to(win, gate.lines)
    (row,) = [row for row, text in enumerate(lines_of(gate)) if "not outlined" in text]
    for _ in range(gate.lines.count()):
        press(Qt.Key.Key_Up)
    for _ in range(row):
        press(Qt.Key.Key_Down)
    assert gate.lines.currentRow() == row
    press(Qt.Key.Key_Return)
    assert (asked.workspace.canvas.active, win.annotator.edit_tools.tool) == (
        MULTIFIDUS_LEFT, "polygon"
    )  # fmt: skip
    # The keys are the image's again, and go on from there.
    win.wait(lambda: QApplication.focusWidget() is win.canvas)
    assert gate.isVisible()
    tab_to(win, gate.reason)
    write("coil artefact")
    tab_to(win, gate.lock)
    press(Qt.Key.Key_Return)
    win.wait(lambda: asked.by != by)
    assert not gate.isVisible()
    win.wait(lambda: QApplication.focusWidget() is win.canvas)
    (said,) = read_outlines(path).not_measurable
    assert (said.side, said.note) == (Side.LEFT, "coil artefact")
    assert [entry["reason"] for entry in entries(audit_path(path)) if entry["event"] == "done"] == [
        "coil artefact"
    ]


def add_series(copy):
    """Add to every exam its axial series once more."""
    import pydicom

    for path in list(copy.rglob("*.dcm")):
        dataset = pydicom.dcmread(path)
        for name in ("SeriesInstanceUID", "SOPInstanceUID"):
            setattr(dataset, name, f"{dataset[name].value[:60]}.9")
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(path.with_stem(f"{path.stem}_again"))


def test_what_is_unfinished_on_another_series_is_asked_for(copy, room, win):
    add_series(copy)
    asked = room.start(copy, "AB", seed=3)
    draw(asked, copy)
    win.annotator.entries.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    opener, here = win.annotator.opener, asked.workspace.session.series
    both = opener.series_to_choose()
    (other,) = (item for item in both if item.uid != here.uid)
    name = dict(zip(both, asked.workspace.names_of(both), strict=True))[other]

    def leave_there(*shifts):
        opener.choose_series(other)
        loops = [circle(20, 20, 8) + np.array(shift) for shift in shifts]
        asked.workspace.session.put(MULTIFIDUS_LEFT, 0, loops)
        asked.workspace.canvas.push(MULTIFIDUS_LEFT)
        asked.workspace.committed()
        opener.choose_series(here)

    leave_there((0, 0), (0, 2))
    win.annotator.finish_and_next()
    (line,) = [text for text in lines_of(win.dock.gate) if "choose that series" in text]
    assert line.startswith(f"✕ Multifidus left on slice 1 of series {name} is not finished")
    win.attempt(asked.finish, "no reason is enough")
    assert not asked.workspace.is_locked
    # Once it is gone, it is asked for no more.
    leave_there()
    win.attempt(asked.finish, "the second series is not needed")
    assert asked.workspace.is_locked


def test_a_stroke_of_the_brush_that_is_held_is_kept(asked, room, win):
    """However the reading is left, one way after another, each in a reading that can be changed."""
    from qtpy.QtCore import QPointF

    def hold_and(leave: Callable[[], object]) -> None:
        """Press the brush, leave, and look for the stroke in the file."""
        path, session = asked.workspace.file.path, asked.workspace.session
        session.put(MULTIFIDUS_LEFT, 0, ())
        asked.workspace.canvas.push(MULTIFIDUS_LEFT)
        asked.workspace.committed()
        before = len(session.drawing.rois(session.series).rois)
        win.annotator.edit_tools.draw(MULTIFIDUS_LEFT)
        win.annotator.edit_tools.use("brush")
        middle = QPointF(win.canvas.width() / 2, win.canvas.height() / 2)
        win.send("MouseMove", middle, pressed=False)
        win.send("MouseButtonPress", middle)
        win.attempt(leave)
        win.wait(lambda: len(read_outlines(path).rois) == before + 1)
        locked = asked.has_open and asked.workspace.is_locked
        # While the button is still down.
        assert not locked or not any(
            layer.editable for layer in asked.workspace.canvas.layers.values()
        )
        win.send("MouseButtonRelease", middle, pressed=False)
        assert len(read_outlines(path).rois) == before + 1, leave

    first = asked.by
    hold_and(asked.finish)
    assert asked.by == first
    assert asked.workspace.is_locked
    asked.unlock(first, "to be left in other ways")
    # All is there then, but for quality flags, which are shown before the next reading is opened.
    hold_and(asked.ask_to_finish)
    assert {line[0] for line in lines_of(win.dock.gate)} == {"▲"}
    hold_and(asked.finish_and_next)
    second = asked.by
    assert asked.item(first).state is ReadingState.DONE
    assert second != first
    hold_and(asked.open_next)
    for leave in (asked.close, win.annotator.opener.close, win.viewer.layers.clear, room.stop):
        asked.open(second)
        hold_and(leave)
        win.wait(lambda: asked.by is None)


def test_done_next_is_one_key_and_the_list_follows(study, room, monkeypatch):
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    controller = room.start(study, "AB", seed=3, repeats=1, apart_days=30)
    panel, win, messages = room.panel(WorklistPanel), room.win, room.messages
    first = controller.by
    draw(controller, study)
    win.annotator.entries.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    QTest.keyClick(win.canvas, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    layers = dict(controller.workspace.canvas.layers)
    # A quality flag is to be looked at, and needs no reason: Enter goes on.
    assert {line[0] for line in lines_of(win.dock.gate)} == {"▲"}
    QTest.keyClick(win.dock.gate.lock, Qt.Key.Key_Return)
    win.wait(lambda: controller.by != first)
    # Adding a layer takes long: the next reading has those of the last, empty and unlocked.
    for key, layer in layers.items():
        assert controller.workspace.canvas.layer(key) is layer
        assert (layer.nshapes, layer.editable) == (0, True)
    assert panel.words.text() == f"1 of {EXAMS + 1} done, 1 later"
    panel.filter.setCurrentText("done")
    assert panel.shown.rowCount() == 1
    panel.filter.setCurrentText("to do")
    assert panel.shown.rowCount() == EXAMS
    panel.filter.setCurrentText("all")
    waiting = next(item for item in controller.items() if item.state is ReadingState.WAITING)
    current = controller.by
    room.win.attempt(controller.open, waiting.by)
    assert "not offered before" in messages[-1] or "waits" in messages[-1]
    assert controller.by == current
    answer(monkeypatch, "rater leaves")
    panel.offer.click()
    controller.open(waiting.by)
    assert controller.by == waiting.by
    answer(monkeypatch, "")
    panel.table.selectRow(0)
    panel.unlock.click()
    assert controller.item(first).state is ReadingState.DONE
    answer(monkeypatch, "wrong side")
    row = next(n for n, item in enumerate(panel.model.rows) if item.by == first)
    panel.table.selectRow(row)
    panel.unlock.click()
    assert controller.item(first).state is ReadingState.STARTED


@pytest.mark.parametrize("blind", [False, True])
def test_a_list_that_is_left_takes_its_images_away(copy, room, win, blind):
    controller = room.start(copy, "R1", blind=blind)
    for item in controller.items()[:2]:
        controller.open(item.by)
    assert win.images
    room.stop()
    # Whatever comes or goes makes the window look for an exam to open.
    win.viewer.layers.remove(win.viewer.add_points())
    QTest.qWait(20)
    assert not win.images
    assert not win.annotator.workspace.is_open


def test_an_exam_opened_beside_a_list_stays_when_the_list_is_left(copy, room, tmp_path, exam):
    win = room.win
    controller = room.start(copy, "R1")
    assert controller.has_open
    win.open(exam, tmp_path / "other")
    win.wait(lambda: not controller.has_open)
    room.stop()
    assert win.images
    assert win.annotator.workspace.session.exam is exam


def test_the_list_shows_how_far_the_open_reading_is(study, begin, qtbot, monkeypatch):
    annotator = begin(study, "AB", seed=3)
    controller = annotator.worklist
    panel = WorklistPanel(controller)
    qtbot.addWidget(panel)
    state = [column.head for column in panel.model.columns].index("Status")
    seen = []
    panel.model.dataChanged.connect(lambda *_: seen.append(shown(0)))

    def shown(row):
        return panel.model.data(panel.model.index(row, state))

    assert [shown(row) for row in range(3)] == ["in progress", "to do", "to do"]
    # One slice with a level has two sides to be outlined; what cannot be measured counts as done.
    annotator.entries.set_level(Level.L4_L5, SlicePosition.MID_DISC)
    assert shown(0) == "in progress 0 of 2, not saved"
    qtbot.waitUntil(lambda: shown(0) == "in progress 0 of 2")
    draw(controller, study, only={Structure.MULTIFIDUS})
    qtbot.waitUntil(lambda: shown(0) == "in progress 2 of 2")
    assert seen[-1] == "in progress 2 of 2"
    with monkeypatch.context() as patch:
        patch.setattr("napari_multifidus.models.autosave.write_rois", no_room)
        controller.workspace.session.put(MULTIFIDUS_LEFT, 0, ())
        controller.workspace.canvas.push(MULTIFIDUS_LEFT)
        controller.workspace.committed()
        controller.workspace.save()
        assert shown(0) == "in progress 1 of 2, not saved"
    controller.workspace.save()
    assert shown(0) == "in progress 1 of 2"
    controller.finish("the image ends there")
    assert shown(0) == "done, locked"
    controller.open_next()
    assert [shown(row) for row in range(3)] == ["done, locked", "in progress", "to do"]
    first = panel.model.rows[0].by
    controller.open(first)
    assert [shown(row) for row in range(3)] == ["done, locked", "to do", "to do"]
    controller.unlock(first, "wrong side")
    # What was missing is marked as not measurable for the reason.
    assert shown(0) == "in progress 2 of 2"


LOW = 960, 520


def no_room(*_: Any, **__: Any) -> None:
    raise OSError(28, "No space left on device")


def swap(workspace: Any) -> None:
    swap_sides(workspace.session, [(MULTIFIDUS_LEFT, 0)])
    workspace.canvas.redraw([(MULTIFIDUS_LEFT, 0), (MULTIFIDUS_RIGHT, 0)])
    workspace.committed()


def test_a_reading_with_its_sides_swapped_is_gone_on_with_in_its_file(study, begin):
    controller = begin(study, "AB", seed=1).worklist
    by, workspace = controller.by, controller.workspace
    draw(controller, study)
    swap(workspace)
    assert "swapped" in workspace.session.analysis.refusal
    workspace.flush()
    before = workspace.session.rois()
    again = begin(study, "AB", seed=1).worklist
    assert again.by == by
    assert again.workspace.session.rois() == before
    swap(again.workspace)
    again.finish(WHY)
    assert again.item(by).state is ReadingState.DONE


def test_a_reading_with_its_sides_swapped_is_compared(disagree, room):
    copy = disagree(blind=False)
    (path,) = (room.folder / "readings" / "CD").glob("*.outlines.json")
    rois = read_outlines(path)
    other = {Side.LEFT: Side.RIGHT, Side.RIGHT: Side.LEFT, Side.NONE: Side.NONE}
    swapped = [
        dataclasses.replace(roi, key=dataclasses.replace(roi.key, side=other[roi.key.side]))
        for roi in rois
    ]
    write_outlines(dataclasses.replace(rois, rois=tuple(swapped)), path, overwrite=True)
    room.start(copy, "consensus", adjudicate=RATERS)
    panel = room.panel(AdjudicationPanel)
    assert [layer.name for layer in panel.overlays] == ["outlines of A", "outlines of B"]
    muscles = [pair for pair in panel.model.rows if pair.key.structure.is_muscle]
    assert muscles
    assert {pair.dice for pair in muscles} == {0}


def test_text_in_the_pixels_is_warned_about_where_labels_are_hidden(copy, begin, messages):
    import pydicom

    for path in copy.rglob("*.dcm"):
        dataset = pydicom.dcmread(path)
        dataset.BurnedInAnnotation = "YES"
        dataset.save_as(path)
    begin(copy, "AB", blind=True, seed=3)
    assert any("Pixels may show a name" in words for words in messages)
    messages.clear()
    begin(copy, "EF", seed=3)
    assert not any("Pixels may show" in words for words in messages)


def test_an_image_that_changed_since_it_was_outlined_is_noticed(copy, begin, messages):
    import pydicom

    controller = begin(copy, "AB", seed=3).worklist
    first = controller.by
    draw(controller, copy)
    controller.close()
    controller.open(first)
    assert not any("has changed since" in words for words in messages)
    controller.close()
    (path,) = (copy / f"{first.subject}_{first.timepoint}").rglob("*.dcm")
    dataset = pydicom.dcmread(path)
    pixels = dataset.pixel_array.copy()
    pixels[5, 5] += 1
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(path)
    controller.open(first)
    assert any("image of slice 1 has changed since" in words for words in messages)
    # Looking at it is no answer; drawing again is.
    controller.close()
    messages.clear()
    controller.open(first)
    assert any("has changed since" in words for words in messages)
    session = controller.workspace.session
    for key in session.drawing.layer_keys():
        session.put(key, 0, [loop + 0.01 for loop in session.drawing.loops(key, 0)])
    controller.workspace.committed()
    controller.close()
    messages.clear()
    controller.open(first)
    assert not any("has changed since" in words for words in messages)


# --- adjudication -----------------------------------------------------------------------------


@pytest.mark.parametrize("blind", [False, True])
def test_two_raters_are_compared_the_worst_first(disagree, room, blind):
    copy = disagree(blind=blind)
    room.start(copy, "consensus", blind=blind, adjudicate=RATERS)
    they_are_compared_the_worst_first(room, blind=blind)
    if not blind:
        panels_do_not_make_the_window_higher(room)
        it_fits_a_screen_of_large_letters(room)


def panels_do_not_make_the_window_higher(room: Room) -> None:
    """The list shares the place of the layer controls; the comparison is not below the panel."""
    from qtpy.QtWidgets import QDockWidget

    window = qt_window(room.viewer)
    docks = {dock.objectName(): dock for dock in window.findChildren(QDockWidget)}
    listed = docks["Reading list"]
    room.win.dock.parts.toggle("layers")
    assert [dock.objectName() for dock in window.tabifiedDockWidgets(listed)] == ["layer controls"]
    room.win.dock.parts.toggle("layers")
    room.win.wait(lambda: not listed.visibleRegion().isEmpty())
    below, beside = docks["Adjudication"], room.win.dock.parentWidget()
    room.win.wait(lambda: below.geometry().right() < beside.geometry().left())
    # A laptop's 768 pixels, less what a window manager takes.
    assert window.minimumSizeHint().height() <= 708


def it_fits_a_screen_of_large_letters(room: Room) -> None:
    """1920 x 1080 pixels at 200 %, less what a window manager takes."""
    window = qt_window(room.viewer)
    before, parts = window.size(), room.win.dock.parts
    parts.show_locator()
    if parts.shown()["results"]:
        parts.toggle("results")
    room.viewer.window.resize(*LOW)

    def is_low() -> bool:
        # As long as everything lies one below the other, it is refused.
        window.resize(*LOW)
        return (window.width(), window.height()) == LOW

    room.win.wait(is_low)
    window.resize(before)
    parts.toggle("results")


def they_are_compared_the_worst_first(room: Room, *, blind: bool) -> None:
    panel = room.panel(AdjudicationPanel)
    rows = [panel.model.cells(n) for n in range(panel.model.rowCount())]
    assert [row[0] for row in rows[:2]] == ["only A", "only A"]
    scores = [pair.dice for pair in panel.model.rows]
    assert scores == sorted(scores)
    assert [pair.key for pair in panel.model.rows[2:]] == [MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT]
    # Dice by another way: points on a fine grid.
    for pair in panel.model.rows[2:]:
        assert pair.dice == pytest.approx(_dice_by_points(pair.loops), abs=0.01)
    assert [layer.name for layer in panel.overlays] == ["outlines of A", "outlines of B"]
    # Each column is as wide as its words.
    table = panel.table
    room.win.wait(lambda: table.horizontalScrollBar().maximum() == 0)
    for column in range(panel.model.columnCount()):
        assert table.columnWidth(column) >= table.sizeHintForColumn(column)
    # Told apart without colour as well: A's have a dark casing, B's are dashed.
    first, second = panel.overlays
    assert set(map(str, first.shape_type)) == {"polygon"}
    cased, lines = np.split(np.array(first.edge_width), 2)
    assert (cased > 2 * lines).all()
    assert (first.edge_color[: len(cased), :3].max(axis=1) < 0.1).all()
    assert set(map(str, second.shape_type)) == {"path"}
    assert second.nshapes > 4 * len(panel.sessions[1].drawing.outlines)
    assert ("AB" in panel.legend.text()) is not blind
    assert bool(told(on_screen(room.viewer))) is not blind


def test_the_consensus_is_saved_as_its_own_rater(disagree, room):
    copy = disagree(blind=False)
    controller = room.start(copy, "consensus", adjudicate=RATERS)
    panel, session = room.panel(AdjudicationPanel), controller.workspace.session
    panel.take_a.click()
    assert "No line is selected" in room.messages[-1]
    panel.table.selectRow(0)
    panel.take_b.click()
    assert "drew nothing" in room.messages[-1]
    # All of one rater's at once, and back at once.
    panel.all_b.click()
    assert set(session.drawing.outlines) == {(MULTIFIDUS_LEFT, 0), (MULTIFIDUS_RIGHT, 0)}
    room.win.annotator.edit_tools.undo()
    assert not session.drawing.outlines
    for row, which in enumerate((0, 0, 0, 1)):
        panel.table.selectRow(row)
        panel.take(which)
    assert [panel.model.cells(n)[4] for n in range(4)] == ["✓"] * 4
    taken = panel.model.rows[3]
    assert np.allclose(session.drawing.loops(taken.key, taken.index)[0], taken.loops[1][0])
    panel.table.selectRow(2)
    panel.draw_own()
    assert controller.workspace.canvas.active == MULTIFIDUS_LEFT
    mine = session.drawing.loops(MULTIFIDUS_LEFT, 0)
    session.put(MULTIFIDUS_LEFT, 0, [loop + 0.2 for loop in mine])
    controller.workspace.committed()
    controller.finish(WHY)
    saved = read_outlines(controller.worklist.outlines_of(controller.by))
    assert saved.reading.rater == "consensus"
    assert {roi.source for roi in saved} == {Source.CONSENSUS}


def test_what_the_consensus_has_unfinished_is_not_replaced_without_a_word(disagree, room):
    copy = disagree(blind=False)
    controller = room.start(copy, "consensus", adjudicate=RATERS)
    panel, session = room.panel(AdjudicationPanel), controller.workspace.session
    crossing = [np.array([(10.0, 10.0), (30.0, 30.0), (30.0, 10.0), (10.0, 30.0)])]
    session.put(MULTIFIDUS_LEFT, 0, crossing)
    canvas = controller.workspace.canvas
    canvas.push(MULTIFIDUS_LEFT)
    controller.workspace.committed()
    room.win.annotator.edit_tools.draw(MULTIFIDUS_RIGHT)
    for corner in ((12.0, 40.0), (12.0, 50.0), (20.0, 50.0)):
        room.win.click(corner)
    panel.all_b.click()
    assert "Took 0 outlines of B. 2 that the consensus has already" in room.messages[-1]
    np.testing.assert_allclose(session.drawing.loops(MULTIFIDUS_LEFT, 0), crossing)
    ((key, _, half),) = canvas.unfinished()
    assert (key, len(half.points)) == (MULTIFIDUS_RIGHT, 3)
    rows = {pair.key: n for n, pair in enumerate(panel.model.rows)}
    for key in (MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT):
        assert panel.model.cells(rows[key])[4] == "to finish"
    # Where one line is accepted, what is replaced by it is said.
    panel.table.selectRow(rows[MULTIFIDUS_LEFT])
    panel.take_b.click()
    assert "Replaced what the consensus had" in room.messages[-1]
    room.win.annotator.edit_tools.undo()
    np.testing.assert_allclose(session.drawing.loops(MULTIFIDUS_LEFT, 0), crossing)


def _dice_by_points(loops: Any) -> float:
    from skimage.measure import points_in_poly

    axis = np.arange(0, 64, 0.05)
    grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(-1, 2)
    near = [np.concatenate(paths) for paths in loops]
    low, high = np.concatenate(near).min(axis=0) - 1, np.concatenate(near).max(axis=0) + 1
    grid = grid[((grid > low) & (grid < high)).all(axis=1)]
    one, other = (points_in_poly(grid, paths[0]) for paths in loops)
    return 2 * (one & other).sum() / (one.sum() + other.sum())
