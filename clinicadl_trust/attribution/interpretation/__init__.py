"""Interpreting trained networks: maps, metrics and tables in the MAPS.

Where they lie, and how they are read without torch, is in
``clinicadl_trust.interpretations``.
"""

from clinicadl_trust.attribution.interpretation.interpreting import interpret
from clinicadl_trust.attribution.interpretation.stability import stability
from clinicadl_trust.interpretations import Interpretation, interpretations

__all__ = ["Interpretation", "interpret", "interpretations", "stability"]
