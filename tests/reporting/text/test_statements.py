"""A report asserts what its tables prove, and counts what is there: studies made to tempt it."""

import json
import re
from dataclasses import replace

import pytest

from multifidus.data.columns import MISSING_COLUMNS
from multifidus.reporting.build import ReportRequest, load_study, write_report
from multifidus.reporting.labels import axis_label
from multifidus.reporting.plots.study_plots import draw_study
from multifidus.reporting.tables.change import change_tables, subject_table
from multifidus.reporting.tables.reliability import reliability_table
from multifidus.reporting.text.facts import facts_of
from multifidus.reporting.text.grras import Answer, grras
from multifidus.reporting.text.methods import methods_text
from multifidus.reporting.text.participant_flow import lost_measurements
from multifidus.reporting.text.results import results_text
from multifidus.study.dictionary import write_dictionary
from multifidus.study.outline_counts import outline_key, outlines_of
from multifidus.study.qc_page import PageContent, write_page
from multifidus.study.results_page import printable
from tests.support.studies import study_rows, write_study
from tests.support.tables import measurements


def load(folder, rows, missing=(), **request):
    return load_study(
        ReportRequest(write_study(folder, rows, missing), **{"quantities": ("tcsa_mm2",)} | request)
    )


def facts(data):
    return facts_of(data.rows, data.timepoints)


def methods(data):
    return {item.topic: item.text for item in methods_text(data, facts(data))}


def items(data):
    return {item.number: item for item in grras(data, facts(data))}


def small(subjects=4, **other):
    rows = study_rows(subjects, raters="A", readings=1, **other)
    return [row for row in rows if row["level"] == "L4-L5"]


# --- who read what ---------------------------------------------------------------------------


def test_no_rater_is_said_to_have_read_an_exam_that_is_not_there(tmp_path):
    rows = [
        row for row in study_rows(5, readings=1)
        if row["level"] == "L4-L5" and not (row["subject"] == "S01" and row["timepoint"] == "post")
    ]  # fmt: skip
    data = load(tmp_path, rows, value="mean")
    for path in write_report(data, tmp_path / "out", ()):
        assert "nobody" not in path.read_text(), path
    alone = [item for item in data.change.changes if item.pair.subject == "S01"]
    assert {item.basis for item in alone} == {""}
    assert "not measured at post" in subject_table(data.change.changes).as_csv()


def test_a_column_does_not_prove_blinding(tmp_path):
    rows = [{**row, "blinded": "yes", "reading_list": "my own list"} for row in small()]
    data = load(tmp_path, rows)
    said = methods(data)["Blinding"]
    assert "shown by no reading list: yes (8 readings)" in said
    assert "Raters were blinded" not in said
    item = items(data)[8]
    assert item.answer is Answer.PARTLY
    assert "hidden" not in item.words


def test_blinding_is_asserted_of_those_readings_that_a_list_proves(tmp_path):
    rows = [
        {**row, "blinded": "yes",
         "reading_list": "blinded, in random order" if row["timepoint"] == "pre" else ""}
        for row in small()
    ]  # fmt: skip
    data = load(tmp_path, rows)
    said = methods(data)["Blinding"]
    assert said.startswith("Of all readings 4 readings followed a reading list that was blinded")
    assert "Raters were blinded to subject, timepoint and side of surgery" in said
    assert "shown by no reading list: yes (4 readings)" in said
    assert "4 of 8 readings" in items(data)[9].words


# --- what the cohort holds -------------------------------------------------------------------


def test_what_a_column_holds_is_not_called_missing(tmp_path):
    rows = [
        {**row, "age": 40 + int(row["subject"][1:]), "sex": "F", "rater_experience_years": 6,
         "sequence": "TSE", "recruited_by": "notices"}
        for row in small()
    ]  # fmt: skip
    data = load(tmp_path, rows)
    said, found = methods(data), items(data)
    assert said["Experience of the raters"] == "Experience of the raters: A: 6 years."
    assert said["Sequence"] == "Sequence: TSE."
    assert found[3].answer is Answer.PARTLY
    assert "sex (F 4)" in found[3].words
    assert "median 42.5, range 41 to 44" in found[3].words
    assert found[4].words == "See Methods: rater_experience_years."
    page = write_report(data, tmp_path / "out", ())[0].read_text()
    # What it does not understand is named, so that no topic is called missing over it.
    assert "not used in the text above: recruited_by" in page
    assert "Not recorded" not in page


def test_a_fact_that_some_rows_of_an_exam_lack_is_known(tmp_path):
    rows = [{**row, "manufacturer": "Philips" if row["side"] == "right" else ""} for row in small()]
    assert methods(load(tmp_path, rows))["Scanner"] == "Scanner: Philips."


# --- what is missing -------------------------------------------------------------------------


def absent(reason="not_outlined", **other):
    usual = dict.fromkeys(MISSING_COLUMNS, "") | {
        "subject": "S01", "timepoint": "pre", "level": "L4-L5", "side": "left",
        "structure": "multifidus", "reason": reason}  # fmt: skip
    return usual | other


def test_one_muscle_in_four_readings_is_four_measurements_and_one_muscle(tmp_path):
    missing = [absent(rater=rater, reading=reading) for rater in "AB" for reading in (1, 2)]
    (lost,) = lost_measurements(missing, "multifidus")
    assert (lost.n, lost.n_muscles, lost.n_exams) == (4, 1, 1)
    page = write_report(load(tmp_path, small(), missing), tmp_path / "out", ())[0].read_text()
    assert "<th>measurements (muscle x reading)</th><th>muscles</th>" in page
    assert "<td>4</td><td>1</td><td>1</td>" in page


def test_the_results_page_counts_missing_measurements_by_reading(tmp_path):
    missing = [absent(rater=rater, reading=reading) for rater in "AB" for reading in (1, 2)]
    write_page(PageContent([], [], missing, [], tmp_path), tmp_path / "index.html")
    page = (tmp_path / "index.html").read_text()
    assert "measurements (muscle x reading)" in page
    assert re.search(r"<td>4</td><td>1</td><td[^>]*>not_outlined", page)


# --- who is pooled ---------------------------------------------------------------------------


def grouped():
    rows = small(9)
    for row in rows:
        n = int(row["subject"][1:])
        row["approach"] = ("open", "minimally invasive", "control")[n % 3]
        row["operated_levels"] = "" if row["approach"] == "control" else "L4-L5"
    return rows


def test_groups_tested_together_and_controls_left_out_are_said_in_text_and_tables(tmp_path):
    data = load(tmp_path, grouped())
    assert methods(data)["Groups"] == (
        "Approach: control (3 subjects), minimally invasive (3 subjects) and open (3 subjects)."
    )
    said = " ".join(item.text for item in results_text(data))
    together = "(control 3, minimally invasive 3, open 3) were tested together"
    assert together in said
    assert "3 of 9 subjects have no operated level (approach: control 3)" in said
    assert together in change_tables(data.change)[0].as_markdown()
    apart = load(tmp_path / "apart", grouped(), column="approach")
    assert "tested together" not in " ".join(item.text for item in results_text(apart))


def test_reliability_says_of_how_many_examinations_and_people_it_is(tmp_path):
    rows = [row for row in study_rows(6, readings=1) if row["level"] == "L4-L5"]
    data = load(tmp_path, rows, value="mean")
    said = " ".join(item.text for item in results_text(data))
    assert "12 examinations of 6 subjects (pooled over timepoints post, pre)" in said
    assert "targets excluded" not in said
    moved = [
        {**row, "slice_index": 9, "slice_uid": "1.2.9"}
        if (row["subject"], row["rater"], row["timepoint"]) == ("S02", "B", "pre") else row
        for row in rows
    ]  # fmt: skip
    fewer = load(tmp_path / "moved", moved, value="mean")
    assert "11 examinations of 6 subjects" in results_text(fewer)[0].text
    assert (
        "1 targets excluded with no slice outlined by every rater (unknown distance)"
        in results_text(fewer)[0].text
    )
    assert "are pooled" in reliability_table(data.between).as_markdown()


# --- counts of outlines ----------------------------------------------------------------------


def test_an_outline_counts_once_whatever_is_measured_or_derived_of_it(tmp_path):
    rows = [{**row, "source": "draft", "flags": "draft_unedited"} for row in small(3)]
    one = rows[0]
    rows += [
        {**one, "quantity": "volume_ml", "value": 20.0},
        {**one, "quantity": "fi_pct", "method": "otsu", "value": 20.0},
        {**one, "quantity": "goutallier_grade", "slice_index": "", "slice_uid": "", "value": 2},
    ]
    outlines = outlines_of(measurements(rows))
    assert len(outlines) == 12  # 3 subjects, 2 exams, 2 sides
    assert outline_key(measurements(rows)[0]) in outlines
    data = load(tmp_path, rows)
    page = write_report(data, tmp_path / "out", ())[0].read_text()
    assert "All 12 ROIs were unedited drafts" in page
    (cells,) = re.findall(r"draft unedited</td><td>(\d+)</td><td>\d+</td><td>(\d+)</td>", page)
    assert cells == ("12", "3")


def test_an_outline_of_both_sides_is_one_and_a_comparison_of_sides_is_none():
    one = small(1)[0]
    joint = {**one, "structure": "autochthonous", "side": "both", "quantity": "tcsa_mm2"}
    compared = {**one, "side": "both", "quantity": "asymmetry_pct"}
    assert len(outlines_of(measurements([one, joint, compared]))) == 2
    assert not outlines_of(measurements([compared]))


# --- visible fat -----------------------------------------------------------------------------


def test_fat_infiltration_is_called_visible_fat_wherever_it_is_printed(tmp_path):
    data = load(tmp_path, small(5), quantities=("fi_pct",))
    assert axis_label("fi_pct", "pooled_otsu") == "Visible fat infiltration (pooled otsu), %"
    assert "visible fat" in methods(data)["Visible fat"]
    assert "visible fat" in change_tables(data.change)[0].as_markdown()
    assert "visible fat" in subject_table(data.change.changes).as_markdown()
    write_dictionary(tmp_path / "dictionary.json")
    text = (tmp_path / "dictionary.json").read_text()
    assert "Visible fat infiltration: 100 x" in text


@pytest.mark.parametrize("name", ["fi_pct", "fi_q1_pct", "fi_deep_pct", "fi_difference_pct"])
def test_every_part_of_visible_fat_is_named_so(name):
    assert "visible fat" in axis_label(name).lower()


# --- fat signal fraction ---------------------------------------------------------------------


def with_fractions(rows, *fractions):
    """Add a fraction of some quantities and methods to each row of visible fat."""
    return rows + [
        {**row, "quantity": quantity, "method": method, "value": row["value"] + 5,
         "parameters": json.dumps({"lean_signal": 100.0, "fat_signal": 400.0})}
        for row in rows if row["quantity"] == "fi_pct"
        for quantity, method in fractions
    ]  # fmt: skip


SIGNAL = ("ff_signal_pct", "signal")


def test_a_fat_signal_fraction_is_reported_beside_visible_fat_unasked(tmp_path):
    data = load(tmp_path, with_fractions(small(5), SIGNAL), quantities=())
    assert [metric.quantity for metric in data.metrics][-2:] == ["fi_pct", "ff_signal_pct"]
    assert axis_label(*SIGNAL) == "Fat signal fraction, %"
    text = methods(data)
    assert "fat signal fraction" in text["Quantities"]
    assert "(signal)" not in text["Quantities"]
    for words in ("fitted jointly", "for each muscle", "for each examination", "uncertainties"):
        assert words in text["Fat signal fraction"]
    # The threshold's sentences stay, and speak of it alone.
    assert "Otsu's method" in text["Fat"]
    assert "before fat was measured" in text["Shading"]
    assert "scaled to the signal of fat inside muscles" in text["Fat in muscle"]
    results = " ".join(item.text for item in results_text(data))
    assert "fat signal fraction" in results
    assert "Fat signal fraction" in "".join(drawing.caption for drawing in draw_study(data))
    assert "fat signal fraction" in change_tables(data.change)[0].as_markdown()


def test_a_study_of_the_signal_fraction_alone_names_no_threshold_and_no_other_correction(tmp_path):
    data = load(tmp_path, with_fractions(small(4), SIGNAL), quantities=("ff_signal_pct",))
    text = methods(data)
    assert not {"Fat", "Visible fat", "Shading"} & {*text}
    assert "bias field B was fitted" in text["Fat signal fraction"]


@pytest.mark.parametrize(
    ("fraction", "topic", "words"),
    [
        (("ff_linear_pct", "linear"), "Fat fraction", "linear interpolation"),
        (("dixon_ff_ratio_pct", "dixon"), "Dixon fat fraction", "F / (F + W)"),
        (("pdff_mean_pct", "pdff"), "Proton-density fat fraction", "map"),
    ],
)
def test_no_fraction_is_said_to_have_separated_pixels(fraction, topic, words, tmp_path):
    data = load(tmp_path, with_fractions(small(4), fraction), quantities=fraction[:1])
    text = methods(data)
    assert words in text[topic]
    assert "separated" not in " ".join(text.values())
    # Mixing is by the corrected signal; water, fat and a map are as they are.
    assert ("Shading" in text) is (topic == "Fat fraction")


def test_the_results_page_names_the_fat_signal_fraction(tmp_path):
    rows = measurements(with_fractions(small(4), SIGNAL))
    heads, cells = printable(rows, "multifidus")
    place = heads.index("fat signal fraction, %")
    printed = [row[place] for row in cells if row[place]]
    assert len(printed) == 16
    assert all(" ± " in text for text in printed)
    assert not any("signal_fi" in head for head in heads)


def test_the_results_page_counts_slices_from_one_as_the_window_and_captions_do(tmp_path):
    rows = measurements(small(4))
    heads, cells = printable(rows, "multifidus")
    shown = {row[heads.index("slices")] for row in cells}
    indices = {
        item.provenance.slice_index for item in rows if item.provenance.slice_index is not None
    }
    assert {int(number) for text in shown for number in text.split("; ")} == {
        index + 1 for index in indices
    }


def test_outlines_of_one_muscle_are_told_apart_by_their_names_where_they_have_any():
    rows = measurements(small(4))
    assert "name" not in printable(rows, "multifidus")[0]
    named = [
        replace(row, key=replace(row.key, name=name))
        for name in ("deep", "superficial", "") for row in rows
    ]  # fmt: skip
    heads, cells = printable(named, "multifidus")
    assert heads[: heads.index("slices")][-2:] == ["side", "name"]
    place = heads.index("name")
    assert {row[place] for row in cells} == {"deep", "superficial", ""}
    assert len({tuple(row[: place + 1]) for row in cells}) == len(cells)
