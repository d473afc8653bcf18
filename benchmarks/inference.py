"""The statistics against what one would use instead, in one run.

- clustered bootstrap of the AUC against a loop over scikit-learn's ``roc_auc_score``;
- linear mixed models of 60,000 rows with Satterthwaite's degrees of freedom, and a
  logistic one of 10,000, against R's lme4 and lmerTest where ``Rscript`` has them;
- time against size for DeLong's AUC, the bootstrap and each mixed model, with the slope
  on logarithmic axes.

Mixed models are fitted in rounds, here and in R by turns, and the median is shown: of
the seconds that passed, and of those that a processor worked, which others who use the
machine disturb less.

    python benchmarks/inference.py [--resamples 10000] [--rounds 3] [--quick]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import expit

from clinicadl_trust import stats

R_SCRIPT = """
suppressMessages({library(lme4); library(lmerTest); library(jsonlite)})
made <- list()
for (job in fromJSON("jobs.json", simplifyDataFrame = FALSE)) {
  d <- read.table(job$table, header = TRUE, sep = "\\t", stringsAsFactors = TRUE)
  f <- as.formula(job$formula)
  if (job$family == "binomial") {
    t <- system.time({m <- glmer(f, d, family = binomial); s <- summary(m)})
    value <- -2 * as.numeric(logLik(m))
  } else {
    t <- system.time({m <- lmerTest::lmer(f, d); s <- coef(summary(m))})
    value <- REMLcrit(m)
  }
  made[[job$name]] <- list(seconds = t[["elapsed"]],
    worked = t[["user.self"]] + t[["sys.self"]], criterion = value)
}
write_json(made, "made.json", auto_unbox = TRUE, digits = 12)
"""


def clock(call: Callable[[], object]) -> tuple[float, object]:
    """Return the seconds that a call takes, and its result."""
    begun = time.perf_counter()
    made = call()
    return time.perf_counter() - begun, made


def visits(participants: int, images: int, seed: int = 0) -> pd.DataFrame:
    """Draw scores of participants with several images."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(participants), images)
    label = np.repeat(rng.integers(0, 2, participants), images).astype(float)
    noise = rng.normal(size=participants)[who] + rng.normal(size=who.size)
    return pd.DataFrame(
        {"participant_id": who, "label": label, "score": 0.8 * label + noise}
    )


def bootstrap(resamples: int) -> None:
    """5,000 participants with 3 images, against a loop."""
    from sklearn.metrics import roc_auc_score

    table = visits(5000, 3)
    ours, _ = clock(
        lambda: stats.bootstrap(
            "roc_auc",
            table,
            cluster="participant_id",
            n_resamples=resamples,
            method="percentile",
        )
    )
    label, score = table["label"].to_numpy(), table["score"].to_numpy()
    rows = np.arange(len(table)).reshape(5000, 3)
    rng = np.random.default_rng(0)

    def loop(n: int) -> None:
        for _ in range(n):
            drawn = rows[rng.integers(0, 5000, 5000)].ravel()
            roc_auc_score(label[drawn], score[drawn])

    sample = max(resamples // 50, 20)
    theirs = clock(lambda: loop(sample))[0] * resamples / sample
    print(f"bootstrap of the AUC, {resamples} resamples of 5,000 x 3 images")
    print(f"  ours {ours:8.2f} s   loop {theirs:8.2f} s   ratio {theirs / ours:.0f}")


def jobs() -> dict[str, tuple[pd.DataFrame, str, str]]:
    """Make the tables of the mixed models."""
    rng = np.random.default_rng(0)
    models, people, sites = 20, 3000, 30
    of = rng.integers(0, sites, people)
    who, model = np.repeat(np.arange(people), models), np.tile(range(models), people)
    y = rng.normal(size=people)[who] + 0.5 * rng.normal(size=sites)[of[who]]
    y += 0.3 * rng.normal(size=(sites, models))[of[who], model]
    y += rng.normal(size=who.size)
    names = np.array([f"m{i:02d}" for i in range(models)])
    nested = pd.DataFrame(
        {"y": y, "model": names[model], "participant": who, "site": of[who]}
    )
    scanner, x = rng.integers(0, 30, who.size), rng.normal(size=who.size)
    y = 0.1 * x + rng.normal(size=people)[who] + 0.6 * rng.normal(size=30)[scanner]
    y += rng.normal(size=who.size)
    crossed = pd.DataFrame({"y": y, "x": x, "participant": who, "scanner": scanner})
    who = np.repeat(np.arange(1000), 10)
    site, x = rng.integers(0, 30, 1000)[who], rng.normal(size=who.size)
    eta = 0.8 * x + rng.normal(size=1000)[who] + 0.6 * rng.normal(size=30)[site]
    ill = (rng.uniform(size=who.size) < expit(eta)).astype(int)
    binary = pd.DataFrame({"y": ill, "x": x, "participant": who, "site": site})
    slopes = "y ~ model + (1 | participant) + (1 | site) + (1 | site:model)"
    return {
        "20 models, 3,000 people, 30 sites": (nested, slopes, "gaussian"),
        "people travelling between scanners": (
            crossed, "y ~ x + (1 | participant) + (1 | scanner)", "gaussian",
        ),
        "logistic, 10,000 rows": (
            binary, "y ~ x + (1 | participant) + (1 | site)", "binomial",
        ),
    }  # fmt: skip


def write(tables: dict[str, tuple[pd.DataFrame, str, str]], folder: Path) -> None:
    """Write tables and formulas where R reads them."""
    given = []
    for number, (name, (original, formula, family)) in enumerate(tables.items()):
        table = original.copy()
        for column in ("participant", "site", "scanner"):
            if column in table:
                table[column] = "l" + table[column].astype(str)
        table.to_csv(folder / f"{number}.tsv", sep="\t", index=False)
        job = {"name": name, "table": f"{number}.tsv"}
        given.append({**job, "formula": formula, "family": family})
    (folder / "jobs.json").write_text(json.dumps(given))
    (folder / "fit.R").write_text(R_SCRIPT)


def in_r(folder: Path) -> dict[str, dict]:
    """Fit the same models in R; nothing where it is not there."""
    if shutil.which("Rscript") is None:
        return {}
    subprocess.run(["Rscript", "fit.R"], cwd=folder, check=True)
    return json.loads((folder / "made.json").read_text())


def here(tables: dict[str, tuple[pd.DataFrame, str, str]]) -> dict[str, dict]:
    """Fit the models with this package."""
    made = {}
    for name, (table, formula, family) in tables.items():
        worked = time.process_time()
        seconds, model = clock(
            lambda t=table, f=formula, k=family: stats.mixed_model(f, t, family=k)
        )
        worked = time.process_time() - worked
        made[name] = {
            "seconds": seconds,
            "worked": worked,
            "criterion": model.criterion,
        }
    return made


def mixed_models(rounds: int) -> None:
    """Time and optimum of mixed models, by turns with R."""
    tables = jobs()
    runs: dict[str, list[dict[str, dict]]] = {"ours": [], "R": []}
    with tempfile.TemporaryDirectory() as folder:
        write(tables, Path(folder))
        for _ in range(rounds):
            runs["ours"].append(here(tables))
            runs["R"].append(in_r(Path(folder)))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"mixed models, median of {rounds} rounds (load average {load}):")
    print("seconds, of them at work, minus twice the (restricted) log-likelihood")
    for name in tables:
        print(f"  {name}")
        medians = {}
        for side, made in runs.items():
            if not made[0]:
                continue
            seconds, worked, criterion = medians[side] = [
                float(np.median([run[name][key] for run in made]))
                for key in ("seconds", "worked", "criterion")
            ]
            print(f"    {side:4s} {seconds:8.2f} {worked:8.2f}   {criterion:.6f}")
        if "R" in medians:
            ratio = np.divide(medians["R"], medians["ours"])
            print(f"    R takes {ratio[0]:.1f} times as long, {ratio[1]:.1f} at work")


def growth(name: str, sizes: list[int], call: Callable[[int], object]) -> None:
    """Time against size, and the slope of both logarithms."""
    seconds = [clock(lambda n=n: call(n))[0] for n in sizes]
    slope = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    shown = ", ".join(f"{n:,}: {s:.3f} s" for n, s in zip(sizes, seconds, strict=True))
    print(f"{name}: {shown}; slope {slope:.2f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="leave out the growth")
    options = parser.parse_args()
    bootstrap(options.resamples)
    mixed_models(options.rounds)
    if options.quick:
        return
    rng = np.random.default_rng(0)
    million = rng.normal(size=1_000_000)
    label = (rng.uniform(size=1_000_000) < expit(million)).astype(float)
    growth(
        "DeLong, images",
        [10_000, 100_000, 1_000_000],
        lambda n: stats.roc_auc(label[:n], million[:n]),
    )
    growth(
        "bootstrap of the AUC, participants",
        [500, 2000, 8000],
        lambda n: stats.bootstrap(
            "roc_auc", visits(n, 3), cluster="participant_id", n_resamples=999
        ),
    )
    for name, (table, formula, family) in jobs().items():
        rows = [len(table) // 10, len(table) // 3, len(table)]
        growth(
            f"mixed model ({name}), rows",
            rows,
            lambda n, t=table, f=formula, k=family: stats.mixed_model(
                f, t.head(n), family=k
            ),
        )


if __name__ == "__main__":
    main()
