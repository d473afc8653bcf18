"""Rules on how well models do: against chance, baselines, and one another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from clinicadl_trust.report.benchmark import BASELINES, Benchmark, Model, Strategy
from clinicadl_trust.report.claims.base import Claim
from clinicadl_trust.report.evidence import (
    beats_chance,
    caveat,
    comparison,
    difference,
    estimate,
    flip,
    place,
    refitted,
    shown,
    strongest,
    wins,
)
from clinicadl_trust.report.glossary import Metric
from clinicadl_trust.report.text import joined, number, p_phrase

__all__ = [
    "against_baselines",
    "against_chance",
    "metadata_skill",
    "ranking",
]

_ALONE = {
    "metadata": "age, sex and site alone",
    "majority": "always giving the same answer",
}


def against_chance(benchmark: Benchmark) -> Iterator[Claim]:
    """Hold each image model against what guessing scores, where that is known."""
    evidence = strongest(benchmark)
    if evidence is None:
        return
    metric = benchmark.metric()
    rows = [
        (model, row)
        for model in benchmark.models
        if not model.is_baseline
        and (row := estimate(benchmark, model.name, evidence)) is not None
    ]
    verdicts = [_beats_guessing(benchmark, evidence, *each) for each in rows]
    better = [each for each, v in zip(rows, verdicts, strict=True) if v]
    others = [each for each, v in zip(rows, verdicts, strict=True) if v is False]
    where = f"{metric.title} {place(evidence)}"
    said = partial(_chanced, benchmark, evidence)
    if better:
        models = [model for model, _ in better]
        seen = "they have" if len(models) > 1 else "it has"
        yield Claim(
            "may",
            f"{_named(models)} {_tell(benchmark, len(models))} better than guessing, "
            f"in people {seen} never seen.",
            _lines(where, [(m, said(m, r)) for m, r in better]),
        )
    if others:
        level = metric.chance
        guessing = "" if level is None else f", where guessing scores {number(level)}"
        models = [model for model, _ in others]
        yield Claim(
            "may not",
            f"That {_named(models)} {_do(models)} better than guessing.",
            _lines(where + guessing, [(m, said(m, r)) for m, r in others]),
        )


def _beats_guessing(
    benchmark: Benchmark, evidence: Strategy, model: Model, row: pd.Series
) -> bool | None:
    """Ask the interval and, where labels were redrawn, the refits: both must agree."""
    answer = beats_chance(benchmark.metric(), row)
    p_value = refitted(benchmark, model.name, evidence)
    if p_value is not None and answer is not False:
        return bool(p_value < 1 - row["confidence_level"])
    return answer


def _chanced(
    benchmark: Benchmark, evidence: Strategy, model: Model, row: pd.Series
) -> str:
    """Write an estimate, and the p-value of refits on redrawn labels."""
    p_value = refitted(benchmark, model.name, evidence)
    refits = f", refitted on redrawn labels {p_phrase(p_value)}"
    return shown(row) + (refits if p_value is not None else "")


def against_baselines(benchmark: Benchmark) -> Iterator[Claim]:
    """Hold each image model against what needs no image."""
    evidence = strongest(benchmark)
    if evidence is None:
        return
    if benchmark.task.kind == "segmentation":
        return  # age, sex and site draw no mask
    metric = benchmark.metric()
    # Where chance has a fixed value, always giving the same answer scores just that.
    kinds = ("metadata",) if metric.chance is not None else BASELINES
    # A model that may be guessing is not said to beat one that guesses worse.
    images = [
        model
        for model in benchmark.models
        if not model.is_baseline
        and (row := estimate(benchmark, model.name, evidence)) is not None
        and _beats_guessing(benchmark, evidence, model, row) is not False
    ]
    for kind in kinds:
        baseline = next((m for m in benchmark.models if m.type == kind), None)
        if baseline is not None:
            yield from _against(benchmark, images, baseline, evidence)
        elif kind == "metadata" and images:
            yield Claim(
                "may not",
                f"That {_named(images)} learned anything from the image.",
                "No model that knows only age, sex and site was run beside "
                f"{'them' if len(images) > 1 else 'it'}.",
            )


def _against(
    benchmark: Benchmark, images: list[Model], baseline: Model, evidence: Strategy
) -> Iterator[Claim]:
    metric = benchmark.metric()
    alone = _ALONE[baseline.type]
    winners: list[tuple[Model, str]] = []
    losers: list[tuple[Model, str]] = []
    strangers: list[Model] = []
    for model in images:
        row = comparison(benchmark, model.name, baseline.name, evidence)
        if row is None:
            strangers.append(model)
        else:
            said = difference(row) + caveat(benchmark, row)
            (winners if wins(metric, row) else losers).append((model, said))
    where = f"Difference in {metric.title} {place(evidence)}"
    if winners:
        models = [model for model, _ in winners]
        yield Claim(
            "may",
            f"{_named(models)} {_do(models)} better than {alone}.",
            _lines(where, winners),
        )
    if losers:
        models = [model for model, _ in losers]
        yield Claim(
            "may not",
            f"That {_named(models)} {_do(models)} better than {alone}.",
            _lines(f"{where}; they may be equally good", losers),
        )
    if strangers:
        yield Claim(
            "may not",
            f"That {_named(strangers)} {_do(strangers)} better than {alone}.",
            "They were not compared.",
        )


def metadata_skill(benchmark: Benchmark) -> Iterator[Claim]:
    """Say whether age, sex and site alone tell the label."""
    evidence = strongest(benchmark)
    metric = benchmark.metric()
    for model in benchmark.models:
        if evidence is None or model.type != "metadata":
            continue
        row = estimate(benchmark, model.name, evidence)
        if row is None or metric.chance is None:
            continue
        reason = f"{metric.title} {shown(row)} {place(evidence)}."
        what = f"{_tell(benchmark, 2)} better than guessing."
        if beats_chance(metric, row):
            reason += " Label and site, age or sex are mixed up in these people."
            yield Claim("note", f"Age, sex and site alone {what}", reason)
        else:
            yield Claim("may not", f"That age, sex and site alone {what}", reason)


def _named(models: list[Model]) -> str:
    return joined([model.in_prose for model in models])


def _do(models: list[Model]) -> str:
    return "do" if len(models) > 1 else "does"


def _tell(benchmark: Benchmark, number_of_models: int) -> str:
    task = benchmark.task
    ending = "" if number_of_models > 1 else "s"
    if task.is_binary:
        return f"tell{ending} {task.classes[1]} from {task.classes[0]}"
    if task.classes:
        return f"tell{ending} {joined(task.classes)} apart"
    if task.kind == "segmentation":
        return f"outline{ending} {task.label}"
    return f"predict{ending} {task.label}"


def _lines(heading: str, lines: list[tuple[Model, str]]) -> str:
    """Put the numbers of several models one under the other."""
    if len(lines) == 1:
        return f"{heading}: {lines[0][1]}."
    return "\n".join(
        [f"{heading}:", *(f"{model.title}: {text}" for model, text in lines)]
    )


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
            f"{metric.title} {difference(row)}{caveat(benchmark, row)}.",
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
