"""Agreement of raters: Cohen's kappa, and intraclass correlations."""

from clinicadl_trust.stats.agreement.icc import icc
from clinicadl_trust.stats.agreement.kappa import cohen_kappa

__all__ = [
    "cohen_kappa",
    "icc",
]
