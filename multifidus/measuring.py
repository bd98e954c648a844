"""The use case: outlines on an exam become numbers."""

from __future__ import annotations

from multifidus.correcting import corrections
from multifidus.derived.deriving import with_derived
from multifidus.derived.regions import regional_rows
from multifidus.fat_basis import basis_key, threshold_bases
from multifidus.image import Exam
from multifidus.levelling import Leveller
from multifidus.measurement import Measurement
from multifidus.outline_rows import outline_rows, provenance_of, with_level
from multifidus.placement import place
from multifidus.proposing import with_proposals
from multifidus.protocol import MeasurementProtocol
from multifidus.roi import RoiSet, check_sides
from multifidus.sampling import sample_all
from multifidus.uncertainty import spreads, with_uncertainty


def measure(
    exam: Exam, rois: RoiSet, protocol: MeasurementProtocol | None = None
) -> tuple[Measurement, ...]:
    """Measure every outline of an exam.

    Parameters
    ----------
    exam
        The images. Pixels of outlined slices are read, no others. Its clinical facts say what
        fat soon after surgery is worth, and what areas are divided by.
    rois
        Outlines on them; lean and fat references among them serve the whole exam. Gaps and grades
        become rows of their level.
    protocol
        How; the default protocol if None.

    Returns
    -------
    tuple of Measurement
        Sorted by key, then quantity. For every outline its areas and mean signal; for muscles
        their fat by each method of the protocol, and on Dixon pairs both fat fractions; then what
        follows from these: ratios, sides compared, volumes. What is undefined is NaN with a flag.

    Raises
    ------
    RoiError
        If an outline fits no slice, left and right are swapped, or a muscle has two grades.
    LevelError
        If landmarks contradict each other, or do not belong to the exam.
    ReadError
        If the pixels of a slice cannot be read.
    """
    protocol = protocol or MeasurementProtocol()
    if protocol.propose_references:
        rois = with_proposals(exam, rois)
    check_sides(rois)
    # Sums are rounded in the order of their terms; sorted, they do not depend on the file's order.
    ordered = sorted(rois, key=lambda roi: roi.key)
    sampled = sample_all(exam, place(ordered, exam), protocol)
    fields = corrections(sampled, protocol)
    sampled = [fields[basis_key(item)].apply(item) for item in sampled]
    bases = threshold_bases(sampled, protocol)
    uncertain = spreads(sampled, bases, protocol)
    leveller = Leveller.of(exam, rois, protocol)
    digest = protocol.digest
    rows: list[Measurement] = []
    for item in sampled:
        level = leveller.settle(item.placed.series, item.placed.index, *rois.level_of(item.roi))
        found = outline_rows(item, provenance_of(item, level, digest), protocol, bases)
        found = with_level(found, level, protocol.tilt_limit_deg)
        measured = [*with_uncertainty(found, item, uncertain[basis_key(item)], protocol)]
        rows.extend(measured)
        if protocol.regional_fat and item.roi.key.structure.is_muscle:
            rows.extend(regional_rows(item, measured))
    return tuple(sorted(with_derived(rows, exam, rois, protocol), key=_order))


def _order(row: Measurement) -> tuple[object, ...]:
    key = row.key
    origin = row.provenance
    # What was said about a level lies in no series, and only the level tells one from another.
    level = origin.level.rank if origin.slice_index is None and origin.level else -1
    where = (origin.series, -1 if origin.slice_index is None else origin.slice_index, level)
    return (key.reading, where, key.structure, key.side, key.name, row.quantity, row.method)
