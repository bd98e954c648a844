import csv
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given, settings, strategies as st

from multifidus.data.anatomy import Level, RoiRule, Side, SlicePosition, Structure
from multifidus.data.columns import MISSING_COLUMNS, OWN_COLUMN, summary_column
from multifidus.data.flags import Flag
from multifidus.data.measurement import Measurement, Provenance, Quantity
from multifidus.data.protocol import FatMethod, MeasurementProtocol, TiltAxis
from multifidus.data.roi import Reading, RoiKey, Source
from multifidus.errors import ReadError, WriteError
from multifidus.io.measurements_csv import (
    COLUMNS,
    measurement_rows,
    read_measurements,
    write_table,
)
from multifidus.io.table_csv import write_rows
from multifidus.io.table_reader import read_rows
from multifidus.study.dictionary import dictionary, summary_meanings, write_dictionary
from multifidus.study.missing import Absence
from multifidus.study.summary import summary_rows, write_summary
from multifidus.version import VERSION

INTERFACE = (
    "subject, timepoint, rater, reading, series, slice_index, slice_uid, level, slice_position, "
    "structure, side, quantity, value, unit, method, parameters, flags, tilt_deg, n_pixels, "
    "valid_fraction, roi_rule, source, protocol, version, image_sha256, outline_sha256"
)


def measurement(value=912.5, quantity=Quantity.TCSA_MM2, *, k=0, level=Level.L4_L5, **facts):
    by = Reading("S01", "pre", "AB", facts.pop("reading", 1))
    structure = facts.pop("structure", Structure.MULTIFIDUS)
    key = RoiKey(by, f"1.{k}", structure, facts.pop("side", Side.LEFT))
    provenance = Provenance(
        series="1.2",
        slice_index=k,
        level=level,
        slice_position=SlicePosition.MID_DISC,
        tilt_deg=10.0 + k,
        valid_fraction=1.0,
        roi_rule=RoiRule.FASCIAL,
        source=Source.MANUAL,
        protocol="p" * 12,
        version="0.1",
        image_sha256="i" * 64,
        outline_sha256="o" * 64,
        tilt_axis=TiltAxis.SPINE,
        offset_mm=facts.pop("offset_mm", math.nan),
    )
    return Measurement(key, quantity, value, provenance, 400, **facts)


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


SOME = [
    measurement(float(100 + 10 * k + n), quantity, k=k, side=side, level=level, reading=reading)
    for n, quantity in enumerate((Quantity.TCSA_MM2, Quantity.MEAN_SI))
    for k, level in ((3, Level.L4_L5), (4, Level.L4_L5), (8, Level.L5_S1), (11, None))
    for side in (Side.RIGHT, Side.LEFT)
    for reading in (2, 1)
]


def test_the_tidy_tables_columns_are_those_of_the_interface_and_what_was_added(tmp_path):
    assert ", ".join(COLUMNS) == f"{INTERFACE}, name, tilt_axis, offset_mm, uncertainty"
    write_table([measurement()], tmp_path / "a.csv")
    header = (tmp_path / "a.csv").read_text().splitlines()[0]
    assert header == ",".join(COLUMNS)


def test_a_measurement_becomes_one_row(tmp_path):
    row = measurement(
        12.5,
        Quantity.FI_PCT,
        method="pooled_otsu",
        parameters={"threshold": 210.0, "mean_fat": math.nan},
        flags=(Flag.FEW_POINTS, Flag.ARTEFACT),
    )
    write_table([row], tmp_path / "a.csv")
    (found,) = read(tmp_path / "a.csv")
    assert found["subject"] == "S01"
    assert found["reading"] == "1"
    assert found["level"] == "L4-L5"
    assert (found["structure"], found["side"]) == ("multifidus", "left")
    assert (found["quantity"], found["value"], found["unit"]) == ("fi_pct", "12.5", "%")
    assert found["method"] == "pooled_otsu"
    assert json.loads(found["parameters"]) == {"threshold": 210.0, "mean_fat": None}
    assert found["flags"] == "few_points;artefact"
    assert found["slice_index"] == "0"


@given(st.floats())
def test_every_digit_of_a_number_is_written(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "digits.csv"
    write_table([measurement(value)], path, overwrite=True)
    text = read(path)[0]["value"]
    if math.isnan(value):
        assert text == "NaN"
    else:
        assert text == repr(value)
        assert float(text) == value


def test_lines_end_in_a_newline_alone_and_text_is_utf8(tmp_path):
    write_table([measurement()], tmp_path / "a.csv")
    write_rows([{"note": "Größe, µ\n2"}], tmp_path / "b.csv", ("note",))
    assert b"\r" not in (tmp_path / "a.csv").read_bytes()
    assert (tmp_path / "b.csv").read_bytes() == 'note\n"Größe, µ\n2"\n'.encode()


@given(st.permutations(SOME))
@settings(max_examples=20)
def test_tables_do_not_depend_on_the_order_of_rows(tmp_path_factory, rows):
    folder = tmp_path_factory.getbasetemp()
    written = []
    for name, measurements in (("a", SOME), ("b", rows)):
        write_table(measurements, folder / f"{name}.csv", overwrite=True)
        write_summary(measurements, folder / f"{name}_wide.csv", overwrite=True)
        written.append(
            ((folder / f"{name}.csv").read_bytes(), (folder / f"{name}_wide.csv").read_bytes())
        )
    assert written[0] == written[1]


def test_rows_are_sorted_by_key_then_quantity(tmp_path):
    write_table(SOME, tmp_path / "a.csv")
    names = ("rater", "reading", "slice_index", "side", "quantity")
    found = [tuple(row[name] for name in names) for row in read(tmp_path / "a.csv")]
    as_numbers = [(rater, int(n), int(k), side, q) for rater, n, k, side, q in found]
    assert as_numbers == sorted(as_numbers)


def test_a_table_is_not_overwritten_unless_asked(tmp_path):
    write_table([measurement()], tmp_path / "a.csv")
    with pytest.raises(WriteError, match="already exists"):
        write_table([], tmp_path / "a.csv")
    assert len(read(tmp_path / "a.csv")) == 1


def test_what_the_cohort_says_beyond_follows_and_gaps_are_empty(tmp_path):
    rows = [{"a": 1, "age": "50"}, {"a": None, "sex": "f"}]
    write_rows(rows, tmp_path / "a.csv", ("a", "b"))
    assert (tmp_path / "a.csv").read_text() == "a,b,age,sex\n1,,50,\n,,,f\n"


def wide(*measurements, protocol=MeasurementProtocol(), **extra):  # noqa: B008 - frozen
    return summary_rows((replace(row, extra=extra) for row in measurements), protocol)


def test_a_level_is_the_mean_of_its_slices():
    (row,) = wide(*(measurement(value, k=k) for k, value in ((3, 900.0), (4, 1000.0))))
    assert row["tcsa_mm2"] == 950
    assert (row["n_slices"], row["slice_indices"], row["tilt_deg"]) == (2, "3;4", 13.5)
    assert (row["level"], row["side"], row["flags"]) == ("L4-L5", "left", "")


@given(st.lists(st.floats(1, 2000), min_size=1, max_size=8))
def test_means_are_exact_means(values):
    (row,) = wide(*(measurement(value, k=k) for k, value in enumerate(values)))
    assert row["tcsa_mm2"] == math.fsum(values) / len(values)


def test_a_mean_that_one_slice_leaves_undefined_is_undefined():
    undefined = measurement(math.nan, k=4, flags=(Flag.UNDETECTABLE,))
    (row,) = wide(measurement(900.0, k=3, flags=(Flag.FEW_POINTS,)), undefined)
    assert math.isnan(row["tcsa_mm2"])
    assert row["flags"] == "few_points;undetectable"


OFFSETS = {3: -6.0, 4: -1.5, 5: 3.0, 6: 7.5}
"""Slices of one level, 100 mm2 larger from one to the next."""


def selected(**settings):
    slices = (measurement(100.0 * k, k=k, offset_mm=offset) for k, offset in OFFSETS.items())
    (row,) = wide(*slices, protocol=MeasurementProtocol(**settings))
    return row


@pytest.mark.parametrize(
    ("settings", "indices", "value", "named"),
    [
        ({}, "3;4;5;6", 450, ("all", "mean")),
        ({"slice_selection": "nearest"}, "4", 400, ("nearest", "mean")),
        ({"slice_selection": "band", "band_mm": 3}, "4;5", 450, ("band 3 mm", "mean")),
        ({"slice_selection": "band", "band_mm": 6.0}, "3;4;5", 400, ("band 6 mm", "mean")),
        ({"level_value": "max"}, "3;4;5;6", 600, ("all", "max")),
        ({"slice_selection": "band", "band_mm": 3, "level_value": "max"}, "4;5", 500,
         ("band 3 mm", "max")),
    ],
)  # fmt: skip
def test_the_protocol_says_which_slices_make_up_a_level_and_the_row_says_so(
    settings, indices, value, named
):
    row = selected(**settings)
    assert (row["slice_indices"], row["tcsa_mm2"]) == (indices, value)
    assert row["n_slices"] == len(indices.split(";"))
    assert row["tilt_deg"] == 10 + sum(map(int, indices.split(";"))) / row["n_slices"]
    assert (row["slice_selection"], row["level_value"]) == named
    assert row["flags"] == ""


@pytest.mark.parametrize(
    ("settings", "offset"),
    [
        ({"slice_selection": "band", "band_mm": 1.0}, 1.5),
        ({"slice_selection": "band", "band_mm": 50.0}, math.nan),
        ({"slice_selection": "nearest"}, math.nan),
    ],
)
def test_a_level_without_a_slice_that_can_be_selected_is_undefined_and_says_so(settings, offset):
    (row,) = wide(
        measurement(900.0, offset_mm=offset, flags=(Flag.FEW_POINTS,)),
        protocol=MeasurementProtocol(**settings),
    )
    assert math.isnan(row["tcsa_mm2"])
    assert math.isnan(row["tilt_deg"])
    assert (row["n_slices"], row["slice_indices"]) == (0, "")
    assert row["flags"] == "no_slice_selected"


def test_what_one_slice_leaves_undefined_has_no_maximum():
    rows = (measurement(value, k=k) for k, value in ((3, math.nan), (4, 900.0)))
    (row,) = wide(*rows, protocol=MeasurementProtocol(level_value="max"))
    assert math.isnan(row["tcsa_mm2"])


def test_slices_without_a_level_are_not_selected_from():
    (row,) = wide(
        measurement(900.0, level=None), protocol=MeasurementProtocol(slice_selection="nearest")
    )
    assert (row["tcsa_mm2"], row["flags"]) == (900, "")


def test_the_volume_of_a_run_belongs_to_its_level_whatever_slice_is_selected():
    rows = (
        measurement(5.0, Quantity.VOLUME_ML, k=3, offset_mm=-6.0),
        measurement(900.0, k=3, offset_mm=-6.0),
        measurement(1000.0, k=4, offset_mm=1.0),
    )
    (row,) = wide(*rows, protocol=MeasurementProtocol(slice_selection="nearest"))
    assert (row["volume_ml"], row["tcsa_mm2"], row["slice_indices"]) == (5, 1000, "4")


def test_slices_without_a_level_stand_alone():
    rows = wide(*(measurement(value, k=k, level=None) for k, value in ((3, 900.0), (4, 1000.0))))
    assert [(row["slice_indices"], row["tcsa_mm2"]) for row in rows] == [("3", 900), ("4", 1000)]


def test_levels_run_down_the_spine_and_references_are_left_out():
    levels = (Level.S1, Level.L5_S1, Level.L3_L4, Level.L4)
    skipped = (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.ARTEFACT)
    rows = wide(
        *(measurement(level=level) for level in levels),
        *(measurement(structure=structure) for structure in skipped),
    )
    assert [row["level"] for row in rows] == ["L3-L4", "L4", "L5-S1", "S1"]


def test_timepoints_follow_the_cohorts_order_where_there_is_one():
    def visit(timepoint, **extra):
        row = measurement()
        key = replace(row.key, reading=replace(row.key.reading, timepoint=timepoint))
        return replace(row, key=key, extra=extra)

    rows = [visit("post", order="2"), visit("pre", order="1"), visit("later", order="10")]
    assert [row["timepoint"] for row in summary_rows(rows)] == ["pre", "post", "later"]
    without = [visit("post"), visit("later"), visit("pre", order="soon")]
    assert [row["timepoint"] for row in summary_rows(without)] == ["later", "post", "pre"]


def test_what_the_cohort_says_passes_through_to_the_wide_table(tmp_path):
    write_summary([replace(measurement(), extra={"age": "50"})], tmp_path / "a.csv")
    (found,) = read(tmp_path / "a.csv")
    assert found["age"] == "50"
    assert found["tcsa_mm2"] == "912.5"


@pytest.mark.parametrize(
    ("quantity", "method", "column"),
    [
        ("tcsa_mm2", "", "tcsa_mm2"),
        ("fi_pct", "pooled_otsu", "pooled_otsu_fi_pct"),
        ("ff_linear_pct", "linear", "ff_linear_pct"),
        ("dixon_ff_mean_pct", "dixon", "dixon_ff_mean_pct"),
    ],
)
def test_a_wide_column_says_its_method_once(quantity, method, column):
    assert summary_column(quantity, method) == column


def test_the_dictionary_explains_every_column_quantity_and_flag(tmp_path):
    write_dictionary(tmp_path / "dictionary.json")
    found = json.loads((tmp_path / "dictionary.json").read_text())
    assert found == dictionary()
    assert list(found["measurements.csv"]) == list(COLUMNS)
    assert set(found["quantities"]) == {item.value for item in Quantity}
    assert set(found["flags"]) == {item.value for item in Flag}
    assert found["version"] == VERSION
    assert found["quantities"]["fi_pct"]["unit"] == "%"
    assert all(text.endswith(".") for text in found["summary.csv"].values())


def test_the_dictionary_explains_every_fixed_column_of_the_wide_table():
    fixed = {name for row in wide(measurement()) for name in row} - {"tcsa_mm2"}
    assert fixed == set(dictionary()["summary.csv"])


def test_every_column_that_a_quantity_may_have_in_the_wide_table_is_explained():
    both = {summary_column(q, method): q for q in Quantity for method in ("", *FatMethod)}
    names = [name for column in both for name in (column, f"{column}_u")]
    explained = summary_meanings([*names, "kjaer_visual_grade", "pre_fi_pct"], ("pre_fi_pct",))
    assert list(explained) == [*names, "kjaer_visual_grade", "pre_fi_pct"]
    assert all(explained[name].startswith(of.definition) for name, of in both.items())
    assert "fat method gmm3" in explained["gmm3_fi_q1_pct"]
    assert "fat method" not in explained["dixon_ff_mean_pct"]
    assert "scheme kjaer" in explained["kjaer_visual_grade"]
    assert "of slices that agree" in explained["storheim_grade"]
    assert "mean" not in explained["volume_ml"].removeprefix(Quantity.VOLUME_ML.definition)
    assert explained["pre_fi_pct"] == OWN_COLUMN


def test_named_outlines_of_one_muscle_are_never_averaged():
    rows = [measurement(10.0 * n) for n in (1, 2)]
    named = [replace(r, key=replace(r.key, name=n)) for r, n in zip(rows, "ab", strict=True)]
    assert [(found["name"], found["tcsa_mm2"]) for found in summary_rows(named)] == [
        ("a", 10),
        ("b", 20),
    ]


def test_a_grade_is_given_where_the_slices_of_a_level_agree():
    def grades(*values):
        return wide(
            *(
                measurement(value, Quantity.STORHEIM_GRADE, k=k, method="otsu")
                for k, value in enumerate(values)
            )
        )[0]

    assert grades(1.0, 1.0)["otsu_storheim_grade"] == 1
    differ = grades(1.0, 2.0)
    assert math.isnan(differ["otsu_storheim_grade"])
    assert differ["flags"] == "grades_differ"


def of_level(quantity, value, level, side=Side.LEFT, **facts):
    row = measurement(value, quantity, level=level, side=side, **facts)
    origin = replace(row.provenance, series="", slice_index=None, source=None, tilt_deg=math.nan)
    return replace(row, key=replace(row.key, slice_uid=""), provenance=origin)


def test_what_a_rater_said_of_a_level_stands_in_both_tables(tmp_path):
    rows = [
        of_level(Quantity.TCSA_MM2, math.nan, Level.L5_S1, flags=(Flag.NOT_MEASURABLE,)),
        of_level(Quantity.GOUTALLIER_GRADE, 3.0, Level.L4_L5),
        of_level(Quantity.GOUTALLIER_GRADE, 2.0, Level.L5_S1),
        measurement(900.0),
    ]
    write_table(rows, tmp_path / "a.csv")
    tidy = read(tmp_path / "a.csv")
    assert [(row["level"], row["quantity"], row["slice_index"]) for row in tidy] == [
        ("L4-L5", "goutallier_grade", ""),
        ("L5-S1", "goutallier_grade", ""),
        ("L5-S1", "tcsa_mm2", ""),
        ("L4-L5", "tcsa_mm2", "0"),
    ]
    assert {row["source"] for row in tidy} == {"", "manual"}
    upper, lower = wide(*rows)
    assert (upper["tcsa_mm2"], upper["goutallier_grade"], upper["n_slices"]) == (900, 3, 1)
    assert math.isnan(lower["tcsa_mm2"])
    assert (lower["goutallier_grade"], lower["n_slices"]) == (2, 0)
    assert lower["flags"] == "not_measurable"
    assert lower["slice_indices"] == ""


def test_the_dictionary_explains_what_is_missing():
    found = dictionary()
    assert list(found["missing.csv"]) == list(MISSING_COLUMNS)
    assert set(found["reasons"]) == {absence.value for absence in Absence}


def test_a_volume_over_several_levels_stands_alone_and_one_that_was_refused_nowhere():
    area, whole = measurement(900.0), measurement(8.0, Quantity.VOLUME_ML, level=None)
    refused = measurement(math.nan, Quantity.VOLUME_ML, level=None, flags=(Flag.NOT_CONTIGUOUS,))
    assert [row["level"] for row in wide(area, whole)] == ["", "L4-L5"]
    assert [row["flags"] for row in wide(area, refused)] == [""]
    known = measurement(math.nan, Quantity.VOLUME_ML, flags=(Flag.NOT_CONTIGUOUS,))
    assert [row["flags"] for row in wide(area, known)] == ["not_contiguous"]


def test_a_muscle_outlined_on_some_slices_of_its_level_has_a_value_and_the_doubt():
    gap = of_level(Quantity.TCSA_MM2, math.nan, Level.L4_L5, flags=(Flag.NOT_MEASURABLE,))
    (row,) = wide(measurement(900.0, uncertainty=30.0), gap)
    assert (row["tcsa_mm2"], row["n_slices"], row["flags"]) == (900, 1, "not_measurable")
    assert row["tcsa_mm2_u"] == 30


def test_a_table_is_read_row_by_row_and_only_where_asked(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('﻿a,b\n1,x\n\n2,"y,z"\n3\n', encoding="utf-8")
    assert read_rows(path) == [{"a": "1", "b": "x"}, {"a": "2", "b": "y,z"}, {"a": "3", "b": ""}]
    assert read_rows(path, {"b": {"x", ""}, "c": {"never"}}) == [
        {"a": "1", "b": "x"},
        {"a": "3", "b": ""},
    ]
    path.write_text("a\n1\n2,3\n", encoding="utf-8")
    with pytest.raises(ReadError, match="line 3"):
        read_rows(path)


FULL = [
    replace(
        row,
        method="pooled_otsu",
        parameters={"threshold": 210.0, "basis": "exam"},
        flags=(Flag.FEW_POINTS, Flag.ARTEFACT),
        uncertainty=2.5,
        provenance=replace(row.provenance, offset_mm=1.5),
        extra={"group": "open", "days": "14"},
    )
    for row in SOME
]


def test_what_is_written_is_read_back_as_the_same_measurements(tmp_path):
    write_table(FULL, tmp_path / "a.csv")
    table = read_measurements(tmp_path / "a.csv")
    assert list(table.rows) == sorted(FULL, key=lambda row: row.sort_key)
    assert isinstance(table.rows[0].quantity, Quantity)
    assert isinstance(table.rows[0].key.structure, Structure)
    assert table.header == (*COLUMNS, "group", "days")
    assert table.lines == tuple(range(2, len(FULL) + 2))
    write_table(table.rows, tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


def test_a_table_of_others_needs_three_columns_and_keeps_its_own_words():
    (row,) = measurement_rows(
        [{"subject": "NA", "quantity": "thickness_cm", "value": "2.5", "side": "L", "site": "NA"}]
    ).rows
    assert (row.key.reading.subject, row.quantity, row.value) == ("NA", "thickness_cm", 2.5)
    assert (row.key.side, row.key.structure, row.unit) == ("L", "", "")
    assert (row.provenance.level, row.provenance.slice_index, row.n_pixels) == (None, None, None)
    assert math.isnan(row.uncertainty)
    assert row.extra == {"site": "NA"}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"value": "9,1"}, "line 7: value is '9,1', which is no number"),
        ({"tilt_deg": "steep"}, "line 7: tilt_deg is 'steep', which is no number"),
        ({"n_pixels": "few"}, "line 7: n_pixels is"),
        ({"reading": "0"}, "line 7: reading is '0'; readings count"),
        ({"reading": "first"}, "line 7: reading is 'first'"),
    ],
)
def test_a_cell_that_is_no_number_is_refused_with_its_line_and_column(cells, message):
    record = {"subject": "S1", "quantity": "tcsa_mm2", "value": "1", **cells}
    with pytest.raises(ReadError, match=message):
        measurement_rows([record], [7], "t.csv")


@pytest.mark.parametrize("name", ["upper", "-1"])
def test_a_slice_that_is_not_counted_is_named(name):
    record = {"subject": "S1", "quantity": "tcsa_mm2", "value": "1", "slice_index": name}
    (row,) = measurement_rows([record]).rows
    assert (row.key.slice_uid, row.provenance.slice_index) == (name, None)


def test_one_quantity_has_one_unit():
    records = [
        {"subject": "S1", "quantity": "tcsa_mm2", "value": "1", "unit": unit}
        for unit in ("mm2", "", "cm2")
    ]
    with pytest.raises(ReadError, match="Line 4: tcsa_mm2 stands in the table by several"):
        measurement_rows(records)


def test_empty_rows_are_passed_over_and_columns_that_lack_are_named():
    filled = {"subject": "S1", "quantity": "tcsa_mm2", "value": ""}
    table = measurement_rows([dict.fromkeys(filled, "NA"), filled])
    assert (len(table.rows), table.lines) == (1, (3,))
    with pytest.raises(ReadError, match=r"^The table lacks the columns quantity, value\."):
        measurement_rows([{"subject": "S1"}])
    with pytest.raises(ReadError, match=r"^t\.csv lacks the columns quantity, value\."):
        measurement_rows([{"subject": "S1"}], [2], "t.csv")
