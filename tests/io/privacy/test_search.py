"""Thousands of identifiers are looked for at once, and chance finds none of them."""

from __future__ import annotations

import time
from random import Random

import numpy as np
import pytest

from multifidus.io.privacy.known import Kind, Known
from multifidus.io.privacy.positions import Positions
from multifidus.io.privacy.search import Search

SYLLABLES = "anbecedoelfigahuinjokalumonorpaqurosatiurvowaxezu"


@pytest.fixture(scope="module")
def cohort():
    """Return ten identifiers of each of 500 persons."""
    chance = Random(1)  # noqa: S311 - no secret

    def word(syllables):
        starts = (2 * chance.randrange(24) for _ in range(syllables))
        return "".join(SYLLABLES[start : start + 2] for start in starts).title()

    def day(first, last):
        month, of_month = chance.randrange(1, 13), chance.randrange(1, 28)
        return f"{chance.randrange(first, last)}{month:02}{of_month:02}"

    known = set()
    for number in range(500):
        known |= {
            Known(Kind.NAME, f"{word(chance.choice((2, 3, 4)))}^{word(2)}"),
            Known(Kind.STAFF, f"{word(3)}^{word(2)}"),
            Known(Kind.COMMENT, f"LWS {word(2)} {number}"),
            Known(Kind.BIRTH_DATE, day(1930, 2000)),
            *(Known(Kind.EXAM_DATE, day(2010, 2024)) for _ in range(2)),
            Known(Kind.PATIENT_ID, f"{chance.randrange(10**7, 10**8)}"),
            Known(Kind.PATIENT_ID, f"P-{chance.randrange(10**5, 10**6)}"),
            Known(Kind.EXAM_NUMBER, f"{chance.randrange(10**5, 10**6)}"),
            Known(Kind.EXAM_NUMBER, f"ACC{chance.randrange(10**7, 10**8)}"),
        }
    search = Search(known)
    assert list(search.in_text("a")) == list(search.in_bytes(b"\0" * 9)) == []  # made ready
    return search


def test_a_table_of_numbers_is_searched_for_a_whole_cohort_in_seconds_and_names_nobody(cohort):
    chance = Random(2)  # noqa: S311 - no secret
    table = "".join(
        f"S{row % 500:03},2020,R1,1,L4-L5,right,{chance.random() * 1000},{chance.random()}\n"
        for row in range(20_000)
    )
    begun = time.process_time()
    assert not list(cohort.in_text(table))
    assert time.process_time() - begun < 10


def test_random_bytes_hold_no_name_by_chance(cohort):
    data = np.random.default_rng(3).integers(0, 256, 12_000_000, dtype=np.uint8).tobytes()
    begun = time.process_time()
    assert not list(cohort.in_bytes(data))
    assert time.process_time() - begun < 20


@pytest.mark.parametrize(
    "written", [b"\0\0Meyer\0\0", b"\1\2by Meyer, A\xff", "\nMeyer\n".encode("utf-16-le")]
)
def test_a_short_name_is_found_far_within_bytes_where_text_is_around_it(written):
    data = b"\1\2\xfe\xff" * 20_000 + written + b"\1\2\xfe\xff" * 20_000
    assert list(Search([Known(Kind.NAME, "Meyer^Jo")]).in_bytes(data))


def test_positions_are_where_words_begin():
    words = Positions([("anna", 1), ("an", 2), ("諸葛", 3), ("x", 4), ("annabella", 5)])
    assert sorted(words.in_("諸葛 annabel")) == [(0, "諸葛", 3), (3, "an", 2), (3, "anna", 1)]
    assert not list(words.in_(""))


def test_random_bytes_look_like_no_identifier_by_chance():
    chance = np.random.default_rng(4)
    search = Search()
    assert not [hit for _ in range(1500) for hit in search.in_bytes(chance.bytes(4096))]
