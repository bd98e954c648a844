"""Flags: what a reader of a number should know before trusting it."""

from __future__ import annotations

from enum import StrEnum


class Flag(StrEnum):
    """A doubt about a number. Wrong input is refused; doubtful input is measured and flagged."""

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

    @property
    def meaning(self) -> str:
        """Say in one sentence what the flag tells a reader."""
        return _MEANINGS[self]

    @property
    def remedy(self) -> str:
        """Say what to do about it; empty where nothing can be done."""
        return _REMEDIES.get(self, "")


_MEANINGS = {
    Flag.UNDETECTABLE: "Muscle and fat are not separate in these pixels, or no pixel has a value, "
    "so there is no answer and the value is NaN.",
    Flag.NO_REFERENCE: "The method needs lean-muscle and fat reference outlines and the exam has "
    "none; the value is NaN.",
    Flag.NO_DIXON_PAIR: "The protocol asks for the Dixon fat fraction by name, and the outline "
    "lies on no pair of fat and water images; the value is NaN.",
    Flag.CLASSES_UNCLEAR: "The method calls much more or much less of the muscle fat than the "
    "plainest cut of the same pixels does: its boundary runs through a class.",
    Flag.REFERENCE_ELSEWHERE: "References are drawn on another series only, whose signal has "
    "another scale; they were not used.",
    Flag.REFERENCE_INVERTED: "The lean reference is not darker than the fat reference, so the "
    "value is NaN. On water images fat is dark; elsewhere the references may be swapped.",
    Flag.REFERENCE_MIXED: "A reference holds more than a little of the other tissue.",
    Flag.REFERENCE_OVERLAPS_MUSCLE: "A fat reference lies partly on a muscle outline or on a lean "
    "reference.",
    Flag.REFERENCE_SATURATED: "Pixels of a fat reference are at the largest value that the image "
    "holds, so fat may be brighter than they say.",
    Flag.REFERENCE_SMALL: "A reference holds fewer than 30 pixels in all, so that noise moves the "
    "answer by more than its uncertainty says.",
    Flag.REFERENCE_PROPOSED: "The references were proposed by rule, and no rater has taken "
    "them over.",
    Flag.REFERENCE_INCONSISTENT: "References were proposed by rule on an image whose shading is "
    "strong and was left in it, or their fat is more than 16 times as bright as their lean muscle: "
    "they are not of one shading with the muscles, and the value is NaN.",
    Flag.REFERENCE_OUTSIDE_FIELD: "A fat reference lies outside the region in which the coil's "
    "shading was fitted (reference_outside_mm among the parameters says how far), so that its "
    "signal was corrected by the shading at the edge of that region.",
    Flag.LEAN_REFERENCES_UNEQUAL: "A lean reference differs by more than 20 % from the lean signal "
    "that the muscles have there, so that the two cannot be one tissue under one shading.",
    Flag.BIAS_NOT_CORRECTED: "The protocol asks for the coil's shading to be corrected, and no "
    "shading could be fitted to lean muscle; bias_refusal among the parameters says why. Fat was "
    "measured in the image as it is.",
    Flag.SHADING_STRONG: "The signal of lean muscle varies by more over the outlines than shading "
    "that can be corrected; one threshold does not hold everywhere.",
    Flag.SHADING_UNCLEAR: "Shading cannot be told from fat here: the fitted shading would turn "
    "more than 40 % of a muscle from fat to lean, or back.",
    Flag.DIFFUSE_FAT: "Linear mixing finds more fat than the threshold does, by more than both are "
    "uncertain together. fi_pct is visible fat only: pixels that are partly fat are not counted. "
    "Mixing counts them, and also takes lean muscle brighter than its reference for fat.",
    Flag.FAT_METHODS_DIFFER: "Linear mixing finds less fat than the threshold does, by more than "
    "both are uncertain together: parts of the muscle are darker than the lean reference.",
    Flag.LOW_SIGNAL: "More than 3 % of the outline is far darker than lean muscle, as around metal "
    "(low_signal_pct among the parameters); none of it counts as fat, and all of it as lean.",
    Flag.AREA_IMPLAUSIBLE: "The area is outside the limits for the structure and level, or one of "
    "the outline's paths encloses less than 0.5 % of it, such as a sliver that an eraser left.",
    Flag.FEW_POINTS: "The outline has fewer points than the protocol asks for; sparse outlines "
    "lose area.",
    Flag.OUTLINES_OVERLAP: "The outline shares more than 5 % of itself, or of the other one, with "
    "another muscle outline of the slice, so that muscle is counted twice.",
    Flag.TOUCHES_BORDER: "The outline reaches the outermost pixels of the image.",
    Flag.ARTEFACT: "Artefact outlines took pixels from the fat measurement of this outline.",
    Flag.VALID_FRACTION_LOW: "Artefacts leave less of the muscle than the protocol asks for, so "
    "that its fat and lean area cannot be compared with another exam's.",
    Flag.OEDEMA_WINDOW: "The exam was made so soon after surgery that bright signal may be oedema, "
    "not fat.",
    Flag.NOT_MEASURABLE: "The rater said that this cannot be measured, and why; the value is NaN.",
    Flag.NOT_CONTIGUOUS: "The slices that were outlined are no unbroken run of evenly spaced, "
    "parallel slices, so there is no volume and the value is NaN.",
    Flag.SLICES_DIFFER: "Left and right of the muscle are outlined on different slices of the "
    "stack, so that their volumes are not of one length, and both together have none (NaN).",
    Flag.ZERO_DENOMINATOR: "The number divides by one that is 0 here; the value is NaN.",
    Flag.GRADES_DIFFER: "Slices of one level have different grades, and grades have no mean; the "
    "value is NaN.",
    Flag.GRID_PAIRED_BY_INDEX: "Fat and water images disagree about their position and were paired "
    "pixel by pixel on request.",
    Flag.SCALE_UNVERIFIED: "Fat and water intensities may be on different scales, which biases the "
    "fat fraction.",
    Flag.DIXON_UNPAIRED: "The image's other half, water or fat, is there but cannot be matched "
    "with it, so the value is NaN; 'multifidus inspect' says why.",
    Flag.WATER_FAT_SWAPPED: "Water and fat image may be swapped: references of fat hold more water "
    "than fat, or lean ones more fat, and the value is NaN; or, without references, all muscles "
    "together hold more fat than water.",
    Flag.MAP_SCALE_UNKNOWN: "The values of the scanner's fat-fraction map fit neither its unit nor "
    "0 to 1, 100, 1000 or 10000, so the value is NaN.",
    Flag.OUTSIDE_IMAGE: "Part of the outline lies outside the image; pixel statistics cover the "
    "rest.",
    Flag.AFFINE_CONFLICT: "The NIfTI header places the image in two ways that differ; its sform "
    "was used.",
    Flag.SPACING_CONFLICT: "The NIfTI header gives two voxel sizes, one in its pixdim and one in "
    "its sform; the sform was used, and areas rest on it.",
    Flag.ORIENTATION_ROUNDED: "The header's directions are rounded to two or three digits; they "
    "were put at right angles. The slice may be turned by 0.7 degrees and a place 300 mm away be "
    "off by 4 mm; areas of outlines drawn on it stay right.",
    Flag.DRAFT_UNEDITED: "The outline is a draft that no rater has edited.",
    Flag.SLICES_UNEVEN: "Parallel slices of the series lie at uneven distances; each is measured "
    "in its place, but they make no volume.",
    Flag.SLICES_MISSING: "Between parallel slices of the series there is a gap of two or three "
    "whole steps, so slices may be missing.",
    Flag.SLICES_DUPLICATED: "The series holds different images of one place, such as a repeat; the "
    "number belongs to one of them.",
    Flag.STACK_SHEARED: "Slices of the series are shifted sideways from one to the next; each is "
    "measured in its place, but programs that assume an upright volume misplace them.",
    Flag.UID_REPEATED: "Images of the series share one SOP Instance UID or have none, as some "
    "de-identification leaves them; outlines find their slice by its place alone.",
    Flag.LOSSY_COMPRESSION: "The image was compressed with loss, which changes pixel values and "
    "with them fat; areas of outlines stay right.",
    Flag.SIDE_DOUBTFUL: "The outline lies on the other side of the midline than its side says, by "
    "landmarks, outlines of both sides or of the middle, or the middle of the image.",
    Flag.SIDES_EXCHANGED: "Left and right look exchanged against another exam or reading of this "
    "person: the asymmetries of all muscles have turned round.",
    Flag.LEVEL_AMBIGUOUS: "The slice may belong to another level: two levels' landmarks lie nearly "
    "equally far from it, it lies far beyond the outermost landmark, where one may have been "
    "forgotten, or its stack is centred on another disc; or most short stacks of the exam are "
    "centred on no disc that is marked, so that the landmarks may be of another exam.",
    Flag.LEVEL_CONFLICT: "The level typed by hand, which stands on the row, is not the one that "
    "the landmarks say.",
    Flag.FRAME_OF_REFERENCE_DIFFERS: "The axial series has another frame of reference than the "
    "sagittal one, so the patient may have moved between the landmarks and the slice.",
    Flag.TILT_UNKNOWN: "No landmarks give the spine's axis; tilt is against patient z, which "
    "over-corrects where the spine is inclined, as at L5-S1, and differs between visits.",
    Flag.TILT_OVER_LIMIT: "The slice is tilted against the named axis by more than the protocol's "
    "limit, which makes areas larger.",
    Flag.NO_SLICE_SELECTED: "No outlined slice of the level is near enough to its landmark for the "
    "protocol's slice selection, or no landmark says how near; the level's values are NaN.",
    Flag.SERIES_MIXED: "The level's slices are of several series, such as two sequences of one "
    "exam, and its value is over all of them; reliability and change refuse it.",
}

_REMEDIES = {
    Flag.GRID_PAIRED_BY_INDEX: "Compare the two images by eye before fat fractions are used.",
    Flag.SCALE_UNVERIFIED: "Compare fat fractions with the scanner's own map.",
    Flag.AFFINE_CONFLICT: "Check left and right against the DICOM files, or convert them again.",
    Flag.SPACING_CONFLICT: "Check the pixel size against the DICOM files, or convert them again.",
    Flag.ORIENTATION_ROUNDED: "Areas can be used; for levels, tilt or label maps, export the "
    "series again with its directions in full.",
    Flag.SLICES_UNEVEN: "Areas can be used; look whether a slice was lost or exported twice.",
    Flag.SLICES_DIFFER: "Outline the side that lacks a slice; look for an outline that was "
    "forgotten, or that has a name of its own. slice_indices among the parameters names the slices "
    "of each side.",
    Flag.SLICES_MISSING: "Areas can be used; export the series again if it should be whole.",
    Flag.SLICES_DUPLICATED: "Outline on one of them throughout, and say which in your methods.",
    Flag.STACK_SHEARED: "Areas can be used; outline here, not on a volume made by another program.",
    Flag.LOSSY_COMPRESSION: "Ask for the images as they came from the scanner.",
    Flag.UID_REPEATED: "Ask for an export in which every image has a UID of its own.",
    Flag.UNDETECTABLE: "Look whether the references hold muscle and fat alone, or choose a method "
    "that does not need them.",
    Flag.NO_REFERENCE: "Draw a lean and a fat reference on the series.",
    Flag.NO_DIXON_PAIR: "Outline on the fat or the water image, or take dixon off the protocol.",
    Flag.CLASSES_UNCLEAR: "Compare with the histogram and with another method.",
    Flag.REFERENCE_ELSEWHERE: "Draw references on this series as well.",
    Flag.REFERENCE_INVERTED: "Look whether the lean and the fat reference were swapped.",
    Flag.REFERENCE_MIXED: "Draw it smaller, in one tissue only.",
    Flag.REFERENCE_OVERLAPS_MUSCLE: "Move it off the other outline.",
    Flag.REFERENCE_SATURATED: "Move the reference to fat that is less bright.",
    Flag.REFERENCE_SMALL: "Draw it larger, or draw more samples of the same tissue.",
    Flag.REFERENCE_PROPOSED: "Look at the references, and move what is wrong.",
    Flag.REFERENCE_INCONSISTENT: "Draw lean and fat references at the muscles' depth.",
    Flag.REFERENCE_OUTSIDE_FIELD: "Move it to fat between or beside the outlined muscles, or "
    "outline muscle beyond it.",
    Flag.LEAN_REFERENCES_UNEQUAL: "Look whether each lean reference holds lean muscle alone.",
    Flag.BIAS_NOT_CORRECTED: "See the reason; outline more lean muscle where there is too little, "
    "or choose a protocol without correction.",
    Flag.SHADING_STRONG: "Compare single levels only, or have the images corrected on the scanner.",
    Flag.SHADING_UNCLEAR: "Outline muscle with less fat as well, such as the psoas.",
    Flag.DIFFUSE_FAT: "Report ff_linear_pct beside fi_pct, or measure a Dixon pair.",
    Flag.FAT_METHODS_DIFFER: "Look for metal and dark muscle, and whether the lean reference is "
    "lean.",
    Flag.LOW_SIGNAL: "Outline the void as an artefact.",
    Flag.AREA_IMPLAUSIBLE: "Look at the outline, its structure, its level and the pixel size; "
    "delete slivers.",
    Flag.FEW_POINTS: "Add points where the outline bends.",
    Flag.OUTLINES_OVERLAP: "Look at both outlines; redraw their common border, or delete the one "
    "that was drawn twice.",
    Flag.TOUCHES_BORDER: "Look whether the muscle is cut off by the image.",
    Flag.OUTSIDE_IMAGE: "Move the points back onto the image.",
    Flag.VALID_FRACTION_LOW: "Compare areas only, or say that it is not measurable.",
    Flag.DIXON_UNPAIRED: "Open the other image with this one; 'multifidus inspect' says what is in "
    "the way.",
    Flag.WATER_FAT_SWAPPED: "Look which image shows the fat under the skin bright; that is the fat "
    "image.",
    Flag.MAP_SCALE_UNKNOWN: "Ask how the map was scaled.",
    Flag.DRAFT_UNEDITED: "Go over it, and move what is wrong.",
    Flag.SIDE_DOUBTFUL: "Look whether left and right were taken the wrong way round, in the label "
    "scheme, or by a mirrored screen.",
    Flag.SIDES_EXCHANGED: "Compare both exams side by side; correct the sides of the wrong one.",
    Flag.LEVEL_AMBIGUOUS: "Look at the landmarks on this exam's sagittal image; mark the disc that "
    "is missing, or type the level.",
    Flag.LEVEL_CONFLICT: "Look at the sagittal image; correct the level or the landmark.",
    Flag.FRAME_OF_REFERENCE_DIFFERS: "Compare the slice with the sagittal image by eye.",
    Flag.TILT_UNKNOWN: "Set landmarks on two levels or more.",
    Flag.TILT_OVER_LIMIT: "Choose a slice that is less tilted, or use tcsa_cos_mm2.",
    Flag.SERIES_MIXED: "Measure one series of the exam, or keep the rows of one in the table.",
}
