"""Models: what is drawn and what follows from it; they know neither napari nor Qt.

- `drawing` is the state of a reading, frozen; `drawing_edits` makes the next one of it;
- `analysis` is all that follows from a state: levels, measurements, previews, each worked out once;
- `session` holds the state, its analysis and its history, a list of states;
- `edit_operations` copies, mirrors, interpolates, smooths and moves outlines of a session;
- `preview` measures single outlines, also while they move; `checklist` says what is missing.
"""
