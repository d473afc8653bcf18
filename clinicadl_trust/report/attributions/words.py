"""What the metrics of attributions are called, and which way they are good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinicadl_trust.interpretations import METRICS
from clinicadl_trust.report.text import joined

__all__ = [
    "DIFFERENCES",
    "STABILITY",
    "about_of",
    "is_better_high",
    "method_name",
    "title_of",
    "trained_with",
]

#: Column of ``stability.tsv`` to its title and what it says.
STABILITY = {
    "stability_spearman": (
        "Like other seeds' (rank)",
        "rank correlation of two seeds' maps of an image; interval over participants",
    ),
    "stability_top_dice": (
        "Like other seeds' (largest)",
        "Dice of two seeds' largest 1 % of voxels, likewise; chance gives 0.01",
    ),
}
_TITLES = {
    "lesion_auprc": "AUPRC in the lesions",
    "lesion_auprc_absolute": "AUPRC, signs ignored",
    "lesion_prevalence": "AUPRC by chance",
    "lesion_share": "Share in the lesions",
    "lesion_share_positive": "Share of what speaks for disease",
    "lesion_dice": "Best Dice",
    "lesion_dice_absolute": "Best Dice, signs ignored",
    "lesion_pointing": "Pointing game",
    "completeness_error": "Completeness error",
    "deletion_auc": "Deletion",
    "deletion_auc_random": "Deletion at random",
    "insertion_auc": "Insertion",
    "insertion_auc_random": "Insertion at random",
    "randomisation_spearman": "Like a random network's (rank)",
    "randomisation_ssim": "Like a random network's (structure)",
    **{name: title for name, (title, _) in STABILITY.items()},
}
_BETTER_LOW = ("completeness_error", "deletion_auc", "randomisation")
#: What is no property of a model, and so is not compared.
_CONTEXT = ("lesion_prevalence", "deletion_auc_random", "insertion_auc_random")

#: Metrics in which models are compared.
DIFFERENCES = tuple(name for name in METRICS if name not in _CONTEXT)


def title_of(metric: str) -> str:
    """Return what a metric is called in the report."""
    return _TITLES.get(metric, metric.replace("_", " ").capitalize())


def about_of(metric: str) -> str:
    """Return what a metric says, in a few words."""
    return METRICS.get(metric) or STABILITY.get(metric, ("", ""))[1]


def is_better_high(metric: str) -> bool:
    """Say whether a metric is good when it is high."""
    return not metric.startswith(_BETTER_LOW)


def method_name(method: str) -> str:
    """Write an attribution method in words."""
    return method.replace("_x_", " × ").replace("_", " ")


def trained_with(config: Mapping[str, Any]) -> str:
    """Say which constraints a model was trained with, and on which attributions.

    Parameters
    ----------
    config : mapping
        The model's table of the experiment file.
    """
    given = (config.get("model") or {}).get("constraints") or []
    said = []
    for constraint in given:
        name, mode = str(constraint.get("name", "?")), constraint.get("mode")
        method = method_name(str(constraint.get("method", "gradient")))  # the default
        said.append(f"{name}{f' ({mode})' if mode else ''} on {method}")
    return joined(said) if said else "no constraint"
