"""What ``clinicadl interpret`` leaves in the runs of a benchmark, made without any."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter
from sklearn.metrics import average_precision_score
from synthetic_benchmark import CLASSES

from clinicadl_trust.interpretations import Interpretation
from clinicadl_trust.records import find_records

#: How much of what a model looks at is the lesion.
FOCUS = {"cnn": 0.15, "constrained": 2.0}
_IDS = ["participant_id", "session_id"]
_REGIONS = [f"Region_{number}" for number in range(14)]


def add_interpretations(
    directory: Path,
    caps: Path,
    methods: Sequence[str] = ("integrated_gradients", "gradient"),
    strategy: str = "sealed",
) -> list[Interpretation]:
    """Interpret the test group of each network of a benchmark.

    Parameters
    ----------
    directory : pathlib.Path
        A benchmark folder.
    caps : pathlib.Path
        Generated lesions: its images stand for those of the benchmark.
    methods : sequence of str
        By which maps are said to be made.
    strategy : str
        Whose runs.
    """
    predictions = pd.read_csv(directory / "predictions.tsv", sep="\t")
    files = _files(caps)
    made = []
    for record in find_records(directory / "runs"):
        about = json.loads((record / "run.json").read_text())
        if about["model"] == "constrained":
            constraint = {"name": "HealthyGradient", "mode": "supervised"}
            about["config"]["model"] = {"constraints": [constraint]}
            (record / "run.json").write_text(json.dumps(about))
        if about["model"] not in FOCUS or about["split_strategy"] != strategy:
            continue
        rows = predictions.query(
            "group == 'test' and split_strategy == @about['split_strategy'] and "
            "model == @about['model'] and seed == @about['seed'] and "
            "session_id != 'ses-M024' and "
            "split == @about['split']"
        )
        for number, method in enumerate(methods):
            split = int(record.parent.name.removeprefix("split-"))
            each = Interpretation(record.parents[2], split, "test", method)
            seed = [about["seed"], list(FOCUS).index(about["model"]), number]
            rng = np.random.default_rng(seed)
            _interpret(each, rows, files, FOCUS[about["model"]], rng)
            made.append(each)
    return made


def _files(caps: Path) -> dict[int, list[tuple[Path, Path | None]]]:
    """Return image and mask of each participant by diagnosis, 0 for controls."""
    people = pd.read_csv(caps / "participants.tsv", sep="\t")
    found: dict[int, list[tuple[Path, Path | None]]] = {0: [], 1: []}
    for _, person in people.iterrows():
        folder = caps / "subjects" / person["participant_id"] / person["session_id"]
        (image,) = folder.rglob("*FLAIR.nii.gz")
        (mask,) = folder.rglob("*lesion_mask.nii.gz")
        patient = int(person["diagnosis"] != "CN")
        found[patient].append((image, mask if patient else None))
    return found


def _interpret(each, rows, files, focus, rng) -> None:
    for folder in ("maps", "mean", "participants"):
        (each.folder / folder).mkdir(parents=True)
    metrics, regions, maps = [], [], {0: [], 1: []}
    for _, row in rows.iterrows():
        ids = (row["participant_id"], row["session_id"])
        label = int(row["label"])
        number = int(row["participant_id"][4:])
        image, mask = files[label][number % len(files[label])]
        values, affine, scores = _map(image, mask, focus, rng)
        maps[label].append(values)
        nib.save(nib.Nifti1Image(values, affine), each.map_of(*ids))
        record = {"image": str(image), "mask": str(mask or "")}
        each.record_of(*ids).write_text(json.dumps(record))
        metrics.append({**row.to_dict(), **scores})
        shares = rng.dirichlet(np.arange(1, 15) * (1 + focus))
        regions += [
            {**dict(zip(_IDS, ids, strict=True)), "region": name, "mean": share / 1e3}
            | {"share": share, "share_positive": share}
            for name, share in zip(_REGIONS, shares, strict=True)
        ]
    for code, name in enumerate(CLASSES["binary"]):
        mean = np.mean(maps[code], axis=0).astype(np.float32)
        nib.save(nib.Nifti1Image(mean, affine), each.mean_of(name))
    _write(pd.DataFrame(metrics), each.metrics_path)
    _write(pd.DataFrame(regions), each.folder / "regions.tsv")
    patients, healthy = (np.mean(maps[code], axis=0) for code in (1, 0))
    path = each.mean_of("difference")
    nib.save(nib.Nifti1Image((patients - healthy).astype(np.float32), affine), path)
    about = {"finished": True, "means": [*CLASSES["binary"], "difference"]}
    (each.folder / "interpretation.json").write_text(json.dumps(about))


def _map(image, mask, focus, rng):
    """Return a smooth random map that is high in the lesion, and what it scores."""
    scan = nib.load(image)
    head = scan.get_fdata() > 0.2 * scan.get_fdata().max()
    values = gaussian_filter(rng.normal(size=scan.shape), 1.2)
    values = 0.3 * values / values.std()
    nothing = {"lesion_auprc": np.nan, "lesion_prevalence": np.nan}
    scores = {**nothing, "lesion_share_positive": np.nan, "lesion_pointing": np.nan}
    if mask is not None:
        inside = nib.load(mask).get_fdata() > 0
        values = values + focus * gaussian_filter(inside.astype(float), 0.6)
    values = (values * head).astype(np.float32)
    if mask is not None:
        positive = np.clip(values, 0, None)
        scores = {
            "lesion_auprc": average_precision_score(inside.ravel(), positive.ravel()),
            "lesion_prevalence": inside.mean(),
            "lesion_share_positive": positive[inside].sum() / positive.sum(),
            "lesion_pointing": float(inside.flat[values.argmax()]),
        }
    scores["completeness_error"] = rng.uniform(0.0, 0.02)
    scores["deletion_auc"] = rng.uniform(0.2, 0.4)
    scores["deletion_auc_random"] = rng.uniform(0.4, 0.6)
    return values, scan.affine, scores


def _write(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, sep="\t", index=False, na_rep="n/a")
