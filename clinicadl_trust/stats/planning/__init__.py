"""How many participants are needed."""

from clinicadl_trust.stats.planning.sample_size import SampleSize, required_sample_size

__all__ = [
    "SampleSize",
    "required_sample_size",
]
