"""Test groups and cross-validations drawn from a known truth, as `trust-check` does."""

from clinicadl_trust.trust_check.learners import (
    Hospitals,
    Study,
    predict,
    ridge,
    stratified_folds,
)
from clinicadl_trust.trust_check.populations import (
    Group,
    HeavyTailed,
    Uneven,
    probability,
    truth,
)

__all__ = [
    "Group",
    "HeavyTailed",
    "Hospitals",
    "Study",
    "Uneven",
    "predict",
    "probability",
    "ridge",
    "stratified_folds",
    "truth",
]
