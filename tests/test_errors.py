import pickle
import re

import pytest

from multifidus import errors
from multifidus.errors import (
    CohortError,
    GeometryError,
    MultifidusError,
    ProtocolError,
    ReadError,
    RoiError,
    WriteError,
)

BUILTINS = {
    ReadError: OSError,
    WriteError: FileExistsError,
    GeometryError: ValueError,
    RoiError: ValueError,
    ProtocolError: ValueError,
    CohortError: ValueError,
}


@pytest.mark.parametrize(("error", "builtin"), BUILTINS.items())
def test_every_error_is_ours_and_also_a_builtin(error, builtin):
    assert issubclass(error, MultifidusError)
    assert issubclass(error, builtin)


def test_the_drawn_tree_names_every_error_and_its_builtin():
    drawn = re.findall(r"── (\w+)\s+\((\w+)\)", errors.__doc__)
    classes = MultifidusError.__subclasses__()
    assert drawn == [(error.__name__, error.__bases__[1].__name__) for error in classes]


def test_an_error_reads_as_what_is_wrong_then_what_to_do():
    error = RoiError("The outline crosses itself.", remedy="Move a vertex.")
    assert str(error) == "The outline crosses itself. Move a vertex."
    assert error.remedy == "Move a vertex."
    assert str(RoiError("It is empty.")) == "It is empty."


@pytest.mark.parametrize("error", BUILTINS)
def test_an_error_comes_back_whole_from_another_process(error):
    sent = error("Cut short.", remedy="Export it again.")
    back = pickle.loads(pickle.dumps(sent))  # noqa: S301 - made in the line above
    assert type(back) is error
    assert (back.message, back.remedy, str(back)) == (sent.message, sent.remedy, str(sent))
