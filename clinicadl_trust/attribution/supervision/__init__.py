"""What is learned from labels, and which number of the output is explained."""

from clinicadl_trust.attribution.supervision.base import Question, Supervision
from clinicadl_trust.attribution.supervision.choice import SUPERVISIONS, supervise
from clinicadl_trust.attribution.supervision.classification import Classification
from clinicadl_trust.attribution.supervision.regression import Regression
from clinicadl_trust.attribution.supervision.segmentation import Segmentation

__all__ = [
    "SUPERVISIONS",
    "Classification",
    "Question",
    "Regression",
    "Segmentation",
    "Supervision",
    "supervise",
]
