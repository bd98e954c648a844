#!/usr/bin/env python3
"""Make the sample exams: the phantom before and after open surgery, the same bytes every time.

    python scripts/make_sample_data.py [FOLDER]

FOLDER (default: sample_data beside this folder) is replaced.
"""

from __future__ import annotations

import csv
import datetime
import hashlib
import shutil
import sys
import tempfile
from pathlib import Path

from multifidus.data.anatomy import Structure
from multifidus.data.measurement import Quantity
from multifidus.data.protocol import MeasurementProtocol
from multifidus.phantom import Phantom, PhantomSpec, Variant, make_phantom, write_phantom
from multifidus.phantom.spec import RATER, exam_date
from multifidus.study.requests import MeasureRequest, prepare
from multifidus.study.results import write_results
from multifidus.study.results_folder import Output

SEED = 2010
SURGERY_DATE = datetime.date(2001, 3, 19)
MUSCLE = Structure.MULTIFIDUS
COMPARED = (Quantity.TCSA_MM2, Quantity.FI_PCT)
VARIANTS = (Variant.PATIENT, Variant.POST_OPEN)
COHORT_COLUMNS = (
    "subject", "timepoint", "order", "date", "rater", "reading", "images", "outlines", "labels",
    "operated_levels", "operated_side", "approach", "surgery_date", "height_cm", "weight_kg",
)  # fmt: skip

README = """\
# Sample exams

One subject of multifidus' digital lumbar phantom, before (`S01_pre`) and a year after
(`S01_post`) open surgery at L4-L5. Nobody's images: every pixel is computed, and the true areas
and fat are known. Names, dates and identifiers are made up.

- `cohort.csv`: both exams as a cohort; try `multifidus measure cohort.csv -o results`.
- `S01_pre/`, `S01_post/`: DICOM. Axial T2 in five stacks of three slices, each stack angled to its
  disc, and sagittal T2.
- `S01_pre.outlines.json`, `S01_post.outlines.json`: outlines on the true boundaries (rater AB),
  lean and fat references, levels, centres of the discs.
- `S01_pre.truth.csv`, `S01_post.truth.csv`: area, fat and tilt of every muscle on every axial
  slice. They come from the phantom's shapes alone, by quadrature, without pixels or outlines:
  areas to 0.01 %, fat to 0.15 percentage points (multifidus: 0.05).
- `expected/measurements.csv`: what this version measures here with its default protocol: of the
  multifidus everything, of other muscles area and fat.

Axial: 320 x 320 pixels of 0.6875 mm, 4.0 mm thick, 4.4 mm apart. Fat is {contrast:g} times as
bright as muscle; Rician noise, signal-to-noise ratio {snr:g} in muscle; coil shading
+-{shading:g} %. After surgery the lean multifidus is 37 % smaller in the middle of L4-L5 and 29 %
at its neighbours (Fan et al. 2010, doi:10.1007/s00586-009-1191-6), and the subject lies a little
differently, so that slices do not match exactly.

Made by `python scripts/make_sample_data.py` (seed {seed}), the same bytes every time; only the
last digits in `expected/` may depend on the processor. SHA-256 of the rest:

```
{sums}
```
"""


def main() -> None:
    """Make the sample exams."""
    default = Path(__file__).resolve().parent.parent / "sample_data"
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else default)


def make(folder: Path) -> None:
    """Make the sample exams in a folder, which is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    phantoms = [make_phantom(PhantomSpec(variant=variant, seed=SEED)) for variant in VARIANTS]
    for phantom in phantoms:
        write_phantom(phantom, folder)
    write_cohort(folder / "cohort.csv", phantoms)
    measure(folder)
    write_readme(folder, phantoms[0].spec)


def write_cohort(path: Path, phantoms: list[Phantom]) -> None:
    """Write the cohort table."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COHORT_COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        for order, phantom in enumerate(phantoms):
            exam = phantom.exam
            name = f"{exam.subject}_{exam.timepoint}"
            row = {
                "subject": exam.subject,
                "timepoint": exam.timepoint,
                "order": order,
                "date": exam_date(phantom.spec.variant).isoformat(),
                "rater": RATER,
                "reading": 1,
                "images": name,
                "outlines": f"{name}.outlines.json",
                "operated_levels": "L4-L5",
                "operated_side": "both",
                "approach": "open",
                "surgery_date": SURGERY_DATE.isoformat(),
                "height_cm": 178,
                "weight_kg": 82,
            }
            writer.writerow(row)


def measure(folder: Path) -> None:
    """Measure both exams with the default protocol and keep the table."""
    protocol = MeasurementProtocol()
    with tempfile.TemporaryDirectory() as results:
        output = Output(Path(results), overwrite=True, pictures=False)
        run = prepare(MeasureRequest(exam=(folder / "cohort.csv",)), protocol)
        failures = write_results(run.outcomes, output, protocol).failures
        if failures:
            sys.exit(f"Measuring the sample exams failed: {failures}")
        (folder / "expected").mkdir()
        table = Path(results) / "measurements.csv"
        keep(table, folder / "expected" / "measurements.csv")


def keep(table: Path, path: Path) -> None:
    """Copy the rows of a table that are worth their size: the sample stays below 15 MB."""
    with table.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = [row for row in reader if row["structure"] == MUSCLE or _is_compared(row)]
        columns = list(reader.fieldnames or ())
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _is_compared(row: dict[str, str]) -> bool:
    """Whether the truth says something about it."""
    return Structure(row["structure"]).is_muscle and row["quantity"] in COMPARED


def write_readme(folder: Path, spec: PhantomSpec) -> None:
    """Say what the folder holds, with the checksum of every file."""
    expected = folder / "expected"
    files = sorted(p for p in folder.rglob("*") if p.is_file() and expected not in p.parents)
    sums = "\n".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}"
        for path in files
    )
    text = README.format(
        contrast=spec.contrast, snr=spec.snr, shading=100 * spec.shading, seed=SEED, sums=sums
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
