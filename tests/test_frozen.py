"""Tables and files of version 0.1, as that version wrote them, are read for good.

Phantom subjects S01 to S03 read by AB (true outlines, up to 0.4 % of scale) and CD (1 % larger);
of the results the multifidus at L4-L5. The numbers are those that version 0.1 gave.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.protocol import MeasurementProtocol, digest_of
from multifidus.data.roi import Reading
from multifidus.io.cohort_csv import read_cohort
from multifidus.io.outlines_json import read_outlines
from multifidus.io.protocol_toml import (
    SETTINGS_OF_0_1,
    digests_of,
    load_protocol,
    protocol_of_table,
)
from multifidus.io.table_reader import read_rows
from multifidus.measuring.coverage import polygon_area_mm2
from multifidus.reading.code_key import read_key
from multifidus.reading.schedule import read_list

FROZEN = Path(__file__).parent / "frozen" / "v0_1"

DIGEST = "46e9af64da1c"


def run(*words):
    done = CliRunner().invoke(app, [*map(str, words), "--json"])
    assert done.exit_code == 0, done.exception
    return json.loads(done.stdout)


def test_a_table_is_read():
    rows = read_rows(FROZEN / "measurements.csv")
    assert len(rows) == 144
    assert {row["protocol"] for row in rows} == {DIGEST}
    assert {row["site"] for row in rows} == {"Basel"}
    text = (FROZEN / "measurements.csv").read_text(encoding="utf-8")
    assert ",".join(rows[0]) == text.partition("\n")[0]


def test_reliability_of_a_table_is_what_it_was():
    found = {item["quantity"]: item for item in run(
        "reliability", FROZEN / "measurements.csv", "--by", "level"
    )["results"]}  # fmt: skip
    area, fat = found["tcsa_mm2"], found["fi_pct"]
    assert (area["n_missing"], fat["n_missing"]) == (0, 0)
    assert area["bland_altman"]["bias"] == pytest.approx(-17.020952871767463, rel=1e-9)
    assert fat["bland_altman"]["bias"] == pytest.approx(-0.6071497151101255, rel=1e-9)


def test_change_of_a_table_is_what_it_was():
    found = run("change", FROZEN / "measurements.csv", "--value", "rater:AB")
    means = {(item["quantity"], item["side"]): item["mean"] for item in found["muscles"]}
    assert means == {
        ("fi_pct", "left"): pytest.approx(15.142659952980196, rel=1e-9),
        ("fi_pct", "right"): pytest.approx(16.998593933196585, rel=1e-9),
        ("tcsa_mm2", "left"): pytest.approx(-155.0433523879143, rel=1e-9),
        ("tcsa_mm2", "right"): pytest.approx(-164.89695898401246, rel=1e-9),
    }


def test_a_cohort_is_read():
    cases = read_cohort(FROZEN / "cohort.csv").cases
    assert len(cases) == 12
    assert cases[0].reading == Reading("S01", "pre", "AB", 1)
    assert cases[0].images == (FROZEN / "S01_pre",)
    assert cases[0].clinical.days_since_surgery == -14
    assert cases[0].extra["site"] == "Basel"


def test_outlines_are_read():
    rois = read_outlines(FROZEN / "S01_pre_AB_r1.outlines.json")
    assert rois.reading == Reading("S01", "pre", "AB", 1)
    assert (len(rois.landmarks), len(rois.levels)) == (5, 15)
    areas = {roi.key.side: polygon_area_mm2(roi.paths_mm, roi.plane) for roi in rois}
    assert areas == {
        "left": pytest.approx(909.7651962362892, rel=1e-12),
        "right": pytest.approx(935.5150027760241, rel=1e-12),
    }


def test_a_reading_list_and_its_key_are_read():
    listed, key = read_list(FROZEN / "EF.readings.json"), read_key(FROZEN / "cohort.key.json")
    assert (listed.rater, listed.blinded, len(listed.entries)) == ("EF", True, 9)
    truths = [key.true(entry) for entry in listed.entries]
    assert truths[0] == Reading("S01", "post", "EF", 1)
    assert None not in truths


def test_the_protocol_beside_a_table_is_known_by_its_digest_of_then():
    """A setting that is added later changes every digest, but those of 0.1 stay known."""
    protocol = load_protocol(FROZEN / "protocol.toml")
    assert DIGEST in digests_of(protocol)
    settings = protocol.as_dict()
    assert digest_of({name: settings[name] for name in SETTINGS_OF_0_1}) == DIGEST


def test_the_default_of_then_is_a_preset():
    assert load_protocol("v0_1") == load_protocol(FROZEN / "protocol.toml")


@pytest.mark.parametrize(
    ("preset", "digest"),
    [
        ("crawford_dixon", "59496721acff"),
        ("fortin2012_circle", "1636ad1eaa1d"),
        ("fortin2017_like", "cca86ff1881b"),
        ("musclemap_dixon", "59496721acff"),
        ("musclemap_gmm3", "afc426ac0ec6"),
        ("musclemap_kmeans2", "65ffe75b487b"),
        ("spinosarc_otsu", "e80e5873dd28"),
        ("v0_1", DIGEST),
    ],
)
def test_a_preset_is_what_it_was_whatever_becomes_the_default(preset, digest):
    """Digests that version 0.1 printed; that of ``v0_1`` was its default's."""
    assert digest in digests_of(load_protocol(preset))


def test_a_table_without_its_protocol_is_known_for_one_of_the_default_of_then(tmp_path):
    assert protocol_of_table({DIGEST}, tmp_path / "protocol.toml") == load_protocol("v0_1")


def test_another_protocol_is_not_taken_for_one_of_then(tmp_path):
    for name in ("measurements.csv", "protocol.toml"):
        shutil.copy(FROZEN / name, tmp_path / name)
    path = tmp_path / "protocol.toml"
    path.write_text(path.read_text().replace('level_value = "mean"', 'level_value = "max"'))
    assert DIGEST not in digests_of(load_protocol(path))
    done = CliRunner().invoke(app, ["reliability", str(tmp_path / "measurements.csv")])
    assert DIGEST in str(done.exception)


def test_a_setting_that_is_added_later_does_not_hide_a_protocol_of_then(monkeypatch):
    def with_more(self):
        return {**plain(self), "added_later": 1}

    plain = MeasurementProtocol.as_dict
    monkeypatch.setattr(MeasurementProtocol, "as_dict", with_more)
    assert MeasurementProtocol().digest != DIGEST
    assert DIGEST in digests_of(load_protocol(FROZEN / "protocol.toml"))
