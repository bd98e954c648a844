"""Quality flags: why a value is doubtful, or missing."""

from __future__ import annotations

from enum import StrEnum


class Flag(StrEnum):
    """Why a value is doubtful. Wrong input is refused; doubtful input is measured and flagged."""

    UNDETECTABLE = "undetectable"
    NO_REFERENCE = "no_reference"
    NO_DIXON_PAIR = "no_dixon_pair"
    CLASSES_UNCLEAR = "classes_unclear"
    REFERENCE_PROPOSED = "reference_proposed"
    REFERENCE_ELSEWHERE = "reference_elsewhere"
    REFERENCE_INVERTED = "reference_inverted"
    REFERENCE_MIXED = "reference_mixed"
    REFERENCE_OVERLAPS_MUSCLE = "reference_overlaps_muscle"
    REFERENCE_SATURATED = "reference_saturated"
    REFERENCE_SMALL = "reference_small"
    REFERENCE_INCONSISTENT = "reference_inconsistent"
    REFERENCE_OUTSIDE_FIELD = "reference_outside_field"
    LEAN_REFERENCES_UNEQUAL = "lean_references_unequal"
    BIAS_NOT_CORRECTED = "bias_not_corrected"
    SHADING_STRONG = "shading_strong"
    SHADING_UNCLEAR = "shading_unclear"
    CALIBRATION_AMBIGUOUS = "calibration_ambiguous"
    CALIBRATION_UNCERTAIN = "calibration_uncertain"
    SIGNAL_NOT_CALIBRATED = "signal_not_calibrated"
    DIFFUSE_FAT = "diffuse_fat"
    FAT_METHODS_DIFFER = "fat_methods_differ"
    LOW_SIGNAL = "low_signal"
    AREA_IMPLAUSIBLE = "area_implausible"
    FEW_POINTS = "few_points"
    OUTLINES_OVERLAP = "outlines_overlap"
    TOUCHES_BORDER = "touches_border"
    ARTEFACT = "artefact"
    VALID_FRACTION_LOW = "valid_fraction_low"
    OEDEMA_WINDOW = "oedema_window"
    NOT_MEASURABLE = "not_measurable"
    NOT_CONTIGUOUS = "not_contiguous"
    SLICES_DIFFER = "slices_differ"
    ZERO_DENOMINATOR = "zero_denominator"
    GRADES_DIFFER = "grades_differ"
    GRID_PAIRED_BY_INDEX = "grid_paired_by_index"
    SCALE_UNVERIFIED = "scale_unverified"
    DIXON_UNPAIRED = "dixon_unpaired"
    WATER_FAT_SWAPPED = "water_fat_swapped"
    MAP_SCALE_UNKNOWN = "map_scale_unknown"
    OUTSIDE_IMAGE = "outside_image"
    AFFINE_CONFLICT = "affine_conflict"
    SPACING_CONFLICT = "spacing_conflict"
    ORIENTATION_ROUNDED = "orientation_rounded"
    DRAFT_UNEDITED = "draft_unedited"
    SLICES_UNEVEN = "slices_uneven"
    SLICES_MISSING = "slices_missing"
    SLICES_DUPLICATED = "slices_duplicated"
    STACK_SHEARED = "stack_sheared"
    UID_REPEATED = "uid_repeated"
    LOSSY_COMPRESSION = "lossy_compression"
    SIDE_DOUBTFUL = "side_doubtful"
    SIDES_EXCHANGED = "sides_exchanged"
    LEVEL_AMBIGUOUS = "level_ambiguous"
    LEVEL_CONFLICT = "level_conflict"
    FRAME_OF_REFERENCE_DIFFERS = "frame_of_reference_differs"
    TILT_UNKNOWN = "tilt_unknown"
    TILT_OVER_LIMIT = "tilt_over_limit"
    NO_SLICE_SELECTED = "no_slice_selected"
    SERIES_MIXED = "series_mixed"
    FAILED_REVIEW = "failed_review"
    TO_BE_REPEATED = "to_be_repeated"

    @property
    def meaning(self) -> str:
        """The meaning of the flag, in one or two sentences."""
        return _MEANINGS[self]

    @property
    def remedy(self) -> str:
        """What to do about it; empty if nothing can be done."""
        return _REMEDIES.get(self, "")


_MEANINGS = {
    Flag.UNDETECTABLE: "Muscle and fat cannot be separated in these pixels, or no pixel has a "
    "value; the value is NaN.",
    Flag.NO_REFERENCE: "The method needs lean-muscle and fat reference outlines and the exam has "
    "none; the value is NaN.",
    Flag.NO_DIXON_PAIR: "The protocol includes the Dixon fat fraction, and the outline is not on "
    "a pair of fat and water images; the value is NaN.",
    Flag.CLASSES_UNCLEAR: "The method classifies much more or much less of the muscle as fat than "
    "Otsu's threshold of the same pixels: its boundary divides a class.",
    Flag.REFERENCE_ELSEWHERE: "References are drawn only on another series, whose signal is on "
    "another scale; they were not used.",
    Flag.REFERENCE_INVERTED: "The lean reference is not darker than the fat reference, so the "
    "value is NaN. On water images fat is dark; elsewhere the references may be swapped.",
    Flag.REFERENCE_MIXED: "A reference contains more than 10 % of the other tissue.",
    Flag.REFERENCE_OVERLAPS_MUSCLE: "A fat reference lies partly on a muscle outline or on a lean "
    "reference.",
    Flag.REFERENCE_SATURATED: "Pixels of a fat reference are at the largest value of the image, "
    "so that fat may be brighter than measured.",
    Flag.REFERENCE_SMALL: "A reference has fewer than 30 pixels in total, so that the effect of "
    "noise exceeds the stated uncertainty.",
    Flag.REFERENCE_PROPOSED: "The references were proposed automatically, and no rater has "
    "accepted them.",
    Flag.REFERENCE_INCONSISTENT: "References were proposed automatically on an image with a "
    "strong uncorrected bias field, or their fat is more than 16 times as bright as their lean "
    "muscle: they are not comparable with the muscles, and the value is NaN.",
    Flag.REFERENCE_OUTSIDE_FIELD: "A fat reference lies outside the region in which the bias "
    "field was fitted (by reference_outside_mm among the parameters), so that its signal was "
    "corrected with the field at the edge of that region.",
    Flag.LEAN_REFERENCES_UNEQUAL: "A lean reference differs by more than 20 % from the lean "
    "signal of the muscles at its position, so that they cannot be the same tissue in one bias "
    "field.",
    Flag.BIAS_NOT_CORRECTED: "The protocol includes bias field correction, and no field could be "
    "fitted to lean muscle; bias_refusal among the parameters gives the reason. Fat was measured "
    "in the uncorrected image.",
    Flag.SHADING_STRONG: "The signal of lean muscle varies more over the outlines than a bias "
    "field that can be corrected; one threshold is not valid everywhere.",
    Flag.SHADING_UNCLEAR: "Bias field and fat cannot be separated: the fitted field would change "
    "more than 40 % of a muscle from fat to lean, or vice versa.",
    Flag.CALIBRATION_AMBIGUOUS: "Brighter lean muscle and diffuse fat explain these pixels about "
    "equally well, with fat fractions more than 3 points apart; or more than 12 points of the "
    "fraction lie in pixels that are mostly lean muscle. The uncertainty covers both.",
    Flag.CALIBRATION_UNCERTAIN: "The calibration alone (signal of lean muscle and of fat, bias "
    "field, border, chemical shift) leaves the fat signal fraction uncertain by more than 6 points "
    "(standard uncertainty).",
    Flag.SIGNAL_NOT_CALIBRATED: "No fat signal fraction could be calibrated (signal_refusal among "
    "the parameters gives the reason); the value is NaN.",
    Flag.DIFFUSE_FAT: "The fat signal fraction, or linear interpolation where there is none, gives "
    "more fat than the threshold, by more than their combined uncertainty. fi_pct, and its "
    "uncertainty, are of visible fat only and exclude partial-volume pixels. A fraction includes "
    "them; linear interpolation also counts lean muscle brighter than its reference as fat.",
    Flag.FAT_METHODS_DIFFER: "A fat fraction gives less fat than the threshold, by more "
    "than their combined uncertainty: parts of the muscle are darker than the lean reference.",
    Flag.LOW_SIGNAL: "More than 3 % of the outline is far darker than lean muscle, as around "
    "metal (low_signal_pct among the parameters); none of it counts as fat, and all of it as "
    "lean.",
    Flag.AREA_IMPLAUSIBLE: "The area is outside the limits for the structure and level, or one of "
    "the outline's paths encloses less than 0.5 % of it, such as a sliver that an eraser left.",
    Flag.FEW_POINTS: "The outline has fewer points than the protocol requires; sparse outlines "
    "underestimate the area.",
    Flag.OUTLINES_OVERLAP: "The outline shares more than 5 % of itself, or of the other one, with "
    "another muscle outline of the slice, so that muscle is counted twice.",
    Flag.TOUCHES_BORDER: "The outline reaches the outermost pixels of the image.",
    Flag.ARTEFACT: "Artefact outlines exclude pixels from the fat measurement of this outline.",
    Flag.VALID_FRACTION_LOW: "Artefacts leave less of the muscle than the protocol requires, so "
    "that its fat and lean area cannot be compared with other exams.",
    Flag.OEDEMA_WINDOW: "The exam was acquired so soon after surgery that bright signal may be "
    "oedema, not fat.",
    Flag.NOT_MEASURABLE: "The rater marked this as not measurable, with a reason; the value is "
    "NaN.",
    Flag.NOT_CONTIGUOUS: "The outlined slices are not consecutive, evenly spaced, parallel "
    "slices, so that there is no volume; the value is NaN.",
    Flag.SLICES_DIFFER: "Left and right are outlined on different slices of the stack, so that "
    "their volumes have different lengths; the volume of both together is NaN.",
    Flag.ZERO_DENOMINATOR: "The denominator is 0; the value is NaN.",
    Flag.GRADES_DIFFER: "Slices of one level have different grades, and grades have no mean; the "
    "value is NaN.",
    Flag.GRID_PAIRED_BY_INDEX: "Fat and water images disagree about their position and were "
    "paired pixel by pixel on request.",
    Flag.SCALE_UNVERIFIED: "Fat and water intensities may be on different scales, which biases "
    "the fat fraction.",
    Flag.DIXON_UNPAIRED: "The exam has the other image of the Dixon pair, water or fat, but they "
    "cannot be paired; the value is NaN. 'multifidus inspect' gives the reason.",
    Flag.WATER_FAT_SWAPPED: "Water and fat image may be swapped: fat references contain more "
    "water than fat, or lean references more fat, and the value is NaN; or, without references, "
    "all muscles together contain more fat than water.",
    Flag.MAP_SCALE_UNKNOWN: "The values of the scanner's PDFF map fit neither its unit nor 0 to "
    "1, 100, 1000 or 10000; the value is NaN.",
    Flag.OUTSIDE_IMAGE: "Part of the outline lies outside the image; pixel statistics are those "
    "of the rest.",
    Flag.AFFINE_CONFLICT: "The NIfTI header gives two different positions of the image; its sform "
    "was used.",
    Flag.SPACING_CONFLICT: "The NIfTI header gives two voxel sizes, one in its pixdim and one in "
    "its sform; the sform was used, also for areas.",
    Flag.ORIENTATION_ROUNDED: "The header's directions are rounded to two or three digits; they "
    "were made orthogonal. The slice may be rotated by 0.7 degrees, and a position 300 mm away be "
    "wrong by 4 mm; areas of outlines drawn on it are correct.",
    Flag.DRAFT_UNEDITED: "The outline is a draft that no rater has edited.",
    Flag.SLICES_UNEVEN: "Parallel slices of the series are unevenly spaced; each is measured in "
    "its plane, but there is no volume.",
    Flag.SLICES_MISSING: "Between parallel slices of the series there is a gap of two or three "
    "whole steps, so slices may be missing.",
    Flag.SLICES_DUPLICATED: "The series contains different images at one position, such as a "
    "repeat; the value belongs to one of them.",
    Flag.STACK_SHEARED: "Slices of the series are shifted sideways from one to the next; each is "
    "measured in its plane, but programs that assume an orthogonal volume misplace them.",
    Flag.UID_REPEATED: "Images of the series share one SOP Instance UID or have none, as after "
    "some de-identification; outlines are matched to slices by position only.",
    Flag.LOSSY_COMPRESSION: "The image was compressed with loss, which changes pixel values and "
    "therefore fat; areas of outlines are correct.",
    Flag.SIDE_DOUBTFUL: "The outline lies on the opposite side of the midline, according to "
    "landmarks, outlines of both sides or of the middle, or the middle of the image.",
    Flag.SIDES_EXCHANGED: "Left and right appear exchanged compared with another exam or reading "
    "of this person: the asymmetries of all muscles are reversed.",
    Flag.LEVEL_AMBIGUOUS: "The slice may belong to another level: two levels' landmarks lie "
    "nearly equally far from it, it lies far beyond the outermost landmark, where one may have "
    "been forgotten, or its stack is centred on another disc; or most short stacks of the exam "
    "are centred on no disc that is marked, so that the landmarks may be of another exam.",
    Flag.LEVEL_CONFLICT: "The level entered by hand, which is on the row, differs from that of "
    "the landmarks.",
    Flag.FRAME_OF_REFERENCE_DIFFERS: "The axial series has another frame of reference than the "
    "sagittal one, so the patient may have moved between the landmarks and the slice.",
    Flag.TILT_UNKNOWN: "The axis of the spine is unknown without landmarks; tilt is relative to "
    "patient z, which over-corrects where the spine is inclined, as at L5-S1, and differs between "
    "visits.",
    Flag.TILT_OVER_LIMIT: "The slice is tilted relative to the named axis by more than the "
    "protocol's limit, which increases areas.",
    Flag.NO_SLICE_SELECTED: "No outlined slice of the level is near enough to its landmark for "
    "the protocol's slice selection, or there is no landmark; the level's values are NaN.",
    Flag.SERIES_MIXED: "The level's slices are from several series, such as two sequences of one "
    "exam, and its value combines them; reliability and change refuse it.",
    Flag.FAILED_REVIEW: "Whoever looked through the results decided that this measurement fails; "
    "the value is left out.",
    Flag.TO_BE_REPEATED: "Whoever looked through the results decided that this measurement is to "
    "be repeated; the value is left out.",
}

_REMEDIES = {
    Flag.GRID_PAIRED_BY_INDEX: "Compare the two images visually before using fat fractions.",
    Flag.SCALE_UNVERIFIED: "Compare fat fractions with the scanner's own map.",
    Flag.AFFINE_CONFLICT: "Check left and right against the DICOM files, or convert them again.",
    Flag.SPACING_CONFLICT: "Check the pixel size against the DICOM files, or convert them again.",
    Flag.ORIENTATION_ROUNDED: "Areas can be used; for levels, tilt or label maps, export the "
    "series again with its directions in full.",
    Flag.SLICES_UNEVEN: "Areas can be used; check whether a slice was lost or exported twice.",
    Flag.SLICES_DIFFER: "Outline the missing slice; check for an outline with a different name. "
    "slice_indices among the parameters lists the slices of each side.",
    Flag.SLICES_MISSING: "Areas can be used; export the series again if it should be complete.",
    Flag.SLICES_DUPLICATED: "Outline on one of them throughout, and report which.",
    Flag.STACK_SHEARED: "Areas can be used; outline here, not on a volume made by another program.",
    Flag.LOSSY_COMPRESSION: "Request the original images of the scanner.",
    Flag.UID_REPEATED: "Request an export in which every image has its own UID.",
    Flag.UNDETECTABLE: "Check that the references contain only muscle and only fat, or choose a "
    "method that does not need them.",
    Flag.NO_REFERENCE: "Draw a lean and a fat reference on the series.",
    Flag.NO_DIXON_PAIR: "Outline on the fat or the water image, or remove dixon from the protocol.",
    Flag.CLASSES_UNCLEAR: "Compare with the histogram and with another method.",
    Flag.REFERENCE_ELSEWHERE: "Draw references on this series as well.",
    Flag.REFERENCE_INVERTED: "Check whether the lean and the fat reference were swapped.",
    Flag.REFERENCE_MIXED: "Draw it smaller, in one tissue only.",
    Flag.REFERENCE_OVERLAPS_MUSCLE: "Move it off the other outline.",
    Flag.REFERENCE_SATURATED: "Move the reference to fat that is less bright.",
    Flag.REFERENCE_SMALL: "Draw it larger, or draw more samples of the same tissue.",
    Flag.REFERENCE_PROPOSED: "Check the references, and correct them.",
    Flag.REFERENCE_INCONSISTENT: "Draw lean and fat references at the muscles' depth.",
    Flag.REFERENCE_OUTSIDE_FIELD: "Move it to fat between or beside the outlined muscles, or "
    "outline muscle beyond it.",
    Flag.LEAN_REFERENCES_UNEQUAL: "Check that each lean reference contains only lean muscle.",
    Flag.BIAS_NOT_CORRECTED: "See the reason; outline more lean muscle if there is too little, or "
    "choose a protocol without correction.",
    Flag.SHADING_STRONG: "Compare single levels only, or have the images corrected on the scanner.",
    Flag.SHADING_UNCLEAR: "Outline muscle with less fat as well, such as the psoas.",
    Flag.DIFFUSE_FAT: "Report ff_signal_pct (method signal) beside fi_pct, or measure a Dixon "
    "pair.",
    Flag.FAT_METHODS_DIFFER: "Check for metal and dark muscle, and whether the lean reference is "
    "lean.",
    Flag.LOW_SIGNAL: "Outline the signal void as an artefact.",
    Flag.AREA_IMPLAUSIBLE: "Check the outline, its structure, its level and the pixel size; "
    "delete slivers.",
    Flag.FEW_POINTS: "Add points where the outline is curved.",
    Flag.OUTLINES_OVERLAP: "Check both outlines; redraw their common border, or delete the "
    "duplicate.",
    Flag.TOUCHES_BORDER: "Check whether the muscle is cut off by the edge of the image.",
    Flag.OUTSIDE_IMAGE: "Move the points back onto the image.",
    Flag.VALID_FRACTION_LOW: "Compare areas only, or mark the muscle as not measurable.",
    Flag.DIXON_UNPAIRED: "Open the other image with this one; 'multifidus inspect' gives the "
    "reason.",
    Flag.WATER_FAT_SWAPPED: "Find the image in which subcutaneous fat is bright; that is the fat "
    "image.",
    Flag.MAP_SCALE_UNKNOWN: "Find out how the map was scaled.",
    Flag.DRAFT_UNEDITED: "Check and correct the outline.",
    Flag.SIDE_DOUBTFUL: "Check whether left and right were exchanged, in the label scheme or on a "
    "mirrored screen.",
    Flag.SIDES_EXCHANGED: "Compare both exams side by side; correct the sides of the wrong one.",
    Flag.LEVEL_AMBIGUOUS: "Check the landmarks on this exam's sagittal image; mark the missing "
    "disc, or enter the level.",
    Flag.LEVEL_CONFLICT: "Check the sagittal image; correct the level or the landmark.",
    Flag.FRAME_OF_REFERENCE_DIFFERS: "Compare the slice with the sagittal image visually.",
    Flag.TILT_UNKNOWN: "Set landmarks on two levels or more.",
    Flag.TILT_OVER_LIMIT: "Choose a less tilted slice, or use tcsa_cos_mm2.",
    Flag.SERIES_MIXED: "Measure one series of the exam, or keep the rows of one series only.",
}
