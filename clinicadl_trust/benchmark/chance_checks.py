"""Check what an experiment file wants to be held against chance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clinicadl_trust.benchmark.config import (
    BASELINES,
    SEALED,
    ChanceSection,
    ModelSection,
    StrategySection,
)
from clinicadl_trust.benchmark.mistakes import Mistakes
from clinicadl_trust.exceptions import TrustError, did_you_mean
from clinicadl_trust.split import from_options

__all__ = ["check_chance"]

_SECTION = "chance_test"


def check_chance(sections: Mapping[str, Any], mistakes: Mistakes) -> None:
    """Note models and splits that are not there, or have nothing to learn.

    Parameters
    ----------
    sections : mapping
        The sections whose shape is right.
    mistakes : Mistakes
        Where they are noted.
    """
    section: ChanceSection | None = sections.get(_SECTION)
    if section is None:
        return
    models: Mapping[str, ModelSection] = sections.get("models") or {}
    splits: dict[str, StrategySection] = dict(sections.get("splits") or {})
    if sections.get("sealed_test") is not None:
        splits[SEALED] = sections["sealed_test"]
    _check_models(section, models, mistakes)
    for name in section.splits or ():
        key = (_SECTION, "splits")
        if name not in splits:
            mistakes.add(key, f"'{name}' is no split.{did_you_mean(name, splits)}")
        elif _is_leaky(splits[name]):
            mistakes.add(
                key,
                f"'{name}' leaks on purpose: what it scores is no result, whether "
                "chance or not. Name another split.",
            )


def _check_models(
    section: ChanceSection, models: Mapping[str, ModelSection], mistakes: Mistakes
) -> None:
    key = (_SECTION, "models")
    for name in section.models or ():
        if name not in models:
            mistakes.add(
                key, f"no model is called '{name}'.{did_you_mean(name, models)}"
            )
        elif models[name].type == BASELINES[-1]:
            mistakes.add(
                key, f"'{name}' learns nothing from anybody. Name another model."
            )
    if section.models is None and not any(
        model.type == "scikit-learn" for model in models.values()
    ):
        mistakes.add(
            (_SECTION,),
            "no model is of type 'scikit-learn', which are refitted unless others are "
            "named. Name them: models = [...]; each is trained as many times as there "
            "are permutations, in every fold.",
        )


def _is_leaky(section: StrategySection) -> bool:
    try:
        return from_options(section.strategy, section.options).leaky
    except TrustError:  # told where the splits are checked
        return False
