"""WHO is compared: split strategies and their audit.

The audit is in ``clinicadl_trust.split.audit``.
"""

from clinicadl_trust.split.base import SplitStrategy
from clinicadl_trust.split.fold import Fold, HeldOut
from clinicadl_trust.split.info import SplitInfo
from clinicadl_trust.split.options import from_options
from clinicadl_trust.split.reading import read_splits
from clinicadl_trust.split.writing import write_splits

__all__ = [
    "Fold",
    "HeldOut",
    "SplitInfo",
    "SplitStrategy",
    "from_options",
    "read_splits",
    "write_splits",
]
