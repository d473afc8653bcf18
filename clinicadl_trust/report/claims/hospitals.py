"""Rules on hospitals that took no part."""

from __future__ import annotations

from collections.abc import Iterator

from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.claims.base import WHOLE_UNITS, Claim, Verdict
from clinicadl_trust.report.evidence import beats_chance, estimate, n_sites, shown
from clinicadl_trust.report.text import count

__all__ = ["MIN_SITES", "new_hospitals"]

#: With fewer sites, how much hospitals differ cannot be estimated: intervals that
#: resample 4, 5 or 8 sites cover .79, .85 and .87 instead of .95 (our simulations).
MIN_SITES = 8


def new_hospitals(benchmark: Benchmark) -> Iterator[Claim]:
    """Say whether anything is known of a hospital that took no part."""
    statement = "How well a model will do in a hospital that is not in this study."
    sites = n_sites(benchmark)
    left_out = [s for s in benchmark.honest if s.unit in WHOLE_UNITS]
    if sites is None:
        yield Claim("may not", statement, "Sites were not recorded.")
    elif sites < MIN_SITES:
        verb = "is" if sites == 1 else "are"
        yield Claim(
            "may not",
            statement,
            f"There {verb} {count(sites, 'site')}; with fewer than {MIN_SITES}, how "
            "much hospitals differ cannot be estimated.",
        )
    elif not left_out:
        yield Claim(
            "may not",
            statement,
            "No split left whole sites out, so every site was learned from.",
        )
    else:
        yield from _in_left_out_sites(benchmark, left_out[0], sites)


def _in_left_out_sites(
    benchmark: Benchmark, strategy: Strategy, sites: int
) -> Iterator[Claim]:
    metric = benchmark.metric()
    for model in benchmark.models:
        row = estimate(benchmark, model.name, strategy)
        if model.is_baseline or row is None:
            continue
        reason = (
            f"{metric.title} {shown(row)} over {count(sites, 'site')} "
            f"({strategy.title})."
        )
        verdict: Verdict = "may"
        what = f"What {model.in_prose} does"
        if beats_chance(metric, row) is False:
            verdict, what = "may not", f"That {model.in_prose} works"
        yield Claim(verdict, f"{what} in a hospital it did not learn from.", reason)
