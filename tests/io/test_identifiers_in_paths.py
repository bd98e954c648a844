"""Folders named after patients are told of; whom they name is not."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.io.inspect import inspection
from multifidus.io.scan import scan
from tests.io.test_walk import packed
from tests.support.dicoms import classic, write
from tests.support.exams import axial_plane
from tests.support.niftis import lumbar_affine, save


def write_exam(folder, name="IM1", patient="Müller^Jane", number="HOSP-471199"):
    for k in range(3):
        dataset = classic(axial_plane(5 * k), np.full((4, 5), k, np.uint16), k + 1)
        dataset.SpecificCharacterSet = "ISO_IR 192"
        dataset.PatientName, dataset.PatientID = patient, number
        write(dataset, folder / f"{name}-{k}.dcm")
    return folder


def told(path):
    (exam,) = inspection(scan(path))["exams"]
    return exam["identifiers_in_paths"]


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("MULLER_JANE/T2", True),
        ("t2/Müller", True),
        ("janes scan", True),
        ("471199", True),
        ("old/x471199.2020", True),
        ("S01/pre", False),
        ("mull/jan", False),
    ],
)
def test_parts_of_names_and_ids_are_found_in_folders_and_files(tmp_path, folder, expected):
    write_exam(tmp_path / "scans" / folder)
    assert told(tmp_path / "scans") is expected
    shutil.rmtree(tmp_path / "scans")
    write_exam(tmp_path / "scans", name=folder.replace("/", "-"))
    assert told(tmp_path / "scans") is expected


def test_what_lies_above_the_given_folder_does_not_count_but_its_own_name_does(tmp_path):
    folder = write_exam(tmp_path / "jane" / "study" / "S01")
    assert told(folder) is False
    assert told(tmp_path / "jane" / "study") is False
    assert told(tmp_path / "jane") is True


def test_short_numbers_that_count_images_do_not_count(tmp_path):
    write_exam(tmp_path / "scans", name="IM-0001", patient="", number="0001")
    assert told(tmp_path / "scans") is False


def test_the_name_of_an_archive_counts(tmp_path):
    images = write_exam(tmp_path / "exam")
    assert told(packed(images, tmp_path / "Jane.zip")) is True
    assert told(packed(images, tmp_path / "S01.zip")) is False


def test_files_without_patients_name_none(tmp_path):
    (tmp_path / "jane").mkdir()
    save(tmp_path / "jane" / "a.nii", np.ones((4, 5, 2), np.int16), lumbar_affine())
    assert told(tmp_path) is False


def test_inspect_warns_and_says_no_name(tmp_path):
    write_exam(tmp_path / "scans" / "jane")
    warning = "File paths contain patient names or IDs"
    plain = CliRunner().invoke(app, ["inspect", str(tmp_path / "scans")])
    assert plain.stderr.count(warning) == 1
    assert "jane" not in (plain.stdout + plain.stderr).lower()
    as_json = CliRunner().invoke(app, ["inspect", "--json", str(tmp_path / "scans")])
    assert json.loads(as_json.stdout)["exams"][0]["identifiers_in_paths"] is True
    assert as_json.stderr.count(warning) == 1
    assert "jane" not in as_json.stdout.lower()
    write_exam(tmp_path / "neutral")
    assert warning not in CliRunner().invoke(app, ["inspect", str(tmp_path / "neutral")]).stderr


@pytest.mark.parametrize(
    ("name", "folder", "expected"),
    [
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "1_山田太郎", True),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "太郎_2020", True),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "ヤマダ", True),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "ﾔﾏﾀﾞ", True),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "tarou", True),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "腰椎_山", False),
        ("Wang^XiaoDong=王^小东", "王小东", True),
        ("Li^Ming=李^明", "李明", True),
        ("Li^Ming=李^明", "明_李", True),
        ("Li^Ming=李^明", "明日", False),
        ("Li^Ming=李^明", "S01_李", True),
        ("Li^Ming=李^明", "李2020", True),
        ("Li^Ming=李^明", "桃李", False),
        ("Hong^Gildong=洪^吉洞=홍^길동", "홍길동", True),
        ("Hong^Gildong=洪^吉洞=홍^길동", "scan 길동", True),
        ("Müller^Jörg", "2_Mueller", True),
        ("Müller^Jörg", "muller", True),
        ("Müller^Jörg", "JOERG", True),
        ("Mueller^Joerg", "Müller", True),
        ("Mueller^Joerg", "muller", True),
        ("Großmann^Änne", "Grossmann", True),
        ("Großmann^Änne", "AENNE", True),
        ("Sørensen^Åse", "soerensen", True),
        ("Sørensen^Åse", "sorensen", True),
        ("Lefèvre^José", "lefevre", True),
        ("Łukasz^Nowak", "lukasz", True),
        ("Иванов^Пётр", "ИВАНОВ", True),
        ("Li^Na", "Li_Na", True),
        ("Li^Na", "na-li", True),
        ("Li^Na", "LiNa", True),
        ("Li^Na", "linac", False),
        ("Li^Na", "lumbar line", False),
        ("Kim^Ho", "kimura hospital", False),
        ("Hös^A", "hospital", False),
        ("A^B", "a_b", False),
    ],
)
def test_names_are_found_in_every_script_and_transliteration_of_the_header(
    tmp_path, name, folder, expected
):
    write_exam(tmp_path / "scans" / folder, patient=name, number="X1")
    assert told(tmp_path / "scans") is expected


def test_former_names_and_dates_of_birth_count(tmp_path):
    dataset = classic(axial_plane(0), np.ones((4, 5), np.uint16), 1)
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthName = "Doe^J", "X1", "Schmidt^J"
    dataset.PatientBirthDate = "19500312"
    for name in ("schmidt", "x19500312", "S01"):
        (tmp_path / name).mkdir()
        write(dataset, tmp_path / name / "0.dcm")
    assert told(tmp_path / "schmidt")
    assert told(tmp_path / "x19500312")
    assert not told(tmp_path / "S01")


def test_names_that_a_converter_left_in_a_sidecar_count(tmp_path):
    folder = tmp_path / "mueller"
    folder.mkdir()
    save(folder / "a.nii.gz", np.ones((4, 5, 2), np.int16), lumbar_affine())
    assert told(folder) is False
    (folder / "a.json").write_text('{"PatientName": "Müller^Jörg"}', encoding="utf-8")
    assert told(folder) is True
