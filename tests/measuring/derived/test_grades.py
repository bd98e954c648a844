import math

import pytest

from multifidus.measuring.derived.comparisons import storheim_grade


@pytest.mark.parametrize(
    ("fat_pct", "grade"), [(0, 0), (19.999, 0), (20, 1), (35, 1), (50, 1), (50.001, 2), (100, 2)]
)
def test_storheim_2017(fat_pct, grade):
    assert storheim_grade(fat_pct) == grade


def test_undefined_fat_has_no_grade():
    assert math.isnan(storheim_grade(math.nan))
