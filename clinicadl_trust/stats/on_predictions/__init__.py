"""Each statistic on a predictions table: the plugins of ``clinicadl.statistics``.

A function here has the name of the array function that it calls for each model, or
pair of models, of the table.
"""

from clinicadl_trust.stats.on_predictions.agreement import cohen_kappa, icc
from clinicadl_trust.stats.on_predictions.answers import Answer, Answers
from clinicadl_trust.stats.on_predictions.brier import (
    brier_decomposition,
    brier_score,
)
from clinicadl_trust.stats.on_predictions.calibration import (
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
    reliability_curve,
)
from clinicadl_trust.stats.on_predictions.datasets import (
    bayesian_signed_rank,
    friedman,
    wilcoxon,
)
from clinicadl_trust.stats.on_predictions.decision import (
    compare_net_benefit,
    net_benefit,
)
from clinicadl_trust.stats.on_predictions.discrimination import (
    bootstrap,
    proportion,
    roc_auc,
    sensitivity_at_specificity,
)
from clinicadl_trust.stats.on_predictions.fold_interval import (
    cross_validation_interval,
)
from clinicadl_trust.stats.on_predictions.folds import (
    bayesian_correlated_ttest,
    corrected_kfold_ttest,
    corrected_resampled_ttest,
)
from clinicadl_trust.stats.on_predictions.groups import subgroups
from clinicadl_trust.stats.on_predictions.mixed import mixed_model
from clinicadl_trust.stats.on_predictions.paired import (
    bootstrap_difference,
    compare_roc_auc,
    mcnemar,
    permutation_test,
)
from clinicadl_trust.stats.on_predictions.planning import required_sample_size
from clinicadl_trust.stats.on_predictions.readers import mrmc
from clinicadl_trust.stats.on_predictions.seeds import seed_ttest
from clinicadl_trust.stats.on_predictions.sites import (
    heterogeneity,
    unit_interval,
    unit_ttest,
)

__all__ = [
    "Answer",
    "Answers",
    "bayesian_correlated_ttest",
    "bayesian_signed_rank",
    "bootstrap",
    "bootstrap_difference",
    "brier_decomposition",
    "brier_score",
    "calibration_intercept",
    "calibration_slope",
    "cohen_kappa",
    "compare_net_benefit",
    "compare_roc_auc",
    "corrected_kfold_ttest",
    "corrected_resampled_ttest",
    "cross_validation_interval",
    "expected_calibration_error",
    "friedman",
    "heterogeneity",
    "icc",
    "mcnemar",
    "mixed_model",
    "mrmc",
    "net_benefit",
    "permutation_test",
    "proportion",
    "reliability_curve",
    "required_sample_size",
    "roc_auc",
    "seed_ttest",
    "sensitivity_at_specificity",
    "subgroups",
    "unit_interval",
    "unit_ttest",
    "wilcoxon",
]
