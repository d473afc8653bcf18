"""Constraints on what a network looks at, each a plugin."""

from clinicadl_trust.attribution.constraints.base import (
    AttributionConstraint,
    Explained,
)
from clinicadl_trust.attribution.constraints.healthy_gradient import HealthyGradient
from clinicadl_trust.attribution.constraints.monotone import MonotoneSign
from clinicadl_trust.attribution.constraints.priors import Sparsity, TotalVariation
from clinicadl_trust.attribution.constraints.regions import (
    GraphSmoothness,
    RegionShare,
)
from clinicadl_trust.attribution.constraints.right_reasons import RightReasons

__all__ = [
    "AttributionConstraint",
    "Explained",
    "GraphSmoothness",
    "HealthyGradient",
    "MonotoneSign",
    "RegionShare",
    "RightReasons",
    "Sparsity",
    "TotalVariation",
]
