"""Nothing that we write names a person: scans of persons in several scripts, from end to end."""

from __future__ import annotations

import csv

import pytest
from typer.testing import CliRunner

import multifidus as mf
from multifidus.cli.app import app
from multifidus.data.anatomy import Level, Side
from multifidus.data.roi import Reading
from multifidus.io.privacy.audit import audit_folder
from multifidus.io.privacy.known import Kind, known_in
from multifidus.io.privacy.search import Search
from tests.support.exams import circle, outline
from tests.support.identities import ELSEWHERE, PERSONS, slices_of


def run(*arguments):
    ended = CliRunner().invoke(app, [*map(str, arguments)])
    assert ended.exit_code == 0, ended.output
    return ended.output


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return scans, and a folder of all that was made of them."""
    scans, out = tmp_path_factory.mktemp("scans"), tmp_path_factory.mktemp("out")
    for number, person in enumerate(PERSONS.values()):
        slices_of(person, scans / f"exam{number}", number=number)
    (out / "printed.txt").write_text(run("inspect", scans), encoding="utf-8")
    (out / "exams.json").write_text(run("inspect", scans, "--json"), encoding="utf-8")
    run("inspect", scans, "--cohort", out / "cohort.csv")
    _outline(out / "cohort.csv")
    (out / "measured.txt").write_text(
        run("measure", out / "cohort.csv", "-o", out / "results"), encoding="utf-8"
    )
    (out / "reported.txt").write_text(run("report", out / "results"), encoding="utf-8")
    return scans, out


def _outline(cohort):
    """Outline both sides in every exam of a cohort, and name the files in it."""
    with cohort.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        exam = mf.read_exam(cohort.parent / row["images"])
        reading = Reading(row["subject"], row["timepoint"], "R1", 1)
        item = exam.series[0].slices[0]
        rois = [
            outline(item, circle(38, column, radius), side=side, level=Level("L4-L5"))
            for side, column, radius in ((Side.RIGHT, 25, 7), (Side.LEFT, 46, 6 + number / 8))
        ]
        name = f"{row['subject']}.outlines.json"
        mf.write_rois(mf.RoiSet(tuple(rois)).read_by(reading), cohort.parent / name)
        row |= {"outlines": name, "rater": "R1", "reading": "1"}
    with cohort.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)


def test_the_scans_name_everybody(folders):
    known, files = known_in([folders[0]])
    assert files == 2 * len(PERSONS)
    texts = {one.text for one in known}
    assert texts >= {person.name for person in PERSONS.values()} | set(ELSEWHERE.values())
    assert {one.kind for one in known} == set(Kind) - {Kind.LISTED}
    # They are where they were planted, so that a search that finds nothing would show here.
    assert audit_folder(folders[0], Search(known)).findings


def test_nothing_that_was_made_of_them_does(folders):
    scans, out = folders
    known, _ = known_in([scans])
    found = audit_folder(out, Search(known))
    assert not found.findings
    assert not found.unread
    kinds = {path.suffix for path in out.rglob("*") if path.is_file()}
    assert kinds >= {".csv", ".json", ".html", ".jpg", ".toml", ".txt"}
