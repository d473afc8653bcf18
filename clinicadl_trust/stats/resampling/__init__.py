"""Resampling of whole clusters: the bootstrap and permutations."""

from clinicadl_trust.stats.resampling.bootstrap import bootstrap, bootstrap_difference
from clinicadl_trust.stats.resampling.permutation import (
    PermutationTest,
    permutation_test,
)

__all__ = [
    "PermutationTest",
    "bootstrap",
    "bootstrap_difference",
    "permutation_test",
]
