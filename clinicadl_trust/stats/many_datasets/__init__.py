"""Which model is better over many datasets."""

from clinicadl_trust.stats.many_datasets.bayesian_signed_rank import (
    bayesian_signed_rank,
)
from clinicadl_trust.stats.many_datasets.friedman import Friedman, friedman
from clinicadl_trust.stats.many_datasets.signed_rank import wilcoxon

__all__ = [
    "Friedman",
    "bayesian_signed_rank",
    "friedman",
    "wilcoxon",
]
