"""Fat by every method: five levels, two sides, one exam in memory; and the coil's shading."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

import multifidus as mf
from benchmarks.timing import Comparison, alternate
from multifidus.data.anatomy import Structure
from multifidus.data.image import Exam
from multifidus.data.protocol import BiasCorrection, FatMethod, MeasurementProtocol
from multifidus.data.roi_set import RoiSet
from multifidus.measuring.bias_field import n4
from multifidus.measuring.bias_field.correction import fit_bias_field
from multifidus.measuring.fat.clusters import Clusters, kmeans, mixture
from multifidus.measuring.locate import place
from multifidus.measuring.slice_pixels import read_outline_pixels
from multifidus.measuring.weighted_pixels import WeightedPixels
from multifidus.phantom import PhantomSpec, make_phantom

SPEC = PhantomSpec(
    slices_per_stack=1, sagittal=False, matrix=512, pixel_mm=0.43, contrast=4.0, snr=15.0
)
"""One slice a level."""

STARTS = 20
"""Random starts of scikit-learn, as the tool that answers at random is used with care."""

ALIKE = 0.2
"""Points of fat by which answers may differ that count as equal."""


def run(repeats: int, *, smoke: bool = False) -> list[Comparison]:
    """Compare with scikit-learn, skimage and SimpleITK on the same pixels."""
    made = make_phantom(replace(SPEC, matrix=192, pixel_mm=1.1) if smoke else SPEC)
    wanted = [roi for roi in made.outlines if roi.key.structure in _MEASURED]
    rois = RoiSet(tuple(wanted), reading=made.outlines.reading)
    muscles = [
        item.pixels
        for item in read_outline_pixels(made.exam, place(rois, made.exam), MeasurementProtocol())
        if item.roi.key.structure is Structure.MULTIFIDUS
    ]
    found: list[Comparison] = []
    if find_spec("sklearn") is not None:
        chosen = [_thinned(muscles[0])] if smoke else muscles
        found += _clusterings(chosen, 1 if smoke else min(repeats, 3))
    if find_spec("SimpleITK") is not None:
        found += [
            *_whole_set(made.exam, rois, repeats),
            _shading(made.exam, rois, 1 if smoke else min(repeats, 5)),
        ]
    return found


def _thinned(sample: WeightedPixels) -> WeightedPixels:
    """Take every eighth pixel: enough to see that everything runs."""
    return WeightedPixels(sample.values[::8], sample.weights[::8])


_MEASURED = {Structure.MULTIFIDUS, Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE}


# --- clusters ------------------------------------------------------------------------------------


def _clusterings(muscles: Sequence[WeightedPixels], repeats: int) -> list[Comparison]:
    # Pixels count in full: scikit-learn's mixtures know no weights.
    values = [sample.values for sample in muscles]
    rows: list[Comparison] = []
    for name, count, ours, theirs, answer in (
        ("gmm2", 2, mixture, _sklearn_mixture, _converged_mixture),
        ("gmm3", 3, mixture, _sklearn_mixture, _converged_mixture),
        ("kmeans2", 2, kmeans, _sklearn_kmeans, _sklearn_kmeans),
        ("kmeans3", 3, kmeans, _sklearn_kmeans, _sklearn_kmeans),
    ):
        rows += _clustering(name, values, _Job(count, ours, theirs, answer), repeats)
    return rows


class _Job:
    """One clustering: fat by us, by scikit-learn as it is timed, and as it is believed."""

    def __init__(
        self,
        count: int,
        ours: Callable[[WeightedPixels, int], Clusters],
        theirs: Callable[[np.ndarray, int], float],
        answer: Callable[[np.ndarray, int], float],
    ) -> None:
        self.ours = lambda values: _above(ours(WeightedPixels.of(values), count), values)
        self.theirs = lambda values: theirs(values, count)
        self.answer = lambda values: answer(values, count)


def _above(found: Clusters, values: np.ndarray) -> float:
    return 100 * float((values > found.threshold).mean())


def _clustering(
    name: str, values: Sequence[np.ndarray], job: _Job, repeats: int
) -> list[Comparison]:
    apart = max(abs(job.ours(each) - job.answer(each)) for each in values)
    peer = f"sklearn {'KMeans' if name.startswith('k') else 'GaussianMixture'}(n_init={STARTS})"
    seconds = alternate(
        lambda: [job.ours(each) for each in values],
        lambda: [job.theirs(each) for each in values],
        repeats,
    )
    many = f"{name}, {len(values)} muscles"
    return [
        Comparison(many, peer, *seconds, "s", 1 / 50),
        Comparison(f"{many}: largest difference", "allowed", apart, ALIKE, "points", 1.0),
    ]


def _sklearn_mixture(
    values: np.ndarray, count: int, starts: int = STARTS, tolerance: float = 1e-3
) -> float:
    """Fat by scikit-learn's mixture: what lies above the last signal that a darker class takes."""
    from sklearn.mixture import GaussianMixture

    column = values[:, None]
    fitted = GaussianMixture(count, n_init=starts, tol=tolerance, max_iter=1000, random_state=0)
    fitted.fit(column)
    brightest = int(fitted.means_.argmax())
    levels = np.linspace(fitted.means_.min(), fitted.means_.max(), 4096)
    darker = levels[fitted.predict(levels[:, None]) != brightest]
    return 100 * float((values > darker.max()).mean())


def _converged_mixture(values: np.ndarray, count: int) -> float:
    """Do the same until the answer stands still; by default scikit-learn stops long before."""
    return _sklearn_mixture(values, count, tolerance=1e-7)


def _sklearn_kmeans(values: np.ndarray, count: int) -> float:
    from sklearn.cluster import KMeans

    fitted = KMeans(count, n_init=STARTS, tol=0, random_state=0).fit(values[:, None])
    return 100 * float((fitted.labels_ == int(fitted.cluster_centers_.argmax())).mean())


# --- the whole set -------------------------------------------------------------------------------


def _whole_set(exam: Exam, rois: RoiSet, repeats: int) -> list[Comparison]:
    """Compare every method that version 0.1 had, and those with the fat signal fraction."""
    every = tuple(method for method in FatMethod if method is not FatMethod.DIXON)
    former = MeasurementProtocol(
        fat_methods=tuple(method for method in every if method is not FatMethod.SIGNAL),
        fixed_threshold=300.0,
        bias_correction=BiasCorrection.LOW_ORDER,
    )
    protocols = {
        "every method": former,
        "every method and the fat signal fraction": MeasurementProtocol(
            fat_methods=every, fixed_threshold=300.0
        ),
    }
    outlined = _outlined(exam, rois)
    return [
        Comparison(
            f"5 levels x 2 sides, all quantities, {what}",
            "SimpleITK label statistics, skimage thresholds and CLAHE",
            *alternate(
                partial(mf.measure, exam, rois, protocol),
                lambda: measure_with_labels(outlined),
                repeats,
            ),
            "s",
            1.0 if protocol is former else None,
        )
        for what, protocol in protocols.items()
    ]


_Outlined = tuple[np.ndarray, tuple[float, float], list[tuple[str, np.ndarray]]]
"""A slice's pixels, their spacing, and its outlines with what they are of."""


def _outlined(exam: Exam, rois: RoiSet) -> list[_Outlined]:
    by_slice: dict[str, _Outlined] = {}
    for item in place(rois, exam):
        image = item.slice
        outlines = by_slice.setdefault(image.uid, (image.pixels, image.plane.pixel_spacing_mm, []))[
            2
        ]
        outlines += [(item.roi.key.structure.value, path) for path in item.roi.paths]
    return list(by_slice.values())


def measure_with_labels(slices: Sequence[_Outlined]) -> list[dict[str, Any]]:
    """Measure outlines as a script of a lab would: areas, means, and fat by what skimage has.

    The script leaves out mixtures, which skimage does not have, and all uncertainty.
    """
    import SimpleITK as sitk  # noqa: N813 - as all its pages call it
    from skimage.draw import polygon
    from skimage.exposure import equalize_adapthist
    from skimage.filters import threshold_multiotsu, threshold_otsu

    rows: list[dict[str, Any]] = []
    pixels: dict[str, list[np.ndarray]] = {}
    for image, spacing, outlines in slices:
        labels = np.zeros(image.shape, np.uint8)
        for number, (_, path) in enumerate(outlines, 1):
            labels[polygon(path[:, 0], path[:, 1], image.shape)] = number
        drawn, signal = (sitk.GetImageFromArray(array) for array in (labels, image))
        drawn.SetSpacing(spacing[::-1])
        signal.SetSpacing(spacing[::-1])
        shape, means = sitk.LabelShapeStatisticsImageFilter(), sitk.LabelStatisticsImageFilter()
        shape.Execute(drawn)
        means.Execute(signal, drawn)
        even = equalize_adapthist(image / image.max())
        for number, (structure, _) in enumerate(outlines, 1):
            inside = labels == number
            values, levelled = image[inside], even[inside]
            pixels.setdefault(structure, []).append(values)
            cut, middle = threshold_otsu(values), threshold_multiotsu(values, 3)[-1]
            rows.append({
                "area_mm2": shape.GetPhysicalSize(number),
                "perimeter_mm": shape.GetPerimeter(number),
                "mean": means.GetMean(number),
                "sd": means.GetSigma(number),
                "values": values,
                "otsu": float((values > cut).mean()),
                "kmeans3": float((values > middle).mean()),
                "clahe_otsu": float((levelled > threshold_otsu(levelled)).mean()),
                "fixed": float((values > 300).mean()),
            })  # fmt: skip
    lean, fat, muscle = (
        np.concatenate(pixels[item.value])
        for item in (Structure.LEAN_REFERENCE, Structure.FAT_REFERENCE, Structure.MULTIFIDUS)
    )
    cuts = {
        "pooled_otsu": threshold_otsu(np.concatenate((lean, fat, muscle))),
        "midpoint": (np.median(lean) + np.median(fat)) / 2,
        "circle_max": lean.max(),
        "mean_ksd": lean.mean() + 3 * lean.std(),
    }
    for row in rows:
        values = row.pop("values")
        row |= {name: float((values > cut).mean()) for name, cut in cuts.items()}
        linear = (values - np.median(lean)) / (np.median(fat) - np.median(lean))
        row |= {"linear": float(linear.mean()), "clipped": float(linear.clip(0, 1).mean())}
    return rows


# --- shading -------------------------------------------------------------------------------------


def _shading(exam: Exam, rois: RoiSet, repeats: int) -> Comparison:
    sampled = read_outline_pixels(exam, place(rois, exam), MeasurementProtocol())

    def correct(method: BiasCorrection) -> None:
        n4._memory.clear()  # noqa: SLF001 - a field kept from before would cost nothing
        fit_bias_field(sampled, MeasurementProtocol(bias_correction=method))

    return Comparison(
        "coil shading from lean muscle, 5 slices",
        f"SimpleITK N4 on each slice, shrunk by {n4.SHRINK}",
        *alternate(
            lambda: correct(BiasCorrection.LOW_ORDER), lambda: correct(BiasCorrection.N4), repeats
        ),
        "s",
        1 / 100,
    )
