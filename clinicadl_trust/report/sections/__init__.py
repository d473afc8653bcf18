"""The sections of the report, one file each."""

from clinicadl_trust.report.sections.base import Section
from clinicadl_trust.report.sections.order import BUILDERS

__all__ = ["BUILDERS", "Section"]
