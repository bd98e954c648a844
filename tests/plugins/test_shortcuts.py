from __future__ import annotations

from napari_multifidus.controllers.shortcuts import SHORTCUTS, help_text, rows, tip

NAPARIS_OWN = set("RELTPDSZIXFBA1234567")


def test_no_key_of_naparis_shapes_is_taken():
    assert not {item.key for item in SHORTCUTS} & NAPARIS_OWN
    assert not {item.key for item in SHORTCUTS} & {f"Shift-{letter}" for letter in "LPV"}


def test_no_key_does_two_things():
    assert len({item.key for item in SHORTCUTS}) == len(SHORTCUTS)


def test_buttons_say_their_key():
    assert tip("undo") == "Undo the last change or vertex ( Ctrl+Z )"


def test_the_help_names_every_key():
    assert all(f"{item.shown}  {item.words}" in help_text() for item in SHORTCUTS)


def test_the_help_tells_how_the_view_is_moved_with_a_tool_in_hand():
    assert {"Space held", "Middle button", "Ctrl+Wheel"} <= {shown for shown, _ in rows()}
