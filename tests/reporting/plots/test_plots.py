"""Figures show the numbers of the tables; axes, points and words are looked at, not pixels."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from multifidus.errors import ReadError, WriteError
from multifidus.figures.picture_files import read_thumbnails, write_thumbnail
from multifidus.reporting.plots.asymmetry import asymmetry
from multifidus.reporting.plots.bland_altman import bland_altman
from multifidus.reporting.plots.forest import forest
from multifidus.reporting.plots.montage import matched, montage
from multifidus.reporting.plots.profiles import level_profiles
from multifidus.reporting.plots.slopes import slopes
from multifidus.reporting.plots.style import (
    CLASSIFICATIONS,
    COLUMN_MM,
    PAGE_MM,
    PNG_DPI,
    as_svg,
    styled,
    write_drawing,
)
from multifidus.stats.change.exam_value import ReadingChoice
from multifidus.stats.change.groups import Classification
from multifidus.stats.change.mdc import mdc_from_reliability
from multifidus.stats.change.study import spans_of, study_change
from multifidus.stats.reliability.document import plain_study
from multifidus.stats.reliability.study import reliability
from multifidus.stats.values import Metric
from tests.support.studies import LEVELS, study_rows
from tests.support.tables import values_of

AREA = Metric("tcsa_mm2", "", "multifidus")
MEAN = ReadingChoice("mean")


def change_of(values, document=None):
    known = {} if document is None else {"mdc_of": mdc_from_reliability(document)}
    return study_change(values, spans_of(values), choice=MEAN, minimal_valid_fraction=0.95, **known)


@pytest.fixture(scope="module")
def values():
    return AREA.of(values_of(study_rows()))


@pytest.fixture(scope="module")
def between(values):
    return reliability(values)


@pytest.fixture(scope="module")
def change(values, between):
    return change_of(values, plain_study(between))


def panel(drawing, title):
    (found,) = [axes for axes in drawing.figure.axes if axes.get_title() == title]
    return found


def test_bland_altman_shows_every_target_and_the_tables_bias_and_limits(values, between):
    drawing = bland_altman(AREA, between.results, values)
    assert len(drawing.figure.axes) == len(between.results) == 6
    for item in between.results:
        axes = panel(drawing, f"{item.level} {item.side}")
        points = axes.collections[-1].get_offsets()
        assert len(points) == item.n_targets == 24
        found = item.pairs[0].agreement
        assert np.mean(points[:, 1]) == pytest.approx(found.bias)
        assert np.std(points[:, 1], ddof=1) == pytest.approx(found.sd)
        heights = {line.get_ydata()[0] for line in axes.lines}
        assert {found.bias, *found.limits} <= heights
        assert f"n = {found.n}" in [text.get_text() for text in axes.texts]
    assert "A minus B" in drawing.caption


def test_bland_altman_of_one_raters_readings_is_of_that_rater_alone(values):
    within = reliability(values, compare="reading").results
    mine = [item for item in within if item.rater == "B"]
    drawing = bland_altman(AREA, mine, values)
    points = panel(drawing, "L4-L5 left").collections[-1].get_offsets()
    (item,) = [one for one in mine if (one.level, one.side) == ("L4-L5", "left")]
    assert np.mean(points[:, 1]) == pytest.approx(item.pairs[0].agreement.bias)
    assert drawing.name == "bland_altman_tcsa_mm2_readings_B"


def test_bland_altman_of_pooled_results_is_one_panel(values):
    pooled = reliability(values, by=())
    drawing = bland_altman(AREA, pooled.results, values)
    (axes,) = drawing.figure.axes
    assert len(axes.collections[-1].get_offsets()) == pooled.results[0].n_targets == 144


def test_targets_that_reliability_left_out_are_not_drawn():
    rows = study_rows()
    lost = {"subject": "S01", "rater": "B", "level": "L4-L5", "side": "left", "timepoint": "pre"}
    kept = [row for row in rows if not all(row[name] == word for name, word in lost.items())]
    values = AREA.of(values_of(kept))
    found = reliability(values)
    points = panel(bland_altman(AREA, found.results, values), "L4-L5 left").collections[-1]
    assert len(points.get_offsets()) == 23


def test_slopes_show_every_pair_in_the_colour_of_its_verdict(change):
    drawing = slopes(AREA, change)
    colours = {colour: classification for classification, (colour, *_) in CLASSIFICATIONS.items()}
    for level in LEVELS:
        axes = panel(drawing, f"{level} left")
        mine = [item for item in change.changes
                if (item.pair.level, item.pair.side) == (level, "left")]  # fmt: skip
        shown = {}
        for lines in axes.collections:
            from matplotlib.colors import to_hex

            shown[colours[to_hex(lines.get_color()[0]).upper()]] = len(lines.get_segments())
        for classification in (Classification.DECREASE, Classification.INCREASE):
            assert shown.get(classification, 0) == sum(
                item.classification is classification for item in mine
            )
        assert sum(shown.values()) == 12
        (mean,) = axes.lines
        assert mean.get_ydata()[1] == pytest.approx(np.mean([i.pair.after.value for i in mine]))
        assert [label.get_text() for label in axes.get_xticklabels()] == ["pre", "post"]


def test_slopes_over_three_exams_draw_steps_and_not_their_sum():
    values = AREA.of(values_of(study_rows(timepoints=("pre", "early", "late"))))
    drawing = slopes(AREA, change_of(values))
    axes = panel(drawing, "L4-L5 left")
    segments = [part for lines in axes.collections for part in lines.get_segments()]
    assert {tuple(part[:, 0]) for part in segments} == {(0.0, 1.0), (1.0, 2.0)}
    assert len(segments) == 24


def test_profiles_show_means_and_deviations_from_cranial_to_caudal(values):
    drawing = level_profiles(AREA, values, ("pre", "post"), MEAN)
    right, left = drawing.figure.axes
    assert [label.get_text() for label in right.get_yticklabels()] == list(LEVELS)
    assert right.get_ylim()[0] > right.get_ylim()[1]  # cranial on top
    pre = [item.value for item in values
           if (item.timepoint, item.level, item.side) == ("pre", "L4-L5", "left")]  # fmt: skip
    container = left.containers[0]
    assert container.lines[0].get_xdata()[1] == pytest.approx(np.mean(pre))
    by_subject = np.array(pre).reshape(12, 4).mean(axis=1)
    (low, high) = container.lines[2][0].get_segments()[1][:, 0]
    assert (high - low) / 2 == pytest.approx(np.std(by_subject, ddof=1))


def test_the_forest_shows_the_tables_means_intervals_and_what_is_detectable(change):
    drawing = forest(AREA, change)
    axes = drawing.figure.axes[0]
    marks = [line for line in axes.lines if line.get_marker() == "s"]
    assert [mark.get_xdata()[0] for mark in marks] == [m.tests.mean for m in change.muscles]
    spans = [tuple(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) == 2]
    assert {m.tests.ci95 for m in change.muscles} <= set(spans)
    first = next(
        i.mdc95 for i in change.changes if (i.pair.level, i.pair.side) == ("L3-L4", "left")
    )
    assert axes.patches[0].get_width() == pytest.approx(2 * first)
    assert axes.get_yticklabels()[0].get_text() == "L3-L4 left"
    assert "MDC95" in drawing.caption


def test_a_forest_without_known_error_has_no_band_and_says_so(values):
    drawing = forest(AREA, change_of(values))
    assert not drawing.figure.axes[0].patches
    assert "not known" in drawing.caption


def test_words_fit_the_paper_at_the_resolution_of_pictures():
    """Text that is hinted is wider at some resolutions than at that of the layout."""
    rows = [{**row, "approach": "minimally invasive"} for row in study_rows()]
    values = AREA.of(values_of(rows))
    study = study_change(
        values, spans_of(values), choice=MEAN, minimal_valid_fraction=0.95, column="approach"
    )
    figure = forest(AREA, study).figure

    @styled
    def left():
        figure.set_dpi(PNG_DPI)
        figure.draw_without_rendering()
        return min(label.get_window_extent().x0 for label in figure.axes[0].get_yticklabels())

    assert left() > 0


def test_asymmetry_shows_every_subject_and_its_median():
    values = values_of(study_rows())
    drawing = asymmetry(values, "multifidus", ("pre", "post"), MEAN)
    (axes,) = drawing.figure.axes
    assert [len(found.get_offsets()) for found in axes.collections] == [12] * 6
    for points, line in zip(axes.collections, axes.lines, strict=False):
        assert np.median(np.asarray(points.get_offsets())[:, 1]) == pytest.approx(
            line.get_ydata()[0]
        )


def test_nothing_to_draw_is_no_figure(values, between, change):
    other = Metric("volume_ml", "", "multifidus")
    assert bland_altman(other, between.results, values) is None
    assert slopes(other, change) is None
    assert forest(other, change) is None
    assert level_profiles(other, values, ("pre",), MEAN) is None
    assert asymmetry(values, "psoas", ("pre",), MEAN) is None
    assert montage("S01", (), ("pre", "post"), "first") is None


def test_figures_are_as_wide_as_a_journals_columns(values, change):
    drawings = (
        slopes(AREA, change),
        asymmetry(values_of(study_rows()), "multifidus", ("pre", "post"), MEAN),
        level_profiles(AREA, values, ("pre",), MEAN),
    )
    widths = [round(drawing.figure.get_size_inches()[0] * 25.4, 3) for drawing in drawings]
    assert widths == [PAGE_MM, COLUMN_MM, PAGE_MM]


def test_the_same_numbers_are_the_same_bytes_and_hold_no_date(change, tmp_path):
    for folder in ("one", "two"):
        write_drawing(forest(AREA, change), tmp_path / folder, ("pdf", "svg", "png"))
    files = sorted((tmp_path / "one").iterdir())
    assert [path.suffix for path in files] == [".pdf", ".png", ".svg"]
    for path in files:
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    assert b"CreationDate" not in files[0].read_bytes()
    assert "date" not in files[2].read_text().lower()


def test_a_figure_is_not_replaced_unasked(change, tmp_path):
    drawing = forest(AREA, change)
    write_drawing(drawing, tmp_path, ("svg",))
    with pytest.raises(WriteError):
        write_drawing(drawing, tmp_path, ("pdf", "svg"))
    assert not list(tmp_path.glob("*.pdf"))
    write_drawing(drawing, tmp_path, ("svg",), overwrite=True)


def test_figures_in_one_page_share_no_names_and_keep_their_words(values, between, change):
    drawings = (bland_altman(AREA, between.results, values), slopes(AREA, change))
    texts = [as_svg(drawing) for drawing in drawings]
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in texts]
    assert ids[0]
    assert not ids[0] & ids[1]
    for text, own in zip(texts, ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", text)) <= own
        assert set(re.findall(r'href="#([^"]+)"', text)) <= own
        words = "".join(ElementTree.fromstring(text).itertext())  # noqa: S314 - our own
        assert "Total cross-sectional area, mm²" in words


def test_words_of_a_study_are_text_and_never_markup_or_formulae():
    name = "<script>alert(1)</script> $x^2$"
    rows = [{**row, "timepoint": name if row["timepoint"] == "post" else "pre"}
            for row in study_rows()]  # fmt: skip
    values = AREA.of(values_of(rows))
    text = as_svg(slopes(AREA, change_of(values)))
    assert "<script" not in text
    assert "$x^2$" in "".join(ElementTree.fromstring(text).itertext())  # noqa: S314 - our own


# --- montage ---------------------------------------------------------------------------------


def thumbnail(folder, name, **said):
    usual = {
        "subject": "S01", "timepoint": "pre", "rater": "A", "reading": 1, "series": "1.2",
        "slice_index": 0, "level": "L4-L5", "pixel_mm": [0.1, 0.1],
    }  # fmt: skip
    picture = Image.new("RGB", (said.pop("width", 600), 300), said.pop("colour", (90, 90, 90)))
    write_thumbnail(picture, {**usual, **said}, folder / "small" / name)


def test_thumbnails_say_themselves_what_they_show(tmp_path):
    thumbnail(tmp_path, "one.png", pixel_mm=[0.1, 0.2])
    (found,) = read_thumbnails(tmp_path)
    assert (found.subject, found.level, found.reading) == ("S01", "L4-L5", 1)
    assert found.pixel_mm == pytest.approx((0.2, 0.4))
    with Image.open(found.path) as picture:
        assert picture.size == (300, 150)
    # Names are cleaned for files, so that two may become one: the words follow the picture.
    thumbnail(tmp_path, "one.png", subject="S-01")
    assert [item.subject for item in read_thumbnails(tmp_path)] == ["S-01"]


def test_a_picture_that_does_not_say_what_it_shows_is_refused(tmp_path):
    (tmp_path / "small").mkdir()
    Image.new("RGB", (9, 9)).save(tmp_path / "small" / "one.jpg")
    with pytest.raises(ReadError, match="does not say"):
        list(read_thumbnails(tmp_path))


def test_a_montage_matches_levels_and_shows_them_on_one_scale(tmp_path):
    for timepoint, step in (("pre", 0.1), ("post", 0.2)):
        for index in range(3):
            thumbnail(tmp_path, f"{timepoint}{index}.png", timepoint=timepoint, slice_index=index,
                      pixel_mm=[step, step])  # fmt: skip
    thumbnail(tmp_path, "lone.png", level="L5-S1", slice_index=7)
    found = list(read_thumbnails(tmp_path))
    levels = matched(found, ("pre", "post"))
    assert list(levels) == ["L4-L5"]
    assert {item.slice_index for item in levels["L4-L5"].values()} == {1}
    assert list(matched(found, ("pre",))) == ["L4-L5", "L5-S1"]
    drawing = montage("S01", found, ("pre", "post"), "the only one")
    pre, post = drawing.figure.axes
    assert pre.get_xlim() == post.get_xlim()
    widths = [np.ptp(axes.images[0].get_extent()[:2]) for axes in (pre, post)]
    assert widths == pytest.approx([60, 120])
    assert "S01" in drawing.caption


def test_a_missing_exam_of_a_level_is_said(tmp_path):
    for timepoint, level in (("a", "L4-L5"), ("b", "L4-L5"), ("b", "L5-S1"), ("c", "L5-S1")):
        thumbnail(tmp_path, f"{timepoint}{level}.png", timepoint=timepoint, level=level)
    drawing = montage("S01", list(read_thumbnails(tmp_path)), ("a", "b", "c"), "why")
    said = [text.get_text() for axes in drawing.figure.axes for text in axes.texts]
    assert said.count("no picture") == 2


def test_a_subject_keeps_its_own_verdict_when_nothing_is_known(change):
    unknown = replace(change, changes=tuple(
        replace(item, classification=Classification.UNKNOWN) for item in change.changes
    ))  # fmt: skip
    drawing = slopes(AREA, unknown)
    words = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
    assert words == ["not assessable", "mean"]
