"""Whether predicted probabilities mean what they say."""

from clinicadl_trust.stats.calibration.brier import brier_score
from clinicadl_trust.stats.calibration.error import (
    CalibrationError,
    expected_calibration_error,
)
from clinicadl_trust.stats.calibration.reliability import (
    BrierDecomposition,
    brier_decomposition,
    reliability_curve,
)
from clinicadl_trust.stats.calibration.slope import (
    calibration_intercept,
    calibration_slope,
)

__all__ = [
    "BrierDecomposition",
    "CalibrationError",
    "brier_decomposition",
    "brier_score",
    "calibration_intercept",
    "calibration_slope",
    "expected_calibration_error",
    "reliability_curve",
]
