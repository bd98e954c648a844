"""Outlines that were begun and not closed, without a window."""

from __future__ import annotations

import numpy as np
import pytest
from napari_multifidus.models.drawing_edits import with_half_drawn
from napari_multifidus.models.half_drawn import DASH_MM, HalfDrawn
from napari_multifidus.models.marks import crossing_marks, dashes
from napari_multifidus.models.strokes import StrokeContext, Tool, new_stroke

from multifidus.data.polygon import area
from multifidus.editing.livewire import Edges
from tests.plugins.conftest import MULTIFIDUS_LEFT, MULTIFIDUS_RIGHT, SPACING
from tests.support.exams import box

THREE = np.array([(20.0, 10.0), (20.0, 30.0), (50.0, 30.0)])
BOW_TIE = np.array([(20.0, 50.0), (40.0, 70.0), (40.0, 50.0), (20.0, 70.0)])


def context():
    rows, columns = np.mgrid[:80, :80]
    image = np.where(np.hypot(rows - 40, columns - 40) < 20, 100.0, 0.0)
    return StrokeContext((), (1.0, 1.0), 3.0, lambda: Edges.of(image, (1.0, 1.0)))


def with_waiting(session, half, index=2):
    return with_half_drawn(session.drawing, (MULTIFIDUS_RIGHT, index), half)


def test_what_is_half_drawn_is_never_measured_and_is_listed(session):
    session.put(MULTIFIDUS_RIGHT, 2, ())
    session.change(with_waiting(session, HalfDrawn("polygon", THREE, THREE)))
    session.put(MULTIFIDUS_LEFT, 2, [BOW_TIE])
    assert session.analysis.numbers(MULTIFIDUS_RIGHT, 2) is None
    assert all(roi.key.side.value != "right" for roi in session.rois())
    listed = session.drawing.incomplete()
    assert [(item.key, item.index, item.is_half_drawn) for item in listed] == [
        (MULTIFIDUS_LEFT, 2, False),
        (MULTIFIDUS_RIGHT, 2, True),
    ]
    assert listed[1].words == "multifidus right on slice 3 is not closed"
    assert session.drawing.not_measured() == tuple(item.words for item in listed)
    session.change(with_half_drawn(session.drawing, (MULTIFIDUS_RIGHT, 2), None))
    assert len(session.drawing.incomplete()) == 1


def test_undo_brings_back_what_was_discarded(session):
    half = HalfDrawn("polygon", THREE, THREE)
    session.change(with_waiting(session, half, 4))
    session.begin_history()
    session.change(with_waiting(session, None, 4))
    session.commit()
    assert session.undo() == {(MULTIFIDUS_RIGHT, 4)}
    assert session.drawing.half_drawn[MULTIFIDUS_RIGHT, 4] is half


@pytest.mark.parametrize("tool", ["polygon", "freehand"])
def test_the_next_click_appends(tool):
    made = HalfDrawn(tool, THREE, THREE).stroke(context())
    assert np.array_equal(made.corners[0], THREE)
    made.press(np.array((50.0, 10.0)))
    made.release()
    (loop,) = made.outcome()
    assert area([loop]) == pytest.approx(600)


def test_a_stroke_that_waited_says_what_it_leaves_out_when_it_is_gone_on_with():
    angle = np.linspace(0, 2 * np.pi, 101)
    ring = 40 + 20 * np.stack((np.cos(angle), np.sin(angle)), axis=1)
    before = new_stroke(Tool.FREEHAND, context())
    before.press(ring[0])
    before.drag(*ring[1:30], *ring[36:60])
    assert not before.release()
    kept = HalfDrawn("freehand", before.points, before.corners[0], before.presses)
    made = HalfDrawn.from_dict(kept.as_dict()).stroke(context())
    assert made.gap_words == before.gap_words != ""
    made.press(ring[60])
    made.drag(*ring[61:])
    assert not made.release()
    assert "leaves out 9 mm on its way" in made.gap_words
    assert made.undo_corner()
    assert np.array_equal(made.points, before.points)
    # What an earlier version has left is corners.
    old = HalfDrawn.from_dict({"tool": "freehand", "paths": [ring[:5].tolist()]})
    assert len(old.stroke(context()).presses) == 5


def test_the_livewire_goes_on_from_its_last_anchor():
    before = new_stroke(Tool.LIVEWIRE, context())
    for point in [(20.0, 40.0), (40.0, 60.0), (60.0, 40.0)]:
        before.press(np.array(point))
        before.release()
    kept = HalfDrawn("livewire", before.points, before.corners[0])
    again = HalfDrawn.from_dict(kept.as_dict()).stroke(context())
    for made in (before, again):
        made.press(np.array((40.0, 20.0)))
    assert np.array_equal(again.outcome()[0], before.outcome()[0])


def test_dashes_and_rings_lie_where_they_belong(session):
    session.change(with_waiting(session, HalfDrawn("polygon", THREE, THREE)))
    session.put(MULTIFIDUS_LEFT, 2, [BOW_TIE])
    drawn = [path for path, _ in dashes(session.drawing, session.series, 2)]
    lengths = [np.hypot(*(np.diff(path, axis=0) * SPACING).T).sum() for path in drawn]
    assert sum(lengths) == pytest.approx((20 * 0.7 + 30 * 0.8) / 2, abs=DASH_MM)
    assert max(lengths) <= DASH_MM + 1e-9
    marks = [line for line, _ in crossing_marks(session.drawing, session.series, 2)]
    assert np.concatenate(marks).mean(axis=0) == pytest.approx([30, 60], abs=0.3)
    assert not list(dashes(session.drawing, session.series, 3))
    session.put(MULTIFIDUS_LEFT, 2, [box(20, 50, 40, 70)])
    assert not list(crossing_marks(session.drawing, session.series, 2))


def test_a_crossing_is_told_by_its_shape(session):
    session.put(MULTIFIDUS_LEFT, 2, [BOW_TIE])
    ring, *arms = [line for line, _ in crossing_marks(session.drawing, session.series, 2)]
    place = ring[:-1].mean(axis=0)
    radius = np.hypot(*((ring - place) * SPACING).T)
    assert np.ptp(radius) < 1e-9
    # The arms of a diagonal cross stick out of the ring; the crossing itself stays in sight.
    ends = np.array([(arm - place) * SPACING for arm in arms])
    assert sorted(np.round(np.degrees(np.arctan2(*ends[:, 1].T)))) == [-135, -45, 45, 135]
    lengths = np.hypot(ends[..., 0], ends[..., 1])
    assert (lengths[:, 0] >= radius[0] - 1e-9).all()
    assert (lengths[:, 1] > 1.5 * radius[0]).all()
