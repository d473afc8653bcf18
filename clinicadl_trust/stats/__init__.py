"""IS IT TRUE: honest inference on dependent data."""

from clinicadl_trust.stats.agreement import cohen_kappa, icc
from clinicadl_trust.stats.calibration import (
    BrierDecomposition,
    CalibrationError,
    brier_decomposition,
    brier_score,
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
    reliability_curve,
)
from clinicadl_trust.stats.comparison import compare
from clinicadl_trust.stats.cross_validation import (
    BayesianComparison,
    NestedLosses,
    RefitPermutationTest,
    bayesian_correlated_ttest,
    corrected_kfold_ttest,
    corrected_resampled_ttest,
    cross_validation_interval,
    nested_cross_validation,
    nested_cross_validation_interval,
    refit_permutation_test,
)
from clinicadl_trust.stats.curves import calibration_curve, roc_curve
from clinicadl_trust.stats.decision import (
    DecisionCurve,
    compare_net_benefit,
    net_benefit,
)
from clinicadl_trust.stats.design import Design, infer_designs
from clinicadl_trust.stats.evaluation import evaluate
from clinicadl_trust.stats.folds import fold_metrics, site_metrics
from clinicadl_trust.stats.heterogeneity import Heterogeneity, heterogeneity
from clinicadl_trust.stats.image_comparison import ModelComparison, compare_models
from clinicadl_trust.stats.many_datasets import (
    Friedman,
    bayesian_signed_rank,
    friedman,
    wilcoxon,
)
from clinicadl_trust.stats.mcnemar import mcnemar
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.metrics import get_metric, metric_names, register
from clinicadl_trust.stats.mixed import MixedModel, mixed_model
from clinicadl_trust.stats.multiplicity import adjust
from clinicadl_trust.stats.planning import SampleSize, required_sample_size
from clinicadl_trust.stats.proportions import proportion
from clinicadl_trust.stats.readers import MRMC, mrmc
from clinicadl_trust.stats.recommendation import Recommendation, recommend
from clinicadl_trust.stats.registration import registration_error
from clinicadl_trust.stats.resampling import (
    PermutationTest,
    bootstrap,
    bootstrap_difference,
    permutation_test,
)
from clinicadl_trust.stats.results import Comparison, Estimate
from clinicadl_trust.stats.roc import (
    compare_roc_auc,
    roc_auc,
    sensitivity_at_specificity,
)
from clinicadl_trust.stats.rows import read_statistics, write_statistics
from clinicadl_trust.stats.seeds import seed_ttest
from clinicadl_trust.stats.subgroups import Subgroups, subgroups
from clinicadl_trust.stats.units import unit_interval, unit_ttest

__all__ = [
    "MRMC",
    "BayesianComparison",
    "BrierDecomposition",
    "CalibrationError",
    "Comparison",
    "DecisionCurve",
    "Design",
    "Estimate",
    "Friedman",
    "Heterogeneity",
    "Metric",
    "MixedModel",
    "ModelComparison",
    "NestedLosses",
    "PermutationTest",
    "Recommendation",
    "RefitPermutationTest",
    "SampleSize",
    "Subgroups",
    "adjust",
    "bayesian_correlated_ttest",
    "bayesian_signed_rank",
    "bootstrap",
    "bootstrap_difference",
    "brier_decomposition",
    "brier_score",
    "calibration_curve",
    "calibration_intercept",
    "calibration_slope",
    "cohen_kappa",
    "compare",
    "compare_models",
    "compare_net_benefit",
    "compare_roc_auc",
    "corrected_kfold_ttest",
    "corrected_resampled_ttest",
    "cross_validation_interval",
    "evaluate",
    "expected_calibration_error",
    "fold_metrics",
    "friedman",
    "get_metric",
    "heterogeneity",
    "icc",
    "infer_designs",
    "mcnemar",
    "metric_names",
    "mixed_model",
    "mrmc",
    "nested_cross_validation",
    "nested_cross_validation_interval",
    "net_benefit",
    "permutation_test",
    "proportion",
    "read_statistics",
    "recommend",
    "refit_permutation_test",
    "register",
    "registration_error",
    "reliability_curve",
    "required_sample_size",
    "roc_auc",
    "roc_curve",
    "seed_ttest",
    "sensitivity_at_specificity",
    "site_metrics",
    "subgroups",
    "unit_interval",
    "unit_ttest",
    "wilcoxon",
    "write_statistics",
]
