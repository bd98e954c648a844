import copy
import json
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import given, settings, strategies as st

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.landmark import LandmarkKind
from multifidus.data.roi import Reading, Source
from multifidus.data.roi_set import Reason, RoiSet
from multifidus.errors import MultifidusError, ReadError, RoiError, WriteError
from multifidus.io.outlines_json import as_document, from_document, read_outlines, write_outlines
from tests.support.exams import box, circle, image_slice, outline
from tests.support.strategies import roi_sets

SCHEMA = json.loads(files("multifidus.io").joinpath("outlines.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

DOCUMENT = {
    "format": "multifidus-outlines",
    "version": 1,
    "frame": "LPS",
    "unit": "mm",
    "subject": "S01",
    "timepoint": "pre",
    "rater": "AB",
    "reading": 1,
    "outlines": [
        {
            "structure": "multifidus",
            "side": "left",
            "name": "",
            "slice_uid": "1.2.3",
            "level": "L4-L5",
            "slice_position": "mid_disc",
            "roi_rule": "fascial",
            "source": "manual",
            "plane": {
                "origin_mm": [-20.0, -30.0, 0.0],
                "row_step_mm": [0.0, 0.5, 0.0],
                "column_step_mm": [0.5, 0.0, 0.0],
                "shape": [80, 100],
            },
            "paths_mm": [[[0.0, 0.0, 0.0], [10.0, 0.0, 0.0], [10.0, 7.5, 0.0]]],
        }
    ],
    "landmarks": [{"kind": "cage", "level": "L4-L5", "position_mm": [1.0, 2.0, 3.0]}],
    "levels": [{"slice_uid": "1.2.3", "level": "L4-L5", "slice_position": "mid_disc"}],
    "not_measurable": [
        {"level": "L5-S1", "side": "left", "structure": "multifidus", "reason": "metal", "note": ""}
    ],
    "grades": [{"scheme": "goutallier", "level": "L4-L5", "side": "left", "value": 2}],
}

ABSENT = object()


def changed(path, value):
    """Return DOCUMENT with one entry replaced or taken out; path like outlines.0.side."""
    document = copy.deepcopy(DOCUMENT)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = document
    for parent in parents:
        place = place[parent]
    if value is ABSENT:
        del place[last]
    else:
        place[last] = value
    return document


def test_the_documented_example_is_read():
    rois = from_document(DOCUMENT, "example")
    (roi,) = rois
    assert roi.area_mm2 == 37.5
    assert (roi.level, roi.key.side) == (Level.L4_L5, Side.LEFT)
    assert rois.reading == Reading("S01", "pre", "AB", 1)
    assert rois.landmarks[0].position_mm.tolist() == [1, 2, 3]
    assert rois.not_measurable[0].reason is Reason.METAL
    assert rois.grades[0].value == 2
    assert as_document(rois, rois.reading) == DOCUMENT


@given(roi_sets())
def test_outlines_come_back_to_the_last_bit(tmp_path_factory, rois):
    path = tmp_path_factory.getbasetemp() / "random.outlines.json"
    write_outlines(rois, path, overwrite=True)
    back = read_outlines(path)
    assert back == rois
    assert [roi.sha256() for roi in back] == [roi.sha256() for roi in rois]


@given(roi_sets())
def test_the_schema_accepts_what_is_written(rois):
    VALIDATOR.validate(json.loads(json.dumps(as_document(rois, rois.reading))))


def test_what_is_written_is_plain_json_with_one_entry_a_line(tmp_path):
    item = image_slice([[0.0] * 100] * 80)
    rois = RoiSet(
        tuple(outline(item, [box(9, 9, 30, 30), circle(20, 20, 4)], name=str(n)) for n in range(3))
    )
    path = tmp_path / "a.outlines.json"
    write_outlines(rois, path)
    text = path.read_text()
    assert "NaN" not in text
    assert sum(line.startswith('  {"structure"') for line in text.splitlines()) == 3


def test_what_a_file_leaves_out_is_unknown_not_invented():
    document = changed("outlines.0.side", ABSENT)
    entry = document["outlines"][0]
    for name in ("name", "slice_uid", "level", "slice_position", "roi_rule", "source"):
        del entry[name]
    (roi,) = from_document(document, "short")
    assert roi.key.side is Side.NONE
    assert (roi.key.name, roi.key.slice_uid, roi.level) == ("", "", None)
    assert (roi.slice_position, roi.roi_rule) == (SlicePosition.UNKNOWN, RoiRule.UNKNOWN)
    assert roi.source is Source.IMPORTED


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_outline_may_have_no_level(nothing):
    document = changed("outlines.0.level", nothing)
    assert from_document(document, "file").rois[0].level is None
    VALIDATOR.validate(document)


def test_a_file_may_hold_landmarks_alone():
    document = {name: DOCUMENT[name] for name in ("format", "version", "frame", "unit")}
    rois = from_document(document | {"landmarks": DOCUMENT["landmarks"]}, "marks")
    assert len(rois) == 0
    assert len(rois.landmarks) == 1
    assert rois.reading == Reading()


MALFORMED = [
    # what to change, to what, and which place the error names
    ("outlines", None, "f.json.outlines"),
    ("outlines", {}, "f.json.outlines"),
    ("outlines", [5], r"f.json: outlines\[0\]"),
    ("subject", 7, "f.json.subject"),
    ("reading", 0, "f.json"),
    ("reading", "1", "f.json.reading"),
    ("reading", True, "f.json.reading"),
    ("frame", ABSENT, "f.json.frame"),
    ("frame", "RAS", "f.json is not in LPS"),
    ("unit", "cm", "f.json is not in LPS"),
    ("version", ABSENT, "f.json.version"),
    ("version", 0, "f.json has version 0"),
    ("outlines.0.structure", ABSENT, r"outlines\[0\].structure"),
    ("outlines.0.structure", "trapezius", r"outlines\[0\].structure"),
    ("outlines.0.side", "port", r"outlines\[0\].side"),
    ("outlines.0.side", None, r"outlines\[0\].side"),
    ("outlines.0.name", 5, r"outlines\[0\].name"),
    ("outlines.0.slice_uid", 5, r"outlines\[0\].slice_uid"),
    ("outlines.0.level", "L9", r"outlines\[0\].level"),
    ("outlines.0.level", 4, r"outlines\[0\].level"),
    ("outlines.0.slice_position", "top", r"outlines\[0\].slice_position"),
    ("outlines.0.roi_rule", "loose", r"outlines\[0\].roi_rule"),
    ("outlines.0.source", "dreamt", r"outlines\[0\].source"),
    ("outlines.0.plane", ABSENT, r"outlines\[0\].plane"),
    ("outlines.0.plane.origin_mm", ABSENT, r"outlines\[0\].plane.origin_mm"),
    ("outlines.0.plane.origin_mm", [1, 2], r"outlines\[0\].plane.*origin_mm"),
    ("outlines.0.plane.origin_mm", ["a", "b", "c"], r"outlines\[0\].plane"),
    ("outlines.0.plane.row_step_mm", [[1], [2], [3]], r"outlines\[0\].plane.*row_step_mm"),
    ("outlines.0.plane.shape", [80], r"outlines\[0\].plane.shape"),
    ("outlines.0.plane.shape", [80, 0], r"outlines\[0\].plane.shape"),
    ("outlines.0.plane.shape", [80, 1.5], r"outlines\[0\].plane.shape"),
    ("outlines.0.plane.shape", [80, True], r"outlines\[0\].plane.shape"),
    ("outlines.0.paths_mm", ABSENT, r"outlines\[0\].paths_mm"),
    ("outlines.0.paths_mm", [], r"outlines\[0\]"),
    ("outlines.0.paths_mm", [[[0, 0, 0], [1, 0, 0]]], r"outlines\[0\]"),
    ("outlines.0.paths_mm", [[[0, 0], [1, 0], [1, 1]]], r"outlines\[0\]"),
    ("outlines.0.paths_mm", [[[0, 0, 0], [1, 0, 0], [1, 1]]], r"outlines\[0\]"),
    ("outlines.0.paths_mm", [5], r"outlines\[0\]"),
    ("outlines.0.paths_mm", [{}], r"outlines\[0\]"),
    (
        "outlines.0.paths_mm",
        [[["1", "0", "0"], ["9", "0", "0"], ["9", "9", "0"]]],
        r"outlines\[0\]",
    ),
    ("outlines.0.paths_mm.0.0.0", None, r"outlines\[0\]"),
    ("landmarks.0.kind", "screw", r"landmarks\[0\].kind"),
    ("landmarks.0.level", ABSENT, r"landmarks\[0\].level"),
    ("landmarks.0.position_mm", [1, 2], r"landmarks\[0\].*position_mm"),
    ("landmarks.0.position_mm", 5, r"landmarks\[0\].position_mm"),
    ("levels.0.slice_uid", ABSENT, r"levels\[0\].slice_uid"),
    ("levels.0.level", "", r"levels\[0\].level"),
    ("levels.0.slice_position", "top", r"levels\[0\].slice_position"),
    ("not_measurable.0.reason", "bored", r"not_measurable\[0\].reason"),
    ("not_measurable.0.side", "port", r"not_measurable\[0\].side"),
    ("not_measurable.0.structure", ABSENT, r"not_measurable\[0\].structure"),
    ("not_measurable.0.note", 5, r"not_measurable\[0\].note"),
    ("grades.0.scheme", ABSENT, r"grades\[0\].scheme"),
    ("grades.0.value", "2", r"grades\[0\].value"),
    ("grades.0.value", 1.5, r"grades\[0\].value"),
    ("grades.0.value", True, r"grades\[0\].value"),
]


@pytest.mark.parametrize(("path", "value", "place"), MALFORMED)
def test_a_malformed_entry_is_refused_by_reader_and_schema_alike(path, value, place):
    document = changed(path, value)
    with pytest.raises(MultifidusError, match=place):
        from_document(document, "f.json")
    assert not VALIDATOR.is_valid(document)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("outlines.0.plane.row_step_mm", [1.0, 0.0, 0.0], "span no plane"),
        ("outlines.0.plane.origin_mm", [0.0, 0.0, 5.0], "5.00 mm off the plane"),
        (
            "outlines.0.paths_mm",
            [[[0, 0, 0], [5, 5, 0], [5, 0, 0], [0, 5, 0]]],
            "crosses itself near row 65.0, column 45.0",
        ),
        ("outlines.0.paths_mm.0.0.0", float("nan"), "finite"),
        ("outlines", [DOCUMENT["outlines"][0]] * 2, "two outlines of left multifidus"),
        ("grades.0.value", 5, r"grades\[0\]: There is no grade 5 by goutallier"),
        ("grades.0.value", -1, r"grades\[0\]: There is no grade -1 by goutallier"),
    ],
)
def test_an_outline_that_cannot_be_is_refused_with_its_file(path, value, message):
    with pytest.raises(MultifidusError, match=f"f.json.*{message}"):
        from_document(changed(path, value), "f.json")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
@settings(max_examples=30)
def test_whatever_stands_in_a_file_only_our_errors_come_out(value):
    # Every entry of the document in turn.
    for path, _, _ in MALFORMED:
        try:
            from_document(changed(path, value), "f.json")
        except MultifidusError:
            continue


def test_a_newer_version_is_refused_with_what_to_do():
    with pytest.raises(ReadError, match=r"version 2; this software reads up to version 1.*Update"):
        from_document(changed("version", 2), "f.json")


@pytest.mark.parametrize("document", [{}, {"format": "geojson"}, {"format": None}])
def test_another_format_is_refused(document):
    with pytest.raises(ReadError, match=r"f\.json"):
        from_document(document, "f.json")


@pytest.mark.parametrize("document", [[], None, "text", 5])
def test_a_file_that_is_no_object_is_refused(document):
    with pytest.raises(ReadError, match="must be a JSON object"):
        from_document(document, "f.json")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_half_written_file_is_refused(tmp_path, share):
    path = tmp_path / "half.outlines.json"
    write_outlines(from_document(DOCUMENT, ""), path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(ReadError, match=r"half\.outlines\.json is not an outline file, or damaged"):
        read_outlines(path)


def test_a_file_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "latin.outlines.json"
    path.write_bytes('{"rater": "Jürgen"}'.encode("latin-1"))
    with pytest.raises(ReadError, match="is not an outline file, or damaged"):
        read_outlines(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"Cannot read .* as an outline file"):
        read_outlines(tmp_path / "gone.outlines.json")


def test_two_readings_do_not_share_a_file(tmp_path):
    item = image_slice([[0.0] * 100] * 80)
    both = [outline(item, circle(20, 20, 8), reading=Reading("S01", "pre", who)) for who in "AB"]
    with pytest.raises(RoiError, match=r"holds one reading, these are 2: .*rater A.*rater B"):
        write_outlines(RoiSet(tuple(both)), tmp_path / "a.outlines.json")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_kept_unless_asked(tmp_path):
    path = tmp_path / "a.outlines.json"
    rois = from_document(DOCUMENT, "")
    write_outlines(rois, path)
    with pytest.raises(WriteError, match="already exists"):
        write_outlines(RoiSet(), path)
    assert read_outlines(path) == rois


def test_the_schema_lists_the_vocabularies_of_the_code():
    defined = SCHEMA["$defs"]
    entries = {
        Side: defined["side"],
        Level: defined["level"],
        SlicePosition: defined["slice_position"],
        Structure: defined["structure"],
        RoiRule: defined["outline"]["properties"]["roi_rule"],
        Source: defined["outline"]["properties"]["source"],
        LandmarkKind: defined["landmark"]["properties"]["kind"],
        Reason: defined["not_measurable"]["properties"]["reason"],
    }
    for vocabulary, entry in entries.items():
        assert entry["enum"] == [item.value for item in vocabulary]


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
