"""The small study of phantoms that `plugin_screenshots.py` shows being read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

SUBJECTS = 4
PERFECT = ".outlines.json"


def make_study(folder: Path, raters: tuple[str, ...] = ()) -> Path:
    """Write a study of small phantoms before and after surgery and return its table.

    Each rater's outlines are there where raters are named; the first row is the exam that is
    opened first.
    """
    from multifidus.phantom import PhantomSpec, Variant, make_phantom, write_phantom

    rows = ["subject,timepoint,images,landmarks,outlines,rater"]
    for seed in range(1 if raters else SUBJECTS):
        for variant in (Variant.PATIENT, Variant.POST_OPEN):
            spec = PhantomSpec(
                variant=variant, seed=seed, matrix=256, pixel_mm=0.859, stacks=3,
                slices_per_stack=1,
            )  # fmt: skip
            images = write_phantom(make_phantom(spec), folder / f"{seed + 1}")
            exam = f"S{seed + 1:02d},{images.name.split('_')[1]},{images.relative_to(folder)}"
            perfect = images.with_name(f"{images.name}{PERFECT}").relative_to(folder)
            if raters:
                drawn = outlines_of_raters(folder / perfect, raters)
                rows += [f"{exam},{perfect},{path},{rater}" for rater, path in drawn]
            else:
                rows.append(f"{exam},{perfect},,")
    table = folder / "cohort.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def outlines_of_raters(perfect: Path, raters: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    """Write what raters drew who differ a little, and one slice that only the first outlined."""
    from dataclasses import replace

    from multifidus.data.anatomy import Structure
    from multifidus.io.outlines_json import read_outlines, write_outlines

    rois = read_outlines(perfect)
    muscles = [roi for roi in rois if roi.key.structure is Structure.MULTIFIDUS]
    for number, rater in enumerate(raters):
        drawn = [drawn_otherwise(roi, number, place) for place, roi in enumerate(muscles)]
        if number:
            del drawn[0]
        path = perfect.with_name(f"{perfect.name.removesuffix(PERFECT)}_{rater}{PERFECT}")
        reading = replace(rois.reading, rater=rater)
        write_outlines(replace(rois, rois=tuple(drawn)).read_by(reading), path)
        yield rater, path.relative_to(perfect.parent.parent)


def drawn_otherwise(roi: Any, number: int, place: int) -> Any:
    """Return an outline that a rater drew with bulges of its own, the more the later its place."""
    from dataclasses import replace

    import numpy as np

    def bulged(path: Any) -> Any:
        away = path - path.mean(axis=0)
        angle = np.arctan2(away[:, 0], away[:, 1])
        bulge = 0.02 + 0.04 * place * number
        moved = path + away * bulge * np.cos(2 * angle + 1 + 2 * number)[:, None]
        return roi.plane.to_patient(moved[::4])

    return replace(roi, paths_mm=tuple(map(bulged, roi.paths)))


def draw_perfectly(controller: Any) -> None:
    """Draw the muscles and the references of the open reading."""
    import numpy as np
    from napari_multifidus.models.shapes import LayerKey

    from multifidus.data.anatomy import Side, Structure
    from multifidus.io.outlines_json import read_outlines

    session, canvas = controller.workspace.session, controller.workspace.canvas
    (perfect,) = controller.item(controller.by).case.landmarks
    drawn = {Structure.MULTIFIDUS, Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE}
    places = {item.uid: index for index, item in enumerate(session.series.slices)}
    for roi in (roi for roi in read_outlines(perfect) if roi.key.structure in drawn):
        side = roi.key.side if roi.key.structure.is_muscle else Side.NONE
        key, index = LayerKey(roi.key.structure, side), places[roi.key.slice_uid]
        loops = [np.asarray(path[:: max(1, len(path) // 36)]) for path in roi.paths]
        session.put(key, index, (*session.drawing.loops(key, index), *loops))
    for key in session.drawing.layer_keys():
        canvas.layer(key)
        canvas.push(key)
    controller.workspace.committed()
