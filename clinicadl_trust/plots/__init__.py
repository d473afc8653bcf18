"""HOW IT IS SHOWN: figures of statistics and of attributions.

Every function takes a result of ``clinicadl_trust.stats`` and, optionally, axes of
matplotlib. Without them it makes a figure of its own, which pyplot does not know:
``plots.forest(sites).figure.savefig("forest.pdf")``. ``attribution_overlay`` takes
images and returns a figure.
"""

from clinicadl_trust.plots.attribution_matrix import attribution_matrix
from clinicadl_trust.plots.attribution_overlay import attribution_overlay
from clinicadl_trust.plots.calibration_curve import calibration_curve
from clinicadl_trust.plots.caterpillar import caterpillar
from clinicadl_trust.plots.decision_curve import decision_curve
from clinicadl_trust.plots.forest import forest
from clinicadl_trust.plots.influence import influence
from clinicadl_trust.plots.learning_curve import learning_curve
from clinicadl_trust.plots.palette import Look
from clinicadl_trust.plots.posterior import posterior
from clinicadl_trust.plots.predicted_against_true import predicted_against_true
from clinicadl_trust.plots.random_effect_diagnostics import random_effect_diagnostics
from clinicadl_trust.plots.relevance import relevance_limit
from clinicadl_trust.plots.roc_curve import roc_curve

__all__ = [
    "Look",
    "attribution_matrix",
    "attribution_overlay",
    "calibration_curve",
    "caterpillar",
    "decision_curve",
    "forest",
    "influence",
    "learning_curve",
    "posterior",
    "predicted_against_true",
    "random_effect_diagnostics",
    "relevance_limit",
    "roc_curve",
]
