"""The field that the fat signal fraction fits, as a field by which signal is divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from multifidus.data.image import Slice
from multifidus.measuring.fat.signal.calibration import SignalCalibration
from multifidus.measuring.fat.signal.joint_field import COMMON
from multifidus.measuring.fat.signal.views import SCALE_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class JointGain:
    """The field fitted to lean muscle and fat together, on any slice of its exam.

    Parameters
    ----------
    signal
        The calibration that it is of.
    """

    signal: SignalCalibration

    def at(self, item: Slice, pixels: NDArray[np.generic]) -> Array:
        """Return the field at pixels of a slice, (n, 2) of (row, column).

        On a slice without a muscle in the calibration it is what all slices share: the slice's own
        offset and slopes are not known, and 0 is what is expected of them.
        """
        middle, uid = self.signal.middle, item.uid
        y_mm = middle.y_mm.get(uid, float(np.mean(list(middle.y_mm.values()))))
        across, back, _ = item.plane.axes_mm(pixels)
        x, y = (across - middle.x_mm) / SCALE_MM, (back - y_mm) / SCALE_MM
        number = self.signal.slices.get(uid)
        log = self.signal.field.log_gain(x, y, 0 if number is None else number)
        if number is None:
            offset, right, behind = self.signal.field.parameters[COMMON : COMMON + 3]
            log = log - (offset + right * x + behind * y)
        return np.asarray(np.exp(log))
