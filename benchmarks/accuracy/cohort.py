"""A cohort of phantoms with planted atrophy and rater error, through the commands to tables."""

from __future__ import annotations

import csv
import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typer.testing import CliRunner

from multifidus.cli.app import app
from multifidus.data.anatomy import Level, Structure
from multifidus.data.geometry import tilt_deg
from multifidus.data.roi import Reading, Roi
from multifidus.data.roi_set import RoiSet
from multifidus.io.outlines import write_rois
from multifidus.phantom import Phantom, PhantomSpec, Sex, Variant, make_phantom
from multifidus.phantom.files import write_dicom
from multifidus.stats.reliability.measurement_error import sem

Array = NDArray[np.float64]

GROUPS = {
    "open": (Variant.PATIENT, Variant.POST_OPEN),
    "minimally invasive": (Variant.PATIENT, Variant.POST_MIS),
    "control": (Variant.HEALTHY, Variant.HEALTHY),
}
RATERS = {"AB": 0.0, "CD": 0.02}
"""Raters and their offset, as a share of the area."""
ERROR = 0.03
"""Standard deviation of a reading's error, as a share of the area."""
READINGS = (1, 2)
TILTED_DEG = (15.0, 18.0, 22.0, 26.0, 30.0)
"""How much further five subjects' slices are tilted in the later exam."""

_KEPT = {
    Structure.MULTIFIDUS,
    Structure.LEAN_REFERENCE,
    Structure.FAT_REFERENCE,
    Structure.ARTEFACT,
}

Place = tuple[str, str, str]
"""Subject, level and side."""


@dataclass(frozen=True, slots=True)
class Person:
    """One subject: what was planted, and the true areas (mm2) by timepoint, level and side."""

    subject: str
    group: str
    tilted_deg: float
    screws: bool
    areas: dict[tuple[str, str, str], float]
    upright: dict[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Found:
    """What the commands printed about a cohort, beside what was planted.

    Parameters
    ----------
    reported
        Whether each table of changes in the report is, byte for byte, what `change` wrote.
    """

    people: list[Person]
    reliability: dict[str, Any]
    change: dict[str, Any]
    reported: dict[str, bool]


def run(per_group: int, stacks: int, seed: int) -> Found:
    """Make a cohort, and measure, compare and judge it by the commands."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        people = list(_cohort(folder, per_group, stacks, seed))
        _command("measure", folder / "cohort.csv", "-o", folder / "out", "--no-pictures")
        table = folder / "out" / "measurements.csv"
        quantities = ("--quantity", "tcsa_mm2", "--quantity", "fcsa_mm2")
        by_group = ("--group", "approach", "--model", "approach")
        printed = _command("reliability", table, *quantities, "--json")
        (folder / "reliability.json").write_text(printed)
        changed = _command(
            "change", table, *quantities, "--reliability", folder / "reliability.json",
            "--value", "rater:AB", *by_group, "--json", "-o", folder / "changes",
        )  # fmt: skip
        (folder / "change.json").write_text(changed)
        _command(
            "report", folder / "out", *quantities, "--reliability", folder / "reliability.json",
            "--change", folder / "change.json", *by_group, "--figures", "svg",
        )  # fmt: skip
        reported = {
            path.name: path.read_bytes() == (folder / "changes" / path.name).read_bytes()
            for path in sorted((folder / "out" / "report" / "tables").glob("change*.csv"))
        }
    return Found(people, json.loads(printed), json.loads(changed), reported)


def _command(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if done.exit_code:
        msg = f"multifidus {arguments[0]} ended with {done.exit_code}: {done.stderr}"
        raise RuntimeError(msg) from done.exception
    return done.stdout


def _cohort(folder: Path, per_group: int, stacks: int, seed: int) -> Iterator[Person]:
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for number in range(per_group * len(GROUPS)):
        group = list(GROUPS)[number % len(GROUPS)]
        # The first subjects of all groups in turn, so that tilt falls on every group.
        tilted = TILTED_DEG[number] if number < len(TILTED_DEG) else 0.0
        screws = group == "open" and number // len(GROUPS) % 2 == 0
        person = Person(f"S{number + 1:02d}", group, tilted, screws, {}, {})
        for order, (timepoint, variant) in enumerate(
            zip(("pre", "post"), GROUPS[group], strict=True)
        ):
            spec = PhantomSpec(
                variant=variant, sex=list(Sex)[number // 3 % 2], seed=seed + 2 * number + order,
                stacks=stacks, slices_per_stack=1, sagittal=False, matrix=176, pixel_mm=1.25,
                screws=screws and timepoint == "post",
            )  # fmt: skip
            made = make_phantom(spec)
            if timepoint == "post":
                person.upright.update(_areas(made))
                if tilted:
                    made = make_phantom(replace(spec, tilts_deg=_tilts(made, tilted)))
            for (level, side), area in _areas(made).items():
                person.areas[timepoint, level, side] = area
            images = folder / f"{person.subject}_{timepoint}"
            write_dicom(made, images)
            for rater, offset in RATERS.items():
                for reading in READINGS:
                    whose = Reading(person.subject, timepoint, rater, reading)
                    outlines = (
                        folder / f"{person.subject}_{timepoint}_{rater}{reading}.outlines.json"
                    )
                    write_rois(_read(made.outlines, whose, offset, rng), outlines)
                    rows.append(_row(person, whose, order, (images, outlines)))
        yield person
    with (folder / "cohort.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _row(person: Person, whose: Reading, order: int, files: tuple[Path, Path]) -> dict[str, object]:
    images, outlines = files
    operated = person.group != "control"
    return {
        "subject": whose.subject,
        "timepoint": whose.timepoint,
        "order": order,
        "rater": whose.rater,
        "reading": whose.reading,
        "images": images.name,
        "outlines": outlines.name,
        "operated_levels": "L4-L5" if operated else "",
        "operated_side": "both" if operated else "",
        "approach": person.group,
    }


def _tilts(made: Phantom, more: float) -> tuple[float, ...]:
    """Return its stacks' tilts against patient z, from cranial to caudal, each so much larger."""
    (series,) = made.exam.series
    planes = sorted((item.plane for item in series.slices), key=lambda plane: -plane.origin_mm[2])
    own = {roi.level: tilt_deg(roi.plane.normal) for roi in made.outlines if roi.level is not None}
    ordered = [own[level] for level in sorted(own, key=lambda level: level.rank)]
    assert len(ordered) == len(planes)  # noqa: S101 - one slice a stack
    return tuple(tilt + more for tilt in ordered)


def _areas(made: Phantom) -> dict[tuple[str, str], float]:
    """Return the areas inside the true boundaries (within 0.05 % of quadrature)."""
    return {
        (roi.level.value, roi.key.side.value): roi.area_mm2
        for roi in made.outlines
        if roi.key.structure is Structure.MULTIFIDUS and roi.level is not None
    }


def _read(true: RoiSet, whose: Reading, offset: float, rng: np.random.Generator) -> RoiSet:
    """Draw as a rater does: every muscle larger or smaller than it is, about its middle."""
    rois = [
        _drawn(roi, 1 + offset + ERROR * rng.normal())
        if roi.key.structure is Structure.MULTIFIDUS
        else roi
        for roi in true
        if roi.key.structure in _KEPT
    ]
    return replace(true, rois=tuple(rois)).read_by(whose)


def _drawn(roi: Roi, area: float) -> Roi:
    middle = roi.centroid_mm
    paths = tuple(middle + math.sqrt(area) * (path - middle) for path in roi.paths_mm)
    return replace(roi, paths_mm=paths)


def page(*, smoke: bool) -> tuple[str, bool]:
    """Return the page of evidence and whether what was planted was found."""
    per_group, stacks = (1, 2) if smoke else (10, 4)
    found = run(per_group, stacks, seed=31)
    parts = (
        _errors(found), _changes(found), _verdicts(found), _tilt(found), _metal(found),
        _report(found),
    )  # fmt: skip
    good = all(part[1] for part in parts[3 if smoke else 0 :])
    text = (
        "# A simulated cohort with known atrophy and rater error\n\n"
        "On the digital phantom: simulated data only.\n\n"
        f"{len(found.people)} subjects (after open surgery, after minimally invasive surgery, and "
        "controls), two timepoints, two raters, two readings: "
        f"{len(found.people) * 2 * len(RATERS) * len(READINGS)} readings through "
        "`multifidus measure`, `reliability`, `change` and `report`. Readings are the true "
        "outlines made larger or smaller: rater CD by "
        f"{100 * RATERS['CD']:g} % of the area always, every reading by a normal error of "
        f"{100 * ERROR:g} % (standard deviation). Truth is the area "
        "inside the true boundary on each slice.\n\n" + "\n".join(part[0] for part in parts)
    )
    return text, good


def _errors(found: Found) -> tuple[str, bool]:
    """Compare the standard errors of measurement with those planted."""
    lines, held, places = [], 0, []
    for item in _of(found.reliability["results"], "tcsa_mm2"):
        areas = np.array(
            [
                area
                for person in found.people
                for (_, level, side), area in person.areas.items()
                if (level, side) == (item["level"], item["side"])
            ]
        )
        places.append(areas)
        planted = _planted_sem(areas)
        low, high = item["sem_consistency_ci95"]
        held += low <= planted <= high
        bias = -RATERS["CD"] * float(np.mean(areas))
        lines.append(
            f"| {item['level']} | {item['side']} | {planted:.1f} | {item['sem_consistency']:.1f} "
            f"[{low:.1f}, {high:.1f}] | {bias:.1f} | {item['bland_altman']['bias']:.1f} |\n"
        )
    text = (
        "## Error of measurement\n\n"
        "SEM of consistency and bias of the two raters' first readings, mm2.\n\n"
        "| level | side | planted SEM | SEM [95 % CI] | planted bias | bias |\n"
        "| --- | --- | --- | --- | --- | --- |\n" + "".join(lines)
        + _chances(places, held)
    )  # fmt: skip
    return text, held >= 0.75 * len(places)


def _planted_sem(areas: Array) -> float:
    """Return the SEM of consistency of two raters: half the variance of their differences.

    Its parts are both readings' errors, and the offset, which is larger on more area.
    """
    offset = RATERS["CD"] - RATERS["AB"]
    return math.sqrt(ERROR**2 * np.mean(areas**2) + offset**2 * areas.var(ddof=1) / 2)


DRAWS = 2000
"""How often the cohort's readings are drawn again, without images: areas alone are needed."""


def _chances(places: Sequence[Array], held: int) -> str:
    """Draw the readings of these muscles again and again, and count how many intervals hold."""
    rng = np.random.default_rng(0)
    offsets = 1 + np.array(list(RATERS.values()))
    holding = np.zeros((DRAWS, len(places)), dtype=bool)
    for place, areas in enumerate(places):
        planted = _planted_sem(areas)
        for draw in range(DRAWS):
            error = ERROR * rng.normal(size=(len(areas), len(offsets)))
            low, high = sem(areas[:, None] * (offsets + error)).consistency_ci95
            holding[draw, place] = low <= planted <= high
    share, few = holding.mean(axis=0), float((holding.sum(axis=1) <= held).mean())
    return (
        f"\n{held} of {len(places)} intervals hold what was planted. Is that chance? The readings "
        f"of these same muscles were drawn {DRAWS:,} times more, as areas without images, and put "
        f"through the same function: an interval holds in {100 * share.mean():.1f} % of draws "
        f"({100 * share.min():.1f} to {100 * share.max():.1f} by place), and {held} or fewer of "
        f"{len(places)} hold in {100 * few:.0f} % of draws. The intervals take errors as equally "
        "large in all subjects; these errors are in proportion to the area, which is what takes "
        "them below 95 %. Where errors grow with size, the CV and the limits of agreement as "
        "ratios describe them better.\n"
    )


def _changes(found: Found) -> tuple[str, bool]:
    """Compare mean changes with the true ones."""
    lines, held, count = [], 0, 0
    for item in _of(found.change["muscles"], "tcsa_mm2"):
        true = float(
            np.mean(
                [
                    person.areas["post", item["level"], item["side"]]
                    - person.areas["pre", item["level"], item["side"]]
                    for person in found.people
                    if person.group == item["approach"]
                ]
            )
        )
        low, high = item["ci95"]
        held += low <= true <= high
        count += 1
        lines.append(
            f"| {item['approach']} | {item['level']} | {item['side']} | {true:.1f} | "
            f"{item['mean']:.1f} [{low:.1f}, {high:.1f}] | {item['beyond_decrease']} / "
            f"{item['beyond_increase']} / {item['judged']} |\n"
        )
    text = (
        "## Mean change\n\n"
        "Total area, mm2, by rater AB. Beyond error: decrease / increase / judged.\n\n"
        "| group | level | side | true | found [95 % CI] | beyond error |\n"
        "| --- | --- | --- | --- | --- | --- |\n" + "".join(lines)
        + f"\n{held} of {count} intervals hold the truth.\n"
    )  # fmt: skip
    return text, held >= 0.85 * count


def _verdicts(found: Found) -> tuple[str, bool]:
    """Say how often verdicts are right, by how large the true change is."""
    people = {person.subject: person for person in found.people}
    groups: dict[str, list[bool]] = {"within error": [], "beyond": []}
    for item in _of(found.change["changes"], "tcsa_mm2"):
        areas = people[item["subject"]].areas
        level, side = item["level"], item["side"]
        true = areas["post", level, side] - areas["pre", level, side]
        if abs(true) < item["mdc95"] / 4:
            groups["within error"].append(item["verdict"] == "within error")
        elif abs(true) > 2 * item["mdc95"]:
            beyond = "decrease" if true < 0 else "increase"
            groups["beyond"].append(item["verdict"] == beyond)
    small, large = groups["within error"], groups["beyond"]
    text = (
        "## Single muscles\n\n"
        f"- True change below a quarter of the MDC95: {sum(small)} of {len(small)} are called "
        "within error.\n"
        f"- True change above twice the MDC95: {sum(large)} of {len(large)} are called changed, in "
        "the right direction.\n"
    )
    return text, sum(small) >= 0.88 * len(small) and sum(large) >= 0.95 * len(large)


def _tilt(found: Found) -> tuple[str, bool]:
    """Compare what is said of tilt with what was planted."""
    people = {person.subject: person for person in found.people}
    lines, good = [], True
    noted = set()
    for item in _of(found.change["changes"], "tcsa_mm2"):
        person = people[item["subject"]]
        if "tilt differs" in item["notes"]:
            noted.add(person.subject)
        if not person.tilted_deg or item["side"] != "left":
            continue
        upright = person.upright[item["level"], "left"]
        true = 100 * (person.areas["post", item["level"], "left"] / upright - 1)
        good &= abs(abs(item["tilt_difference_deg"]) - person.tilted_deg) < 6
        lines.append(
            f"| {person.subject} | {item['level']} | {person.tilted_deg:g} | "
            f"{item['tilt_difference_deg']:+.1f} | {true:+.1f} | {item['tilt_effect_pct']:+.1f} |\n"
        )
    tilted = {person.subject for person in found.people if person.tilted_deg}
    text = (
        "## Tilt planted in five subjects\n\n"
        f"Noted in {len(noted & tilted)} of these {len(tilted)}, and in {len(noted - tilted)} of "
        "the others. Left side; the true effect is the area on the tilted slice against that on "
        "the slice along the disc. Predicted is what tilt makes of a prism along the spine, which "
        "is what papers correct for. It is not what happens: a slice that turns about its disc "
        "meets the muscle, 6 cm behind, at another place of its length (16 mm away at 15 degrees), "
        "and the multifidus grows from place to place. So the angle is what can be known, and no "
        "correction mends the pair; slices have to be angled alike.\n\n"
        "| subject | level | planted, deg | found, deg | true effect, % | predicted, % |\n"
        "| --- | --- | --- | --- | --- | --- |\n" + "".join(lines)
    )  # fmt: skip
    return text, bool(good) and noted == tilted


def _metal(found: Found) -> tuple[str, bool]:
    """Say what screws do to lean area."""
    people = {person.subject: person for person in found.people}
    refused = judged = 0
    for item in _of(found.change["changes"], "fcsa_mm2"):
        if people[item["subject"]].screws and item["level"] == "L4-L5":
            refused += "artefacts left less" in item["problem"]
            judged += not item["problem"]
    text = (
        "## Screws in the later exam\n\n"
        f"Lean area at L4-L5 of subjects with screws there: {refused} changes are not given, with "
        f"the reason, and {judged} are.\n"
    )
    return text, judged == 0


def _report(found: Found) -> tuple[str, bool]:
    """Say whether the report's tables are those that the rest of this page judges."""
    same = [name for name, alike in found.reported.items() if alike]
    text = (
        "## In the report\n\n"
        f"{len(same)} of {len(found.reported)} tables of changes in the report of this cohort "
        f"({', '.join(found.reported)}) are byte for byte those of `change`, which are judged "
        "above.\n"
    )
    return text, "changes.csv" in same and len(same) == len(found.reported)


def _of(items: Sequence[dict[str, Any]], quantity: str) -> list[dict[str, Any]]:
    found = [item for item in items if item["quantity"] == quantity]
    return sorted(found, key=lambda item: Level(item["level"]).rank)
