"""Whether the images are still those that outlines were drawn on, without a window."""

from __future__ import annotations

from dataclasses import replace

from napari_multifidus.models.autosave import Journal
from napari_multifidus.models.image_check import ImageHashes, words_of
from napari_multifidus.models.session import Session

from multifidus.data.image import Exam, Series, Slice
from tests.plugins.conftest import FAT, MULTIFIDUS_LEFT
from tests.support.exams import circle


def changed(exam: Exam, index: int, uid: str | None = None) -> Exam:
    """Return the exam with one pixel of one slice brighter."""
    (series,) = exam.series
    old = series.slices[index]
    pixels = old.pixels.copy()
    pixels[3, 3] += 1
    new = Slice.from_array(uid or old.uid, old.plane, pixels, old.thickness_mm)
    slices = (*series.slices[:index], new, *series.slices[index + 1 :])
    return replace(exam, series=(Series(series.uid, slices, series.weighting),))


def again(session: Session, exam: Exam) -> Session:
    return Session(exam, exam.series[0], session.rois())


def test_the_same_image_is_no_news(session, exam):
    images = ImageHashes(session, {}).images()
    assert set(images) == {session.series.slices[2].uid}
    assert ImageHashes(again(session, exam), images).changed() == ()
    assert words_of(()) == ""


def test_another_image_is_told_until_the_outlines_on_it_are_changed(session, exam):
    session.put(FAT, 4, [circle(20, 20, 5)])
    images = ImageHashes(session, {}).images()
    other = changed(exam, 2)
    watch = ImageHashes(again(session, other), images)
    assert watch.changed() == (2,)
    assert "slice 3 has changed" in words_of(watch.changed())
    assert watch.images() == images
    reading = again(session, other)
    watch = ImageHashes(reading, images)
    reading.put(MULTIFIDUS_LEFT, 2, [circle(36, 58, 12)])
    assert watch.images()[session.series.slices[2].uid] != images[session.series.slices[2].uid]
    assert ImageHashes(reading, watch.images()).changed() == ()


def test_an_image_that_has_another_uid_now_is_noticed_by_its_place(session, exam):
    images = ImageHashes(session, {}).images()
    other = changed(exam, 2, "hash-of-another-file#2")
    assert ImageHashes(again(session, other), images).changed() == (2,)


def test_what_nobody_noted_is_no_news(session, exam):
    assert ImageHashes(again(session, changed(exam, 2)), {}).changed() == ()


def test_the_journal_keeps_the_images():
    journal = Journal("1.2", images={"1.2": "abc"})
    assert Journal.from_text(journal.as_text()).images == {"1.2": "abc"}
    assert Journal.from_text(Journal().as_text()).images == {}
