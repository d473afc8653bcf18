"""WHO is compared: split strategies and their audit."""

from clinicadl_trust.split.base import Fold

__all__ = ["Fold"]
