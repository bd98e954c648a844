"""Which slices, examinations and people are compared; what differs is matched or said."""

import json
import math

import pytest
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.protocol import MeasurementProtocol
from multifidus.errors import StatisticsError
from multifidus.io.protocol_toml import as_toml
from multifidus.io.table_csv import write_rows
from multifidus.reporting.plots.bland_altman import bland_altman
from multifidus.reporting.tables.reliability import grade_table, reliability_table
from multifidus.stats.change.mdc import mdc_from_reliability
from multifidus.stats.reliability.document import given_study, plain_study
from multifidus.stats.reliability.study import reliability
from multifidus.stats.reliability.target_groups import TargetRule
from multifidus.stats.values import Metric
from multifidus.study.level_value import Matching, matching_of
from tests.stats.change.test_change import pair
from tests.stats.reliability.test_reliability import row, study_of
from tests.support.tables import values_of


def sliced(subject, rater, place, value, offset="", **other):  # noqa: PLR0917 - a row's cells
    return row(
        subject, rater, value, series="1.2", slice_index=place, slice_uid=f"1.2.{place}",
        offset_mm=offset, **other,
    )  # fmt: skip


def shifted(people=6, apart=1, **other):
    """Return rows of two raters who outlined other slices of one level, 4 mm from one another."""
    return [
        sliced(f"S{n}", rater, 4 + move, 900 + 20 * n + 3 * move, 1.0 + 4 * move, **other)
        for n in range(people)
        for rater, move in (("A", 0), ("B", apart))
    ]


DEFAULT = MeasurementProtocol()


def only(rows, protocol=DEFAULT, **how):
    (found,) = reliability(values_of(rows, protocol), **how).results
    return found


BY_LEVEL = {"targets": TargetRule(match="level")}


# --- slices ----------------------------------------------------------------------------------


def test_raters_who_outlined_no_slice_in_common_are_not_compared_in_silence():
    with pytest.raises(StatisticsError, match=r"no slice outlined by every rater.*4\.0 mm") as told:
        reliability(values_of(shifted()))
    assert "--match level" in str(told.value)


def test_what_shares_no_slice_is_left_out_and_counted_beside_what_does():
    same = [sliced(f"T{n}", rater, 4, 900 + 10 * n + (rater == "B"), 1.0)
            for n in range(5) for rater in "AB"]  # fmt: skip
    lacking = [sliced("U1", "A", 4, 950, 1.0)]
    found = only([*same, *shifted(2), *lacking])
    assert (found.n_targets, found.n_missing) == (5, 3)
    assert dict(found.exclusions) == {
        "no slice outlined by every rater (4.0 mm apart)": 2,
        "no value of every rater": 1,
    }
    assert any("2 targets were excluded: no slice outlined" in text for text in found.problems)


def test_levels_are_compared_by_level_when_told_and_the_distance_is_said():
    found = only(shifted(4), **BY_LEVEL)
    assert found.n_targets == 4
    assert found.slices.match is Matching.LEVEL
    assert found.slices.n_different == 4
    assert found.slices.distances_mm == pytest.approx((4.0,) * 4)
    assert found.pairs[0].agreement.bias == pytest.approx(-3)
    said = " ".join(found.problems)
    assert "different slices" in said
    assert "4.0 mm apart" in said


def test_a_protocol_that_takes_the_nearest_slice_compares_by_level():
    assert matching_of(MeasurementProtocol(slice_selection="nearest")) is Matching.LEVEL
    assert matching_of(MeasurementProtocol()) is Matching.SLICE
    assert matching_of(MeasurementProtocol(slice_selection="band", band_mm=5)) is Matching.SLICE


def test_a_distance_that_nothing_in_the_table_says_is_unknown_and_never_0():
    rows = [{**item, "offset_mm": ""} for item in shifted(4)]
    found = only(rows, **BY_LEVEL)
    assert all(map(math.isnan, found.slices.distances_mm))
    assert "unknown distance" in " ".join(found.problems)
    assert (
        "unknown distance" in reliability_table(reliability(values_of(rows), **BY_LEVEL)).as_csv()
    )


def test_a_run_of_slices_with_its_step_says_the_distance_without_landmarks():
    rows = [{**item, "offset_mm": ""} for item in shifted(4, 2)]
    run = json.dumps({"slice_step_mm": 3.5, "slice_indices": [3, 4, 5, 6]})
    volumes = [
        {**item, "quantity": "volume_ml", "value": 20 + n, "parameters": run, "slice_index": 3}
        for n, item in enumerate(rows)
    ]
    found = {
        item.quantity: item for item in reliability(values_of(rows + volumes), **BY_LEVEL).results
    }
    assert found["tcsa_mm2"].slices.distances_mm == pytest.approx((7.0,) * 4)


def test_only_slices_that_all_outlined_enter_where_some_are_shared():
    rows = []
    for n in range(5):
        rows += [sliced(f"S{n}", "A", place, 100 * n + place, place) for place in (1, 2, 3)]
        rows += [sliced(f"S{n}", "B", place, 100 * n + place + 1, place) for place in (2, 3, 4)]
    found = only(rows)
    assert found.pairs[0].agreement.bias == pytest.approx(-1)  # 2 and 3 of both; of all, -2
    assert found.slices.n_partly == 5
    assert "slices that all outlined" in " ".join(found.problems)
    largest = only(rows, MeasurementProtocol(level_value="max"))
    assert largest.pairs[0].agreement.bias == pytest.approx(-1)


def test_a_slice_without_a_value_counts_only_where_it_is_compared():
    rows = []
    for n in range(4):
        rows += [sliced(f"S{n}", "A", 1, math.nan), sliced(f"S{n}", "A", 2, 10.0 * n + 10)]
        rows += [sliced(f"S{n}", "B", 2, 10.0 * n + 11)]
    assert only(rows).n_targets == 4


def test_one_image_under_two_names_is_one_slice_and_two_images_of_one_name_are_two():
    rows = shifted(4)
    alike = [{**item, "image_sha256": f"sha {item['subject']}"} for item in rows]
    assert only(alike).n_targets == 4
    other = [
        {**item, "slice_index": 4, "slice_uid": "1", "image_sha256": f"{item['rater']}{n}"}
        for n, item in enumerate(rows)
    ]
    with pytest.raises(StatisticsError, match="no slice outlined by every rater"):
        reliability(values_of(other))


def test_tables_that_record_no_slices_are_compared_and_say_so():
    found = only(study_of([[1, 2], [3, 4], [5, 7]]))
    assert found.slices.n_recorded == 0
    assert "not recorded" in found.slices.words


def test_slices_recorded_by_one_rater_alone_match_nothing():
    rows = [item if item["rater"] == "A" else {**item, "series": "", "slice_index": "",
            "slice_uid": ""} for item in shifted(4)]  # fmt: skip
    with pytest.raises(StatisticsError, match="slices recorded for some raters alone"):
        reliability(values_of(rows))


def test_readings_of_one_rater_are_matched_by_slice_as_well():
    rows = [{**item, "rater": "A", "reading": 1 + (item["rater"] == "B")} for item in shifted(4)]
    with pytest.raises(StatisticsError, match="no slice outlined in every reading"):
        reliability(values_of(rows), compare="reading")
    assert only(rows, compare="reading", **BY_LEVEL).n_targets == 4


def test_volumes_of_different_runs_of_slices_are_compared_and_said():
    def volume(subject, rater, indices, value):
        used = json.dumps({"slice_step_mm": 4.0, "slice_indices": indices})
        return row(subject, rater, value, quantity="volume_ml", series="1.2",
                   slice_index=indices[0], parameters=used)  # fmt: skip

    rows = [
        volume(f"S{n}", rater, runs, 20 + n + (rater == "B"))
        for n in range(4)
        for rater, runs in (("A", [1, 2, 3]), ("B", [2, 3, 4, 5]))
    ]
    found = only(rows)
    assert found.slices.distances_mm == pytest.approx((6.0,) * 4)
    assert found.pairs[0].agreement.bias == pytest.approx(-1)
    assert "different slices" in " ".join(found.problems)


def test_slices_are_said_in_every_output(tmp_path):
    same = [sliced(f"T{n}", rater, 4, 900 + 10 * n + (rater == "B"), 1.0)
            for n in range(5) for rater in "AB"]  # fmt: skip
    study = reliability(values_of([*same, *shifted(2)]))
    plain = json.loads(json.dumps(plain_study(study), allow_nan=False))
    (found,) = plain["results"]
    assert found["left_out"] == [{"reason": "no slice outlined by every rater (4.0 mm apart)",
                                  "n": 2}]  # fmt: skip
    assert found["slices"]["match"] == "slice"
    table = reliability_table(study)
    assert "4.0 mm apart" in table.as_csv()
    assert "4.0 mm apart" in table.as_markdown()
    assert reliability_table(given_study(plain)) == table
    assert plain_study(given_study(plain)) == plain_study(study)


def test_a_point_of_the_figure_is_the_target_that_was_compared():
    rows = []
    for n in range(4):
        rows += [sliced(f"S{n}", "A", place, 100 * n + place, place) for place in (1, 2, 3)]
        rows += [sliced(f"S{n}", "B", place, 100 * n + place + 1, place) for place in (2, 3, 4)]
    values = values_of(rows)
    study = reliability(values)
    drawn = bland_altman(Metric("tcsa_mm2", "", "multifidus"), study.results, values)
    (axes,) = [axes for axes in drawn.figure.axes if axes.collections]
    heights = axes.collections[-1].get_offsets()[:, 1]
    assert list(heights) == pytest.approx([-1] * 4)


# --- examinations and groups -----------------------------------------------------------------


def mixed():
    """Return 5 people, two timepoints, two groups; one of them lacks the later examination."""
    return [
        row(f"S{n}", rater, 900 + 50 * n + 9 * late + 5 * (rater == "B") * (n % 2),
            timepoint=("pre", "post")[late], approach="control" if n < 2 else "open")
        for n in range(5)
        for late in (0, 1)
        if not (n == 4 and late)
        for rater in "AB"
    ]  # fmt: skip


def test_examinations_and_people_are_counted_and_pooled_timepoints_and_groups_are_said():
    found = only(mixed())
    assert (found.counts.n_exams, found.n_subjects) == (9, 5)
    assert dict(found.counts.timepoints) == {"pre": 5, "post": 4}
    assert found.counts.groups == (("approach", "control", 2), ("approach", "open", 3))
    said = " ".join(found.problems)
    assert "9 examinations of 5 subjects" in said
    assert "post 4" in said
    assert "approach (control 2, open 3 subjects)" in said


def test_what_is_pooled_stands_in_every_output():
    study = reliability(values_of(mixed()))
    (plain,) = plain_study(study)["results"]
    assert plain["n_exams"] == 9
    assert plain["timepoints"] == {"post": 4, "pre": 5}
    assert plain["groups"] == [
        {"column": "approach", "value": "control", "n_subjects": 2},
        {"column": "approach", "value": "open", "n_subjects": 3},
    ]
    table = reliability_table(study)
    for text in (table.as_csv(), table.as_markdown()):
        assert "9 examinations of 5 subjects" in text
        assert "control 2" in text


def test_one_timepoint_and_one_group_can_be_chosen():
    one = only(mixed(), targets=TargetRule(timepoints=("pre",)))
    assert (one.counts.n_exams, one.n_targets, one.timepoint) == (5, 5, "pre")
    assert "timepoints" not in " ".join(one.problems)
    some = only(mixed(), targets=TargetRule(group="approach=open"))
    assert (some.n_subjects, some.counts.n_exams, some.group) == (3, 5, "approach=open")


def test_groups_and_timepoints_can_be_kept_apart():
    rows = mixed() + [{**item, "subject": f"T{item['subject']}"} for item in mixed()]
    groups = reliability(values_of(rows), targets=TargetRule(group="approach")).results
    assert [(item.group, item.n_subjects) for item in groups] == [
        ("approach=control", 4), ("approach=open", 6),
    ]  # fmt: skip
    times = reliability(values_of(rows), by=["level", "side", "timepoint"]).results
    assert [(item.timepoint, item.n_targets) for item in times] == [("post", 8), ("pre", 10)]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"timepoints": ("later",)}, "no timepoint 'later'"),
        ({"group": "hospital"}, "no column 'hospital'"),
        ({"group": "approach=laser"}, "no approach 'laser'"),
        ({"match": "sideways"}, "compared by 'sideways'"),
    ],
)
def test_what_the_table_does_not_have_cannot_be_chosen(rule, message):
    with pytest.raises(StatisticsError, match=message):
        reliability(values_of(mixed()), targets=TargetRule(**rule))


def test_a_subject_of_two_groups_is_refused():
    rows = mixed()
    rows[0] = {**rows[0], "approach": "open"}
    with pytest.raises(StatisticsError, match="S0 stands in several groups of approach"):
        reliability(values_of(rows), targets=TargetRule(group="approach"))


def test_the_error_of_one_group_is_never_that_of_another():
    rows = mixed() + [{**item, "subject": f"T{item['subject']}"} for item in mixed()]
    study = plain_study(reliability(values_of(rows), targets=TargetRule(group="approach")))
    mdc_of = mdc_from_reliability(study)
    mine = mdc_of(pair(approach="open"))
    sems = {item["group"]: item["sem_consistency"] for item in study["results"]}
    assert mine.mdc95 == pytest.approx(1.96 * math.sqrt(2) * sems["approach=open"])
    assert "approach=open" in mine.basis
    other = mdc_of(pair(approach="laser"))
    assert math.isnan(other.mdc95)
    assert "another group" in other.basis


def test_grades_say_their_slices_and_people_too():
    rows = [{**item, "quantity": "goutallier_grade", "value": int(item["value"]) % 3}
            for item in mixed()]  # fmt: skip
    study = reliability(values_of(rows))
    assert "9 examinations of 5 subjects" in grade_table(study).as_csv()
    assert plain_study(study)["grades"][0]["n_exams"] == 9


# --- the command -----------------------------------------------------------------------------


def written(folder, rows, protocol=DEFAULT):
    rows = [{**item, "protocol": protocol.digest} for item in rows]
    write_rows(rows, folder / "measurements.csv", tuple(rows[0]), overwrite=True)
    (folder / "protocol.toml").write_text(as_toml(protocol))
    return str(folder / "measurements.csv")


def run(*words):
    return CliRunner().invoke(app, ["reliability", *words])


def test_the_command_matches_slices_unless_told_or_the_protocol_says_otherwise(tmp_path):
    table = written(tmp_path, shifted())
    refused = run(table, "--json")
    assert isinstance(refused.exception, StatisticsError)
    assert "4.0 mm apart" in str(refused.exception)
    told = run(table, "--json", "--match", "level")
    slices = json.loads(told.stdout)["results"][0]["slices"]
    assert list(slices.items())[-2:] == [("n_different", 6), ("distances_mm", [4.0] * 6)]
    nearest = written(tmp_path, shifted(), MeasurementProtocol(slice_selection="nearest"))
    found = json.loads(run(nearest, "--json").stdout)["results"][0]
    assert found["slices"]["match"] == "level"


def test_the_command_takes_a_timepoint_and_a_group(tmp_path):
    table = written(tmp_path, mixed())
    one = json.loads(run(table, "--json", "--timepoint", "pre", "--group", "approach=open").stdout)
    assert [(item["timepoint"], item["group"], item["n_exams"]) for item in one["results"]] == [
        ("pre", "approach=open", 3)
    ]
    said = run(table)
    assert "9 examinations of 5 subjects" in said.output
