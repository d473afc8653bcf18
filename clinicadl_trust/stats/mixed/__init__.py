"""Linear and logistic mixed models: lme4's formulas and likelihood, in Python."""

from clinicadl_trust.stats.mixed.contrast import Contrast
from clinicadl_trust.stats.mixed.likelihood_ratio import LikelihoodRatio
from clinicadl_trust.stats.mixed.model import mixed_model
from clinicadl_trust.stats.mixed.result import MixedModel

__all__ = ["Contrast", "LikelihoodRatio", "MixedModel", "mixed_model"]
