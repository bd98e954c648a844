"""Controllers change the models when somebody draws, clicks or types; they know napari, no widgets.

What is open stands in `workspace`, whose signals say what happens. Each of the others does one
thing with it; `annotator` makes them all:

- `opener` opens and closes exams, readings, series and folders; `exams` offers those of a folder,
  `worklist` those of a reading list;
- `display` chooses the slice, the image and its grey levels, and moves the view;
- `edit_tools` draws and changes outlines; `entries` takes levels, landmarks, grades and what is not
  measurable;
- `feedback` shows previews and fat on the image, `outputs` writes tables and pictures;
- `shortcuts` is the table of keys and buttons, each with what it calls;
- `canvas`, `structure_layer` and `mouse` are the layers and the mouse of the viewer; `saving` keeps
  what is drawn, and puts it back.

They raise errors. `reported_errors` turns them into words where a key, a button or a timer calls.
"""
