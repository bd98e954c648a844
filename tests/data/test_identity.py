"""Facts about people are held against each other; what they were is not kept."""

from __future__ import annotations

import itertools
import pickle

import pytest
from hypothesis import given, strategies as st

from multifidus.data.identity import (
    Fact,
    Person,
    agrees,
    all_conflicts,
    conflicts,
    group_people,
    merge_people,
    person_of,
)

JANE = person_of("4711", "Doe^Jane", "F", "19700102")

people = st.builds(
    person_of,
    st.sampled_from(["", "ANON"]),
    st.sampled_from(["", "Doe^Jane", "DOE JANE", "Roe^Richard"]),
    st.sampled_from(["", "F", "M"]),
    st.sampled_from(["", "19700102", "19800102"]),
)


@pytest.mark.parametrize(
    "spelling",
    ["DOE^JANE", "doe jane", "Doe, Jane", "Jane Doe", "DoeJane", " Doé^Jané ", "Doe^Jane^^^", ""],
)
def test_small_differences_of_spelling_are_no_conflict(spelling):
    assert conflicts(JANE, person_of("4711", spelling, "f", "1970.01.02")) == ()


def test_a_fact_that_one_side_lacks_is_no_conflict():
    assert conflicts(JANE, Person()) == ()
    assert conflicts(JANE, person_of("", "", "U", "00000000")) == ()
    assert not agrees(JANE, person_of("4711", "", "F", ""))
    assert agrees(JANE, person_of("", "", "", "19700102"))


def test_facts_that_differ_are_named():
    other = person_of("4712", "Roe^Jane", "M", "19700103")
    assert conflicts(JANE, other) == tuple(Fact)
    assert conflicts(JANE, person_of("4711", "Subject^12", "F", "")) == (Fact.NAME,)
    twelve, other = (person_of("1", f"Subject^{number}", "", "") for number in (12, 21))
    assert conflicts(twelve, other) == (Fact.NAME,)


def test_a_name_in_several_scripts_is_compared_by_the_first():
    both = person_of("1", "Yamada^Tarou=山田^太郎", "", "")
    assert conflicts(both, person_of("1", "YAMADA^TAROU", "", "")) == ()
    assert conflicts(both, person_of("1", "Sato^Tarou=佐藤^太郎", "", "")) == (Fact.NAME,)


@pytest.mark.parametrize("name", ["", "ANON", "anonymous", "Anonymized", "unknown", "000", "N/A"])
def test_what_deidentification_writes_for_everybody_is_no_patient_id(name):
    assert not person_of(name, "Doe^Jane", "F", "").has_id
    assert person_of("ANON-17", "", "", "").has_id


def test_neither_text_nor_pickle_of_a_person_holds_name_or_birth_date():
    kept = repr(JANE).encode() + pickle.dumps(JANE)
    assert not [word for word in (b"Doe", b"doe", b"Jane", b"jane", b"1970") if word in kept]


def test_agreement_is_not_passed_on():
    a = person_of("ANON", "Doe^Jane", "F", "")
    c = person_of("ANON", "Roe^Richard", "M", "")
    b = person_of("ANON", "", "", "19700102")
    parted = group_people([a, b, c])
    assert sorted(parted.groups) == [(0,), (1,), (2,)]
    assert [parted.groups[number] for number in parted.unclear] == [(1,)]
    # With the sex, B can be A alone.
    b = person_of("ANON", "", "F", "19700102")
    assert group_people([a, b, c]).groups == ((0, 1), (2,))
    assert group_people([a, b, c]).unclear == ()


@given(st.lists(people, max_size=7), st.randoms(use_true_random=False))
def test_who_is_one_does_not_depend_on_the_order_and_joins_no_conflict(found, random):
    def groups(order):
        return {
            frozenset(order[i] for i in group)
            for group in group_people([found[i] for i in order]).groups
        }

    order = list(range(len(found)))
    shuffled = random.sample(order, len(order))
    assert groups(order) == groups(shuffled)
    for group in groups(order):
        assert all_conflicts(found[index] for index in group) == ()
        assert merge_people(found[i] for i in sorted(group)) == merge_people(
            found[i] for i in group
        )
    assert sorted(itertools.chain(*groups(order))) == order


@given(st.lists(people, min_size=1, max_size=7))
def test_people_of_whom_nothing_differs_are_one(found):
    assert (len(group_people(found).groups) == 1) == (all_conflicts(found) == ())
