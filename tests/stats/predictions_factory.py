"""Predictions tables with a known structure, made without training anything."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import expit


def cohort(participants: int = 40, visits: int = 2, sites: int = 4) -> pd.DataFrame:
    """Return ids, site and label: half of each site's participants are patients."""
    number = np.arange(participants)
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{n:03d}" for n in number],
            "site": [f"site-{n // 2 % sites}" for n in number],
            "label": (number % 2).astype(float),
        }
    ).loc[np.repeat(number, visits)]
    table["session_id"] = [
        f"ses-M{m:03d}" for m in np.tile(np.arange(visits), participants)
    ]
    return table.reset_index(drop=True)


def predict(
    images: pd.DataFrame,
    model: str = "cnn",
    effect: float = 1.5,
    seed: int = 0,
    strategy: str = "sealed",
    repeat: int = 0,
    split: int = 0,
    group: str = "test",
) -> pd.DataFrame:
    """Give images a score: an effect of the label and noise of the participant."""
    rng = np.random.default_rng([seed, repeat, split, len(model), len(images)])
    person, number = np.unique(images["participant_id"], return_inverse=True)
    noise = rng.normal(size=len(person))[number] + 0.5 * rng.normal(size=len(images))
    columns = [name for name in images if name not in ("score", "label")]
    return images[columns].assign(
        split_strategy=strategy,
        repeat=repeat,
        split=split,
        fold="",
        seed=seed,
        model=model,
        group=group,
        label=images["label"],
        score=expit(effect * (images["label"].fillna(0) - 0.5) + noise),
    )


def held_out(models: dict[str, float] | None = None, **options) -> pd.DataFrame:
    """Return one test group seen by some models, by name and effect."""
    models = models or {"cnn": 1.5, "metadata": 0.2}
    images = cohort(**options)
    return concat(predict(images, name, effect) for name, effect in models.items())


def folds(
    models: dict[str, float] | None = None,
    by: str = "participant",
    n_splits: int = 4,
    repeats: int = 1,
    strategy: str | None = None,
    seeds: int = 1,
    **options,
) -> pd.DataFrame:
    """Return a cross-validation whose folds hold whole participants, sites or scans."""
    models = models or {"cnn": 1.5, "metadata": 0.2}
    images = cohort(**options)
    pair = images["participant_id"].str[4:].astype(int) // 2  # one of each class
    tables = []
    for repeat in range(repeats):
        fold = {
            "participant": (pair + pair // 4 * (repeat + 1)) % n_splits,
            "site": images["site"].str[5:].astype(int) % n_splits,
            "scan": pd.Series(np.arange(len(images)) % n_splits),
        }[by]
        for name, effect in models.items():
            for split in range(n_splits):
                for seed in range(seeds):
                    part = images[fold == split].reset_index(drop=True)
                    tables.append(
                        predict(
                            part,
                            name,
                            effect,
                            seed=seed,
                            strategy=strategy or f"{by}s",
                            repeat=repeat,
                            split=split,
                        )
                    )
    return concat(tables)


def concat(tables) -> pd.DataFrame:
    """Put tables one under the other."""
    return pd.concat(list(tables), ignore_index=True)


def regression(participants: int = 60, visits: int = 2) -> pd.DataFrame:
    """Return the ages that two models predict in one test group."""
    images = cohort(participants, visits)
    rng = np.random.default_rng(0)
    images["label"] = 60 + 10 * rng.normal(size=participants).repeat(visits)
    tables = []
    for model, error in (("cnn", 4.0), ("mean", 9.0)):
        table = predict(images, model)
        table["score"] = table["label"] + error * rng.normal(size=len(table))
        tables.append(table)
    return concat(tables)


def multiclass(participants: int = 60, visits: int = 2) -> pd.DataFrame:
    """Return three classes that two models predict in one test group."""
    images = cohort(participants, visits)
    rng = np.random.default_rng(0)
    code = np.arange(participants).repeat(visits) % 3
    tables = []
    for model, effect in (("cnn", 2.0), ("other", 0.5)):
        logits = effect * np.eye(3)[code] + rng.normal(size=(len(images), 3))
        shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        table = predict(images, model).drop(columns="score")
        table["label"] = np.array(["CN", "MCI", "AD"])[code]
        for column, name in enumerate(("CN", "MCI", "AD")):
            table[f"score_{name}"] = shares[:, column]
        tables.append(table)
    return concat(tables)
