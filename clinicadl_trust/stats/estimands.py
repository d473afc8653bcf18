"""What an estimate is about, in words: the same in tables, messages and reports."""

from __future__ import annotations

__all__ = [
    "CHANCE",
    "HOSPITAL",
    "LEAKY",
    "PATIENT",
    "RETRAINED",
    "SEED",
    "VALIDATION",
    "name_place",
    "new_unit",
]

#: A group that nothing was trained on, these trained models.
PATIENT = "a new patient of this test group's hospitals"

#: The same group, each of its sites counted once.
HOSPITAL = "a new hospital, for these trained models"

#: Cross-validation: each fold trains anew, on as many patients as one fold does.
RETRAINED = "a retrained model and a new patient of these hospitals"

#: Training begins from other random weights and another order of the images.
SEED = "these ways of training from a new seed, on these test images"

#: Labels redrawn and the model refitted: is there anything to learn at all?
CHANCE = "a retrained model against one that has nothing to learn"

#: Images that took part in choosing the model.
VALIDATION = "none: these images helped to choose the model"

#: A participant on both sides.
LEAKY = "none: participants are in training and in test"

_UNITS = {"site": "hospital"}


def name_place(unit: str) -> str:
    """Call a site a hospital, and a scanner or a dataset what it is."""
    return _UNITS.get(unit, unit)


def new_unit(unit: str) -> str:
    """Name what a mean over left-out sites, scanners or datasets is about."""
    return f"a retrained model in a new {name_place(unit)}"
