"""WHO is compared: split strategies and their audit."""

from clinicadl_trust.split.base import Fold, HeldOut, SplitStrategy
from clinicadl_trust.split.layout import SplitInfo, read_splits, write_splits
from clinicadl_trust.split.options import from_options

__all__ = [
    "Fold",
    "HeldOut",
    "SplitInfo",
    "SplitStrategy",
    "from_options",
    "read_splits",
    "write_splits",
]
