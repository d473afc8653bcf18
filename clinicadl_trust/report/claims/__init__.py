"""What may and may not be claimed, by explicit rules on the tables."""

from clinicadl_trust.report.claims.base import Claim
from clinicadl_trust.report.claims.rules import claims

__all__ = ["Claim", "claims"]
