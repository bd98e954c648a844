"""The subject: one anatomy, from which every point's tissue follows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.anatomy import Level, Structure
from multifidus.data.geometry import tilt_deg
from multifidus.phantom.fat import FatPattern, StreakField
from multifidus.phantom.muscles import muscles
from multifidus.phantom.skeleton import Implants, Skeleton
from multifidus.phantom.spec import PhantomSpec, Sex, Variant
from multifidus.phantom.spine import Pose, SpineCurve, disc_s_mm, lumbar_spine
from multifidus.phantom.tissue import Tissue
from multifidus.phantom.trunk import Trunk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_FEMALE_SCALE = 0.88

_BLOCK = 200_000
"""Points classified at once; bounds the memory."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """The phantom's anatomy as it lies in the scanner.

    Parameters
    ----------
    spine
        The spine's curve, in anatomical coordinates.
    pose
        How the anatomy lies in the scanner.
    patterns
        The muscles and their fat.
    skeleton, trunk
        Everything that is not measured.
    implants
        Screws and rods, if any.
    """

    spine: SpineCurve
    pose: Pose
    patterns: tuple[FatPattern, ...]
    skeleton: Skeleton
    trunk: Trunk
    implants: Implants | None

    def to_spine(self, points_mm: Array) -> tuple[Array, Array, Array]:
        """Map patient points, shape (n, 3), to u, v and s along the spine."""
        return self.spine.to_spine(self.pose.to_anatomy(points_mm))

    def to_patient(self, uvs: Array) -> Array:
        """Map spine coordinates, shape (n, 3), to patient millimetres."""
        return self.pose.to_patient(self.spine.to_anatomy(uvs))

    def disc_tilt_deg(self, disc: Level) -> float:
        """Tilt of a disc against patient z, in the patient's sagittal plane."""
        s = disc_s_mm(disc)
        low, high = self.to_patient(np.array([(0, 0, s - 0.1), (0, 0, s + 0.1)]))
        return tilt_deg(high - low)

    def patterns_at(self, disc: Level) -> tuple[FatPattern, ...]:
        """Return the muscles there are at a disc: the quadratus ends at the ilium."""
        absent = {Structure.QUADRATUS_LUMBORUM} if disc is Level.L5_S1 else set()
        return tuple(p for p in self.patterns if p.muscle.structure not in absent)

    def tissues(self, points_mm: Array) -> NDArray[np.uint8]:
        """Tell the tissue at every point, shape (n, 3), as numbers of :class:`Tissue`."""
        found = np.empty(len(points_mm), dtype=np.uint8)
        for first in range(0, len(points_mm), _BLOCK):
            block = slice(first, first + _BLOCK)
            found[block] = self._tissues(self.pose.to_anatomy(points_mm[block]))
        return found

    def _tissues(self, points: Array) -> NDArray[np.uint8]:
        found = np.full(len(points), Tissue.AIR, dtype=np.uint8)
        u, v, s = spine = self.spine.to_spine(points)
        self.trunk.paint(found, points, spine)
        self.skeleton.paint(found, u, v, s)
        for pocket in self.trunk.pockets:
            found[pocket.contains(u, v, s)] = Tissue.FAT
        for pattern in self.patterns:
            at = np.flatnonzero(pattern.muscle.solid.contains(u, v, s))
            fat = pattern.contains(u[at], v[at], s[at])
            found[at] = np.where(fat, Tissue.FAT, Tissue.MUSCLE)
        if self.implants is not None:
            self.implants.paint(found, u, v, s)
        return found


def make_subject(spec: PhantomSpec) -> Subject:
    """Build the subject of a phantom exam."""
    scale = _FEMALE_SCALE if spec.sex is Sex.FEMALE else 1.0
    field, patterns = _fat(spec.variant, spec.sex, spec.seed)
    return Subject(
        lumbar_spine(),
        _pose(spec),
        patterns,
        Skeleton(scale),
        Trunk(scale, field, spec.seed),
        Implants() if spec.screws else None,
    )


@lru_cache(maxsize=4)
def _fat(variant: Variant, sex: Sex, seed: int) -> tuple[StreakField, tuple[FatPattern, ...]]:
    """Draw and fit the streaks of fat: kept, as one subject is often imaged in several ways."""
    field = _field(seed)
    return field, tuple(
        FatPattern.calibrated(muscle, field, seed) for muscle in muscles(variant, sex)
    )


@lru_cache(maxsize=1)
def _field(seed: int) -> StreakField:
    """Draw the random fields: those of all variants of a subject, before and after surgery."""
    return StreakField.from_seed(seed)


def _pose(spec: PhantomSpec) -> Pose:
    """Lay the subject down: each variant a little differently, by the seed."""
    if spec.still:
        return Pose(np.eye(3), np.zeros(3))
    rng = np.random.default_rng([spec.seed, 4, [*Variant].index(spec.variant)])
    angles = rng.uniform((-1.5, -1.0, -1.0), (1.5, 1.0, 1.0))
    return Pose.from_angles(angles, rng.uniform((-6, -5, -12), (6, 5, 12)))
