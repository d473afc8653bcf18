"""IS IT TRUE: honest inference on dependent data."""

from clinicadl_trust.stats.comparison import compare
from clinicadl_trust.stats.cross_validation import (
    corrected_resampled_ttest,
    cross_validation_interval,
)
from clinicadl_trust.stats.curves import calibration_curve, roc_curve
from clinicadl_trust.stats.design import Design, infer_designs
from clinicadl_trust.stats.evaluation import evaluate
from clinicadl_trust.stats.folds import fold_metrics, site_metrics
from clinicadl_trust.stats.metric import Metric
from clinicadl_trust.stats.metrics import get_metric, metric_names, register
from clinicadl_trust.stats.multiplicity import adjust
from clinicadl_trust.stats.results import Comparison, Estimate
from clinicadl_trust.stats.roc import compare_roc_auc, roc_auc
from clinicadl_trust.stats.rows import read_statistics, write_statistics
from clinicadl_trust.stats.units import unit_interval, unit_ttest

__all__ = [
    "Comparison",
    "Design",
    "Estimate",
    "Metric",
    "adjust",
    "calibration_curve",
    "compare",
    "compare_roc_auc",
    "corrected_resampled_ttest",
    "cross_validation_interval",
    "evaluate",
    "fold_metrics",
    "get_metric",
    "infer_designs",
    "metric_names",
    "read_statistics",
    "register",
    "roc_auc",
    "roc_curve",
    "site_metrics",
    "unit_interval",
    "unit_ttest",
    "write_statistics",
]
