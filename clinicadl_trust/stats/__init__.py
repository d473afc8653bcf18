"""IS IT TRUE: honest inference on dependent data."""

from clinicadl_trust.stats.results import Comparison, Estimate

__all__ = ["Comparison", "Estimate"]
