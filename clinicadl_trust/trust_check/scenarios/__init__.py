"""One scenario a file: data with a known truth, what is naive, and what is ours."""

from clinicadl_trust.trust_check.scenarios.order import SCENARIOS, choose_scenarios

__all__ = ["SCENARIOS", "choose_scenarios"]
