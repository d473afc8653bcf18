"""Which sections make the page, and in which order."""

from clinicadl_trust.report.sections import (
    attributions,
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

__all__ = ["BUILDERS"]

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
    attributions,
    leakage,
    runs,
    glossary,
)
