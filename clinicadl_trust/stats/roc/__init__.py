"""The area under the ROC curve, and points on the curve."""

from clinicadl_trust.stats.roc.auc import compare_roc_auc, roc_auc
from clinicadl_trust.stats.roc.operating_point import sensitivity_at_specificity

__all__ = [
    "compare_roc_auc",
    "roc_auc",
    "sensitivity_at_specificity",
]
