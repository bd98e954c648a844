import pytest

from multifidus.report.overlay import _stem
from multifidus.roi import Reading


def test_plain_names_stay_as_they_are():
    assert _stem(Reading("S01", "pre", "AB", 2)) == "S01_pre_AB_r2"
    assert _stem(Reading("", "", "", 1)) == "exam_r1"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Reading("S 1", "pre", "AB"), Reading("S-1", "pre", "AB")),
        (Reading("S/1", "pre", "AB"), Reading("S:1", "pre", "AB")),
        (Reading("S_1", "pre", "AB"), Reading("S", "1_pre", "AB")),
        (Reading("S1", "pre", "A_B"), Reading("S1", "pre_A", "B")),
    ],
)
def test_no_two_readings_share_a_picture(first, second):
    assert _stem(first) != _stem(second)
    for by in (first, second):
        assert all(c.isalnum() or c in "_-" for c in _stem(by))
