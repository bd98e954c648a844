"""``python -m benchmarks.evidence``: what takes minutes; writes its figures to docs/evidence."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import __main__ as speed, fuzz as fuzzing, gui_suite, junk, qc_page as results_page
from benchmarks.accuracy import (
    cohort as planted,
    doubt_pages,
    fat_compared_page,
    fat_page,
    fat_signal_page,
    imagej,
    levels,
    mixed_model,
    phantom,
    readers as series_readers,
    real_dixon,
    reliability as intervals,
    repeatable,
)
from benchmarks.clicks import page as clicks_page
from benchmarks.cluster import (
    engines as engines_page,
    kills as kills_page,
    large_cohort as large_cohort_page,
    poisoned as poisoned_page,
)
from benchmarks.scaling import page as scaling_page
from benchmarks.speed import reporting
from multifidus.phantom import PhantomSpec, Variant
from multifidus.phantom.spine import DISCS
from tests.support.traps import TRAPS

FOLDER = Path(__file__).parent.parent / "docs" / "evidence"

SLICES_OF_REAL_EXAM = 29

SIMULATED = "On the digital phantom: simulated data only.\n\n"


@dataclass(frozen=True, slots=True)
class Finding:
    """One page of evidence and whether what it shows is as it should be."""

    name: str
    text: str
    good: bool


def areas_beside_imagej(*, smoke: bool) -> Finding:
    """Compare areas, mean signals and fat at one threshold with ImageJ's, outline by outline."""
    if not imagej.available():
        return Finding(
            "imagej", "# ImageJ\n\nNot installed here; nothing was compared.\n", good=False
        )
    pairs = imagej.compare(number=12 if smoke else 400, seed=2)
    wholes = imagej.compare(number=12 if smoke else 200, seed=5, whole=True)
    equal, same = (
        sum(abs(pair.ours[0] - pair.imagej[0]) < 1e-6 for pair in found)
        for found in (pairs, wholes)
    )
    mean = max(abs(pair.ours[1] - pair.imagej[1]) for pair in pairs)
    fat = max(abs(pair.ours[2] - pair.imagej[2]) for pair in pairs)
    large = [pair for pair in pairs if pair.exact_mm2 > 300]
    exact = [100 * (pair.imagej[0] / pair.exact_mm2 - 1) for pair in large]
    covered = [pair.fi_pct - pair.imagej[2] for pair in large]
    text = (
        "# Areas compared with ImageJ\n\n"
        f"{len(pairs)} random outlines (8 to 159 points, concave and sub-pixel, pixels of "
        f"{imagej.SPACING_MM[0]} x {imagej.SPACING_MM[1]} mm) measured by ImageJ and by us.\n\n"
        f"- `tcsa_pixel_mm2` equals ImageJ's area on {equal} of {len(pairs)}.\n"
        f"- It equals it on {same} of {len(wholes)} more outlines with whole-numbered vertices, "
        "ImageJ's usual kind, whose edges pass through pixel centres: a centre on a left or upper "
        "edge is out, on a right or lower edge in.\n"
        f"- They are the same pixels: their mean signal differs by at most {mean:.1e}.\n"
        f"- `fixed` on these pixels says ImageJ's %Area at the same threshold: within {fat:.1e} "
        "points.\n"
        "- `fi_pct` counts border pixels by their coverage; in noise, the hardest image for that, "
        f"it differs from %Area by {np.std(covered):.2f} points (standard deviation), at most "
        f"{np.abs(covered).max():.2f}, in outlines over 300 mm2.\n"
        f"- Counting pixels differs from the exact area `tcsa_mm2` by {np.std(exact):.2f} % "
        f"(standard deviation), at most {np.abs(exact).max():.2f} %, in outlines over 300 mm2.\n"
    )
    all_equal = equal == len(pairs) and same == len(wholes)
    return Finding("imagej", text, good=all_equal and mean < 1e-6 and fat < 1e-3)


def phantom_areas(*, smoke: bool) -> Finding:
    """Compare the area of the phantom's outlines with quadrature of its shapes."""
    tilts = (0, 20) if smoke else (0, 5, 10, 15, 20, 25, 30)
    lines, worst = [], 0.0
    for tilt, errors in phantom.area_errors(tilts, seed=3):
        relative = [abs(error.relative_pct) for error in errors]
        worst = max(worst, *relative)
        lines.append(
            f"| {tilt} | {len(relative)} | {np.mean(relative):.4f} | {max(relative):.4f} |"
        )
    geometry = phantom.geometry_errors_mm(seed=4)
    text = (
        "# Areas and geometry of the phantom\n\n"
        f"{SIMULATED}"
        "`tcsa_mm2` of the phantom's outlines beside quadrature of its implicit shapes in the "
        "slice's plane, which knows nothing of the outlines. Target: 0.05 %.\n\n"
        "| tilt, deg | outlines | mean error, % | largest error, % |\n| --- | --- | --- | --- |\n"
        + "\n".join(lines)
        + "\n\nFive stacks of four slices, each angled to its disc, written as DICOM and read "
        f"back: the corners of every slice within {geometry:.1e} mm. Target: 1e-6 mm.\n"
    )
    return Finding("phantom-areas", text, good=worst <= 0.05 and geometry <= 1e-6)


def slice_levels(*, smoke: bool) -> Finding:
    """Name the phantom's slices by the distance to their planes, and by rules in use."""
    seeds = (1,) if smoke else (1, 2, 3)
    rows = [*levels.compare((0, 20) if smoke else range(0, 31, 5), seeds)]
    lines = [
        f"| {row.tilt} | {row.slices} | {' | '.join(map(str, row.wrong.values()))} | "
        f"{row.ambiguous} | {row.least_margin_mm:.1f} |"
        for row in rows
    ]
    clicks = [*levels.with_errors((2.0, 4.0), seeds)]
    tilts = []
    marked = ((2, False), (3, False), (5, False), (5, True))
    for count, sacrum in marked[2:3] if smoke else marked:
        for sd in (0.0, 1.0, 2.0):
            draws = 1 if sd == 0 else 10 if smoke else 200
            found = levels.tilt_errors_deg(count, (1,), sd, draws, sacrum=sacrum)
            cells = [
                f"{np.sqrt(np.mean(found[level] ** 2)):.1f}" if level in found else ""
                for level in DISCS
            ]
            marks = f"the {count} lowest discs" if count < len(DISCS) else "all 5 discs"
            tilts.append(
                f"| {marks}{', both endplates of S1' if sacrum else ''} | {sd:g} | "
                f"{' | '.join(cells)} |"
            )
    text = (
        "# Levels and tilt of slices\n\n"
        f"{SIMULATED}"
        "Five stacks of five slices, two exams a subject, at each tilt against patient z, at mixed "
        "ones, and angled to the discs; landmarks in the true centres of the discs, L1-L2 to "
        "L5-S1. Wrong: slices given another level than the disc that their stack is centred on. "
        "`corner's z` is the landmark nearest in height to the slice's first pixel "
        "(ImagePositionPatient), `centre's z` that nearest to the image's middle. `multifidus` "
        "takes the landmark nearest to the slice's plane. The margin is how much further the next "
        "level is.\n\n"
        f"| tilt, deg | slices | wrong: {' | wrong: '.join(levels.RULES)} | flagged ambiguous | "
        "least margin, mm |\n"
        + "| --- " * (4 + len(levels.RULES))
        + "|\n"
        + "\n".join(lines)
        + "\n\nLandmarks set wrongly, by normal errors along each axis, stacks angled to discs: "
        + "; ".join(f"{sd:g} mm, {wrong} of {total} slices wrong" for sd, total, wrong in clicks)
        + ".\n\n## The spine's axis\n\n"
        "Root mean square error of a slice's tilt against the spine, in degrees, by how many discs "
        "are marked and how well (normal errors along y and z). Between discs the axis is smooth; "
        "at either end it rests on two or three points, and two points give a straight line. The "
        "phantom bends by 16 degrees from L4-L5 to L5-S1. Mark all discs, and S1 where L5-S1 "
        "matters; an error of 4 degrees changes the corrected area of a slice tilted by 10 degrees "
        "by 1.5 %.\n\n"
        f"| marked | error, mm | {' | '.join(DISCS)} |\n"
        + "| --- " * (2 + len(DISCS))
        + "|\n"
        + "\n".join(tilts)
        + "\n"
    )
    good = not any(row.wrong["multifidus"] for row in rows)
    return Finding("levels", text, good=good)


def phantom_fat(*, smoke: bool) -> Finding:
    """Compare the default fat method with the phantom's true fat."""
    cells = (
        [(Variant.PATIENT, 4.0, 18.0, 0.15)]
        if smoke
        else [
            (variant, contrast, snr, shading)
            for variant in (Variant.HEALTHY, Variant.PATIENT, Variant.POST_OPEN)
            for contrast, snr in ((4.0, 18.0), (2.5, 10.0))
            for shading in (0.0, 0.15, 0.3)
        ]
    )
    lines, means = [], []
    for variant, contrast, snr, shading in cells:
        spec = PhantomSpec(
            variant=variant, contrast=contrast, snr=snr, shading=shading, sagittal=False,
            slices_per_stack=1, seed=5,
        )  # fmt: skip
        errors = [e for e in phantom.fat_errors(spec) if e.structure == "multifidus"]
        found = np.array([error.difference for error in errors])
        undefined = int(np.isnan(found).sum())
        mean, size = np.nanmean(found), np.nanmean(np.abs(found))
        means.append(size)
        lines.append(
            f"| {variant} | {contrast:g} | {snr:g} | {100 * shading:g} | {len(errors)} | "
            f"{undefined} | {mean:+.1f} | {size:.1f} | {np.nanmax(np.abs(found)):.1f} |"
        )
    text = (
        "# Fat infiltration of the phantom, by the default method\n\n"
        f"{SIMULATED}"
        "`pooled_otsu` with lean and fat references and the default correction of coil shading, "
        "multifidus "
        "only. Errors in points (measured minus true fat, in percent of the area).\n\n"
        "| exam | contrast | SNR | shading, % | outlines | undefined | mean error | mean absolute "
        "| largest |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        + "\n".join(lines)
        + f"\n\nMean absolute error over the grid: {np.mean(means):.1f} points.\n"
    )
    return Finding("phantom-fat", text, good=bool(np.isfinite(means).all()))


def fat_methods(*, smoke: bool) -> Finding:
    """Compare every fat method, and other programs' rules, with muscles of known fat."""
    text, good = fat_page.page(smoke=smoke)
    return Finding("fat", text, good=good)


def fat_signal(*, smoke: bool) -> Finding:
    """Compare the fat signal fraction, and other methods, with scenes of known fat."""
    text, good = fat_signal_page.page(smoke=smoke)
    return Finding("fat-signal", text, good)


def fat_methods_compared(*, smoke: bool) -> Finding:
    """Measure the same images by every rule for fat in use."""
    text, good = fat_compared_page.page(smoke=smoke)
    return Finding("fat-methods-compared", text, good)


def real_dixon_exam(*, smoke: bool) -> Finding:
    """Measure a real exam with manual outlines, by every method."""
    name, title = "real-dixon", "# A real Dixon exam\n\n"
    if not real_dixon.available():
        return Finding(name, f"{title}Not here; nothing was measured.\n", good=smoke)
    rows = real_dixon.measured()
    if not smoke:
        real_dixon.draw(rows, FOLDER / f"{name}.svg")
    found = real_dixon.answers(rows)
    text = (
        f"{title}Fat and water images of one adult's lumbar spine (29 axial slices of 1.02 x 1.02 "
        "x 4 mm, L2 to L5) with both multifidi outlined by hand, from the data published with "
        "LPM_Segmentator. Its headers place fat and water differently, so the pair is paired by "
        "index, and its two files differ in scale: the fractions are arithmetic on what the files "
        "hold, and are flagged so.\n\n"
        "![Area and fat fractions of both sides, slice by slice](real-dixon.svg)\n\n"
        "Bands: two standard uncertainties.\n\n"
        "## Every method on the fat image\n\n"
        "Lean and fat references were proposed by rule (nobody drew any). There is no truth here; "
        "what the table shows is how far apart methods are on one muscle. Fat is spread finely "
        "in it: hardly a pixel is mostly fat, so a threshold half way finds none while the "
        "mixing methods find some, thresholds just above the lean samples call most of it fat, "
        "and methods that look for two classes inside the outline refuse.\n\n"
        + real_dixon.as_markdown(found)
    )
    return Finding(name, text, good=all(item.slices == SLICES_OF_REAL_EXAM for item in found))


def shading(*, smoke: bool) -> Finding:
    """Compare corrections of coil shading by what they leave inside muscles."""
    text, good = doubt_pages.shading(smoke=smoke)
    return Finding("shading", f"# Bias field correction\n\n{SIMULATED}{text}", good)


def uncertainty(*, smoke: bool) -> Finding:
    """Count how often stated intervals hold the truth."""
    text, good = doubt_pages.uncertainties(smoke=smoke)
    return Finding("uncertainty", f"# Coverage of stated uncertainty\n\n{SIMULATED}{text}", good)


def same_bytes(*, smoke: bool) -> Finding:
    """Measure one exam in processes that differ in all that should not matter."""
    found = repeatable.runs(2 if smoke else 20)
    text = (
        "# Reproducibility\n\n"
        f"{SIMULATED}"
        "The tidy table of the phantom by every fat method, made anew by processes that differ in "
        "the seed of hashes, the threads of numerical libraries and the order of the outlines. "
        "Rows of one numpy must be equal, whatever the Python. Another numpy may add up "
        "floating-point numbers in another order, and differ in the last digits.\n\n"
        + repeatable.as_markdown(found)
    )
    good = all(
        len({run.digest for run in found if run.numpy == numpy}) == 1
        for numpy in {run.numpy for run in found}
    )
    return Finding("repeatable", text, good=good)


def reliability(*, smoke: bool) -> Finding:
    """Count how often the intervals of reliability and change hold the truth."""
    text, good = intervals.page(smoke=smoke)
    return Finding("reliability", text, good)


def changes_by_the_mixed_model(*, smoke: bool) -> Finding:
    """Count changes that the mixed model invents and finds where muscles are missing."""
    text, good = mixed_model.page(smoke=smoke)
    return Finding("mixed-model", text, good)


def cohort(*, smoke: bool) -> Finding:
    """Find planted atrophy, rater error and tilt in a cohort of phantoms, by the commands."""
    text, good = planted.page(smoke=smoke)
    return Finding("cohort", text, good)


def large_report(*, smoke: bool) -> Finding:
    """Report a large study, and open its pages in a browser."""
    one_quantity = ("--quantity", "tcsa_mm2")
    # Of two subjects no change is tested, and the page has no section of changes.
    found = reporting.measure(3, *one_quantity) if smoke else reporting.measure(200)
    return Finding("report", reporting.as_markdown(found), good=found.is_good)


def speed_and_memory(*, smoke: bool) -> Finding:
    """Run the speed benchmarks."""
    missing = speed.left_out()
    if missing:
        print(missing, file=sys.stderr)
    found = speed.compare(speed.SMOKE_REPEATS if smoke else speed.REPEATS)
    text = (
        "# Speed and memory compared with other programs\n\n"
        "A job and its peer take turns in one run; the ratio is what counts, the seconds are this "
        "machine's. Ratios below 1 are faster or smaller.\n\n" + speed.as_markdown(found) + "\n"
    )
    if missing:
        text += f"\n{missing}\n"
    good = not missing and all(item.met for item in found)
    return Finding("speed", text, good=smoke or good)


REFUSED = {"mosaic", "monochrome1", "enhanced_monochrome1"}
"""Series that cannot be read right: the tiles' places are lost; what is meant by inverted values is
read differently by different programs."""


def readers(*, smoke: bool) -> Finding:
    """Let every installed reader read the series that readers get wrong."""
    rows = series_readers.compare(TRAPS[:3] if smoke else TRAPS)
    text = (
        "# Unusual series compared with other readers\n\n"
        "Small synthetic series whose every voxel holds its own patient z "
        "(`tests/support/traps.py`), in files named at random and numbered as scanners acquire "
        "slices, every other one first. "
        "The error of a reader is the largest distance between the z that a voxel holds and the "
        "z where the reader puts it; where values are inverted or scaled anew, it says that they "
        "are others. `ok`: all within half a quantum of the stored values. Bold: wrong, and no "
        "exception was raised (some print a warning). Each reader is used in its documented way "
        "for a folder; nibabel.nicom is used file by file, and leaves grouping to its user.\n\n"
        + series_readers.as_markdown(rows)
    )
    good = all(
        found["multifidus"].refusal if trap.name in REFUSED else found["multifidus"].is_right(n)
        for trap, n, found in rows
    )
    return Finding("readers", text, good=good)


def fuzz(*, smoke: bool) -> Finding:
    """Read damaged files; nothing but an image or a refusal may come of one."""
    tally = fuzzing.run(400 if smoke else 24_000, seed=6)
    files = 300 if smoke else 100_000
    inspected = junk.run(files)
    text = (
        "# Damaged files\n\n"
        "Small valid files with bytes flipped, cut, inserted, repeated and spliced, or with absurd "
        "values, types and lengths in the fields that reading depends on. Each is scanned, and its "
        "pixels are read. It may be read, or refused with a reason. Anything else is a finding: "
        "another exception, the end of the process, a warning or any other text on standard error, "
        f"more than {fuzzing.LIMIT_SECONDS:g} s, more than {fuzzing.LIMIT_MB:g} MB of memory, or "
        f"asking for more than {fuzzing.ROOM_MB} MB of addresses.\n\n"
        + fuzzing.as_markdown(tally)
        + "\nWhat the JPEG library inside GDCM prints about damaged lossless JPEG is not counted: "
        "it has no switch.\n\n" + junk.as_markdown(files, inspected)
    )
    return Finding("fuzz", text, good=not tally.findings and junk.is_good(files, inspected))


def kills(*, smoke: bool) -> Finding:
    """Kill runs, workers and schedulers at random moments, and compare the tables."""
    text, good = kills_page.page(smoke=smoke)
    return Finding("kills", text, good)


def engines(*, smoke: bool) -> Finding:
    """Measure a cohort by every engine, and compare the tables."""
    text, good = engines_page.page(smoke=smoke)
    return Finding("engines", text, good)


def poisoned(*, smoke: bool) -> Finding:
    """Measure cohorts of cases that crash, hang or ask too much, and into folders that refuse."""
    text, good = poisoned_page.page(smoke=smoke)
    return Finding("poisoned", text, good)


def scaling(*, smoke: bool) -> Finding:
    """Simulate a cohort of 100,000 exams on 1 to 64 workers."""
    text, good = scaling_page.page(smoke=smoke)
    return Finding("scaling", text, good)


def large_cohort(*, smoke: bool) -> Finding:
    """Measure 1,000 cases of exams of real size by one command."""
    text, good = large_cohort_page.page(smoke=smoke)
    return Finding("large-cohort", text, good)


def clicks(*, smoke: bool) -> Finding:
    """Count the clicks and keys of a reading in the plugin and in ImageJ, in real windows."""
    text, good = clicks_page.page(smoke=smoke)
    return Finding("clicks", text, good)


def gui(*, smoke: bool) -> Finding:
    """Run the plugin's tests on both Qt bindings."""
    text, good = gui_suite.page(smoke=smoke)
    return Finding("gui", text, good=good)


def qc_page(*, smoke: bool) -> Finding:
    """Open the results page of a large study in a browser, and review it by keyboard."""
    found = results_page.measure(20 if smoke else 500)
    return Finding("qc-page", results_page.as_markdown(found), good=found.is_good)


PAGES: tuple[Callable[..., Finding], ...] = (
    areas_beside_imagej,
    phantom_areas,
    slice_levels,
    phantom_fat,
    fat_methods,
    fat_signal,
    fat_methods_compared,
    shading,
    uncertainty,
    reliability,
    changes_by_the_mixed_model,
    cohort,
    large_report,
    qc_page,
    real_dixon_exam,
    same_bytes,
    readers,
    fuzz,
    kills,
    engines,
    poisoned,
    scaling,
    large_cohort,
    clicks,
    gui,
    speed_and_memory,
)


def main() -> None:
    """Parse, run, write or print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.add_argument(
        "--smoke", action="store_true", help="a small seeded sample of each, printed, not written"
    )
    names = [page.__name__ for page in PAGES]
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="PAGE", help=f"some pages: {', '.join(names)}"
    )
    options = parser.parse_args()
    bad = []
    chosen = [page for page in PAGES if page.__name__ in (options.only or names)]
    for page in chosen if options.only or not options.smoke else chosen[:-1]:
        finding = page(smoke=options.smoke)
        print(finding.text)
        if not options.smoke:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / f"{finding.name}.md").write_text(finding.text)
        if not finding.good:
            bad.append(finding.name)
    if bad:
        sys.exit(f"Not as it should be: {', '.join(bad)}.")


if __name__ == "__main__":
    main()
