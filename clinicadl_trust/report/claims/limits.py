"""Rules on what forbids a claim, or qualifies every one of them."""

from __future__ import annotations

from collections.abc import Iterator

from clinicadl_trust.report.benchmark import Benchmark, Strategy
from clinicadl_trust.report.claims.base import WHOLE_UNITS, Claim
from clinicadl_trust.report.findings import findings
from clinicadl_trust.report.text import count, joined

__all__ = [
    "added_later",
    "approximate",
    "audit_notes",
    "incomplete",
    "leaks",
    "leaky_splits",
    "mixed_versions",
    "no_estimates",
    "not_sealed",
    "one_seed",
    "other_test_image",
    "synthetic",
    "usefulness",
]

#: Why intervals of folds, and of left-out sites, are approximate (measured by
#: tests/long/test_coverage.py).
_FOLDS = (
    "They hold the true value about as often as they state, not exactly, "
    "because the models of a cross-validation share people."
)
_SITES = (
    "They rest on one value a site, and are too short: in simulations of 5 to "
    "20 sites, 83 to 92 of 100 held the true value in place of 95."
)
#: And of a test group: by what is measured there, or on how many people.
_TEST_GROUP = (
    "There are few people, people with very different numbers of scans, or a metric "
    "whose interval held the true value in 92 to 97 of 100 simulations in place of 95."
)


def no_estimates(benchmark: Benchmark) -> Iterator[Claim]:
    """Without an estimate from an honest split there is nothing to claim."""
    names = [s.name for s in benchmark.honest]
    if not benchmark.estimates["split_strategy"].isin(names).any():
        yield Claim(
            "may not",
            "Anything about how well a model does.",
            "There is no estimate from an honest split yet.",
        )


def leaks(benchmark: Benchmark) -> Iterator[Claim]:
    """A leak where there should be none makes every number suspect."""
    found = [f for f in findings(benchmark, leaky=False) if f["severity"] == "leak"]
    if found:
        yield Claim(
            "may not",
            "Anything about how well a model does, until the leak is mended.",
            f"The audit found {count(len(found), 'leak')} in splits that should be "
            f"honest; the first: {found[0]['message']}",
        )


def leaky_splits(benchmark: Benchmark) -> Iterator[Claim]:
    """A split that is wrong on purpose gives no result."""
    for strategy in benchmark.strategies:
        if strategy.leaky:
            yield Claim(
                "may not",
                f"Any number of the split '{strategy.name}'.",
                "It lets scans of one person both teach and test, to show the damage.",
            )


def synthetic(benchmark: Benchmark) -> Iterator[Claim]:
    """Generated images say nothing about a disease."""
    if (benchmark.info.get("cohort") or {}).get("generated"):
        yield Claim(
            "may not",
            "Anything about a disease.",
            "The images are synthetic, made with a known effect to check the method.",
        )


def usefulness(benchmark: Benchmark) -> Iterator[Claim]:
    """No benchmark of this kind studies decisions or patients."""
    yield Claim(
        "may not",
        "That a model helps patients.",
        "It was not compared with current practice, and no decision was studied.",
    )


def not_sealed(benchmark: Benchmark) -> Iterator[Claim]:
    """Cross-validation alone leaves room for choices that flatter."""
    if benchmark.sealed is None:
        yield Claim(
            "note",
            "No test group was sealed.",
            "The people tested also took part in the development, through other "
            "folds, so choices made on the way may flatter the numbers.",
        )


def other_test_image(benchmark: Benchmark) -> Iterator[Claim]:
    """Numbers under a shift are of that shift."""
    if (benchmark.info.get("cohort") or {}).get("test_image"):
        yield Claim(
            "note",
            "The test images are of another kind than those of the training.",
            "Every number of a test group is under this shift; without it, or under "
            "another one, models may do better or worse.",
        )


def approximate(benchmark: Benchmark) -> Iterator[Claim]:
    """Name the intervals whose coverage is not exactly what they state."""
    table = benchmark.estimates
    if "calibration" not in table:
        return
    rows = table[table["calibration"] == "approximate"]
    named = [s for s in benchmark.honest if s.name in set(rows["split_strategy"])]
    folds = [s.name for s in named if not _is_group(s) and s.unit not in WHOLE_UNITS]
    sites = [s.name for s in named if not _is_group(s) and s.unit in WHOLE_UNITS]
    for names, reason in ((folds, _FOLDS), (sites, _SITES)):
        if names:
            yield Claim(
                "note", f"The intervals of {joined(names)} are approximate.", reason
            )
    for strategy in filter(_is_group, named):
        metrics = rows.loc[rows["split_strategy"] == strategy.name, "metric"].unique()
        titles = joined([benchmark.metric(m).title for m in metrics])
        yield Claim(
            "note",
            f"On {strategy.name} the interval of {titles} is approximate.",
            _TEST_GROUP,
        )


def _is_group(strategy: Strategy) -> bool:
    """Whether one model is tested once, and no folds are averaged."""
    return strategy.sealed or strategy.n_folds == 1


def one_seed(benchmark: Benchmark) -> Iterator[Claim]:
    """A network trained once leaves the luck of training unknown."""
    if benchmark.runs is None:
        return
    seeds = benchmark.runs.groupby("model")["seed"].nunique()
    trained = [m for m in benchmark.models if m.type == "trainer"]
    once = [m.in_prose for m in trained if seeds.get(m.name, 0) == 1]
    if once:
        verb = "was" if len(once) == 1 else "were"
        yield Claim(
            "note",
            f"{joined(once)} {verb} trained from one seed.",
            "How much the result would move if training were repeated is unknown.",
        )


def incomplete(benchmark: Benchmark) -> Iterator[Claim]:
    """Say what failed, and what is still to come."""
    failures = benchmark.failures
    if failures is not None and len(failures):
        names = joined(sorted(failures["model"].astype(str).unique()))
        yield Claim(
            "note",
            f"{count(len(failures), 'run')} failed.",
            f"They are of {names}. A model and seed that lack a fold are left out of "
            "that split's numbers.",
        )
    if benchmark.info and not benchmark.info.get("finished"):
        yield Claim(
            "note",
            "The benchmark is not finished.",
            "These numbers may change; run 'clinicadl benchmark' again to continue.",
        )


def added_later(benchmark: Benchmark) -> Iterator[Claim]:
    """What was added after results were there was not chosen beforehand."""
    for event in benchmark.info.get("history") or ():
        names = joined([str(name) for name in event.get("added", ())])
        if names:
            yield Claim(
                "note",
                f"Added on {str(event.get('date', ''))[:10]}: {names}.",
                "Earlier results were there then, so this was not chosen beforehand.",
            )


def mixed_versions(benchmark: Benchmark) -> Iterator[Claim]:
    """Runs made by different versions may differ by more than their models."""
    if benchmark.runs is None or "versions" not in benchmark.runs:
        return
    found: dict[str, set[str]] = {}
    for versions in benchmark.runs["versions"].dropna():
        for name, version in versions.items():
            found.setdefault(name, set()).add(str(version))
    mixed = [f"{n} {joined(sorted(v))}" for n, v in found.items() if len(v) > 1]
    if mixed:
        yield Claim(
            "note",
            f"The runs were made with different versions: {'; '.join(mixed)}.",
            "What changed between them may look like a difference between models. "
            "Each run.json says what its run was made with.",
        )


def audit_notes(benchmark: Benchmark) -> Iterator[Claim]:
    """Repeat the audit's warnings where the conclusion is read."""
    if benchmark.audit is None:
        yield Claim(
            "note", "The splits were not audited.", "A leak cannot be excluded."
        )
    for finding in findings(benchmark, leaky=False):
        if finding["severity"] == "warning":
            yield Claim("note", finding["message"], finding["what_to_do"])
