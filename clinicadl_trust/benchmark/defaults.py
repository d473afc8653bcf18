"""What a section of the experiment file takes from others where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinicadl_trust.benchmark.config import (
    BASELINES,
    CohortSection,
    ModelSection,
    StrategySection,
)

__all__ = ["with_defaults"]


def with_defaults(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Write out what a section takes from others: seeds, and the baselines.

    Parameters
    ----------
    sections : mapping
        Fields of an ``Experiment``; those whose shape is wrong may be absent.

    Returns
    -------
    dict
        The same fields.
    """
    seed = sections.get("seed", 0)
    models = {
        name: model.model_copy(update={"seeds": model.seeds or [seed]})
        for name, model in (sections.get("models") or {}).items()
    }
    cohort = sections.get("cohort")
    # No baseline of the participants table draws a mask.
    for name in BASELINES if getattr(cohort, "task", None) != "segmentation" else ():
        models.setdefault(name, ModelSection(type=name, seeds=[seed]))
    splits = (sections.get("splits") or {}).items()
    filled = {
        **sections,
        "models": models,
        "splits": {name: _strategy(section, seed) for name, section in splits},
    }
    if (sealed := sections.get("sealed_test")) is not None:
        filled["sealed_test"] = _strategy(sealed, seed)
    if cohort is not None:
        filled["cohort"] = _cohort(cohort, seed)
    return filled


def _cohort(section: CohortSection, seed: int) -> CohortSection:
    if section.generate is not None:
        return section.model_copy(update={"generate": _seeded(section.generate, seed)})
    return section.model_copy(update={"image": section.image or "T1Linear"})


def _strategy(section: StrategySection, seed: int) -> StrategySection:
    return StrategySection(strategy=section.strategy, **_seeded(section.options, seed))


def _seeded(options: Mapping[str, Any], seed: int) -> dict[str, Any]:
    return {**options, "seed": options.get("seed", seed)}
