"""Where things lie in an axial slice through a lumbar disc: control points of smooth curves.

Places are (left, posterior) in millimetres from the middle of the disc's posterior border, of a
person of average size; what lies on both sides is given for the left. Drawn from general knowledge
of the anatomy, not from an image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.accuracy.scenes.tissues import Tissue
from multifidus import Level

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Proportions:
    """What differs between the levels.

    Parameters
    ----------
    multifidus, erector
        Width of the muscle over that at L4-L5; the erector spinae begins where the multifidus
        ends.
    erector_depth
        Its depth over that at L4-L5.
    fat_mm
        Subcutaneous fat beyond that at L4-L5.
    """

    multifidus: float
    erector: float
    erector_depth: float
    fat_mm: float


PROPORTIONS: Mapping[Level, Proportions] = {
    Level.L3_L4: Proportions(0.86, 1.08, 1.06, -1.5),
    Level.L4_L5: Proportions(1.00, 1.00, 1.00, 0.0),
    Level.L5_S1: Proportions(1.30, 0.60, 0.86, 4.0),
}

_MULTIFIDUS: Points = (
    (5.6, 50), (5.4, 41), (5.8, 32), (8.5, 26.5), (13.5, 23.5), (19.5, 21), (24.5, 22.5),
    (27.6, 29), (28.4, 37), (26.6, 45), (22.5, 51), (15, 53.6), (8.4, 53.2),
)  # fmt: skip
_ERECTOR: Points = (
    (28, 20), (35, 15.5), (45, 13.5), (56, 16.5), (64, 24), (67.5, 34), (65.5, 44), (58, 51.5),
    (47, 55.3), (36, 56), (29, 53.6), (30, 46.5), (31.4, 38), (30.8, 29.5),
)  # fmt: skip
_FASCIA: Points = ((0, 55.8), (10, 57), (24, 58), (38, 59.5), (52, 56.5), (62, 51.5), (69.5, 44))

MIDLINE: tuple[tuple[Tissue, Points], ...] = (
    (Tissue.CORTEX, ((0, 0), (14, 1.5), (23, -3), (26.5, -14), (24, -28), (14, -37), (0, -39.5),
                     (-14, -37), (-24, -28), (-26.5, -14), (-23, -3), (-14, 1.5))),
    (Tissue.ANNULUS, ((0, -1), (13.5, 0.3), (22, -4), (25.2, -14), (22.8, -27), (13.4, -35.8),
                      (0, -38.3), (-13.4, -35.8), (-22.8, -27), (-25.2, -14), (-22, -4),
                      (-13.5, 0.3))),
    (Tissue.NUCLEUS, ((0, -7), (10, -7), (16, -12), (15, -20), (8, -25), (0, -26), (-8, -25),
                      (-15, -20), (-16, -12), (-10, -7))),
    (Tissue.LIGAMENT, ((0, 0), (10, 1), (14.5, 7), (12, 14), (5, 20), (0, 23), (-5, 20),
                       (-12, 14), (-14.5, 7), (-10, 1))),
    (Tissue.DEEP_FAT, ((0, 0.8), (8.5, 1.4), (12, 5), (10.5, 11), (5, 17.5), (0, 20.5),
                       (-5, 17.5), (-10.5, 11), (-12, 5), (-8.5, 1.4))),
    (Tissue.CSF, ((0, 1.3), (6.5, 2.2), (8.8, 6.5), (6, 12.2), (0, 14.2), (-6, 12.2),
                  (-8.8, 6.5), (-6.5, 2.2))),
)  # fmt: skip
"""Disc, canal and thecal sac, from the outside in."""

BONE: tuple[tuple[Tissue, Points], ...] = (
    (Tissue.CORTEX, ((0, 19.5), (4.5, 20), (5.2, 24), (3.6, 30), (3.4, 40), (4.2, 48), (3.2, 53),
                     (0, 54.3), (-3.2, 53), (-4.2, 48), (-3.4, 40), (-3.6, 30), (-5.2, 24),
                     (-4.5, 20))),
    (Tissue.MARROW, ((0, 23), (2.8, 23.5), (2.1, 31), (2, 40), (2.7, 48), (0, 52.3), (-2.7, 48),
                     (-2, 40), (-2.1, 31), (-2.8, 23.5))),
)  # fmt: skip
"""The spinous process."""

LEFT_BONE: tuple[tuple[Tissue, Points], ...] = (
    (Tissue.CORTEX, ((3.2, 22.5), (8, 18.5), (12.5, 13.5), (15.5, 11.5), (18.5, 13.5),
                     (17.5, 18.2), (13, 22), (8, 25), (4.4, 26.5))),
    (Tissue.MARROW, ((6.4, 22), (10, 19), (14, 15), (16.4, 14.6), (15.4, 17.6), (11.4, 21),
                     (8, 23.2))),
    (Tissue.CORTEX, ((15, 7.5), (19.5, 5.5), (24.5, 8), (25.5, 13.5), (23, 18.2), (20, 19.2),
                     (19.8, 15), (18.8, 11.2))),
    (Tissue.MARROW, ((17.6, 8.4), (20, 7.4), (23.2, 9.6), (23.6, 13.2), (22, 16.6), (21.4, 13),
                     (20, 10))),
    (Tissue.JOINT, ((15.4, 10.4), (17.6, 10.9), (19.3, 13.4), (19.1, 18), (18.5, 18),
                    (18.5, 13.9), (17.2, 11.7), (15.4, 11))),
)  # fmt: skip
"""Lamina with the inferior process, superior process, and the facet joint between them."""

LEFT_SOFT: tuple[tuple[Tissue, Points], ...] = (
    (Tissue.NERVE, ((17.5, 0.5), (20.5, 0), (22, 2.4), (19.8, 4.6), (17.4, 3.4))),
)
"""The nerve root that leaves."""

FRONT: tuple[tuple[Tissue, Points], ...] = (
    (Tissue.VESSEL_WALL, ((4, -41), (11, -41.5), (14.5, -47), (10, -54), (4, -53), (0.5, -47))),
    (Tissue.VESSEL, ((4.6, -42.4), (10.4, -42.8), (13, -47), (9.6, -52.4), (4.6, -51.8),
                     (2, -47))),
    (Tissue.VESSEL_WALL, ((-8, -41.2), (-17, -42), (-20, -47), (-15, -53), (-7, -52),
                          (-4, -46.5))),
    (Tissue.VESSEL, ((-8.4, -42.2), (-16.6, -43), (-18.8, -47), (-14.8, -52), (-7.6, -51),
                     (-5.2, -46.5))),
)  # fmt: skip
"""Aorta and vena cava, or the iliac vessels."""

_PSOAS: Points = (
    (29, -8), (34, 0), (42, 4.5), (51, 1), (56, -9), (54.5, -22), (47, -31), (37, -30.5),
    (30, -21),
)  # fmt: skip
_QUADRATUS: Points = (
    (46, 8.5), (54, 7), (62, 10), (70, 15.5), (72.5, 11), (67, 2.5), (59, -2.5), (52, 1),
)  # fmt: skip
_TRANSVERSE: Points = ((24, 7.5), (33, 7), (42, 9), (44, 11), (41, 12), (32, 11.6), (25, 12))
_FLANK: tuple[Points, ...] = (
    ((79, 22), (84.5, 14), (90, -4), (93, -26), (94, -60), (90, -60), (88.5, -26), (85, -4),
     (80, 12)),
    ((78, 13), (83.5, 4), (87.4, -14), (89, -34), (89, -60), (86, -60), (85.4, -34), (82.5, -13),
     (78.5, 2)),
    ((76.5, 6), (80.8, -6), (84, -22), (85, -60), (82.4, -60), (81, -24), (77.5, -8)),
)  # fmt: skip
_BOWEL: tuple[tuple[Tissue, Points], ...] = (
    (Tissue.MUSCLE, ((62, -36), (70, -33), (77, -40), (78, -52), (72, -62), (62, -60), (58, -48))),
    (Tissue.BOWEL, ((63, -38), (69.6, -35.4), (75, -41), (75.8, -52), (71, -60), (63, -58),
                    (60.4, -48))),
)  # fmt: skip
_ILIUM: Points = (
    (63, 44), (68, 46), (74, 37), (82, 22), (92, 4), (104, -16), (100, -22), (89, -8), (78, 8),
    (70, 20), (64, 33),
)  # fmt: skip
_GLUTEUS: Points = (
    (69, 46.5), (75, 47), (88, 38), (104, 18), (112, -4), (106, -13), (94, 5), (84, 23), (76, 36),
)  # fmt: skip
_ILIACUS: Points = (
    (66, 14), (76, 7), (87, -9.5), (99, -24), (94, -36), (80, -28), (70, -12), (64, 2),
)  # fmt: skip
_ALA: Points = (
    (26, -10), (36, -14), (48, -12), (58, -3), (63, 12), (60, 26), (52, 16), (42, 9), (30, 6),
)  # fmt: skip


def lateral(points: Points, level: Level) -> Points:
    """Return points of the back muscles' surroundings as far out as they are at a level."""
    at = PROPORTIONS[level]
    edge = 5 + 23 * at.multifidus
    inside = [(5 + (x - 5) * at.multifidus, y) for x, y in points if x <= 28]
    outside = [
        (edge + (x - 28) * at.erector, 36 + (y - 36) * at.erector_depth)
        for x, y in points
        if x > 28
    ]
    return tuple(inside + outside)


def multifidus(level: Level) -> Points:
    """Border of the left multifidus."""
    width = PROPORTIONS[level].multifidus
    return tuple((5 + (x - 5) * width if x > 6 else x, y) for x, y in _MULTIFIDUS)


def erector(level: Level) -> Points:
    """Border of the left erector spinae."""
    at = PROPORTIONS[level]
    # The side that faces the multifidus keeps the depth of the multifidus.
    edge = 5 + 23 * at.multifidus
    return tuple(
        (
            edge + (x - 28) * (at.erector if x > 32 else 1),
            y if x < 32 else 36 + (y - 36) * at.erector_depth,
        )
        for x, y in _ERECTOR
    )


def fascia(level: Level) -> Points:
    """Posterior layer of the thoracolumbar fascia, from the midline to the left."""
    return lateral(_FASCIA, level)


def left_soft(level: Level) -> tuple[tuple[Tissue, Points], ...]:
    """Muscles and bowel on the left that are not measured, and the nerve root."""
    if level is Level.L5_S1:
        psoas = tuple((x + 7, y - 9) for x, y in _PSOAS)
        muscles: tuple[Points, ...] = (psoas, _ILIACUS, _GLUTEUS)
    else:
        small = 0.9 if level is Level.L3_L4 else 1.0
        muscles = (tuple((29 + (x - 29) * small, y) for x, y in _PSOAS), _QUADRATUS, *_FLANK)
    return (*((Tissue.MUSCLE, points) for points in muscles), *_BOWEL, *LEFT_SOFT)


def left_bones(level: Level) -> tuple[Points, ...]:
    """Bones on the left beside the vertebra, by the outside of their cortex."""
    return (_ILIUM, _ALA) if level is Level.L5_S1 else (_TRANSVERSE,)
