"""The line of messages: what goes by itself, and what stays."""

from __future__ import annotations

from napari_multifidus.models.messages import MessageBoard


def test_a_message_goes_and_what_is_wrong_is_seen_again():
    board = MessageBoard().failed("No room on the disk.").said("Copied.")
    assert board.shown == "Copied."
    assert not board.is_error
    assert board.stays_ms > 0
    board = board.read()
    assert board.shown == "No room on the disk."
    assert board.is_error
    assert board.stays_ms == 0, "an error does not go by itself"
    assert board.read().shown == ""


def test_an_error_is_over_with_the_next_change_but_not_what_is_wrong_with_the_drawing():
    board = (
        MessageBoard().stands("Not measured: an outline crosses itself.").failed("No such file.")
    )
    assert board.shown == "No such file."
    assert board.changed().shown == "Not measured: an outline crosses itself."
    assert board.changed().is_error
    # Neither time nor a click takes away what is so.
    assert board.read().read().shown == "Not measured: an outline crosses itself."
    assert board.changed().stands("").shown == ""


def test_an_error_is_not_hidden_by_an_earlier_message():
    board = MessageBoard().said("Copied.").failed("Locked.")
    assert board.shown == "Locked."


def test_a_longer_message_stays_longer():
    assert MessageBoard().said("x" * 100).stays_ms > MessageBoard().said("x").stays_ms > 1000
