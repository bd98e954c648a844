import json

import pytest

from multifidus.data.anatomy import Side
from multifidus.errors import MultifidusError, ReadError
from multifidus.io.json_documents import (
    LARGEST_BYTES,
    DocumentKind,
    Node,
    load_printed,
    read_document,
    write_document,
)

KIND = DocumentKind("a list of readings", "list", 2)
READING = {"subject": "S01", "timepoint": "pre", "rater": "AB", "reading": 1}


def test_what_is_written_is_read(tmp_path):
    write_document(tmp_path / "a.json", KIND, {"count": 3, "entries": [READING]})
    root = read_document(tmp_path / "a.json", KIND)
    assert root.get("count", int) == 3
    assert [str(entry.reading()) for entry in root.nodes("entries")] == [
        "subject S01, timepoint pre, rater AB, reading 1"
    ]


def readings_in(path):
    entries = read_document(path, KIND).nodes("entries")
    return [entry.node("at").get("reading", int) for entry in entries]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("[]", KIND.remedy),
        ('{"format": "list", "version": "1"}', KIND.remedy),
        ('{"format": "list", "version": 1, "entries": 7}', KIND.remedy),
        ('{"format": "list", "version": 1, "entries": [7]}', KIND.remedy),
        ('{"format": "list", "version": 1, "entries": [{"at": {"reading": "1"}}]}', KIND.remedy),
        ('{"format": "other", "version": 1}', "Give a list of readings."),
    ],
)
def test_a_document_of_the_wrong_shape_says_what_to_do(text, remedy, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ReadError, match=r"a\.json") as refused:
        readings_in(tmp_path / "a.json")
    assert refused.value.remedy == remedy


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"reading": "1"}, r"a\.json: entries\[1\]\.reading must be a int, got '1'"),
        ({"reading": True}, r"entries\[1\]\.reading must be a int, got True"),
        ({"reading": 0}, r"entries\[1\]: reading counts 1, 2"),
        ({"subject": None}, r"entries\[1\]\.subject must be a str, got nothing"),
    ],
)
def test_an_error_names_file_and_place(tmp_path, change, place):
    write_document(tmp_path / "a.json", KIND, {"entries": [READING, {**READING, **change}]})
    root = read_document(tmp_path / "a.json", KIND)
    with pytest.raises(MultifidusError, match=place):
        [entry.reading() for entry in root.nodes("entries")]


def test_a_word_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(
        ReadError, match=r"f\.side is 'port'\. Allowed are: left, right, both, none"
    ):
        Node({"side": "port"}, "f").get("side", Side)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not a list of readings, or damaged"),
        ("[]", "must be a JSON object"),
        ("{}", "is not a list of readings: its format is ''"),
        (json.dumps({"format": "list", "version": 3}), "reads up to version 2.*Update"),
    ],
)
def test_another_file_is_refused(tmp_path, text, words):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ReadError, match=rf"a\.json.*{words}"):
        read_document(tmp_path / "a.json", KIND)


@pytest.mark.parametrize("text", ["", "[1]", "{"])
def test_what_no_command_printed_is_refused_with_what_to_save(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ReadError, match="Save what the command prints with --json"):
        load_printed(tmp_path / "a.json", "a study's reliability")


def test_a_file_too_large_to_be_one_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "a.json").open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)  # a hole, which takes no room
    with pytest.raises(ReadError, match=r"a\.json is too large for a list of readings"):
        read_document(tmp_path / "a.json", KIND)
