"""Inference from folds, which share training data."""

from clinicadl_trust.stats.cross_validation.bayesian import (
    BayesianComparison,
    bayesian_correlated_ttest,
)
from clinicadl_trust.stats.cross_validation.chance import (
    RefitPermutationTest,
)
from clinicadl_trust.stats.cross_validation.corrected import (
    corrected_kfold_ttest,
    corrected_resampled_ttest,
)
from clinicadl_trust.stats.cross_validation.interval import cross_validation_interval
from clinicadl_trust.stats.cross_validation.nested import (
    NestedLosses,
    nested_cross_validation_interval,
)
from clinicadl_trust.stats.cross_validation.nested_fitting import (
    nested_cross_validation,
)
from clinicadl_trust.stats.cross_validation.refit import refit_permutation_test

__all__ = [
    "BayesianComparison",
    "NestedLosses",
    "RefitPermutationTest",
    "bayesian_correlated_ttest",
    "corrected_kfold_ttest",
    "corrected_resampled_ttest",
    "cross_validation_interval",
    "nested_cross_validation",
    "nested_cross_validation_interval",
    "refit_permutation_test",
]
