"""Series that readers get wrong, in DICOM files whose every voxel holds its own patient z.

Rescaled, a voxel's value is its z in millimetres, to ``QUANTUM_MM / 2``. Whatever a reader says
about where a voxel lies can so be checked against the voxel itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydicom import dcmread
from pydicom.sequence import Sequence as Items
from pydicom.valuerep import DSfloat

from multifidus.data.geometry import Plane
from tests.support.dicoms import ROOT, classic, decimals, enhanced, item, write

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom.dataset import Dataset

    Change = Callable[[Dataset, int], None]

SHAPE = (24, 32)
STEP_MM = 4.4
QUANTUM_MM = 0.1
LOWEST_Z_MM = -200.0
FLOOR_MM = 0.06
"""Half a quantum, and a little for the decimals of a header."""


@dataclass(frozen=True)
class Image:
    """One slice to be written, and what its header says besides its place."""

    plane: Plane
    quantum_mm: float = QUANTUM_MM
    """Of the stored values: images at one place that are to differ have quanta that differ."""
    kind: tuple[str, ...] = ("ORIGINAL", "PRIMARY", "M", "SE")
    echo_ms: float = 100.0
    echo: int | None = 1
    time: int | None = None
    component: str | None = None
    """Of a complex image; only Enhanced objects say it apart from the image type."""

    @property
    def stored(self) -> NDArray[np.uint16]:
        z = self.plane.to_patient(list(np.ndindex(SHAPE)))[:, 2].reshape(SHAPE)
        return np.round((z - LOWEST_Z_MM) / self.quantum_mm).astype(np.uint16)


@dataclass(frozen=True)
class Expected:
    """One series as it should be read: the sizes of its stacks, largest first."""

    stacks: tuple[int, ...]
    weighting: str = "t2"
    flags: tuple[str, ...] = ()
    orientation: str = "axial"


@dataclass(frozen=True)
class Trap:
    """A series, what is tricky about it, and what a reader should make of it."""

    name: str
    tricky: str
    write: Callable[[Path], object]
    expected: tuple[Expected, ...]
    skipped: int = 0
    """Files or frames that are passed over with a reason."""
    refused_slices: int = 0
    """Slices that are written, where none of them is read."""


# --- places ------------------------------------------------------------------------------------


def oblique(
    height_mm: float,
    tilt: float = 12.0,
    *,
    roll: float = 0.0,
    turn: float = 0.0,
    spacing: tuple[float, float] = (0.9, 0.9),
) -> Plane:
    """Return an axial plane around (5, -30, height), tilted about x, y and turned within itself."""
    x, y, z = np.radians((tilt, roll, turn))
    about_x = [(1, 0, 0), (0, np.cos(x), -np.sin(x)), (0, np.sin(x), np.cos(x))]
    about_y = [(np.cos(y), 0, np.sin(y)), (0, 1, 0), (-np.sin(y), 0, np.cos(y))]
    about_z = [(np.cos(z), -np.sin(z), 0), (np.sin(z), np.cos(z), 0), (0, 0, 1)]
    axes = np.array(about_x) @ np.array(about_y) @ np.array(about_z)
    row_step, column_step = axes[:, 1] * spacing[0], axes[:, 0] * spacing[1]
    corner = -(SHAPE[0] - 1) / 2 * row_step - (SHAPE[1] - 1) / 2 * column_step
    return Plane(np.array((5.0, -30.0, height_mm)) + corner, row_step, column_step)


def moved(plane: Plane, offset_mm: NDArray[np.float64]) -> Plane:
    return Plane(plane.origin_mm + offset_mm, plane.row_step_mm, plane.column_step_mm)


def stack(plane: Plane, count: int, step_mm: float = STEP_MM) -> list[Plane]:
    """Return parallel planes, from a first one along its normal."""
    return [moved(plane, k * step_mm * plane.normal) for k in range(count)]


def at_heights(plane: Plane, heights_mm: Iterable[float]) -> list[Plane]:
    return [moved(plane, height * plane.normal) for height in heights_mm]


DISCS = [(-75, 26), (-38, 14), (-4, 5), (31, -4), (67, -12)]
"""Height and tilt of five discs."""


def disc_angled(count: int = 4) -> list[Plane]:
    return [plane for z, tilt in DISCS for plane in stack(oblique(z, tilt), count)]


def parallel_blocks() -> list[Plane]:
    return [plane for z, _ in DISCS for plane in stack(oblique(z), 4)]


def three_planes() -> list[Plane]:
    axial = oblique(0, 8)
    sagittal = Plane((5, -50, 20), (0, 0.1, -0.9), (0, 0.9, 0.1))
    coronal = Plane((-20, -30, 20), (0, 0.1, -0.9), (0.9, 0, 0))
    return [plane for first in (axial, sagittal, coronal) for plane in stack(first, 3, 10.0)]


def sheared(count: int = 8) -> list[Plane]:
    """Return slices tilted by 20 degrees whose positions go straight along z."""
    return [oblique(k * STEP_MM, 20) for k in range(count)]


# --- files -------------------------------------------------------------------------------------


def images(planes: Iterable[Plane], **facts: Any) -> list[Image]:
    return [Image(plane, **facts) for plane in planes]


def write_classic(
    found: Sequence[Image], folder: Path, change: Change = lambda dataset, number: None
) -> None:
    """Write one file an image, numbered as scanners acquire them: every other slice first."""
    interleaved = [*found[::2], *found[1::2]]
    for number, image in enumerate(interleaved, 1):
        dataset = classic(image.plane, image.stored, number)
        dataset.RescaleSlope, dataset.RescaleIntercept = decimals((image.quantum_mm, LOWEST_Z_MM))
        dataset.ImageType, dataset.EchoTime = list(image.kind), DSfloat(image.echo_ms)
        dataset.EchoNumbers, dataset.TemporalPositionIdentifier = image.echo, image.time
        for name in ("EchoNumbers", "TemporalPositionIdentifier"):
            if dataset[name].value is None:
                delattr(dataset, name)
        dataset.SpacingBetweenSlices, dataset.PatientPosition = DSfloat(STEP_MM), "HFS"
        change(dataset, number)
        # Names say nothing about the order.
        write(dataset, folder / f"{number * 7919 % 1009:04}.dcm")


def enhanced_dataset(found: Sequence[Image]) -> Dataset:
    """Return images as one Enhanced object."""
    groups: list[dict[str, Dataset]] = []
    for image in found:
        group = {
            "PixelValueTransformationSequence": item(
                RescaleSlope=decimals([image.quantum_mm])[0],
                RescaleIntercept=DSfloat(LOWEST_Z_MM),
                RescaleType="US",
            ),
            "MRImageFrameTypeSequence": item(
                FrameType=list(image.kind),
                **({"ComplexImageComponent": image.component} if image.component else {}),
            ),
            "MREchoSequence": item(EffectiveEchoTime=image.echo_ms),
        }
        if image.time is not None:
            group["FrameContentSequence"] = item(TemporalPositionIndex=image.time)
        groups.append(group)
    pixels = np.stack([image.stored for image in found])
    dataset = enhanced([image.plane for image in found], pixels, groups)
    kinds = {image.kind for image in found}
    dataset.ImageType = list(found[0].kind) if len(kinds) == 1 else ["DERIVED", "PRIMARY", "MIXED"]
    return dataset


def write_enhanced(
    found: Sequence[Image], folder: Path, change: Change = lambda dataset, number: None
) -> None:
    dataset = enhanced_dataset(found)
    change(dataset, 0)
    write(dataset, folder / "enhanced.dcm")


def write_shared(found: Sequence[Image], folder: Path) -> None:
    """Write an Enhanced object whose frames say alone where they lie, and share all else."""
    dataset = enhanced_dataset(found)
    (shared,) = dataset.SharedFunctionalGroupsSequence
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        for element in list(frame):
            if element.keyword != "PlanePositionSequence":
                shared[element.keyword] = element
                delattr(frame, element.keyword)
    write(dataset, folder / "enhanced.dcm")


def write_unshared(found: Sequence[Image], folder: Path) -> None:
    """Write an Enhanced object that repeats everything in every frame and shares nothing."""
    dataset = enhanced_dataset(found)
    (shared,) = dataset.SharedFunctionalGroupsSequence
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        for element in shared:
            if element.keyword not in frame:
                frame[element.keyword] = element
    del dataset.SharedFunctionalGroupsSequence
    write(dataset, folder / "enhanced.dcm")


def write_twice(found: Sequence[Image], folder: Path) -> None:
    write_classic(found, folder / "a")
    write_classic(found, folder / "b")


def write_with_copy(found: Sequence[Image], folder: Path) -> None:
    """Write images and once more the fourth of them, as an instance of its own."""
    write_classic([*found, found[3]], folder)


def write_with_one_uid(found: Sequence[Image], folder: Path) -> None:
    write_classic(found, folder, with_one_uid)


def write_without_uids(found: Sequence[Image], folder: Path) -> None:
    write_classic(found, folder)
    for path in folder.iterdir():
        dataset = dcmread(path)
        dataset.SOPInstanceUID = ""
        dataset.save_as(path, enforce_file_format=False)


# --- changes to headers ------------------------------------------------------------------------


def with_private_scaling(dataset: Dataset, number: int) -> None:
    """Add other scalings, which turn stored values into something that is not the signal."""
    block = dataset.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    block.add_new(0x0E, "FL", 0.5)
    block.add_new(0x0D, "FL", 3.0)
    dataset.RealWorldValueMappingSequence = Items(
        [item(RealWorldValueIntercept=7.0, RealWorldValueSlope=2.0 + number, LUTLabel="X")]
    )


def monochrome1(dataset: Dataset, number: int) -> None:
    dataset.PhotometricInterpretation = "MONOCHROME1"


def signed(dataset: Dataset, number: int) -> None:
    stored = np.frombuffer(dataset.PixelData, np.uint16).astype(np.int16) - 2000
    dataset.PixelRepresentation, dataset.RescaleIntercept = 1, DSfloat(0)
    dataset.PixelData = stored.astype(np.int16).tobytes()


def signed_frames(dataset: Dataset, number: int) -> None:
    signed(dataset, number)
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        frame.PixelValueTransformationSequence[0].RescaleIntercept = DSfloat(0)


def with_overlay_bits(dataset: Dataset, number: int) -> None:
    stored = np.frombuffer(dataset.PixelData, np.uint16)
    overlay = np.random.default_rng(number).integers(0, 16, stored.shape).astype(np.uint16) << 12
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.PixelData = (stored | overlay).astype(np.uint16).tobytes()
    _add_overlay(dataset, bits=16, position=12)


def with_overlay_plane(dataset: Dataset, number: int) -> None:
    bits = np.random.default_rng(number).integers(0, 256, SHAPE[0] * SHAPE[1] // 8)
    _add_overlay(dataset, bits=1, position=0)
    dataset.add_new((0x6000, 0x3000), "OW", bits.astype(np.uint8).tobytes())


def _add_overlay(dataset: Dataset, *, bits: int, position: int) -> None:
    for element, vr, value in (
        (0x0010, "US", SHAPE[0]),
        (0x0011, "US", SHAPE[1]),
        (0x0040, "CS", "G"),
        (0x0050, "SS", [1, 1]),
        (0x0100, "US", bits),
        (0x0102, "US", position),
    ):
        dataset.add_new((0x6000, element), vr, value)


def noisy(size: float) -> Change:
    """Write each slice's direction with an error of its own."""

    def change(dataset: Dataset, number: int) -> None:
        error = np.random.default_rng(number).uniform(-size, size, 6)
        directions = np.array(dataset.ImageOrientationPatient, dtype=np.float64) + error
        dataset.ImageOrientationPatient = decimals(directions)

    return change


def lying(position: str) -> Change:
    def change(dataset: Dataset, number: int) -> None:
        dataset.PatientPosition = position

    return change


def bare(dataset: Dataset, number: int) -> None:
    for name in ("SliceThickness", "SpacingBetweenSlices", "PatientPosition", "InstanceNumber"):
        delattr(dataset, name)


def bare_frames(dataset: Dataset, number: int) -> None:
    for frame in dataset.PerFrameFunctionalGroupsSequence:
        del frame.PixelMeasuresSequence[0].SliceThickness


def without(name: str) -> Change:
    def change(dataset: Dataset, number: int) -> None:
        delattr(dataset, name)

    return change


def with_wrong_step(dataset: Dataset, number: int) -> None:
    dataset.SpacingBetweenSlices, dataset.SliceLocation = DSfloat(10), DSfloat(3 * number)


def with_one_uid(dataset: Dataset, number: int) -> None:
    dataset.SOPInstanceUID = f"{ROOT}.1.1.1"


def other_frame(dataset: Dataset, number: int) -> None:
    if number > 4:
        dataset.FrameOfReferenceUID = f"{ROOT}.8"


# --- the traps ---------------------------------------------------------------------------------

PARALLEL = images(stack(oblique(-30, 12, roll=5), 15))
SHORT = stack(oblique(-10, 9, roll=-4, turn=3), 5)
DIXON = {
    "dixon_water": ("DERIVED", "PRIMARY", "DIXON", "WATER"),
    "dixon_fat": ("DERIVED", "PRIMARY", "DIXON", "FAT"),
    "dixon_in_phase": ("DERIVED", "PRIMARY", "DIXON", "IN_PHASE"),
    "dixon_opposed_phase": ("DERIVED", "PRIMARY", "DIXON", "OPP_PHASE"),
}
LETTERS = {
    "dixon_water": ("DERIVED", "PRIMARY", "M", "W", "W"),
    "dixon_fat": ("DERIVED", "PRIMARY", "M", "F", "F"),
    "dixon_in_phase": ("ORIGINAL", "PRIMARY", "M", "IP", "IP"),
    "dixon_opposed_phase": ("ORIGINAL", "PRIMARY", "M", "OP", "OP"),
}
QUANTA_MM = (0.1, 0.05, 0.08, 0.04)


def at_one_place(*facts: dict[str, Any]) -> list[Image]:
    """Return one short stack for each set of facts, slice by slice, all with pixels that differ."""
    return [
        Image(plane, quantum_mm=quantum, **fact)
        for plane in SHORT
        for quantum, fact in zip(QUANTA_MM, facts, strict=False)
    ]


MAGNITUDE_PHASE = at_one_place(
    {"kind": ("ORIGINAL", "PRIMARY", "M", "ND")}, {"kind": ("ORIGINAL", "PRIMARY", "P", "ND")}
)
TIMES = at_one_place({"time": 1}, {"time": 2}, {"time": 10})
REPEATS = at_one_place({}, {}, {})
ECHOES = at_one_place({"echo_ms": 70.0, "echo": 1}, {"echo_ms": 100.0, "echo": 2})
SCALED = [
    replace(image, quantum_mm=quantum)
    for image, quantum in zip(PARALLEL, itertools.cycle(QUANTA_MM), strict=False)
]
UNEVEN = images(at_heights(oblique(-20), (0, 4.4, 8.8, 14.8, 19.2, 23.6, 28.7, 33.1)))
MISSING = PARALLEL[:7] + PARALLEL[8:]
OTHER_AT_ONE_PLACE = [*PARALLEL, replace(PARALLEL[3], quantum_mm=0.05)]

_FIFTEEN = (Expected((15,)),)
_DISCS = (Expected((4,) * 5),)
_TWICE = (Expected((5,)), Expected((5,)))
_DIXON = tuple(Expected((5,), weighting) for weighting in DIXON)
_PHASE = (Expected((5,)), Expected((5,), "no_signal"))


def _classic(
    name: str,
    tricky: str,
    found: Sequence[Image],
    *expected: Expected,
    change: Change = lambda dataset, number: None,
) -> Trap:
    return Trap(name, tricky, lambda folder: write_classic(found, folder, change), expected)


def _enhanced(
    name: str,
    tricky: str,
    found: Sequence[Image],
    *expected: Expected,
    skipped: int = 0,
    change: Change = lambda dataset, number: None,
) -> Trap:
    return Trap(
        f"enhanced_{name}",
        tricky,
        lambda folder: write_enhanced(found, folder, change),
        expected,
        skipped,
    )


def _position(name: str, tricky: str, position: str, plane: Plane) -> Trap:
    found = images(stack(plane, 6))
    return _classic(name, tricky, found, Expected((6,)), change=lying(position))


def _flipped(plane: Plane) -> Plane:
    """Return the same grid with columns running the other way, so that its normal turns round."""
    far = plane.origin_mm + (SHAPE[1] - 1) * plane.column_step_mm
    return Plane(far, plane.row_step_mm, -plane.column_step_mm)


def _mosaic(folder: Path) -> None:
    tiles = [oblique(0), *[oblique(z) for z in (5, 10, 15)]]
    parts = [Image(plane).stored for plane in tiles]
    pixels = np.block([parts[:2], parts[2:]])
    dataset = classic(tiles[0], pixels)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    write(dataset, folder / "mosaic.dcm")


TRAPS: tuple[Trap, ...] = (
    _classic("parallel_oblique", "oblique about two axes", PARALLEL, *_FIFTEEN),
    _classic("disc_angled", "five angles in one series", images(disc_angled()), *_DISCS),
    _classic(
        "three_degrees_apart",
        "nearly parallel stacks",
        images([*stack(oblique(0, 5), 4), *stack(oblique(22, 8), 4)]),
        Expected((4, 4)),
    ),
    _classic(
        "steep_disc",
        "the lowest stack is nearer to coronal than to axial",
        images([p for z, tilt in [(-75, 52), (-38, 20)] for p in stack(oblique(z, tilt), 3)]),
        Expected((3, 3)),
    ),
    _classic("parallel_blocks", "gaps, one orientation", images(parallel_blocks()), *_DISCS),
    _classic(
        "one_slice_a_level", "no two parallel", images(disc_angled(1)), Expected((1, 1, 1, 1, 1))
    ),
    Trap(
        "duplicated_slice",
        "one slice again, with a UID of its own",
        lambda folder: write_with_copy(PARALLEL, folder),
        _FIFTEEN,
        skipped=1,
    ),
    Trap(
        "every_file_twice",
        "the same UIDs in two folders",
        lambda folder: write_twice(PARALLEL, folder),
        _FIFTEEN,
        skipped=15,
    ),
    _classic(
        "one_uid_for_all",
        "de-identified until every image has the same UID",
        PARALLEL,
        Expected((15,), flags=("uid_repeated",)),
        change=with_one_uid,
    ),
    _classic(
        "one_uid_for_two_echoes",
        "the same UID, and two images at each place",
        ECHOES,
        *[Expected((5,), flags=("uid_repeated",))] * 2,
        change=with_one_uid,
    ),
    Trap(
        "no_uid",
        "images without UIDs of their own",
        lambda folder: write_without_uids(PARALLEL, folder),
        (Expected((15,), flags=("uid_repeated",)),),
    ),
    _classic(
        "other_image_at_one_place",
        "a slice that was repeated",
        OTHER_AT_ONE_PLACE,
        Expected((15, 1), flags=("slices_duplicated",)),
    ),
    _classic(
        "missing_slice",
        "the eighth of fifteen is not there",
        MISSING,
        Expected((7, 7), flags=("slices_missing",)),
    ),
    _classic(
        "uneven_gaps",
        "steps of 4.4, 6.0 and 5.1 mm",
        UNEVEN,
        Expected((3, 3, 2), flags=("slices_uneven",)),
    ),
    _classic(
        "sheared",
        "steps along z, normals at 20 degrees",
        images(sheared()),
        Expected((8,), flags=("stack_sheared",)),
    ),
    _classic("single_slice", "no step at all", images([oblique(3)]), Expected((1,))),
    _classic(
        "localizer",
        "three planes in one series",
        images(three_planes(), kind=("ORIGINAL", "PRIMARY", "LOCALIZER")),
        *(
            Expected((3,), "localizer", (), orientation)
            for orientation in ("axial", "sagittal", "coronal")
        ),
    ),
    _classic("two_echoes", "two images at each place", ECHOES, *_TWICE),
    _classic(
        "two_echoes_unnumbered",
        "only the echo time differs",
        [replace(image, echo=None) for image in ECHOES],
        *_TWICE,
    ),
    _classic(
        "two_echoes_numbered_alike",
        "EchoNumbers is 1 throughout",
        [replace(image, echo=1) for image in ECHOES],
        *_TWICE,
    ),
    _classic(
        "echo_time_jitter",
        "echo times that differ by rounding are one echo",
        [Image(plane, echo_ms=99.95 + 0.01 * k) for k, plane in enumerate(SHORT)],
        Expected((5,)),
    ),
    _classic(
        "dixon_words",
        "four contrasts in one series",
        at_one_place(*({"kind": kind} for kind in DIXON.values())),
        *_DIXON,
    ),
    _classic(
        "dixon_letters",
        "contrasts named by single letters",
        at_one_place(*({"kind": kind} for kind in LETTERS.values())),
        *_DIXON,
    ),
    _classic("magnitude_phase", "a phase has no weighting", MAGNITUDE_PHASE, *_PHASE),
    _classic("time_points", "4-D with an index", TIMES, *[Expected((5,))] * 3),
    _classic(
        "repeats_without_index",
        "4-D without an index",
        REPEATS,
        Expected((5, 5, 5), flags=("slices_duplicated",)),
    ),
    _classic(
        "rescale_a_slice",
        "a slope of its own for every slice",
        SCALED,
        *_FIFTEEN,
    ),
    _classic(
        "private_scaling",
        "a scale slope and a real-world map besides the rescale",
        PARALLEL,
        *_FIFTEEN,
        change=with_private_scaling,
    ),
    Trap(
        "monochrome1",
        "shown inverted, stored as it is",
        lambda folder: write_classic(PARALLEL, folder, monochrome1),
        (),
        skipped=15,
        refused_slices=15,
    ),
    _classic("signed", "values below zero", PARALLEL, *_FIFTEEN, change=signed),
    _classic(
        "overlay_bits",
        "an overlay in the bits above 12",
        PARALLEL,
        *_FIFTEEN,
        change=with_overlay_bits,
    ),
    _classic(
        "overlay_plane",
        "an overlay beside the pixels",
        PARALLEL,
        *_FIFTEEN,
        change=with_overlay_plane,
    ),
    _classic(
        "non_square",
        "0.7 x 1.1 mm",
        images(stack(oblique(0, 15, roll=6, spacing=(0.7, 1.1)), 6)),
        Expected((6,)),
    ),
    *(
        _classic(f"noise_{size:g}", "directions differ", PARALLEL, *_FIFTEEN, change=noisy(size))
        for size in (1e-7, 1e-6, 1e-5, 5e-5, 1e-4)
    ),
    _position("prone", "rows run to anterior", "HFP", oblique(0, 8, turn=180)),
    _position("decubitus", "rows run to the side", "HFDL", oblique(0, 8, turn=90)),
    _position("decubitus_right", "rows run to the other side", "HFDR", oblique(0, 8, turn=-90)),
    _position("feet_first_prone", "both at once", "FFP", _flipped(oblique(0, 8, turn=180))),
    _position("feet_first", "normals point to the feet", "FFS", _flipped(oblique(0, 8))),
    _classic(
        "bare_header", "no thickness, step, position or number", PARALLEL, *_FIFTEEN, change=bare
    ),
    *(
        _classic(
            f"no_{name}", "absent from every header", PARALLEL, *_FIFTEEN, change=without(name)
        )
        for name in ("SliceThickness", "SpacingBetweenSlices", "PatientPosition")
    ),
    _classic(
        "wrong_step",
        "a step and places along the table that contradict the positions",
        PARALLEL,
        *_FIFTEEN,
        change=with_wrong_step,
    ),
    _classic(
        "axial_and_sagittal",
        "two orientations under one UID",
        images(three_planes()[:6]),
        Expected((3,)),
        Expected((3,), orientation="sagittal"),
    ),
    _classic(
        "two_frames_of_reference",
        "the patient was moved in between: places cannot be compared",
        # Written every other slice first, so the first four files are slices 1, 3, 5 and 7.
        [
            image
            for pair in zip(images(stack(oblique(0), 4)), images(stack(oblique(0), 4)), strict=True)
            for image in pair
        ],
        *[Expected((4,))] * 2,
        change=other_frame,
    ),
    Trap("mosaic", "four slices tiled in one image", _mosaic, (), skipped=1, refused_slices=4),
    _enhanced("parallel_oblique", "frames", PARALLEL, *_FIFTEEN),
    _enhanced("disc_angled", "five angles in one object", images(disc_angled()), *_DISCS),
    _enhanced("parallel_blocks", "gaps", images(parallel_blocks()), *_DISCS),
    _enhanced("time_points", "4-D", TIMES, *[Expected((5,))] * 3),
    _enhanced("two_echoes", "two frames at each place", ECHOES, *_TWICE),
    _enhanced(
        "duplicated_slice", "one frame again", [*PARALLEL, PARALLEL[3]], *_FIFTEEN, skipped=1
    ),
    _enhanced(
        "other_image_at_one_place",
        "a frame that was repeated",
        OTHER_AT_ONE_PLACE,
        Expected((15, 1), flags=("slices_duplicated",)),
    ),
    _enhanced("missing_slice", "14 of 15", MISSING, Expected((7, 7), flags=("slices_missing",))),
    _enhanced(
        "sheared", "steps along z", images(sheared()), Expected((8,), flags=("stack_sheared",))
    ),
    Trap(
        "enhanced_unshared",
        "no shared functional groups",
        lambda folder: write_unshared(images(disc_angled()), folder),
        _DISCS,
    ),
    _enhanced(
        "mixed_dixon",
        "ImageType is MIXED, only frames tell their contrast",
        at_one_place(*({"kind": kind} for kind in DIXON.values())),
        *_DIXON,
    ),
    Trap(
        "enhanced_shared",
        "direction, spacing and rescale are said once for all frames",
        lambda folder: write_shared(PARALLEL, folder),
        _FIFTEEN,
    ),
    _enhanced("shuffled", "every other frame first", [*PARALLEL[::2], *PARALLEL[1::2]], *_FIFTEEN),
    _enhanced("uneven_gaps", "three steps", UNEVEN, Expected((3, 3, 2), flags=("slices_uneven",))),
    _enhanced("single_slice", "one frame", images([oblique(3)]), Expected((1,))),
    _enhanced(
        "non_square",
        "0.7 x 1.1 mm",
        images(stack(oblique(0, 15, roll=6, spacing=(0.7, 1.1)), 6)),
        Expected((6,)),
    ),
    _enhanced("decubitus", "turned", images(stack(oblique(0, 8, turn=90), 6)), Expected((6,))),
    _enhanced("feet_first", "flipped", images(stack(_flipped(oblique(0, 8)), 6)), Expected((6,))),
    Trap(
        "enhanced_monochrome1",
        "stored as it is",
        lambda folder: write_enhanced(PARALLEL, folder, monochrome1),
        (),
        skipped=1,
        refused_slices=15,
    ),
    _enhanced("signed", "values below zero", PARALLEL, *_FIFTEEN, change=signed_frames),
    _enhanced("overlay_bits", "in bits above 12", PARALLEL, *_FIFTEEN, change=with_overlay_bits),
    _enhanced(
        "private_scaling", "scales besides", PARALLEL, *_FIFTEEN, change=with_private_scaling
    ),
    _enhanced("bare_header", "no thickness", PARALLEL, *_FIFTEEN, change=bare_frames),
    _enhanced("two_image_types", "magnitude and phase", MAGNITUDE_PHASE, *_PHASE),
    _enhanced(
        "complex_components",
        "the image type does not tell magnitude from phase",
        at_one_place({"component": "MAGNITUDE"}, {"component": "PHASE"}),
        *_PHASE,
    ),
    _enhanced(
        "rescale_a_frame",
        "a slope of its own for every frame",
        SCALED,
        *_FIFTEEN,
    ),
)
"""Every trap; names are unique."""

TWO_FORMS: dict[str, Sequence[Image]] = {
    "parallel": PARALLEL,
    "disc_angled": images(disc_angled()),
    "sheared": images(sheared()),
    "missing_slice": MISSING,
    "uneven_gaps": UNEVEN,
    "localizer": images(three_planes(), kind=("ORIGINAL", "PRIMARY", "LOCALIZER")),
    "rescale_a_slice": SCALED,
    "two_echoes": ECHOES,
    "dixon": at_one_place(*({"kind": kind} for kind in DIXON.values())),
    "magnitude_phase": MAGNITUDE_PHASE,
    "time_points": TIMES,
}
"""Images to be written in both forms, classic and Enhanced."""
