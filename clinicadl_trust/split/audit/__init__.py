"""Is anything on both sides? The audit of splits and of the runs made on them."""

from clinicadl_trust.split.audit.auditing import audit
from clinicadl_trust.split.audit.confounding import Confounding
from clinicadl_trust.split.audit.findings import AuditReport, Finding

__all__ = ["AuditReport", "Confounding", "Finding", "audit"]
