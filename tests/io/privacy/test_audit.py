"""What is planted is found wherever it stands; what is no identifier is left alone."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.errors import ReadError
from multifidus.io.privacy.audit import NAME_OF_FILE, audit_folder
from multifidus.io.privacy.known import Kind, Known, known_in, listed_in
from multifidus.io.privacy.search import Search
from tests.support.identities import HIDING_PLACES, PERSONS, dicom, pdf, png, slices_of

ANNELORE = PERSONS["Latin"]


def kinds(folder, known=()):
    return {(one.file, one.what) for one in audit_folder(folder, Search(known)).findings}


@pytest.mark.parametrize("script", PERSONS)
def test_names_ids_and_birth_dates_are_found_in_every_kind_of_file(script, tmp_path):
    person = PERSONS[script]
    known, files = known_in([slices_of(person, tmp_path / "scans")])
    assert files == 2
    born = person.birth_date
    wanted = {
        Kind.NAME: person.name.replace("^", " "),
        Kind.PATIENT_ID: person.number,
        Kind.BIRTH_DATE: f"{born[:4]}-{born[4:6]}-{born[6:]}",
    }
    (tmp_path / "out").mkdir()
    for kind, text in wanted.items():
        for name, hide in HIDING_PLACES.items():
            (tmp_path / "out" / f"{kind.name} {name}").write_bytes(hide(text))
    found = kinds(tmp_path / "out", known)
    missed = {
        (f"{kind.name} {name}", kind.value) for kind in wanted for name in HIDING_PLACES
    } - found
    assert not missed


@pytest.mark.parametrize("script", PERSONS)
def test_the_same_files_hold_nothing_of_others(script, tmp_path):
    others = [Known(Kind.NAME, person.name) for key, person in PERSONS.items() if key != script]
    others += [
        Known(Kind.PATIENT_ID, person.number) for key, person in PERSONS.items() if key != script
    ]
    for name, hide in HIDING_PLACES.items():
        (tmp_path / name).write_bytes(hide(f"{PERSONS[script].name} {PERSONS[script].number}"))
    found = audit_folder(tmp_path, Search(others)).findings
    known = {kind.value for kind in Kind}
    assert not [one for one in found if one.what in known]


@pytest.mark.parametrize(
    "written",
    [
        "ZWICKY", "zwicky_annelore", "Annelores Scan", "AnneloreZwicky", "QX730155", "qx 730155",
        "QX_730155", "x730155.2020", "1.2.840.730155.7", "730155.0", "17.03.1961", "03/17/1961",
        "19610317",
    ],
)  # fmt: skip
def test_it_is_found_however_it_is_written(written, tmp_path):
    known, _ = known_in([slices_of(ANNELORE, tmp_path / "scans")])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "table.csv").write_text(f"a,b\n1,{written}\n")
    assert kinds(tmp_path / "out", known)


@pytest.mark.parametrize(
    "harmless",
    ["0.730155", "27.730155", "7301552", "1730155", "annals, annex", "1961-03-1", "QX-73"],
)
def test_what_only_resembles_it_is_left_alone(harmless, tmp_path):
    known, _ = known_in([slices_of(ANNELORE, tmp_path / "scans")])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "table.csv").write_text(f"a,b\n1,{harmless}\n")
    assert not kinds(tmp_path / "out", known)


def test_names_of_files_and_folders_are_looked_at(tmp_path):
    known, _ = known_in([slices_of(ANNELORE, tmp_path / "scans")])
    place = tmp_path / "out" / "Zwicky" / "x.csv"
    place.parent.mkdir(parents=True)
    place.write_text("a\n1\n")
    (finding,) = audit_folder(tmp_path / "out", Search(known)).findings
    assert (finding.file, finding.where) == ("Zwicky/x.csv", NAME_OF_FILE)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("see /home/jdoe/study/IM1.dcm", "path of a home folder"),
        (r"C:\Users\J Doe\scan.dcm", "path of a home folder"),
        (json.dumps({"file": "C:\\Users\\jdoe\\scan.dcm"}), "path of a home folder"),
        ("mail to jane.doe@hospital.example", "e-mail address"),
        ("Doe^Jane", "name in DICOM's writing"),
        (json.dumps({"PatientName": "J"}), "named field that identifies a person"),
        ("PatientID: 4711", "named field that identifies a person"),
    ],
)
def test_what_looks_like_an_identifier_is_found_without_knowing_it(text, what, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    assert kinds(tmp_path) == {("a.txt", what)}


@pytest.mark.parametrize(
    "text",
    ["x^2 + y^2", json.dumps({"PatientName": None}), "the PatientName is never copied", "a @ b"],
)
def test_what_does_not_is_left_alone(text, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    assert not kinds(tmp_path)


def test_identifiers_come_from_sequences_archives_sidecars_and_lists(tmp_path):
    slices_of(ANNELORE, tmp_path / "scans", 1)
    (tmp_path / "scans" / "x.json").write_text(
        json.dumps({"PatientName": "Okonkwo^Ifeoma", "AccessionNumber": "A5512009"})
    )
    known, files = known_in([tmp_path / "scans"])
    assert files == 2
    assert {(one.kind, one.text) for one in known} >= {
        (Kind.NAME, "Okonkwo^Ifeoma"),
        (Kind.EXAM_NUMBER, "A5512009"),
        (Kind.NAME, ANNELORE.name),
    }
    (tmp_path / "list.txt").write_text("Okonkwo\n\nA5512009\n")
    assert {one.text for one in listed_in(tmp_path / "list.txt")} == {"Okonkwo", "A5512009"}


def test_what_cannot_be_looked_into_is_said(tmp_path):
    (tmp_path / "table.parquet").write_bytes(b"PAR1" + b"\0" * 40 + b"PAR1")
    (tmp_path / "cut.gz").write_bytes(b"\x1f\x8b\x08\0\0")
    (tmp_path / "locked.pdf").write_bytes(pdf("x").replace(b"%%EOF", b"/Encrypt 5 0 R %%EOF"))
    said = {one.file for one in audit_folder(tmp_path, Search()).unread}
    assert said == {"table.parquet", "cut.gz", "locked.pdf"}


def run(*arguments):
    return CliRunner().invoke(app, ["audit", *map(str, arguments)])


def test_the_command_does_not_print_what_it_finds_unasked(tmp_path):
    slices_of(ANNELORE, tmp_path / "scans")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.png").write_bytes(png(packed="seen by Zwicky"))
    ended = run(tmp_path / "out", "--scans", tmp_path / "scans")
    assert ended.exit_code == 1
    assert "a.png" in ended.output
    assert "name of the patient" in ended.output
    assert "wicky" not in ended.output
    assert (
        "Zwicky"
        in run(tmp_path / "out", "--scans", tmp_path / "scans", "--show-identifiers").output
    )
    document = json.loads(run(tmp_path / "out", "--scans", tmp_path / "scans", "--json").stdout)
    assert document["findings"] == [
        {"file": "a.png", "where": "PNG zTXt", "identifier": "name of the patient"}
    ]


def test_the_command_ends_with_what_was_found(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").write_text("a\n1\n")
    assert run(tmp_path / "out").exit_code == 0
    assert "No scans" in run(tmp_path / "out").output
    assert isinstance(run(tmp_path / "nowhere").exception, ReadError)
    (tmp_path / "nobody").mkdir()
    (tmp_path / "nobody" / "a.dcm").write_bytes(dicom("", deflated=False))
    assert run(tmp_path / "out", "--scans", tmp_path / "out").exit_code == 3


@pytest.mark.parametrize(
    ("font_type", "read", "said"),
    [(42, {"Zwicky", "Παπαδόπουλος", "Avatar"}, False), (3, {"Zwicky", "Avatar"}, True)],
)
def test_text_that_matplotlib_draws_in_a_pdf_is_found_or_said(font_type, read, said, tmp_path):
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"pdf.fonttype": font_type}):
        figure = Figure()
        figure.text(0.1, 0.5, "Zwicky, Παπαδόπουλος, AVATAR")
        figure.savefig(tmp_path / "plot.pdf")
    known = [Known(Kind.NAME, one) for one in ("Zwicky", "Παπαδόπουλος", "Avatar")]
    audit = audit_folder(tmp_path, Search(known))
    assert {one.text for one in audit.findings} == read
    assert bool(audit.unread) is said
