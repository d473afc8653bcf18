"""Do procedures keep their word? Measured on data whose truth is known."""

from clinicadl_trust.trust_check.measurement import Measurement, TrustCheck
from clinicadl_trust.trust_check.runner import run_trust_check
from clinicadl_trust.trust_check.scenario import Answer, Procedure, Scenario, Setting
from clinicadl_trust.trust_check.scenarios import SCENARIOS

__all__ = [
    "SCENARIOS",
    "Answer",
    "Measurement",
    "Procedure",
    "Scenario",
    "Setting",
    "TrustCheck",
    "run_trust_check",
]
