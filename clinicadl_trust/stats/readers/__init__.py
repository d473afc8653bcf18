"""Studies in which several people read the same cases."""

from clinicadl_trust.stats.readers.mrmc import MRMC, mrmc

__all__ = [
    "MRMC",
    "mrmc",
]
