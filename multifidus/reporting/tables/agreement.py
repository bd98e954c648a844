"""Agreement of outlines as a paper prints it, and as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from multifidus.io.table_csv import Row
from multifidus.measuring.agreement.outlines import OutlineGroup, OutlinePair
from multifidus.reporting.tables.paper_table import PaperTable
from multifidus.reporting.tables.reliability import short
from multifidus.stats.reliability.document import plain_row


def outline_table(groups: Iterable[OutlineGroup], problems: Sequence[str] = ()) -> PaperTable:
    """Make the table of how far outlines agree."""
    headings = ("structure", "level", "side", "raters", "outlines", "Dice", "least Dice",
                "Hausdorff, mm", "HD95, mm", "mean distance, mm",
                "area difference, mm2")  # fmt: skip
    rows = tuple(
        (
            item.structure.value.replace("_", " "),
            item.level,
            item.side,
            f"{item.first} vs {item.second}",
            str(item.n),
            short(item.dice_mean),
            short(item.dice_least),
            short(item.hausdorff_mm),
            short(item.hd95_mm),
            short(item.mean_mm),
            short(item.area_difference_mm2),
        )
        for item in groups
    )
    note = (
        "Means over outlines of the same slices, exact for the polygons. Hausdorff: largest "
        "distance of a point of either border to the other border; HD95: the larger of both "
        "directions' 95th percentiles over the border's length; mean distance: over both borders' "
        "length. Area: first minus second."
    )
    return PaperTable("outlines", "Agreement of outlines.", headings, rows, (note, *problems))


def pair_rows(pairs: Iterable[OutlinePair]) -> list[Row]:
    """Return one row a pair of outlines, with all its digits."""
    return [
        {
            "subject": pair.first.subject,
            "timepoint": pair.first.timepoint,
            "first_rater": pair.first.rater,
            "first_reading": pair.first.reading,
            "second_rater": pair.second.rater,
            "second_reading": pair.second.reading,
            "slice_uid": pair.slice_uid,
            "level": "" if pair.level is None else pair.level.value,
            "structure": pair.structure.value,
            "side": pair.side,
            "name": pair.name,
            "dice": pair.dice,
            "hausdorff_mm": pair.distances.hausdorff_mm,
            "hd95_mm": pair.distances.hd95_mm,
            "mean_distance_mm": pair.distances.mean_mm,
            "area_difference_mm2": pair.area_difference_mm2,
        }
        for pair in pairs
    ]


def plain_outlines(
    pairs: Sequence[OutlinePair], groups: Sequence[OutlineGroup], problems: Sequence[str]
) -> Row:
    """Return agreement of outlines as ``agreement --json`` prints it."""
    fields = ("level", "side", "first", "second", "n", "dice_mean", "dice_least", "hausdorff_mm",
              "hd95_mm", "mean_mm", "area_difference_mm2")  # fmt: skip
    return {
        "groups": [
            plain_row({"structure": item.structure.value}
                   | {name: getattr(item, name) for name in fields})
            for item in groups
        ],
        "pairs": [plain_row(row) for row in pair_rows(pairs)],
        "problems": list(problems),
    }  # fmt: skip
