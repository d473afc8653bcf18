"""A constraint in a training: what it weighs, and which attributions it looks at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import nn

from clinicadl_trust.attribution.baselines import BASELINES
from clinicadl_trust.attribution.constraints.base import (
    NEEDS_MASK,
    AttributionConstraint,
)
from clinicadl_trust.attribution.methods import DIFFERENTIABLE
from clinicadl_trust.exceptions import ConfigError, PluginError, did_you_mean
from clinicadl_trust.plugins import load

__all__ = ["HEALTHY", "Term", "TermLoss", "check_terms", "read_terms"]

#: The baseline that is drawn from the healthy images of a batch.
HEALTHY = "healthy"

#: ClinicaDL cannot read back other names.
_LABEL = re.compile("[A-Za-z0-9]+")

_OWN = ("name", "label", "weight", "method", "baselines", "n_samples", "fraction")


@dataclass(frozen=True)
class Term:
    """One constraint of a model.

    Attributes
    ----------
    name : str
        Of the term in the logs: its label, else that of the plugin.
    constraint : AttributionConstraint
        What it penalises.
    weight : float
        What it is multiplied by in the loss.
    method : str
        Of the attributions, one that can be differentiated.
    baselines : str
        What images are compared with.
    n_samples : int
        Samples of an attribution.
    fraction : float
        Of the images that count, how many are looked at in a step.
    """

    name: str
    constraint: AttributionConstraint
    weight: float
    method: str
    baselines: str
    n_samples: int
    fraction: float = 1.0


class TermLoss(nn.Module):
    """What ClinicaDL's logs know a constraint by; it is not a metric."""

    reduction = "mean"

    def forward(self, *_: torch.Tensor) -> torch.Tensor:
        """Refuse: outputs and labels do not tell it.

        Raises
        ------
        NotImplementedError
            Always.
        """
        raise NotImplementedError(
            "A constraint is computed from the network's gradient in training, not "
            "from its outputs: it cannot be a metric."
        )


def read_terms(tables: list[dict[str, Any]]) -> tuple[Term, ...]:
    """Build the constraints of a model from their tables.

    Parameters
    ----------
    tables : list of dict
        Each with the ``name`` of a plugin; ``weight`` (1 by default), ``method``
        (gradient), ``baselines`` (zeros, blurred, rolled, or healthy: the healthy
        images of the batch), ``n_samples`` (1), ``fraction`` (1; a part of the images,
        drawn anew at each step) and ``label`` (what the logs call it); and the
        constraint's own options.

    Raises
    ------
    ConfigError
        Naming what is wrong and the nearest right name.
    """
    if not tables:
        raise ConfigError(
            "constraints is empty: give at least one, for example "
            "[{ name = 'HealthyGradient' }], or use a model without constraints."
        )
    terms = tuple(_term(table, f"constraints[{n}]") for n, table in enumerate(tables))
    names = [term.name for term in terms]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ConfigError(
            f"constraints holds '{repeated[0]}' more than once. Its terms could not be "
            "told apart in the logs: keep one, or give each a label."
        )
    return terms


def check_terms(tables: list[dict[str, Any]], masked: bool) -> None:
    """Check the constraints of a model before it is built.

    Parameters
    ----------
    tables : list of dict
        As in ``read_terms``.
    masked : bool
        Whether images will have a mask.

    Raises
    ------
    ConfigError
        As ``read_terms``, or if a constraint of some weight needs a mask.
    """
    for number, term in enumerate(read_terms(tables)):
        if term.weight and term.constraint.needs_mask and not masked:
            said = NEEDS_MASK.format(type(term.constraint).__name__)
            raise ConfigError(f"constraints[{number}]: {said}")


def _term(table: Mapping[str, Any], where: str) -> Term:
    if not isinstance(table, Mapping) or "name" not in table:
        raise ConfigError(f"{where} has no name. Give that of a constraint.")
    name = str(table["name"])
    try:
        cls = load("attribution_constraints", name)
    except PluginError as error:
        raise ConfigError(f"{where}: {error}") from error
    options = {key: value for key, value in table.items() if key not in _OWN}
    known = [*_OWN, *signature(cls).parameters]
    for key in options:
        if key not in known:
            raise ConfigError(
                f"{where}.{key} is no option of '{name}'.{did_you_mean(key, known)}"
            )
    method = str(table.get("method", "gradient"))
    baselines = str(table.get("baselines", "zeros"))
    for value, names, key in (
        (method, [*DIFFERENTIABLE], "method"),
        (baselines, [*BASELINES, HEALTHY], "baselines"),
    ):
        if value not in names:
            raise ConfigError(
                f"{where}.{key} = '{value}' is unknown.{did_you_mean(value, names)}"
            )
    fraction = _number(table.get("fraction", 1.0), f"{where}.fraction", 0.0)
    if not 0 < fraction <= 1:
        raise ConfigError(f"{where}.fraction = {fraction:g} must be in (0, 1].")
    return Term(
        name=_label(table.get("label", cls.__name__), f"{where}.label"),
        constraint=cls(**options),
        weight=_number(table.get("weight", 1.0), f"{where}.weight", 0.0),
        method=method,
        baselines=baselines,
        n_samples=int(_number(table.get("n_samples", 1), f"{where}.n_samples", 1)),
        fraction=fraction,
    )


def _label(value: Any, where: str) -> str:
    if not isinstance(value, str) or not _LABEL.fullmatch(value) or value == "loss":
        raise ConfigError(
            f"{where} = {value!r} names a column of the logs: give letters and digits "
            "only, and not 'loss'."
        )
    return value


def _number(value: Any, where: str, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{where} = {value!r} is no number.")
    if not least <= value < float("inf"):
        raise ConfigError(f"{where} = {value} must be finite and at least {least:g}.")
    return float(value)
