"""Inference from folds, which share training data."""

from clinicadl_trust.stats.cross_validation.bayesian import (
    BayesianComparison,
    bayesian_correlated_ttest,
)
from clinicadl_trust.stats.cross_validation.corrected import (
    corrected_kfold_ttest,
    corrected_resampled_ttest,
    cross_validation_interval,
)
from clinicadl_trust.stats.cross_validation.nested import (
    NestedLosses,
    nested_cross_validation_interval,
)
from clinicadl_trust.stats.cross_validation.nested_fitting import (
    nested_cross_validation,
)

__all__ = [
    "BayesianComparison",
    "NestedLosses",
    "bayesian_correlated_ttest",
    "corrected_kfold_ttest",
    "corrected_resampled_ttest",
    "cross_validation_interval",
    "nested_cross_validation",
    "nested_cross_validation_interval",
]
