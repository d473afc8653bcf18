"""Rules on how well models do: against chance, baselines, and one another."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from clinicadl_trust.report.benchmark import BASELINES, Benchmark, Model, Strategy
from clinicadl_trust.report.claims.base import Claim, Verdict
from clinicadl_trust.report.evidence import (
    beats_chance,
    comparison,
    estimate,
    flip,
    n_sites,
    p_words,
    place,
    shown,
    strongest,
    wins,
)
from clinicadl_trust.report.glossary import Metric
from clinicadl_trust.report.text import count, interval, joined, number, signed

__all__ = ["MIN_SITES", "new_hospitals", "ranking", "skill"]

#: With fewer sites, how much hospitals differ cannot be estimated: intervals that
#: resample 4, 5 or 8 sites cover .79, .85 and .87 instead of .95 (our simulations).
MIN_SITES = 8

_ALONE = {
    "metadata": "age, sex and site alone",
    "majority": "always giving the same answer",
}
_WHOLE_SITES = ("site", "scanner", "dataset")


def skill(benchmark: Benchmark) -> Iterator[Claim]:
    """Hold each image model against chance, then against the metadata baseline."""
    evidence = strongest(benchmark)
    if evidence is None:
        return
    for model in benchmark.models:
        row = estimate(benchmark, model.name, evidence)
        if not model.is_baseline and row is not None:
            yield _skill_of(benchmark, model, row, evidence)


def _skill_of(
    benchmark: Benchmark, model: Model, row: pd.Series, evidence: Strategy
) -> Claim:
    metric = benchmark.metric(row["metric"])
    found = f"{metric.title} {shown(row)} {place(evidence)}"
    if beats_chance(metric, row) is False:
        return Claim(
            "may not",
            f"That {model.in_prose} does better than chance.",
            f"{found}: the interval does not exclude {number(metric.chance)}, what "
            "guessing scores.",
        )
    reasons = [found]
    for baseline in _baselines(benchmark, metric):
        against = comparison(benchmark, model.name, baseline.name, evidence)
        alone = _ALONE[baseline.type]
        if against is None:
            return Claim(
                "may not",
                f"That {model.in_prose} does better than {alone}.",
                f"{found}, but the two were not compared.",
            )
        reasons.append(
            f"{signed(against['value'])} against {alone} "
            f"({interval(against['low'], against['high'], sign=True)}, "
            f"{p_words(against)})"
        )
        if not wins(metric, against):
            return Claim(
                "may not",
                f"That {model.in_prose} does better than {alone}.",
                f"{'; '.join(reasons)}: no difference is not excluded.",
            )
    if not any(m.type == "metadata" for m in benchmark.models):
        return Claim(
            "may not",
            f"That {model.in_prose} learned anything from the image.",
            f"{found}, but no model that knows only age, sex and site was run.",
        )
    return Claim(
        "may",
        f"{model.in_prose} {_verb(benchmark)} in people it has never seen, better than "
        "age, sex and site alone.",
        f"{'; '.join(reasons)}.",
    )


def _baselines(benchmark: Benchmark, metric: Metric) -> list[Model]:
    """Return the baselines to beat; where chance is fixed, majority is chance."""
    kinds = ("metadata",) if metric.chance is not None else BASELINES
    return [model for model in benchmark.models if model.type in kinds]


def _verb(benchmark: Benchmark) -> str:
    task = benchmark.task
    if task.is_binary:
        return f"tells {task.classes[1]} from {task.classes[0]}"
    if task.classes:
        return f"tells {joined(task.classes)} apart"
    return f"predicts {task.label}"


def ranking(benchmark: Benchmark) -> Iterator[Claim]:
    """Hold image models against one another, on the strongest evidence."""
    evidence = strongest(benchmark)
    images = [model for model in benchmark.models if not model.is_baseline]
    names = [model.name for model in images]
    table = benchmark.comparisons
    if evidence is None or len(images) < 2 or table.empty:
        return
    table = table[
        (table["metric"] == benchmark.primary_metric)
        & (table["split_strategy"] == evidence.name)
        & table["model"].isin(names)
        & table["reference"].isin(names)
    ]
    metric = benchmark.metric()
    winners = list(_winners(table, metric))
    for row in winners:
        yield Claim(
            "may",
            f"{benchmark.model(row['model']).in_prose} does better than "
            f"{benchmark.model(row['reference']).in_prose} {place(evidence)}.",
            f"{metric.title} {signed(row['value'])} "
            f"({interval(row['low'], row['high'], sign=True)}, {p_words(row)}).",
        )
    if len(table) and not winners:
        yield Claim(
            "may not",
            f"Which of {joined([model.in_prose for model in images])} is best.",
            f"No difference between them {place(evidence)} is beyond doubt once the "
            "number of comparisons is allowed for. That does not show that they are "
            "equal.",
        )


def _winners(table: pd.DataFrame, metric: Metric) -> Iterator[pd.Series]:
    """Yield the settled comparisons, the better model first."""
    for _, row in table.iterrows():
        for side in (row, flip(row)):
            if wins(metric, side):
                yield side


def new_hospitals(benchmark: Benchmark) -> Iterator[Claim]:
    """Say whether anything is known of a hospital that took no part."""
    statement = "How well a model will do in a hospital that is not in this study."
    sites = n_sites(benchmark)
    left_out = [s for s in benchmark.honest if s.unit in _WHOLE_SITES]
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
