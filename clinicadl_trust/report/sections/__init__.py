"""The sections of the report, one file each."""

from clinicadl_trust.report.sections import (
    comparisons,
    conclusion,
    curves,
    data,
    estimates,
    glossary,
    leakage,
    runs,
    sealed,
    sites,
    splits,
)
from clinicadl_trust.report.sections.base import Section

#: The modules whose ``build`` makes the page, in its order.
BUILDERS = (
    conclusion,
    data,
    splits,
    sealed,
    estimates,
    comparisons,
    curves,
    sites,
    leakage,
    runs,
    glossary,
)

__all__ = ["BUILDERS", "Section"]
