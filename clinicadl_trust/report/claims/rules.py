"""Which rules are asked, and in which order."""

from clinicadl_trust.report.benchmark import Benchmark
from clinicadl_trust.report.claims.base import Claim, Rule
from clinicadl_trust.report.claims.hospitals import new_hospitals
from clinicadl_trust.report.claims.limits import (
    added_later,
    approximate,
    audit_notes,
    incomplete,
    leaks,
    leaky_splits,
    mixed_versions,
    no_estimates,
    not_sealed,
    one_seed,
    other_test_image,
    synthetic,
    usefulness,
)
from clinicadl_trust.report.claims.performance import (
    against_baselines,
    against_chance,
    metadata_skill,
    ranking,
)

__all__ = ["claims"]

#: If one of these speaks, no rule of ``_PERFORMANCE`` is asked.
_BLOCKING: tuple[Rule, ...] = (no_estimates, leaks)
_PERFORMANCE: tuple[Rule, ...] = (
    against_chance,
    against_baselines,
    ranking,
    metadata_skill,
    new_hospitals,
)
_ALWAYS: tuple[Rule, ...] = (
    leaky_splits,
    synthetic,
    usefulness,
    other_test_image,
    not_sealed,
    approximate,
    one_seed,
    added_later,
    mixed_versions,
    incomplete,
    audit_notes,
)


def claims(benchmark: Benchmark) -> list[Claim]:
    """Apply every rule to a benchmark.

    No rule computes a statistic: it holds an interval against chance or zero, and a
    p-value against one minus the confidence level. A leak in a split that should be
    honest, or the lack of any estimate, forbids every claim about performance.

    Returns
    -------
    list of Claim
        In the order of the rules.
    """
    blocking = [claim for rule in _BLOCKING for claim in rule(benchmark)]
    rules = _ALWAYS if blocking else (*_PERFORMANCE, *_ALWAYS)
    return [*blocking, *(claim for rule in rules for claim in rule(benchmark))]
