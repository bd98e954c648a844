import csv
import json

import numpy as np
import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import WriteError
from multifidus.io.protocol_toml import as_toml
from multifidus.io.table_csv import write_rows
from multifidus.io.table_reader import read_rows
from multifidus.reporting.tables.paper_table import PaperTable, is_numeric, write_tables
from tests.stats.reliability.test_reliability import MINI, WRIGHT, study_of

TABLE = PaperTable(
    "some", "What & why.", ("a_b", "n, %"), (("x|y", "1"), ("~", "-2")), ("5 % off.",)
)


def test_the_same_cells_stand_in_every_format():
    assert list(csv.reader(TABLE.as_csv().splitlines())) == [
        ["a_b", "n, %"], ["x|y", "1"], ["~", "-2"]
    ]  # fmt: skip
    markdown = TABLE.as_markdown().splitlines()
    assert markdown[0] == "**What & why.**"
    assert markdown[2:6] == ["| a_b | n, % |", "| --- | --- |", r"| x\|y | 1 |", "| ~ | -2 |"]
    latex = TABLE.as_latex()
    assert r"\caption{What \& why.}" in latex
    assert r"\begin{tabular}{lr}" in latex
    assert r"a\_b & n, \% \\" in latex
    assert r"\textasciitilde{} & -2 \\" in latex
    assert r"5 \% off." in latex


def test_nothing_is_overwritten_unasked(tmp_path):
    (tmp_path / "some.md").write_text("mine")
    with pytest.raises(WriteError):
        write_tables([TABLE], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["some.md"]
    assert len(write_tables([TABLE], tmp_path, overwrite=True)) == 3


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "measurements.csv"
    rows = study_of(np.transpose([WRIGHT, MINI]))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_prints_json_alone_and_writes_tables(table, tmp_path):
    done = run("reliability", table, "--raters", "B,A", "--json", "-o", tmp_path / "out")
    (found,) = json.loads(done.stdout)["results"]
    assert found["bland_altman"]["bias"] == pytest.approx(2.117647, abs=1e-6)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"reliability.csv", "reliability.md", "reliability.tex"}


@pytest.mark.parametrize(
    ("settings", "bias", "entered"),
    [({}, 5, "mean of all slices"), ({"slice_selection": "nearest"}, 0, "nearest slice")],
)
def test_slices_enter_as_the_tables_protocol_says(settings, bias, entered, tmp_path):
    """Rater A's second slice, further from the landmark, is 10 mm2 larger than rater B's."""
    protocol = MeasurementProtocol(**settings)
    (tmp_path / "protocol.toml").write_text(as_toml(protocol))
    rows = [
        {**item, "slice_uid": n, "offset_mm": n, "protocol": protocol.digest,
         "value": item["value"] + 10 * n * (item["rater"] == "A")}
        for item in study_of(np.transpose([WRIGHT, WRIGHT]))
        for n in (0, 1)
    ]  # fmt: skip
    write_rows(rows, tmp_path / "measurements.csv", tuple(rows[0]))
    out = tmp_path / "out"
    done = run("reliability", tmp_path / "measurements.csv", "--json", "-o", out)
    (found,) = json.loads(done.stdout)["results"]
    assert found["bland_altman"]["bias"] == pytest.approx(bias)
    assert found["entered"] == f"first reading; {entered}"
    (printed,) = read_rows(out / "reliability.csv")
    assert printed["value"] == f"first reading; {entered}"


def test_the_command_prints_a_table_for_people(table):
    printed = run("reliability", table, "--quantity", "tcsa_mm2").stdout
    assert "A vs B" in printed
    assert "-78.1 to 73.9" in printed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--compare", "hospital"), "compared by 'hospital'"),
        (("--quantity", "volume_ml"), "no quantity 'volume_ml'"),
        (("--by", "subject"), "kept apart by subject"),
    ],
)
def test_what_cannot_be_done_is_said(table, options, message):
    done = run("reliability", table, *options)
    assert done.exit_code != 0
    assert message in str(done.exception)


def test_grades_have_a_table_of_their_own(tmp_path):
    from tests.stats.reliability.test_reliability import GRADES, graded

    path = tmp_path / "grades.csv"
    rows = graded(GRADES)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    done = run("reliability", path, "-o", tmp_path / "out")
    assert "kappa quadratic" in done.stdout
    assert {item.name for item in (tmp_path / "out").glob("*.csv")} == {"reliability_grades.csv"}


def test_cells_that_count_things_are_words():
    assert is_numeric(["12", "-3.5 to 2", "<0.001", "0.97 [0.9, 1.0]", "1 / 7 / 8", ""])
    assert not is_numeric(["15 examinations of 8 subjects"])
