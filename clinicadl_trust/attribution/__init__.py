"""Networks that look where the disease is: attributions and their constraints."""

from clinicadl_trust.attribution.attributions import attributions
from clinicadl_trust.attribution.constraints import AttributionConstraint, Explained
from clinicadl_trust.attribution.diagnostics import (
    TermDiagnostics,
    diagnose,
    diagnose_terms,
)
from clinicadl_trust.attribution.interpretation import (
    Interpretation,
    interpret,
    interpretations,
    stability,
)
from clinicadl_trust.attribution.model import AttributionConstrainedModel
from clinicadl_trust.attribution.networks import (
    check_twice_differentiable,
    smooth_network,
)
from clinicadl_trust.attribution.targets import disease_logit
from clinicadl_trust.host.inference import Extracted

__all__ = [
    "AttributionConstrainedModel",
    "AttributionConstraint",
    "Explained",
    "Extracted",
    "Interpretation",
    "TermDiagnostics",
    "attributions",
    "check_twice_differentiable",
    "diagnose",
    "diagnose_terms",
    "disease_logit",
    "interpret",
    "interpretations",
    "smooth_network",
    "stability",
]
