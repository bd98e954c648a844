"""What an image is made of: one frozen value, in which every factor varies on its own."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import StrEnum

from multifidus import MultifidusError, Weighting
from multifidus.data.anatomy import choose


class Pattern(StrEnum):
    """How fat lies in a muscle."""

    LEAN = "lean"
    STREAKS = "streaks"
    DIFFUSE = "diffuse"
    BOTH = "both"


class Place(StrEnum):
    """Where in a muscle fat lies: anywhere, or more of it beside lamina and spinous process."""

    EVEN = "even"
    MEDIAL_DEEP = "medial_deep"


class Shading(StrEnum):
    """What the receive coil does to the signal.

    ``PLANE``: a straight fall in some direction. ``SURFACE``: an exponential fall from the back.
    ``ARRAY``: the root sum of squares of five loops behind the back, by the law of Biot and Savart.
    """

    NONE = "none"
    PLANE = "plane"
    SURFACE = "surface"
    ARRAY = "array"


class Void(StrEnum):
    """What takes the signal of a part of the left multifidus."""

    NONE = "none"
    METAL = "metal"
    FLOW = "flow"
    AIR = "air"


class Axis(StrEnum):
    """The direction in which fat is displaced: that of rows, or that of columns."""

    ROW = "row"
    COLUMN = "column"


@dataclass(frozen=True, slots=True, kw_only=True)
class FatContent:
    """Fat in the muscles, and the signal of fat.

    Parameters
    ----------
    streak_mm
        Width of a streak at its widest.
    pct
        Fat that each outline is to have; None for a content that differs between outlines: up to
        60 % in streaks, 3 to 30 % diffuse. It is met to about 1 %; the truth is counted.
    contrast
        Signal of pure fat over that of lean multifidus.
    spread_pct
        Pure fat of subcutaneous, epimuscular, intramuscular and other fat each differs by up to
        this much from that.
    """

    pattern: Pattern = Pattern.STREAKS
    streak_mm: float = 1.5
    place: Place = Place.EVEN
    pct: float | None = None
    contrast: float = 4.0
    spread_pct: float = 15.0

    def __post_init__(self) -> None:
        choose(self, {"pattern": Pattern, "place": Place}, MultifidusError)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeanTissue:
    """Signal of lean muscle, where 1 is that of the multifidus; and the size of the muscles.

    Parameters
    ----------
    erector_pct, right_pct
        How much brighter lean erector spinae is than lean multifidus, and the right side than
        the left.
    gradient_pct
        How much lean signal rises from the deepest to the most superficial place of a muscle:
        -30 runs from 1.15 down to 0.85.
    oedema_pct
        How much brighter a patch in each left muscle is in its middle.
    texture_pct
        Standard deviation of lean signal from place to place.
    small
        Whether each multifidus has shrunk to 1.5 cm2, with fat where it was.
    """

    erector_pct: float = 0.0
    right_pct: float = 0.0
    gradient_pct: float = 0.0
    oedema_pct: float = 0.0
    texture_pct: float = 3.0
    small: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Imaging:
    """How the image is acquired.

    Parameters
    ----------
    shading_pct
        How much weaker the signal is at the weakest place of the outlined muscles of a slice than
        at the strongest. With any shading, each slice has a gain of its own, 0.9 to 1.1.
    shift_px, shift_axis
        Displacement of fat, which headers state without its sign.
    snr
        Signal of lean multifidus, where the coil's gain is 1, over the standard deviation of the
        noise in the real and in the imaginary part.
    bits
        Of a stored pixel; 0 stores what was computed, unrounded.
    blur_px, spacing_mm
        Standard deviation of the point spread, 0.3 to 0.8, and pixel spacing, 0.5 to 0.9: by the
        seed where None.
    """

    weighting: Weighting = Weighting.T2
    shading: Shading = Shading.NONE
    shading_pct: float = 0.0
    shift_px: float = 0.0
    shift_axis: Axis = Axis.ROW
    snr: float = 25.0
    bits: int = 12
    blur_px: float | None = None
    spacing_mm: float | None = None

    def __post_init__(self) -> None:
        words = {"weighting": Weighting, "shading": Shading, "shift_axis": Axis}
        choose(self, words, MultifidusError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a rater draws beside the muscles, and how well.

    Parameters
    ----------
    tracing_mm
        Standard deviation of a traced border from the true one.
    references
        Whether samples of lean muscle and of subcutaneous fat are drawn.
    subcutaneous
        Whether the subcutaneous fat is outlined.
    void
        What takes signal away, and whether it is outlined as an artefact (``void_drawn``).
    """

    tracing_mm: float = 0.3
    references: bool = True
    subcutaneous: bool = False
    void: Void = Void.NONE
    void_drawn: bool = True

    def __post_init__(self) -> None:
        choose(self, {"void": Void}, MultifidusError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that makes an exam, but for the seed; the default of each factor is neutral."""

    fat: FatContent = field(default=FatContent())
    lean: LeanTissue = field(default=LeanTissue())
    imaging: Imaging = field(default=Imaging())
    drawing: Drawing = field(default=Drawing())

    def but(self, **changes: object) -> Scene:
        """Return the scene with some factors changed, named as the fields of its four parts.

        Raises
        ------
        KeyError
            If no part has such a factor.
        """
        parts = {name: getattr(self, name) for name in self.__slots__}
        for name, value in changes.items():
            owner = next((part for part in parts if hasattr(parts[part], name)), None)
            if owner is None:
                raise KeyError(name)
            parts[owner] = replace(parts[owner], **{name: value})
        return Scene(**parts)


QUIET = Scene().but(snr=math.inf, bits=0, blur_px=0.0, texture_pct=0.0, spread_pct=0.0,
                    tracing_mm=0.0)  # fmt: skip
"""No noise, no rounding, no blur, one level of lean muscle and one of fat, exact outlines."""
