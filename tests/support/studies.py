"""An artificial study's tables: planted muscles, changes and rater errors, without any image."""

from __future__ import annotations

import itertools
import json

import numpy as np

from multifidus.data.protocol import MeasurementProtocol
from multifidus.io.protocol_toml import as_toml
from multifidus.io.table_csv import write_rows

LEVELS = ("L3-L4", "L4-L5", "L5-S1")
AREAS = {"L3-L4": 700.0, "L4-L5": 900.0, "L5-S1": 1000.0}
LOSS = {"L3-L4": -0.05, "L4-L5": -0.15, "L5-S1": -0.05}
THRESHOLD = 421.5


def study_rows(subjects=12, *, raters="AB", readings=2, timepoints=("pre", "post"), seed=1):
    """Return tidy rows, as in a measurements.csv."""
    random = np.random.default_rng(seed)
    digest = MeasurementProtocol().digest
    rows = []
    for n in range(subjects):
        size = random.normal(1, 0.15)
        for (when, timepoint), level, side in itertools.product(
            enumerate(timepoints), LEVELS, ("left", "right")
        ):
            true = AREAS[level] * size * (1 + when * (LOSS[level] + random.normal(0, 0.04)))
            fat = 25 + 8 * when + random.normal(0, 4)
            for rater, reading in itertools.product(raters, range(1, readings + 1)):
                drawn = true * (1 + (rater == "B") * 0.02) + random.normal(0, 12)
                seen = fat + random.normal(0, 1.5)
                usual = {
                    "subject": f"S{n + 1:02d}", "timepoint": timepoint, "rater": rater,
                    "reading": reading, "series": "1.2", "slice_index": LEVELS.index(level),
                    "slice_uid": f"1.2.{level}", "level": level, "slice_position": "mid_disc",
                    "structure": "multifidus", "side": side, "flags": "", "tilt_deg": 3.0 + n % 3,
                    "valid_fraction": 1.0, "roi_rule": "fascial", "source": "manual",
                    "protocol": digest, "version": "9.9", "name": "", "tilt_axis": "spine",
                    "order": when, "days": 14 + 365 * when + n, "operated_levels": "L4-L5",
                    "operated_side": "both", "method": "", "parameters": "{}",
                }  # fmt: skip
                threshold = json.dumps({"threshold": THRESHOLD + n, "bias_correction": "low_order"})
                by_fat = {"method": "pooled_otsu", "parameters": threshold}
                rows += [
                    {**usual, "quantity": "tcsa_mm2", "value": drawn, "unit": "mm2",
                     "n_pixels": 2000, "uncertainty": 25.0},
                    {**usual, "quantity": "tcsa_pixel_mm2", "value": 0.25 * 4000, "unit": "mm2",
                     "n_pixels": 4000, "uncertainty": 25.0},
                    {**usual, "quantity": "fcsa_mm2", "value": drawn * (1 - seen / 100),
                     "unit": "mm2", "n_pixels": 2000, "uncertainty": 20.0, **by_fat},
                    {**usual, "quantity": "fi_pct", "value": seen, "unit": "%", "n_pixels": 2000,
                     "uncertainty": 2.0, **by_fat},
                ]  # fmt: skip
                if side == "right":
                    rows.append(
                        {**usual, "side": "both", "quantity": "asymmetry_pct", "unit": "%",
                         "value": random.normal(2, 3), "n_pixels": 4000, "uncertainty": "NaN"}
                    )  # fmt: skip
    return rows


def write_study(folder, rows=None, missing=(), failures=()):
    """Write a results folder; returns it."""
    from multifidus.data.columns import FAILURE_COLUMNS, MISSING_COLUMNS

    rows = study_rows() if rows is None else rows
    folder.mkdir(exist_ok=True)
    write_rows(rows, folder / "measurements.csv", tuple(rows[0]))
    write_rows(missing, folder / "missing.csv", tuple(MISSING_COLUMNS))
    write_rows(failures, folder / "failures.csv", tuple(FAILURE_COLUMNS))
    (folder / "protocol.toml").write_text(as_toml(MeasurementProtocol()))
    return folder


def without_figures(monkeypatch):
    """Leave figures out of reports: most of the time of one whose words and files are asked for."""
    monkeypatch.setattr("multifidus.reporting.build.draw_study", lambda _: ())
