"""A benchmark folder as ``clinicadl benchmark`` leaves it, made without any run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from clinicadl_trust.stats.comparison import compare
from clinicadl_trust.stats.evaluation import evaluate
from clinicadl_trust.stats.folds import fold_metrics

CLASSES = {
    "binary": ["CN", "AD"],
    "multiclass": ["CN", "MCI", "AD"],
    "regression": [],
}
#: How much of the label each model knows; the metadata know a little.
SKILL = {
    "cnn": 1.1,
    "constrained": 1.2,
    "regional-logistic": 1.5,
    "voxel-svm": 1.2,
    "metadata": 0.25,
    "majority": 0.0,
}
TYPES = {
    "cnn": "trainer",
    "constrained": "trainer",
    "regional-logistic": "scikit-learn",
    "voxel-svm": "scikit-learn",
    "metadata": "metadata",
    "majority": "majority",
}


@dataclass(frozen=True)
class Options:
    """What the folder holds, and what it lacks."""

    task: str = "binary"
    participants: int = 120
    sites: int = 4
    sealed: bool = True
    leaky: bool = True
    failures: bool = True
    finished: bool = True
    models: tuple[str, ...] = tuple(name for name in SKILL if name != "constrained")
    seeds: int = 2
    effect: float = 1.0
    seed: int = 0
    name: str = "quickstart"
    question: str = (
        "Does an MRI model tell Alzheimer's disease from normal ageing in people it "
        "has never seen?"
    )


def make_benchmark(directory: Path, **options) -> Path:
    """Write a whole benchmark folder and return it."""
    options = Options(**options)
    directory.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(options.seed)
    cohort = _cohort(options, rng)
    _write(cohort, directory / "cohort.tsv")
    strategies = _strategies(options)
    folds = _folds(cohort, strategies, options, rng)
    predictions = _predictions(cohort, folds, options, rng)
    _write(predictions, directory / "predictions.tsv")
    _statistics(predictions, directory)
    _write(_flow(cohort), directory / "flow.tsv")
    _write(_audit(options), directory / "audit.tsv")
    _write(_balance(cohort, folds, options), directory / "balance.tsv")
    _write(_failures(options), directory / "failures.tsv")
    _runs(predictions, directory)
    info = _info(cohort, strategies, options)
    (directory / "benchmark.json").write_text(json.dumps(info, indent=2))
    (directory / "benchmark.toml").write_text(f'name = "{options.name}"\nseed = 0\n')
    return directory


def _write(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, sep="\t", index=False, na_rep="n/a")


def _cohort(options: Options, rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for number in range(options.participants):
        site = f"site-{number // 6 % max(options.sites, 1) + 1}"  # crosses the label
        code = number % 2 if options.task != "multiclass" else number % 3
        age = float(np.round(rng.normal(72 + 1.5 * code, 6), 1))
        for visit in range(1 + number % 3):
            row = {
                "participant_id": f"sub-{number:03d}",
                "session_id": f"ses-M{12 * visit:03d}",
                "age": age + visit,
                "sex": "FM"[rng.integers(2)],
                "diagnosis": _label(options, code, age + visit),
            }
            if options.sites:
                row |= {"site": site, "scanner": f"{site}-scanner-1"}
            rows.append(row)
    table = pd.DataFrame(rows)
    table["sex"] = table.groupby("participant_id")["sex"].transform("first")
    return table


def _label(options: Options, code: int, age: float) -> object:
    return age if options.task == "regression" else CLASSES[options.task][code]


def _strategies(options: Options) -> dict[str, dict]:
    strategies = {}
    if options.sealed:
        strategies["sealed"] = {
            "strategy": "MatchedTestSet",
            "title": "sealed test group, matched on age and sex",
            "unit": "participant",
            "n_folds": 1,
        }
    strategies["participants"] = {
        "strategy": "ParticipantKFold",
        "title": "participants in k folds",
        "unit": "participant",
        "n_folds": 4,
    }
    if options.sites > 1:
        strategies["sites"] = {
            "strategy": "LeaveOneSiteOut",
            "title": "leave one site out",
            "unit": "site",
            "n_folds": options.sites,
        }
    if options.leaky:
        strategies["scans"] = {
            "strategy": "ScanKFold",
            "title": "scans in k folds (leaky)",
            "unit": "scan",
            "n_folds": 4,
        }
    for name, strategy in strategies.items():
        strategy |= {"leaky": name == "scans", "sealed": name == "sealed"}
    return strategies


def _folds(cohort, strategies, options, rng) -> dict[str, list[tuple[str, pd.Series]]]:
    """Return, per strategy, the name of each fold and the mask of its test rows."""
    number = cohort["participant_id"].str[4:].astype(int)
    sealed = (number % 8).isin([0, 1]) if options.sealed else number < 0
    folds = {}
    for name in strategies:
        if name == "sealed":
            folds[name] = [("", sealed)]
        elif name == "sites":
            folds[name] = [
                (site, ~sealed & (cohort["site"] == site))
                for site in sorted(cohort["site"].unique())
            ]
        else:
            drawn = pd.Series(rng.permutation(len(cohort)))
            unit = number // 8 if name == "participants" else drawn
            folds[name] = [("", ~sealed & (unit % 4 == k)) for k in range(4)]
    return folds


def _predictions(cohort, folds, options, rng) -> pd.DataFrame:
    tables = []
    person = cohort["participant_id"].astype("category").cat.codes.to_numpy()
    for strategy, parts in folds.items():
        for model in options.models:
            if strategy == "scans" and TYPES[model] == "trainer":
                continue
            for seed in range(options.seeds if TYPES[model] == "trainer" else 1):
                noise = rng.normal(0, 1, person.max() + 1)[person]
                noise = noise + rng.normal(0, 0.4, len(cohort))
                boost = 1.8 if strategy == "scans" and model != "majority" else 0.0
                scores = _scores(
                    cohort, options, SKILL[model] * options.effect + boost, noise, model
                )
                for split, (fold, test) in enumerate(parts):
                    validation = ~test & (person % 7 == split)
                    groups = {"test": test, "validation": validation}
                    for group, mask in groups.items():
                        table = cohort.loc[mask, _ids(cohort)].copy()
                        table = table.assign(
                            split_strategy=strategy,
                            repeat=0,
                            split=split,
                            fold=fold,
                            seed=seed,
                            model=model,
                            group=group,
                        )
                        tables.append(pd.concat([table, scores[mask]], axis=1))
    return pd.concat(tables, ignore_index=True)


def _ids(cohort: pd.DataFrame) -> list[str]:
    return [
        c for c in ("participant_id", "session_id", "site", "scanner") if c in cohort
    ]


def _scores(cohort, options, skill, noise, model) -> pd.DataFrame:
    """Return ``label`` and the scores of every row."""
    classes = CLASSES[options.task]
    if options.task == "regression":
        truth = cohort["diagnosis"].to_numpy(float)
        spread = 0.0 if model == "majority" else 6.0 / (1 + skill)
        slope = skill / (1 + skill)
        value = 72 + slope * (truth - 72) + spread * noise
        return pd.DataFrame({"label": truth, "score": value}, index=cohort.index)
    code = cohort["diagnosis"].map({c: i for i, c in enumerate(classes)}).to_numpy()
    noise = noise if model != "majority" else 0 * noise
    if options.task == "binary":
        score = 1 / (1 + np.exp(-(skill * 1.6 * (code - 0.5) + noise)))
        return pd.DataFrame({"label": code, "score": score}, index=cohort.index)
    logits = skill * 1.6 * np.eye(3)[code] + np.stack([noise, -noise, 0 * noise], 1)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    table = pd.DataFrame(
        shares, columns=[f"score_{c}" for c in classes], index=cohort.index
    )
    table.insert(0, "label", cohort["diagnosis"])
    return table


def _statistics(predictions: pd.DataFrame, directory: Path) -> None:
    _write(fold_metrics(predictions), directory / "fold_metrics.tsv")
    estimates = evaluate(predictions)
    metrics = list(dict.fromkeys(estimates["metric"]))
    comparisons = compare(predictions, metrics[:2])
    _write(pd.concat([estimates, comparisons]), directory / "statistics.tsv")


def _flow(cohort: pd.DataFrame) -> pd.DataFrame:
    people, scans = cohort["participant_id"].nunique(), len(cohort)
    steps = [
        ("rows of the participants table", people + 6, scans + 9, 0, 0, ""),
        ("label known", people + 2, scans + 4, 4, 5, "diagnosis is n/a"),
        ("image found and readable", people, scans, 2, 4, "no T1-linear image"),
    ]
    columns = [
        "step",
        "participants",
        "sessions",
        "excluded_participants",
        "excluded_sessions",
        "reason",
    ]
    return pd.DataFrame(steps, columns=columns)


def _audit(options: Options) -> pd.DataFrame:
    rows = [
        (
            "warning",
            "confounded",
            "cohort",
            "Site, age and sex alone predict the label with AUC 0.61 [0.52, 0.70].",
            "Compare every model with the metadata baseline.",
        )
    ]
    if options.leaky:
        rows.append(
            (
                "leak",
                "participant-overlap",
                "scans/repeat-0/split-0",
                "31 participants are in train and in test.",
                "Split by participant.",
            )
        )
    return pd.DataFrame(
        rows, columns=["severity", "code", "where", "message", "what_to_do"]
    )


def _balance(cohort, folds, options) -> pd.DataFrame:
    rows = []
    for strategy, parts in folds.items():
        for split, (fold, test) in enumerate(parts):
            for group, mask in (("train", ~test), ("test", test)):
                part = cohort[mask]
                row = {
                    "split_strategy": strategy,
                    "repeat": 0,
                    "split": split,
                    "fold": fold,
                    "group": group,
                    "n_participants": part["participant_id"].nunique(),
                    "n_images": len(part),
                    "age_mean": part["age"].mean(),
                    "sex_F": (part["sex"] == "F").mean(),
                }
                for name in CLASSES[options.task]:
                    row[f"label_{name}"] = (part["diagnosis"] == name).mean()
                rows.append(row)
    return pd.DataFrame(rows)


def _failures(options: Options) -> pd.DataFrame:
    columns = ["split_strategy", "repeat", "split", "model", "seed", "error", "message"]
    row = ("participants", 0, 3, "cnn", 1, "RunError", "The loss became NaN at epoch 3")
    return pd.DataFrame([row] if options.failures else [], columns=columns)


def _runs(predictions: pd.DataFrame, directory: Path) -> None:
    keys = ["split_strategy", "repeat", "split", "model", "seed", "fold"]
    for key in predictions.groupby(keys).groups:
        strategy, repeat, split, model, seed, fold = key
        run = f"runs/{strategy}/repeat-{repeat}/split-{split}/{model}/seed-{seed}"
        folder = directory / run / "training" / f"split-{split}" / "trust"
        folder.mkdir(parents=True)
        record = {
            "split_strategy": strategy,
            "repeat": int(repeat),
            "split": int(split),
            "model": model,
            "seed": int(seed),
            "fold": fold,
            "durations": {"train": 21.5 if model == "cnn" else 0.8, "test": 0.4},
            "versions": {"clinicadl": "2.0.0"},
            "hardware": {"device": "cpu"},
            "config": {"type": TYPES[model]},
        }
        (folder / "run.json").write_text(json.dumps(record))


def _info(cohort, strategies, options) -> dict:
    return {
        "name": options.name,
        "question": options.question,
        "task": {
            "kind": "regression"
            if options.task == "regression"
            else ("classification"),
            "label": "diagnosis",
            "classes": CLASSES[options.task],
        },
        "seed": options.seed,
        "versions": {"python": "3.11.2", "clinicadl-trust": "0.1.0", "torch": "2.6.0"},
        "hardware": {"processor": "x86_64", "cores": 2, "memory_gb": 4, "gpu": None},
        "started": "2026-11-20T10:00:00",
        "finished": "2026-11-20T10:08:42" if options.finished else None,
        "threads": 1,
        "models": {
            name: {"type": TYPES[name], "label": name} for name in options.models
        },
        "primary_metric": "mae" if options.task == "regression" else "roc_auc",
        "splits": strategies,
        "cohort": {
            "caps": "caps",
            "participants": "caps/participants.tsv",
            "generated": {"participants": 120, "disease": "atrophy", "effect": 1.0},
        },
    }
