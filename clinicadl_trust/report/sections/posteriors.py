"""How probable it is that a model is better, in cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pandas as pd

from clinicadl_trust import plots
from clinicadl_trust.exceptions import TrustError
from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.charts import draw
from clinicadl_trust.report.evidence import headed
from clinicadl_trust.report.sections.class_curves import Chart
from clinicadl_trust.report.text import percent
from clinicadl_trust.stats import (
    BayesianComparison,
    Design,
    bayesian_correlated_ttest,
    infer_designs,
)

__all__ = ["ROPE", "Panel", "posterior_panels"]

#: Differences of at most this size do not matter in practice: a hundredth of a metric
#: that goes from 0 to 1 (Benavoli et al., JMLR 18(77), 2017).
ROPE = 0.01

#: Pairs that are drawn at most.
_MOST = 6


@dataclass(frozen=True)
class Panel:
    """The posteriors of one split strategy."""

    heading: str
    charts: tuple[Chart, ...]


def posterior_panels(
    benchmark: Benchmark, pairs: Sequence[tuple[str, str]]
) -> list[Panel]:
    """Draw the posterior of each pair in each honest cross-validation.

    Parameters
    ----------
    benchmark : Benchmark
        With the metric of each fold.
    pairs : sequence of tuple of str
        Models; the first few are drawn.

    Returns
    -------
    list of Panel
        None for a metric that does not go from 0 to 1, for which no difference is
        known to be too small to matter.
    """
    values, predictions = benchmark.fold_metrics, benchmark.evaluated
    if values is None or predictions is None or benchmark.metric().bounds != (0.0, 1.0):
        return []
    try:
        designs = infer_designs(predictions)
    except TrustError:  # said by the sections that show the predictions themselves
        return []
    panels = []
    for rank, strategy in enumerate(benchmark.honest):
        design = designs.get(strategy.name)
        if design is None or design.kind != "cross-validation":
            continue
        made = (
            _chart(benchmark, strategy, design, pair, f"{rank}-{number}")
            for number, pair in enumerate(pairs[:_MOST])
        )
        charts = tuple(chart for chart in made if chart is not None)
        if charts:
            panels.append(Panel(headed(benchmark, strategy), charts))
    return panels


def _chart(
    benchmark: Benchmark,
    strategy: Strategy,
    design: Design,
    pair: tuple[str, str],
    place: str,
) -> Chart | None:
    result = _posterior(benchmark, strategy, design, pair)
    if result is None:
        return None
    names = [benchmark.title(name) for name in pair]
    metric = benchmark.metric()
    description = (
        f"{names[0]} is better with a probability of {percent(result.p_better)}, "
        f"{names[1]} with {percent(result.p_worse)}, and with "
        f"{percent(result.p_equivalent)} they differ by at most {ROPE:g}."
    )
    drawing = draw(
        partial(
            plots.posterior,
            result,
            models=("first", "second"),
            metric=_gain(metric.title, metric.higher_is_better),
        ),
        key=f"chart-posterior-{place}",
        title=f"{names[0]} against {names[1]}, {strategy.heading.lower()}",
        description=description,
        height=240,
        room=(12, 62, 12, 22),
    )
    caption = f"{names[0]} \N{MINUS SIGN} {names[1]}"
    return Chart(f"posterior-{strategy.name}-{pair[0]}-{pair[1]}", caption, drawing)


def _gain(title: str, higher_is_better: bool) -> str:
    return title if higher_is_better else f"{title}, second minus first"


def _posterior(
    benchmark: Benchmark, strategy: Strategy, design: Design, pair: tuple[str, str]
) -> BayesianComparison | None:
    """Return the posterior of the gain in each fold, None if it cannot be had."""
    first, second = (_folds(benchmark, strategy, name) for name in pair)
    difference = (first - second).dropna()
    if len(difference) < 2 or difference.std() == 0:
        return None
    n_train, n_test = design.sizes(difference.index)
    if not n_train > 0:
        return None
    gain = difference if benchmark.metric().higher_is_better else -difference
    return bayesian_correlated_ttest(list(gain), n_train, n_test, ROPE)


def _folds(benchmark: Benchmark, strategy: Strategy, model: str) -> pd.Series:
    """Average the seeds of a model in each fold."""
    table = benchmark.fold_metrics
    assert table is not None
    rows = table[
        (table["split_strategy"] == strategy.name)
        & (table["model"] == model)
        & (table["metric"] == benchmark.primary_metric)
    ]
    return rows.groupby(["repeat", "split"])["value"].mean()
