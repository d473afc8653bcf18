"""Is a model worth acting on: net benefit over thresholds."""

from clinicadl_trust.stats.decision.net_benefit import (
    DecisionCurve,
    compare_net_benefit,
    net_benefit,
)

__all__ = [
    "DecisionCurve",
    "compare_net_benefit",
    "net_benefit",
]
