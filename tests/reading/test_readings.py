"""Reading lists, codes and their key, locks, logs: what a rater reads, and when."""

from __future__ import annotations

import datetime
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.cohort import Case, Cohort
from multifidus.data.roi import Reading
from multifidus.data.roi_set import RoiSet
from multifidus.errors import CohortError, MultifidusError, ReadError, WriteError
from multifidus.io.outlines_json import file_name, write_outlines
from multifidus.reading import audit_log as audit, session as beginning
from multifidus.reading.audit_log import Event
from multifidus.reading.code_key import BLINDED, CodeKey, locked, read_key, write_key
from multifidus.reading.randomisation import LETTERS, code, draw
from multifidus.reading.schedule import LIMITS, ReadingPlan, extend, methods, read_list, readings_of
from multifidus.reading.session import SessionRequest, open_worklist
from multifidus.reading.worklist import ReadingState, WorklistItem, next_item, progress
from tests.support.exams import circle, image_slice, outline

NOON = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
HEADER = "subject,timepoint,images\n"


def exams(count):
    return tuple(Reading(f"S{n:02}", "pre", "AB", 1) for n in range(1, count + 1))


def table(folder, count=4, extra=""):
    path = folder / "cohort.csv"
    rows = "".join(f"S{n:02},pre,S{n:02}_pre\n" for n in range(1, count + 1))
    path.write_text(HEADER + rows + extra)
    return path


def days(count):
    return NOON + datetime.timedelta(days=count)


# --- the order ---------------------------------------------------------------------------------


def test_the_order_depends_on_seed_and_rater_not_on_the_order_of_the_table():
    wanted = exams(30)
    first = extend(ReadingPlan("AB", 5), wanted, 6).entries
    assert extend(ReadingPlan("AB", 5), wanted[::-1], 6).entries == first
    assert extend(ReadingPlan("AB", 6), wanted, 6).entries != first
    others = tuple(replace(by, rater="CD") for by in wanted)
    as_cd = extend(ReadingPlan("CD", 5), others, 6).entries
    assert [by.subject for by in as_cd] != [by.subject for by in first]


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 25), data=st.data())
def test_every_exam_once_and_each_repeat_after_its_first_in_the_second_half(seed, count, data):
    repeats = data.draw(st.integers(0, count))
    entries = extend(ReadingPlan("AB", seed), exams(count), repeats).entries
    firsts = [by for by in entries if by.reading == 1]
    again = [by for by in entries if by.reading == 2]
    assert sorted(firsts) == list(exams(count))
    assert len(set(again)) == len(again) == repeats
    for by in again:
        place = entries.index(by)
        assert entries.index(replace(by, reading=1)) < place
        assert sum(other.reading == 1 for other in entries[:place]) >= count // 2


def test_positions_are_even_over_seeds():
    places = [extend(ReadingPlan("AB", s), exams(5)).entries.index(exams(5)[0]) for s in range(600)]
    # 120 expected each, standard deviation 9.8: five of them.
    assert all(abs(places.count(n) - 120) < 49 for n in range(5))


def test_draws_do_not_mix_words_up():
    assert draw(1, "a", "bc") != draw(1, "ab", "c")
    assert draw(1, "a") != draw(2, "a")


def test_new_exams_are_appended_and_nothing_else_moves():
    plan = extend(ReadingPlan("AB", 5), exams(6), 2)
    longer = extend(plan, exams(9))
    assert longer.entries[: len(plan.entries)] == plan.entries
    assert {by.subject for by in longer.entries[len(plan.entries) :]} == {"S07", "S08", "S09"}
    more = extend(longer, exams(9), 5)
    assert more.repeats == 5
    assert more.entries[: len(longer.entries)] == longer.entries


def test_a_list_is_neither_shortened_nor_asked_for_what_there_is_not():
    plan = extend(ReadingPlan("AB", 5), exams(3), 2)
    with pytest.raises(CohortError, match="has 2 repeat readings already, not 1"):
        extend(plan, exams(3), 1)
    with pytest.raises(CohortError, match="4 exams are to be read once more, and 3"):
        extend(ReadingPlan("AB", 5), exams(3), 4)
    with pytest.raises(CohortError, match="days apart, got -1"):
        ReadingPlan("AB", 5, apart_days=-1)


def test_two_exams_whose_files_would_have_one_name_are_refused():
    wanted = (Reading("S 01", "pre", "AB"), Reading("s-01", "pre", "AB"))
    with pytest.raises(CohortError, match="would go to one file"):
        extend(ReadingPlan("AB", 5), wanted)


def test_a_rater_reads_the_rows_that_name_them_or_nobody():
    def cohort(*raters):
        cases = [Case(Reading(f"S{n}", "pre", r, 1), ()) for n, r in enumerate(raters)]
        return Cohort(tuple(cases))

    assert [by.subject for by in readings_of(cohort("AB", "", "CD"), "AB")] == ["S0", "S1"]
    assert [by.subject for by in readings_of(cohort("AB", "AB", "CD"), "EF")] == ["S0", "S1", "S2"]
    assert {by.rater for by in readings_of(cohort("AB", "", "CD"), "AB")} == {"AB"}


def test_a_second_reading_that_the_table_asks_for_counts_as_a_repeat():
    wanted = (*exams(3), replace(exams(3)[1], reading=2))
    plan = extend(ReadingPlan("AB", 5), wanted, 1)
    assert plan.repeats == 1
    assert extend(plan, wanted).entries == plan.entries


# --- codes and their key -----------------------------------------------------------------------


def test_codes_differ_for_every_reading_and_rater_and_tell_nothing():
    wanted = [Reading(f"S{n:02}", "pre", r, k) for n in range(50) for r in "ABC" for k in (1, 2)]
    key = CodeKey(7, "cohort.csv").with_codes(wanted)
    assert len(key.truth) == len(wanted)
    assert set("".join(key.truth)) <= set(LETTERS)
    shown = [key.shown_as(by) for by in wanted]
    assert {by.reading for by in shown} == {1}
    assert {by.timepoint for by in shown} == {BLINDED}
    assert [key.true(by) for by in shown] == wanted
    assert key.true(replace(shown[0], rater="B")) is None
    assert key.true(replace(shown[0], timepoint="pre")) is None


def test_codes_stay_when_exams_are_added():
    key = CodeKey(7, "cohort.csv").with_codes(exams(3))
    longer = key.with_codes(exams(9))
    assert {name: longer.truth[name] for name in key.truth} == dict(key.truth)
    assert longer.with_codes(exams(9)) == longer


def test_a_code_is_never_one_that_is_taken_or_spells_what_it_hides():
    words = ("AB", "S01")
    first = code(1, words, ())
    assert code(1, words, {first}) != first
    assert first[2:5] not in code(1, (*words, first[2:5]), ())


def test_the_key_is_for_its_owner_alone_and_is_read_back(tmp_path):
    key = CodeKey(7, "cohort.csv").with_codes(exams(3))
    write_key(tmp_path / "key.json", key)
    assert read_key(tmp_path / "key.json") == key
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "key.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(format="x"),
        lambda d: d.update(version=2),
        lambda d: d.pop("seed"),
        lambda d: d["entries"].append(d["entries"][0]),
        lambda d: d["entries"][0].update(reading="1"),
        lambda d: d["entries"][0].update(subject=3),
    ],
)
def test_a_damaged_key_is_refused(tmp_path, change):
    path = tmp_path / "key.json"
    write_key(path, CodeKey(7, "cohort.csv").with_codes(exams(2)))
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ReadError, match=r"key\.json"):
        read_key(path)


def test_a_key_that_is_half_written_is_taken_from_a_backup_and_not_made_again(tmp_path):
    path = tmp_path / "key.json"
    write_key(path, CodeKey(7, "cohort.csv").with_codes(exams(2)))
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ReadError, match=r"key\.json") as refused:
        read_key(path)
    assert "backup" in refused.value.remedy
    assert "export" not in refused.value.remedy


def test_a_key_that_somebody_else_changes_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr("multifidus.reading.code_key._PATIENCE_S", 0.0)
    path = tmp_path / "key.json"
    with locked(path), pytest.raises(ReadError, match="Somebody else"), locked(path):
        pass
    with locked(path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_key_below_a_file_is_refused_at_once_as_nobody_holds_it(tmp_path):
    (tmp_path / "keys").write_text("mine")
    with (
        pytest.raises(WriteError, match="keys is a file, not a folder"),
        locked(tmp_path / "keys" / "key.json"),
    ):
        pass


# --- beginning ---------------------------------------------------------------------------------


def test_a_list_is_kept_and_opened_again_unchanged(tmp_path):
    request = SessionRequest(table(tmp_path), "AB", seed=5, repeats=2, apart_days=20)
    first = open_worklist(request)
    path = tmp_path / "readings" / "AB" / "AB.readings.json"
    before = path.read_bytes()
    again = open_worklist(SessionRequest(request.cohort, "AB"))
    assert again.listed == first.listed == read_list(path)
    assert again.listed.apart_days == 20
    assert path.read_bytes() == before
    assert open_worklist(replace(request, root=tmp_path / "other")).listed == first.listed


def test_new_rows_of_the_table_are_appended(tmp_path):
    first = open_worklist(SessionRequest(table(tmp_path), "AB", seed=5))
    longer = open_worklist(SessionRequest(table(tmp_path, 6), "AB"))
    assert longer.listed.entries[:4] == first.listed.entries
    assert len(longer.listed.entries) == 6


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"blind": True}, "is not blinded"),
        ({"seed": 6}, "made with seed 5"),
        ({"apart_days": 3}, "14 days apart"),
    ],
)
def test_other_conditions_than_the_list_was_begun_under_are_refused(tmp_path, changed, words):
    request = SessionRequest(table(tmp_path), "AB", seed=5)
    open_worklist(request)
    with pytest.raises(CohortError, match=words):
        open_worklist(replace(request, **changed))


def test_a_blinded_list_holds_no_subject_and_no_seed(tmp_path):
    made = open_worklist(SessionRequest(table(tmp_path), "AB", blind=True, seed=81234, repeats=2))
    text = (tmp_path / "readings" / "AB" / "AB.readings.json").read_text()
    assert "S0" not in text
    assert "pre" not in text
    assert "81234" not in text
    # Nor which of them are repeats.
    assert {by.reading for by in made.listed.entries} == {1}
    assert len(made.listed.entries) == 6
    assert (
        open_worklist(SessionRequest(made.root.parent / "cohort.csv", "AB", blind=True)).listed
        == made.listed
    )


def test_raters_of_a_study_share_the_key_and_not_the_codes(tmp_path):
    cohort = table(tmp_path)
    ab = open_worklist(SessionRequest(cohort, "AB", blind=True, seed=5))
    cd = open_worklist(SessionRequest(cohort, "CD", blind=True))
    key = read_key(tmp_path / "cohort.key.json")
    assert key.seed == 5
    assert len(key.truth) == 8
    assert not {by.subject for by in ab.listed.entries} & {by.subject for by in cd.listed.entries}
    assert open_worklist(SessionRequest(cohort, "AB", blind=True)).listed == ab.listed


def test_the_key_may_not_lie_with_the_rater_nor_be_another(tmp_path):
    cohort = table(tmp_path)
    inside = tmp_path / "readings" / "AB" / "key.json"
    with pytest.raises(CohortError, match="rater's own folder"):
        open_worklist(SessionRequest(cohort, "AB", blind=True, key=inside))
    open_worklist(SessionRequest(cohort, "AB", blind=True, seed=5))
    with pytest.raises(CohortError, match="another seed"):
        open_worklist(SessionRequest(cohort, "AB", blind=True, seed=6))
    with pytest.raises(CohortError, match="no key"):
        open_worklist(SessionRequest(cohort, "AB", blind=True, key=tmp_path / "lost.json"))
    write_key(tmp_path / "other.json", CodeKey(9, "cohort.csv"))
    with pytest.raises(CohortError, match="does not know the code"):
        open_worklist(SessionRequest(cohort, "AB", blind=True, key=tmp_path / "other.json"))


def test_a_renamed_table_asks_for_its_key_by_name_and_begins_no_other(tmp_path):
    ab = open_worklist(SessionRequest(table(tmp_path), "AB", blind=True, seed=5))
    renamed = (tmp_path / "cohort.csv").rename(tmp_path / "cohort_v2.csv")
    key = tmp_path / "cohort.key.json"
    for rater in ("AB", "CD"):
        with pytest.raises(CohortError, match=r"cohort\.key\.json lies there") as caught:
            open_worklist(SessionRequest(renamed, rater, blind=True))
        assert f"--key {key}" in caught.value.remedy
    assert list(tmp_path.glob("*.key.json")) == [key]
    assert open_worklist(SessionRequest(renamed, "AB", blind=True, key=key)).listed == ab.listed
    # Unblinding looks for the table where the key says.
    assert read_key(key).cohort == "cohort_v2.csv"
    cd = open_worklist(SessionRequest(renamed, "CD", blind=True, key=key))
    assert set(read_key(key).truth) >= {by.subject for by in cd.listed.entries}


def test_the_key_of_another_study_beside_the_table_is_nobodys_business(tmp_path):
    other = CodeKey(9, "other.csv").with_codes([Reading("X01", "pre", "AB", 1)])
    write_key(tmp_path / "other.key.json", other)
    open_worklist(SessionRequest(table(tmp_path), "AB", blind=True, seed=5))
    assert (tmp_path / "cohort.key.json").exists()


def test_who_reads_has_to_be_named_and_is_not_the_consensus(tmp_path):
    cohort = table(tmp_path)
    with pytest.raises(CohortError, match="Nobody is named"):
        open_worklist(SessionRequest(cohort, " "))
    with pytest.raises(CohortError, match="kept for adjudicated"):
        open_worklist(SessionRequest(cohort, "consensus"))
    with pytest.raises(CohortError, match="Two different raters"):
        open_worklist(SessionRequest(cohort, "consensus", adjudicate=("AB", "AB")))


def outlined(root, rater, subject, *, empty=False):
    by = Reading(subject, "pre", rater, 1)
    drawn = outline(image_slice(np.zeros((20, 20))), circle(9, 9, 4), reading=by)
    path = root / "readings" / rater / file_name(by)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_outlines(RoiSet(() if empty else (drawn,), reading=by), path)


def test_raters_who_read_nothing_or_no_exam_in_common_are_not_compared(tmp_path):
    cohort = table(tmp_path)
    request = SessionRequest(cohort, "consensus", adjudicate=("AB", "CD"))
    with pytest.raises(CohortError, match="no outline by AB nor by CD"):
        open_worklist(request)
    outlined(tmp_path, "AB", "S01")
    outlined(tmp_path, "CD", "S01", empty=True)
    with pytest.raises(CohortError, match="no outline by CD, so"):
        open_worklist(request)
    outlined(tmp_path, "CD", "S02")
    (tmp_path / "readings" / "CD" / file_name(Reading("S01", "pre", "CD", 1))).unlink()
    with pytest.raises(CohortError, match="both AB and CD"):
        open_worklist(request)
    outlined(tmp_path, "CD", "S01")
    listed = open_worklist(request).listed
    assert listed.entries == (Reading("S01", "pre", "consensus", 1),)


def test_a_folder_that_cannot_be_written_is_replaced_and_named(tmp_path, monkeypatch):
    cohort = table(tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(beginning.Path, "home", lambda: home)
    monkeypatch.setattr(beginning, "_can_write", lambda path: path.is_relative_to(home))
    found = open_worklist(SessionRequest(cohort, "AB", blind=True))
    assert found.root.is_relative_to(home)
    assert str(found.root) in found.notes[0]
    assert not (tmp_path / "readings").exists()
    assert not list(tmp_path.glob("*.key.json"))
    assert open_worklist(SessionRequest(cohort, "AB", blind=True)).listed == found.listed


# --- where readings stand ----------------------------------------------------------------------


@pytest.fixture
def worklist(tmp_path):
    """Two exams, each to be read twice, ten days apart."""
    return open_worklist(SessionRequest(table(tmp_path, 2), "AB", seed=5, repeats=2, apart_days=10))


def states(worklist, now):
    return [item.state for item in worklist.items(now)]


def test_a_repeat_waits_for_its_day_which_is_counted_from_the_end_of_the_first(worklist):
    assert [by.reading for by in worklist.listed.entries] == [1, 1, 2, 2]
    first = worklist.listed.entries[0]
    assert states(worklist, NOON)[2:] == [ReadingState.WAITING] * 2
    assert {item.not_before for item in worklist.items(NOON)} == {None}
    worklist.note(first, Event.DONE, NOON)
    again = replace(first, reading=2)

    def item(now):
        return next(item for item in worklist.items(now) if item.by == again)

    assert item(NOON).not_before == datetime.date(2026, 3, 12)
    assert item(days(9)).state is ReadingState.WAITING
    assert item(days(10)).state is ReadingState.OPEN
    assert str(progress(worklist.items(NOON))) == "1 of 4 done, 2 later"


def test_a_repeat_may_be_offered_early_with_a_reason_that_is_recorded(worklist):
    again = worklist.listed.entries[2]
    with pytest.raises(MultifidusError, match="No reason"):
        worklist.offer(again, "  ", NOON)
    worklist.offer(again, "rater leaves", NOON)
    assert states(worklist, NOON)[2] is ReadingState.OPEN
    log = audit.entries(audit.audit_path(worklist.outlines_of(again)))
    assert (log[0]["event"], log[0]["reason"]) == ("offered", "rater leaves")


def test_a_finished_reading_is_locked_until_it_is_unlocked_with_a_reason(worklist):
    first = worklist.listed.entries[0]
    path = worklist.outlines_of(first)
    path.parent.mkdir(exist_ok=True)
    path.write_text("{}")
    assert states(worklist, NOON)[0] is ReadingState.STARTED
    worklist.note(first, Event.DONE, NOON, seconds_active=90)
    assert states(worklist, NOON)[0] is ReadingState.DONE
    assert audit.is_locked(path)
    with pytest.raises(MultifidusError, match="No reason"):
        worklist.unlock(first, "", NOON)
    worklist.unlock(first, "wrong level", days(1))
    assert not audit.is_locked(path)
    assert worklist.items(days(1))[0].seconds == 90
    with pytest.raises(CohortError, match="not on the reading list"):
        worklist.note(Reading("S09", "pre", "AB"), Event.DONE, NOON)


def test_what_is_left_is_estimated_once_three_are_done():
    def item(state, minutes):
        by = Reading("S01", "pre", "AB", 1)
        return WorklistItem(by, by, None, Path("x"), state, seconds=60.0 * minutes)

    open_, done = ReadingState.OPEN, ReadingState.DONE
    two = [item(done, 20), item(done, 30), item(open_, 0)]
    assert str(progress(two)) == "2 of 3 done"
    # The middle one of 20, 30 and 200 minutes; of what is begun, only the rest.
    more = [*two, item(done, 200), item(ReadingState.STARTED, 12), item(ReadingState.WAITING, 0)]
    assert progress(more).seconds_left == 60 * (30 + 18 + 30)
    assert str(progress(more)) == "3 of 6 done, 1 later, about 1 h 18 min left"
    assert str(progress([item(done, 20)] * 3)) == "3 of 3 done"


def test_next_is_the_one_after_and_then_from_the_top(worklist):
    first, second, *_ = worklist.listed.entries
    items = worklist.items(NOON)
    assert next_item(items).by == first
    assert next_item(items, first).by == second
    assert next_item(items, second).by == first
    worklist.note(first, Event.DONE, NOON)
    assert next_item(worklist.items(NOON), second) is None


def test_a_log_survives_half_a_line_and_nonsense(tmp_path):
    path = tmp_path / "x.audit.jsonl"
    audit.record(path, Event.OPENED, NOON)
    with path.open("a") as file:
        file.write('"text"\n[1]\n{"time": "yesterday"}\n{"time": "2026-03-0')
    audit.record(path, Event.DONE, days(1), seconds_active=2.5)
    log = audit.entries(path)
    assert [entry["event"] for entry in log] == ["opened", "done"]
    assert audit.done_at(log) == days(1)
    assert audit.active_seconds(log) == 2.5
    assert audit.entries(tmp_path / "none") == ()


def test_a_log_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MultifidusError, match="Cannot write"):
        audit.record(tmp_path / "file" / "x.audit.jsonl", Event.OPENED, NOON)


def test_another_raters_outlines_are_found_by_name_by_code_or_in_the_table(tmp_path):
    cohort = table(tmp_path, 2)
    cd = open_worklist(SessionRequest(cohort, "CD", blind=True, seed=5))
    truth = Reading("S01", "pre", "CD", 1)
    own = open_worklist(SessionRequest(cohort, "AB", blind=True))
    assert own.outlines_by("CD", truth) is None
    coded = cd.outlines_of(own.key.shown_as(truth))
    coded.write_text("{}")
    assert own.outlines_by("CD", replace(truth, rater="AB")) == coded
    named = cd.folder / "S01_pre_CD_r1.outlines.json"
    named.write_text("{}")
    assert own.outlines_by("CD", truth) == named
    plain = open_worklist(replace(SessionRequest(cohort, "EF"), root=tmp_path / "elsewhere"))
    listed = replace(plain, named={truth: (tmp_path / "x.outlines.json",)})
    assert listed.outlines_by("CD", truth) is None
    (tmp_path / "x.outlines.json").write_text("{}")
    assert listed.outlines_by("CD", truth) == tmp_path / "x.outlines.json"


# --- the command and the words -----------------------------------------------------------------


def listed(*arguments):
    return CliRunner().invoke(app, ["annotate", *map(str, arguments), "--list"])


def test_the_list_is_printed_without_a_window(tmp_path):
    cohort = table(tmp_path, 3)
    done = listed(cohort, "--rater", "AB", "--seed", 5, "--repeats", 2, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["done"], found["of"], found["waiting"]) == (0, 5, 2)
    assert [row["subject"] for row in found["readings"] if row["reading"] == "1"] == [
        by.subject for by in extend(ReadingPlan("AB", 5), exams(3), 2).entries if by.reading == 1
    ]
    assert "2 exams were read a second time, at least 14 days" in found["methods"]
    done = listed(cohort, "--rater", "AB")
    assert "0 of 5 done, 2 later" in done.output


def test_a_blinded_list_prints_codes_and_what_blinding_was_not(tmp_path):
    cohort = table(tmp_path, 3)
    done = listed(cohort, "--rater", "AB", "--blind", "--repeats", 1)
    assert done.exit_code == 0, done.output
    assert "S0" not in done.stdout
    assert "did not extend to" in done.output
    assert len(done.stdout.splitlines()) == 2 + 3
    # Neither the count nor a remark tells of the repeat.
    assert "0 of 3 done." in done.output
    assert "later" not in done.output
    assert (tmp_path / "cohort.key.json").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cohort.csv"], "--rater"),
        (["cohort.csv", "--adjudicate", "AB"], "two raters"),
        (["cohort.csv", "--adjudicate", "AB,CD,EF"], "two raters"),
        (["exam", "--rater", "AB"], "needs a cohort.csv"),
    ],
)
def test_wrong_usage_is_told(tmp_path, arguments, words):
    table(tmp_path)
    done = listed(tmp_path / arguments[0], *arguments[1:])
    assert done.exit_code == 2
    assert words in done.output


def test_methods_say_what_was_done():
    assert methods(blinded=False, repeats=1, apart_days=20) == (
        "Exams were read in random order. 1 exam was read a second time, at least 20 days after "
        "the first. Raters were not blinded."
    )
    assert methods(blinded=True, repeats=0, apart_days=20).endswith(LIMITS)


def test_seconds_belong_to_the_outline_that_was_in_the_hand():
    hand, left, right = audit.Activity(), ("multifidus", "left", 3), ("multifidus", "right", 3)
    hand.start(0.0)
    hand.turn_to(5.0, left)
    hand.touch(15.0)
    hand.turn_to(20.0, right)
    hand.touch(20.0 + audit.IDLE_S + 1)
    hand.turn_to(90.0, None)
    assert hand.take_of(left, 95.0) == 15
    assert hand.take_of(right, 95.0) == 9
    assert hand.take_of(right, 95.0) == 0
    assert hand.take(95.0) == 5 + 15 + 9 + 5
    log = [
        {"event": "saved", "edited": [{"structure": "psoas", "side": "left", "slice": 1}]},
        *2 * [{"edited": [{"structure": "psoas", "side": "left", "slice": 2, "seconds": 1.5}]}],
    ]
    assert audit.outline_seconds(log) == {("psoas", "left", 2): 3.0}


def test_a_resting_hand_is_not_at_work():
    hand = audit.Activity()
    hand.start(100.0)
    for now in (110.0, 130.0, 130.0 + audit.IDLE_S + 1, 200.0):
        hand.touch(now)
    assert hand.take(205.0) == 10 + 20 + 9 + 5
    assert hand.take(205.0) == 0
