"""Performance in subgroups, and how it differs."""

from clinicadl_trust.stats.subgroups.performance import Subgroups, subgroups

__all__ = [
    "Subgroups",
    "subgroups",
]
