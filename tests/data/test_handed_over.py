"""What is handed to the library in memory is checked as what lies in files is."""

import numpy as np
import pytest

import multifidus as mf
from multifidus.errors import GeometryError, LevelError, RoiError, StatisticsError
from tests.support.exams import axial_plane, box, circle, exam_of, image_slice, outline

RNG = np.random.default_rng(0)
SIGNAL = np.r_[RNG.normal(200, 20, 500), RNG.normal(800, 40, 200)].reshape(70, 10)
WEIGHTS = np.ones_like(SIGNAL)
RATINGS = RNG.normal(900, 100, (20, 1)) + RNG.normal(0, 10, (20, 2))
LINEAR = {"method": "linear", "lean": 200, "fat": 800}


# --- fat fraction ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (WEIGHTS.T, r"shape \(70, 10\), their weights \(10, 70\)"),
        (WEIGHTS.ravel(), r"their weights \(700,\)"),
        (1.0, r"their weights \(\)"),
        (-WEIGHTS, "700 weights are negative"),
        (np.where(SIGNAL > 780, np.nan, WEIGHTS), "no finite number, such as nan"),
        (WEIGHTS.astype(str), "weights are real numbers .they are text"),
    ],
    ids=["transposed", "flat", "one", "negative", "nan", "text"],
)
def test_weights_that_do_not_belong_to_the_pixels_are_refused(weights, message):
    with pytest.raises(StatisticsError, match=message) as error:
        mf.fat_fraction(SIGNAL, weights, **LINEAR)
    assert error.value.remedy


@pytest.mark.parametrize("values", [SIGNAL.astype(str), SIGNAL + 5j, [[1, 2], [3]], ["a", "b"]])
def test_pixels_that_are_no_real_numbers_are_refused(values):
    with pytest.raises(StatisticsError, match="real numbers"):
        mf.fat_fraction(values, WEIGHTS, **LINEAR)


def test_samples_of_tissue_may_have_any_shape_and_must_be_numbers():
    flat = mf.fat_fraction(SIGNAL, WEIGHTS, "linear", lean=[190, 210.0], fat=[[800], [810]])
    assert (
        flat.value_pct
        == mf.fat_fraction(SIGNAL, WEIGHTS, "linear", lean=[[190], [210]], fat=[800, 810]).value_pct
    )
    with pytest.raises(StatisticsError, match="the lean samples"):
        mf.fat_fraction(SIGNAL, WEIGHTS, "linear", lean=["200"], fat=800)


@pytest.mark.parametrize("method", ["linear", "otsu", "pooled_otsu"])
def test_masked_pixels_are_left_out_as_missing_ones_are_and_are_counted(method):
    references = {"lean": [190, 200, 210], "fat": [790, 800, 810]}
    hidden = SIGNAL > 800
    found = [
        mf.fat_fraction(values, weights, method, **references)
        for values, weights in (
            (np.ma.masked_array(SIGNAL, hidden), WEIGHTS),
            (np.where(hidden, np.nan, SIGNAL), WEIGHTS),
            (SIGNAL, np.ma.masked_array(WEIGHTS, hidden)),
        )
    ]
    whole = mf.fat_fraction(SIGNAL, WEIGHTS, method, **references)
    assert len({result.value_pct for result in found}) == 1
    assert found[0].value_pct < whole.value_pct
    counted = [result.parameters["n_undefined"] for result in (*found, whole)]
    assert counted == [hidden.sum(), hidden.sum(), 0, 0]


# --- statistics -----------------------------------------------------------------------------------


@pytest.mark.parametrize("statistic", [mf.icc, mf.sem])
@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        (np.ma.masked_array(RATINGS, RATINGS[3, 1] == RATINGS), "Rating 2 of subject 4 is missing"),
        ([np.ma.masked_array([1.0, 2.0], [False, True]), [3.0, 4.5]], "Rating 2 of subject 1"),
        ([[1, None], [2, 3]], "Rating 2 of subject 1 is missing"),
        (RATINGS.astype(str), "real numbers"),
        ([["a", "b"], ["c", "d"]], "real numbers"),
        ([[1, 2], [2]], "real numbers, or their rows differ in length"),
        (RATINGS + 1j, "complex"),
    ],
    ids=["masked", "masked rows", "none", "text", "words", "ragged", "complex"],
)
def test_ratings_that_are_missing_or_no_numbers_are_refused(statistic, ratings, message):
    with pytest.raises(StatisticsError, match=message):
        statistic(ratings)


def test_whole_numbers_and_numbers_kept_as_objects_are_ratings():
    wanted = mf.sem([[2.0, 4.0], [4.0, 7.0], [6.0, 8.0]]).agreement
    whole = np.array([[2, 4], [4, 7], [6, 8]], np.uint8)
    assert mf.sem(whole).agreement == mf.sem(whole.astype(object)).agreement == wanted


class Column:
    def __init__(self, values, index):
        self.values, self.index = np.asarray(values), index

    def __array__(self, dtype=None, copy=None):
        return self.values.astype(dtype or self.values.dtype)


def test_columns_whose_rows_have_other_labels_are_not_paired():
    one, two = [1.0, 2, 4, 5], [1.5, 3, 3, 6]
    same = mf.bland_altman(Column(one, "abcd"), Column(two, "abcd"))
    assert same == mf.bland_altman(one, two) == mf.bland_altman(Column(one, "dcba"), two)
    with pytest.raises(StatisticsError, match="labels") as error:
        mf.bland_altman(Column(one, "abcd"), Column(two, "bacd"))
    assert "set_index" in error.value.remedy
    with pytest.raises(StatisticsError, match="labels"):
        mf.icc([Column(one, "abcd"), Column(two, "bacd")])


def test_a_masked_value_of_a_pair_is_missing():
    with pytest.raises(StatisticsError, match="missing"):
        mf.bland_altman(np.ma.masked_array([1.0, 2, 4], [0, 1, 0]), [1, 3, 3])
    with pytest.raises(StatisticsError, match="real numbers"):
        mf.bland_altman(["1", "2", "4"], [1, 3, 3])


# --- images and landmarks -------------------------------------------------------------------------


def test_masked_pixels_of_a_slice_have_no_value():
    pixels = np.ma.masked_array(np.full((9, 9), 7), np.eye(9, dtype=bool))
    found = image_slice(pixels).pixels
    assert np.isnan(found[0, 0])
    assert found[0, 1] == 7


@pytest.mark.parametrize(
    "pixels", [np.ones((9, 9), complex), np.full((9, 9), "7"), np.full((9, 9), "x", object)]
)
def test_a_slice_of_what_is_no_number_is_refused(pixels):
    with pytest.raises(GeometryError, match="real numbers"):
        image_slice(pixels)


@pytest.mark.parametrize("thickness", [-4.0, float("inf")])
def test_a_slice_of_impossible_thickness_is_refused(thickness):
    with pytest.raises(GeometryError, match="thick"):
        mf.Slice.from_array("1", axial_plane(), np.ones((9, 9)), thickness_mm=thickness)


@pytest.mark.parametrize("position", [("a", 0, 0), ("1", "2", "3"), (1, None, 2), (1j, 0, 0)])
def test_a_landmark_at_no_numbers_is_refused(position):
    with pytest.raises(LevelError, match="position_mm"):
        mf.Landmark("disc_centre", "L4-L5", position)


# --- readings -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1.7, True, "2", None, float("nan"), float("inf")])
def test_a_reading_that_is_no_whole_number_is_refused(number):
    with pytest.raises(RoiError, match=r"reading counts 1, 2, \.\.\.") as error:
        mf.Reading("S01", "pre", "AB", number)
    assert error.value.remedy


@pytest.mark.parametrize("number", [2.0, np.int64(2), np.float32(2)])
def test_a_whole_number_of_any_kind_is_a_reading(number):
    found = mf.Reading("S01", "pre", "AB", number)
    assert type(found.reading) is int
    assert found == mf.Reading("S01", "pre", "AB", 2)


@pytest.mark.parametrize("names", [(1, "pre", "AB"), ("S01", 2, "AB"), ("S01", "pre", None)])
def test_a_name_that_is_no_text_is_refused(names):
    with pytest.raises(RoiError, match="must be text"):
        mf.Reading(*names, 1)


# --- outlines of another exam ---------------------------------------------------------------------

PLAIN = mf.MeasurementProtocol(bias_correction="none", fat_methods=("otsu",))


def drawn(**facts):
    item = image_slice(np.random.default_rng(1).normal(200, 10, (80, 100)))
    return exam_of(item), mf.RoiSet(
        (outline(item, circle(40, 70, 9), "multifidus", "left", **facts),)
    )


@pytest.mark.parametrize(
    ("by", "what"),
    [
        (mf.Reading("S02", "pre", "AB"), "Outlines of subject 'S02' .* exam of subject 'S01'"),
        (mf.Reading("S01", "post", "AB"), "Outlines of timepoint 'post'"),
    ],
)
def test_outlines_of_another_person_or_timepoint_are_not_measured(by, what):
    exam, rois = drawn(reading=by)
    with pytest.raises(RoiError, match=what) as error:
        mf.measure(exam, rois, PLAIN)
    assert "read_by" in error.value.remedy


@pytest.mark.parametrize("by", [mf.Reading(), mf.Reading("subject-7", "exam-2", "AB")])
def test_outlines_without_a_real_name_are_measured_on_any_exam(by):
    assert mf.measure(*drawn(reading=by), PLAIN)


@pytest.mark.parametrize("other", [mf.Reading("S02", "pre", "AB"), mf.Reading("S01", "post", "CD")])
def test_sets_of_two_persons_or_timepoints_are_not_put_together(other):
    one, two = drawn()[1], drawn(reading=other)[1]
    with pytest.raises(RoiError, match="go together name two"):
        one | two
    shared = mf.RoiSet(landmarks=(mf.Landmark("cage", "L4-L5", (0, 0, 0)),), reading=other)
    with pytest.raises(RoiError, match="go together name two"):
        one | shared


# --- outlines that cancel, or lie on each other ---------------------------------------------------


def test_an_outline_that_holds_one_path_twice_is_refused():
    item = image_slice(np.ones((80, 100)))
    path = circle(40, 70, 9)
    for again in (path, path[::-1], np.roll(path, 5, axis=0)):
        with pytest.raises(RoiError, match="one path twice"):
            outline(item, [path, again], "multifidus", "left")


def flags_of(*outlines):
    pixels = np.random.default_rng(1).normal(200, 10, (80, 100))
    item = image_slice(pixels)
    rois = mf.RoiSet(tuple(outline(item, *given[:3], name=given[3]) for given in outlines))
    rows = mf.measure(exam_of(item), rois, PLAIN)
    return {
        (row.key.structure, row.key.side, row.key.name)
        for row in rows
        if mf.Flag.OUTLINES_OVERLAP in row.flags and row.quantity == "tcsa_mm2"
    }


RIGHT = (box(30, 20, 49, 39), "multifidus", "right", "")


@pytest.mark.parametrize(
    "other",
    [
        (box(30, 36, 49, 59), "multifidus", "left", ""),
        (box(47, 20, 70, 39), "erector_spinae", "right", ""),
        (box(32, 20, 49, 41), "multifidus", "right", "again"),
        (box(35, 25, 38, 28), "erector_spinae", "right", ""),
    ],
    ids=["sides", "muscles", "twice", "within"],
)
def test_muscles_that_lie_on_each_other_are_flagged_both(other):
    assert flags_of(RIGHT, other) == {RIGHT[1:], other[1:]}


@pytest.mark.parametrize(
    "other",
    [
        (box(30, 40, 49, 59), "multifidus", "left", ""),
        (box(30, 39, 49, 59), "multifidus", "left", ""),
        (box(50, 20, 70, 39), "erector_spinae", "right", ""),
        (box(20, 10, 70, 45), "autochthonous", "right", ""),
        (box(30, 20, 49, 39), "artefact", "none", ""),
    ],
    ids=["border", "border twice", "below", "its group", "no muscle"],
)
def test_muscles_side_by_side_and_parts_of_a_group_are_not_flagged(other):
    assert not flags_of(RIGHT, other)
