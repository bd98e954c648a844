"""A results folder becomes a report; every number in it is the tables' number."""

import csv
import json
import math
import re
from functools import partial
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.columns import FAILURE_COLUMNS, MISSING_COLUMNS
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import ReadError, StatisticsError, WriteError
from multifidus.reporting.build import ReportRequest, load_study, write_report
from multifidus.reporting.labels import axis_label, quantity_name
from multifidus.reporting.pages.study_page import content_of
from multifidus.reporting.pages.subject_page import sheet_files, subject_sheets
from multifidus.reporting.tables.change import change_tables
from multifidus.reporting.tables.reliability import reliability_table, short
from multifidus.reporting.text.citations import REFERENCES, as_bibtex, cited
from multifidus.reporting.text.facts import Range, facts_of
from multifidus.reporting.text.grras import Answer, grras
from multifidus.reporting.text.methods import methods_text
from multifidus.reporting.text.participant_flow import flow_of, lost_measurements
from multifidus.reporting.text.results import results_text
from multifidus.reporting.text.statements import counted, listed, range_text
from multifidus.stats.change.document import plain_changes
from multifidus.stats.change.groups import Classification
from multifidus.stats.change.mdc import mdc_from_reliability
from multifidus.stats.reliability.document import given_study, plain_study
from multifidus.stats.reliability.study import reliability
from tests.reporting.plots.test_plots import thumbnail
from tests.support.studies import THRESHOLD, study_rows, without_figures, write_study
from tests.support.tables import values_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def data(folder):
    return load_study(ReportRequest(folder, value="mean"))


@pytest.fixture(scope="module")
def of_two(tmp_path_factory):
    """Return what a report of two numbers of one level shows.

    Each further number has the same figures again, each further level the same panels.
    """
    folder = write_study(tmp_path_factory.mktemp("two"), at_one_level(12, readings=2))
    return load_study(ReportRequest(folder, value="mean", quantities=("fcsa_mm2", "fi_pct")))


@pytest.fixture(scope="module")
def written(of_two, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    write_report(of_two, out)
    return out


def of_rows(tmp_path, rows, **request):
    return load_study(AREA(write_study(tmp_path, rows), **request))


AREA = partial(ReportRequest, quantities=("tcsa_mm2",))
"""A report about one number alone, which is quicker."""


def at_one_level(subjects, **study):
    """Rows with a panel a side in each figure, where what figures show is not asked for."""
    rows = study_rows(subjects, **{"readings": 1} | study)
    return [row for row in rows if row["level"] == "L4-L5"]


def facts(data):
    return facts_of(data.rows, data.timepoints)


def methods(data):
    return {item.topic: item for item in methods_text(data, facts(data))}


# --- what the report is about ----------------------------------------------------------------


def test_the_usual_numbers_are_reported_in_their_order(data):
    assert [metric.quantity for metric in data.metrics] == ["tcsa_mm2", "fcsa_mm2", "fi_pct"]
    assert data.timepoints == ("pre", "post")
    assert len(data.between.results) == 18
    assert {item.rater for item in data.within.results} == {"A", "B"}


def test_reliability_and_change_are_those_of_their_own_commands(data, folder):
    values = values_of(study_rows())
    alone = reliability(values, quantities=["tcsa_mm2"])
    mine = [item for item in data.between.results if item.quantity == "tcsa_mm2"]
    assert [item.sem for item in mine] == pytest.approx([item.sem for item in alone.results])
    assert {item.basis.split(";")[0] for item in data.change.changes} == {
        "consistency of raters A, B"
    }


def test_whose_value_enters_is_never_guessed(folder):
    with pytest.raises(StatisticsError, match="2 raters"):
        load_study(AREA(folder))
    one = load_study(AREA(folder, value="rater:B"))
    assert {item.pair.before.raters for item in one.change.changes} == {("B",)}


def test_a_report_is_about_what_is_asked_for(folder):
    found = load_study(ReportRequest(folder, value="mean", quantities=("fi_pct",)))
    assert [metric.quantity for metric in found.metrics] == ["fi_pct"]
    with pytest.raises(StatisticsError, match="volume_ml"):
        load_study(ReportRequest(folder, value="mean", quantities=("volume_ml",)))
    with pytest.raises(StatisticsError, match="no psoas"):
        load_study(ReportRequest(folder, structure="psoas"))


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ReadError, match=r"measurements\.csv"):
        load_study(ReportRequest(tmp_path))
    write_study(tmp_path, study_rows(3))
    (tmp_path / "protocol.toml").unlink()
    with pytest.raises(ReadError, match=r"protocol\.toml"):
        load_study(ReportRequest(tmp_path, value="mean"))


def test_one_rater_one_exam_each_is_reported_with_what_is_not_known(tmp_path):
    rows = at_one_level(4, raters="A", timepoints=("pre",))
    found = of_rows(tmp_path, rows)
    assert found.change is None
    assert found.between is None
    said = " ".join(found.absent)
    assert "No examination was read twice" in said
    assert "one timepoint" in said
    assert "one rater" in said
    page = write_report(found, tmp_path / "out", ())[0].read_text()
    assert "Reliability: not found in the tables." in page
    assert not (tmp_path / "out" / "tables").exists()


# --- files given -----------------------------------------------------------------------------


def test_a_printed_reliability_is_read_back_as_it_was(data):
    for study in (data.between, data.within):
        document = json.loads(json.dumps(plain_study(study)))
        found = given_study(document)
        assert plain_study(found) == plain_study(study)
        assert reliability_table(found) == reliability_table(study)


def test_what_is_no_reliability_is_refused():
    for document in ({}, {"results": [{}], "problems": []}, {"results": 3, "problems": []}):
        with pytest.raises(StatisticsError, match="no reliability"):
            given_study(document)


def test_changes_are_held_against_a_given_reliability(tmp_path, data):
    rows = study_rows(6, raters="A", readings=1)
    file = tmp_path / "reliability.json"
    file.write_text(json.dumps(plain_study(data.between)))
    found = of_rows(tmp_path / "study", rows, reliability=file)
    expected = mdc_from_reliability(plain_study(data.between))
    for item in found.change.changes:
        assert item.mdc95 == expected(item.pair).mdc95
        assert "A, B" in item.basis
    assert found.given
    page = write_report(found, tmp_path / "out", ())[0].read_text()
    assert "from a file given" in page
    assert "figure-bland_altman" not in page  # its points are not here


def test_given_changes_bring_their_choices_and_are_checked(tmp_path):
    folder = write_study(tmp_path / "study", study_rows(4, readings=1))
    data = load_study(AREA(folder, value="mean"))
    file = tmp_path / "change.json"
    document = plain_changes(data.change)
    file.write_text(json.dumps(document))
    found = load_study(ReportRequest(folder, change=file))
    assert [metric.quantity for metric in found.metrics] == ["tcsa_mm2"]
    assert found.choice.rule == "mean"
    judged = [(item.classification, item.basis) for item in found.change.changes]
    assert judged == [(item.classification, item.basis) for item in data.change.changes]
    document["changes"][0]["delta"] += 1
    file.write_text(json.dumps(document))
    with pytest.raises(StatisticsError, match="changed by"):
        load_study(AREA(folder, change=file))
    del document["changes"][0]
    file.write_text(json.dumps(document))
    with pytest.raises(StatisticsError, match="do not hold"):
        load_study(AREA(folder, change=file))
    file.write_text("{}")
    with pytest.raises(StatisticsError, match="no changes"):
        load_study(AREA(folder, change=file))


# --- text ------------------------------------------------------------------------------------


def test_methods_state_what_the_tables_hold(data):
    said = methods(data)
    assert said["Exams"].text == "24 exams of 12 subjects were measured (pre and post)."
    assert said["Interval"].text == "Intervals: 365 days between pre and post."
    assert "pixel area) was 0.5 mm" in said["Pixels"].text
    low, high = THRESHOLD, THRESHOLD + 11
    assert f"median 427 arbitrary units, range {low} to {high}" in said["Fat"].text
    assert "fascial" in said["Outlines"].text
    assert (
        "2 raters (A and B) segmented each examination up to twice; 96 readings"
        in said["Raters"].text
    )
    assert "median 4.0 degrees, range 3.0 to 5.0" in said["Tilt"].text
    digest = MeasurementProtocol().digest
    assert said["Software"].text == f"Software: multifidus 9.9; measurement protocol {digest}."
    assert "account for clustering within subjects" in said["Reliability"].text
    assert "below-nominal" not in said["Reliability"].text
    assert "mean of 2 raters" in said["Minimal detectable change"].text


def test_methods_never_fill_in_what_the_tables_do_not_hold(data):
    unknown = {topic for topic, item in methods(data).items() if not item.is_known}
    assert unknown == {
        "Scanner", "Model", "Field strength", "Sequence", "Slice thickness",
        "Repetition time", "Echo time", "Slice gap", "Matrix", "Acquired matrix", "Coil",
        "Experience of the raters", "Blinding", "Interval between readings",
    }  # fmt: skip


def test_methods_tell_how_many_exams_have_what(tmp_path):
    rows = [
        {**row, "manufacturer": "Siemens" if row["timepoint"] == "pre" else "",
         "field_strength_t": "1.5" if row["subject"] == "S01" else "3", "blinded": "yes"}
        for row in study_rows(4)
    ]  # fmt: skip
    said = methods(of_rows(tmp_path, rows, value="mean"))
    assert said["Scanner"].text == ("Scanner: Siemens (4 exams) and not said of 4 exams.")
    assert said["Field strength"].text == "Field strength: 1.5 T (2 exams) and 3 T (6 exams)."
    # A column says it, and no reading list shows it.
    assert said["Blinding"].text == (
        "Blinding as the cohort table states it, shown by no reading list: yes (32 readings)."
    )


def test_a_study_that_says_nothing_is_told_so(tmp_path):
    silent = ("roi_rule", "version", "tilt_deg", "level", "days", "rater")
    rows = [{**row, **dict.fromkeys(silent, ""), "parameters": "{}"}
            for row in study_rows(5, raters="A", readings=1, timepoints=("",))
            if row["level"] == "L4-L5" and row["quantity"] == "tcsa_mm2"]  # fmt: skip
    unknown = {t for t, item in methods(of_rows(tmp_path, rows)).items() if not item.is_known}
    assert unknown >= {
        "Raters", "Rule of the outlines", "Tilt of the slices", "Level of the slices",
        "Interval between exams", "Software version", "Reliability", "Pixel size",
    }  # fmt: skip


def test_every_number_of_the_results_stands_in_a_table(data):
    cells = set()
    for table in (
        reliability_table(data.between), reliability_table(data.within),
        *change_tables(data.change),
    ):  # fmt: skip
        for row in table.rows:
            for cell in row:
                cells |= set(re.findall(r"-?\d+\.?\d*", cell))
        # A verb says the direction of a mean change: its size stands without the sign.
        for name in {"mean change [95 % CI]", "estimate [95 % CI]"} & {*table.headings}:
            place = table.headings.index(name)
            cells |= {row[place].partition(" ")[0].removeprefix("-") for row in table.rows}
    text = " ".join(item.text for item in results_text(data))
    for name in ("ICC(2,1)", "ICC(3,1)", "MDC95", "95 %"):
        text = text.replace(name, "")
    counts = {str(sum(i.classification is v and i.pair.quantity == q for i in data.change.changes))
              for v in Classification for q in ("tcsa_mm2", "fcsa_mm2", "fi_pct")}  # fmt: skip
    counts |= {"72", "6"}  # muscles; places
    numbers = set(re.findall(r"(?<![\w,.])-?\d+\.?\d*", text))
    assert len(numbers) > 30
    assert {n.rstrip(".") for n in numbers} <= cells | counts


def test_results_give_the_change_of_each_zone_in_the_tables_words(data):
    (zone,) = [i for i in data.change.zones if i.key[0] == "tcsa_mm2" and "operated" in i.key]
    text = " ".join(item.text for item in results_text(data))
    low, high = map(short, zone.tests.ci95)
    assert (
        f"total cross-sectional area at operated levels decreased by {short(-zone.tests.mean)} mm² "
        f"(95 % CI of the change, {low} to {high} mm²; mean relative change, "
        f"{short(zone.mean_pct)} %), n = {zone.n}"
    ) in text
    assert zone.tests.mean < 0
    assert "visible fat infiltration (pooled otsu) at operated levels" in text
    assert "percentage points), n" in text


def test_the_mixed_model_is_told_with_its_terms_and_what_it_is_made_of(data):
    """The zones are balanced, so that the model's changes are the means of the paired tests."""
    (model,) = [item for item in data.change.models if item.quantity == "tcsa_mm2"]
    assert (model.factor, model.reference) == ("zone", ("pre", "operated"))
    zones = {item.key[-1]: item for item in data.change.zones if item.key[0] == "tcsa_mm2"}
    terms = {item.name: item for item in model.terms}
    assert terms["post"].estimate == pytest.approx(zones["operated"].tests.mean)
    text = " ".join(item.text for item in results_text(data))
    low, high = map(short, terms["post"].ci95)
    assert (
        "it decreased from pre to post at operated levels by "
        f"{short(-terms['post'].estimate)} mm² (95 % CI of the change, {low} to {high} mm²)"
    ) in text
    apart = terms["post x adjacent"]
    low, high = map(short, apart.ci95)
    assert (
        f"the change from pre to post was {short(apart.estimate)} mm² more positive at adjacent "
        f"levels than at operated levels (95 % CI of the difference, {low} to {high} mm²; "
        "interaction of time and zone)"
    ) in text
    assert apart.estimate > 0
    assert f"{model.n_muscles} muscles" in text
    rule = methods(data)["Mixed model"].text
    assert "random intercepts for subject and muscle" in rule
    assert "fixed effects of time, zone and their interaction" in rule
    assert "Satterthwaite degrees of freedom" in rule
    (table,) = [item for item in content_of(data).change if item.name == "change_model"]
    assert len(table.rows) == sum(len(item.terms) for item in data.change.models)
    assert any("of change between subjects" in note for note in table.notes)


@pytest.mark.parametrize("groups", [("2 x 10", "post x 10"), ("2", "post")])
def test_what_groups_are_called_changes_no_sentence_of_the_mixed_model(groups, tmp_path):
    rows = [{**item, "exercise": groups[int(item["subject"][1:]) % 2]} for item in at_one_level(8)]
    data = of_rows(tmp_path, rows, value="mean", model="exercise")
    (text,) = [item.text for item in results_text(data) if "mixed model" in item.text]
    assert text.count("from pre to post") == 2
    assert f"from pre to post in {groups[0]} by" in text
    assert f" in {groups[1]} than in {groups[0]} (95 %" in text


def test_a_model_that_does_not_converge_is_said_and_none_takes_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr("multifidus.stats.change.random_intercept.MOST_STEPS", 1)
    found = of_rows(tmp_path, study_rows(6), value="mean")
    assert not found.change.models
    text = " ".join(item.text for item in results_text(found))
    assert "Mixed model of total cross-sectional area: The mixed model did not converge" in text
    assert "change_model" not in {item.name for item in content_of(found).change}
    assert "Mixed model" not in methods(found)


@pytest.mark.parametrize(
    ("request_", "factor"), [({"model": "side"}, "side"), ({"column": "approach"}, "approach")]
)
def test_what_a_model_compares_is_asked_for_or_the_groups(tmp_path, request_, factor):
    rows = [{**row, "approach": "ab"[int(row["subject"][1:]) % 2]} for row in study_rows(8)]
    (model,) = of_rows(tmp_path, rows, value="mean", **request_).change.models
    assert model.factor == factor


def test_a_model_of_nothing_is_said(tmp_path):
    found = of_rows(tmp_path, study_rows(6), value="mean", model="hospital")
    assert tuple(map(str, found.change.unfitted)) == (
        "Mixed model: No value of the table has a hospital. Choose zone, level, side or a column "
        "of the table.",
    )


def test_few_raters_of_one_exam_a_subject_are_a_doubt_of_the_interval_in_common_use(tmp_path):
    found = of_rows(tmp_path, study_rows(6, timepoints=("pre",)))
    text = methods(found)["Reliability"].text
    assert "With fewer than 5 raters the interval of ICC(2,1) has below-nominal coverage." in text
    assert "clustering" not in text


def test_unknown_error_is_said_and_nothing_is_judged(tmp_path):
    rows = study_rows(5, raters="A", readings=1)
    found = of_rows(tmp_path, rows)
    text = " ".join(item.text for item in results_text(found))
    assert "could be compared with measurement error" in text
    assert not methods(found)["Minimal detectable change"].is_known


def test_two_of_grras_are_the_authors_and_the_rest_is_from_the_tables(data, tmp_path):
    items = grras(data, facts(data))
    assert [item.number for item in items] == list(range(1, 16))
    assert {item.number for item in items if item.answer is Answer.YES} == {10, 11, 13, 15}
    assert "2 raters, 12 subjects" in items[10].words
    bare = of_rows(tmp_path, study_rows(5, raters="A", readings=1))
    answers = {item.number: item.answer for item in grras(bare, facts(bare))}
    assert answers[11] is answers[13] is answers[10] is Answer.NO


def test_what_is_cited_has_an_entry(data):
    content = content_of(data)
    keys = {key for item in (*content.methods, *content.results) for key in item.cites}
    assert keys | {"kottner2011"} == {item.key for item in content.references}
    text = as_bibtex(content.references)
    assert re.findall(r"@article{(\w+),", text) == [item.key for item in content.references]
    assert "doi = {10.1037/0033-2909.86.2.420}" in text
    assert text.count("{") == text.count("}")
    assert "{ICC" not in cited(["holm1979", "holm1979"])[0].as_text()
    assert all(item.doi or item.key in {"holm1979", "bell2002"} for item in REFERENCES.values())


def test_words_and_numbers_are_printed_alike():
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([]) == ""
    assert (counted(1, "exam"), counted(2, "exam")) == ("1 exam", "2 exams")
    assert range_text(Range(1, 2, 4), "mm") == "median 2 mm, range 1 to 4"
    assert range_text(Range(2, 2, 2), "") == "2"
    assert Range.of([math.nan]) is None
    assert axis_label("tcsa_mm2") == "Total cross-sectional area, mm²"
    assert quantity_name("tcsa_per_bmi") == "tcsa per"
    assert axis_label("no_such_thing") == "No such"


# --- flow ------------------------------------------------------------------------------------


def test_the_flow_says_who_is_not_in_and_why(tmp_path, monkeypatch):
    without_figures(monkeypatch)
    rows = [row for row in study_rows(6)
            if not (row["subject"] == "S02" and row["timepoint"] == "post")]  # fmt: skip
    failures = [dict.fromkeys(FAILURE_COLUMNS, "") | {
        "subject": "S77", "timepoint": "pre", "error": "RoiError"}]  # fmt: skip
    missing = [dict.fromkeys(MISSING_COLUMNS, "") | {
        "subject": "S99", "timepoint": "pre", "structure": "multifidus",
        "reason": "no_exam"}]  # fmt: skip
    folder = write_study(tmp_path, rows, missing, failures)
    found = load_study(AREA(folder, value="mean"))
    start, measured, compared = flow_of(found)
    assert (start.n, measured.n, compared.n) == (8, 6, 5)
    assert measured.lost == (("failed: RoiError", 1), ("nothing measured", 1))
    assert compared.lost == (("not measured at post", 1),)
    for before, after in ((start, measured), (measured, compared)):
        assert before.n == after.n + after.n_lost
    (lost,) = lost_measurements(found.missing, "multifidus")
    assert (lost.timepoint, lost.reason, lost.n) == ("pre", "no_exam", 1)
    page = write_report(found, tmp_path / "out", ())[0].read_text()
    assert "failed: RoiError" in page
    assert "not measured at post" in page


def test_a_missing_table_is_said(tmp_path):
    folder = write_study(tmp_path, study_rows(4))
    (folder / "missing.csv").unlink()
    assert any("missing.csv" in remark
               for remark in load_study(ReportRequest(folder, value="mean")).absent)  # fmt: skip


# --- files -----------------------------------------------------------------------------------


class Tags(HTMLParser):
    """What a page points at, and what its tags are."""

    def __init__(self, text):
        super().__init__()
        self.found, self.ids, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in {"src", "href", "xlink:href"}:
                self.links.append(value)


def test_the_page_holds_all_it_shows_and_points_nowhere_else(written):
    page = Tags((written / "report.html").read_text())
    assert len(page.ids) == len(set(page.ids))
    assert "script" not in page.found
    assert page.found.count("svg") == len(list((written / "figures").glob("*.pdf"))) == 13
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert link.startswith("data:") or (written / link).is_file(), link


def test_a_report_has_text_tables_references_and_a_sheet_a_subject(written, of_two):
    names = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    assert {"text.md", "references.bib", "tables/changes.csv", "tables/reliability.tex",
            "tables/reliability_rereading.md", "tables/change_subjects.csv",
            "subjects/S12.html"} <= names  # fmt: skip
    with (written / "tables" / "changes.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(of_two.change.changes)
    assert "[@shrout1979; @mcgraw1996" in (written / "text.md").read_text()


def test_a_sheet_shows_a_subjects_numbers_with_uncertainty_and_change_against_error(
    written, of_two
):
    page = (written / "subjects" / "S03.html").read_text()
    for item in of_two.change.changes:
        if item.pair.subject == "S03":
            assert f">{short(item.mdc95)}<" in page
            assert short(item.pair.delta) in page
    one = next(item for item in of_two.change.changes if item.pair.subject == "S03")
    assert f"{short(one.pair.before.value)} ± 20" in page  # fcsa comes first in the pairs
    assert "S04" not in page


def test_a_sheet_of_three_exams_shows_all_values_and_the_change_over_the_whole_time(tmp_path):
    rows = study_rows(4, timepoints=("pre", "early", "late"))
    found = of_rows(tmp_path, rows, value="rater:A")
    (sheet,) = [text for subject, text in subject_sheets(found) if subject == "S01"]
    lines = [line for line in sheet.splitlines() if line.startswith('<tr><td class="text">L4-L5')]
    (row,) = (re.findall(r"<td[^>]*>([^<]*)", line) for line in lines if ">left<" in line)
    (change,) = [
        item for item in found.change.changes
        if (item.pair.subject, item.pair.level, item.pair.side) == ("S01", "L4-L5", "left")
        and item.pair.span == "pre to late"
    ]  # fmt: skip
    values = [row[n].split(" ±")[0] for n in (2, 4)]
    assert values == [short(change.pair.before.value), short(change.pair.after.value)]
    assert row[5] == short(change.pair.delta)
    assert "from pre to late; the steps between" in sheet


def test_nothing_is_replaced_unasked(tmp_path, monkeypatch):
    without_figures(monkeypatch)
    data = load_study(AREA(write_study(tmp_path / "study", study_rows(5)), value="mean"))
    (tmp_path / "subjects").mkdir()
    (tmp_path / "subjects" / "S05.html").write_text("mine")
    with pytest.raises(WriteError, match=r"S05\.html"):
        write_report(data, tmp_path)
    assert not (tmp_path / "report.html").exists()
    write_report(data, tmp_path, (), overwrite=True)
    assert (tmp_path / "subjects" / "S05.html").read_text() != "mine"


def test_words_of_a_table_are_never_markup(tmp_path):
    evil = '"><script>alert(1)</script>'
    rows = [{**row, "subject": row["subject"].replace("S01", evil), "approach": evil,
             "flags": "artefact"} for row in at_one_level(4)]  # fmt: skip
    missing = [dict.fromkeys(MISSING_COLUMNS, "") | {
        "subject": evil, "timepoint": evil, "structure": "multifidus", "reason": "not_measurable",
        "detail": evil}]  # fmt: skip
    found = load_study(AREA(write_study(tmp_path, rows, missing), value="mean"))
    out = tmp_path / "out"
    write_report(found, out, ())
    for path in out.rglob("*.html"):
        assert "script" not in Tags(path.read_text()).found, path
    assert "alert(1)" in (out / "report.html").read_text()
    assert all("<" not in path.name for path in out.rglob("*"))


def test_sheets_of_subjects_with_like_names_are_files_of_their_own():
    files = sheet_files(["S 1", "S-1", "s-1", "S/1", "", "é"])
    assert len({name.casefold() for name in files.values()}) == 6
    assert all(re.fullmatch(r"[\w-]+\.html", name, re.ASCII) for name in files.values())


def test_sheets_and_montage_show_the_pictures_of_one_reading(tmp_path):
    folder = write_study(tmp_path, at_one_level(4))
    for timepoint in ("pre", "post"):
        for rater in "AB":
            thumbnail(folder / "pictures", f"{timepoint}{rater}.png", timepoint=timepoint,
                      rater=rater)  # fmt: skip
    found = load_study(AREA(folder, value="rater:B"))
    out = tmp_path / "out"
    write_report(found, out)
    assert (out / "figures" / "montage.pdf").is_file()
    page = (out / "subjects" / "S01.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    assert "as read by B" in page
    assert "data:image" not in (out / "subjects" / "S02.html").read_text()


def test_the_command_reports_and_refuses(tmp_path, monkeypatch):
    without_figures(monkeypatch)
    folder = write_study(tmp_path, at_one_level(4))
    runner = CliRunner()
    done = runner.invoke(app, ["report", str(folder), "--value", "mean", "--quantity", "tcsa_mm2"])
    assert done.exit_code == 0, done.output
    assert (folder / "report" / "report.html").is_file()
    assert runner.invoke(app, ["report", str(folder), "--figures", "gif"]).exit_code == 2
    both = ["report", str(folder), "--change", "x.json", "--value", "mean"]
    assert runner.invoke(app, both).exit_code == 2
    again = runner.invoke(app, ["report", str(folder), "--value", "mean", "--quantity", "tcsa_mm2"])
    assert isinstance(again.exception, WriteError)


def test_a_study_of_one_subject_claims_no_test(tmp_path):
    found = of_rows(tmp_path, at_one_level(1, raters="A"))
    assert "Tests" not in methods(found)
    page = write_report(found, tmp_path / "out", ())[0].read_text()
    assert "Wilcoxon" not in page
    assert "1 subject has a value at both timepoints" in page


def test_exams_are_dated_from_surgery_by_the_table(tmp_path):
    rows = [{**row, "days_since_surgery": {"pre": -10, "post": 360}[row["timepoint"]]}
            for row in study_rows(3, raters="A", readings=1)]  # fmt: skip
    assert methods(of_rows(tmp_path, rows))["Interval"].text == (
        "Intervals: 365 days between pre and post; pre 10 days before surgery; "
        "post 360 days after surgery."
    )


def test_words_and_cells_of_other_hands_do_not_stop_a_report(tmp_path):
    rows = [{**row, "flags": "of_next_year", "parameters": "broken", "uncertainty": "some"}
            for row in at_one_level(3, raters="A")]  # fmt: skip
    missing = [dict.fromkeys(MISSING_COLUMNS, "") | {
        "subject": "S01", "structure": "multifidus", "reason": "dog_ate_it"}]  # fmt: skip
    folder = write_study(tmp_path, rows, missing)
    page = write_report(load_study(AREA(folder)), tmp_path / "out", ())[0].read_text()
    assert "of next year" in page
    assert "dog ate it" in page
    assert page.count("not a word of this version") == 2


def test_a_table_without_what_a_report_needs_is_refused(tmp_path):
    rows = study_rows(3, raters="A", readings=1)
    for row in rows:
        del row["flags"]
    with pytest.raises(ReadError, match="lacks the columns flags"):
        of_rows(tmp_path, rows)
