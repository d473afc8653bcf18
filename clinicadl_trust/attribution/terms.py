"""A constraint in a training: what it weighs, and which attributions it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

from clinicadl_trust.attribution.baselines import BASELINES
from clinicadl_trust.attribution.constraints.base import AttributionConstraint
from clinicadl_trust.attribution.methods import DIFFERENTIABLE
from clinicadl_trust.exceptions import ConfigError, PluginError, did_you_mean
from clinicadl_trust.plugins import load

__all__ = ["HEALTHY", "Term", "read_terms"]

#: The baseline that is drawn from the healthy images of a batch.
HEALTHY = "healthy"

_OWN = ("name", "weight", "method", "baselines", "n_samples")


@dataclass(frozen=True)
class Term:
    """One constraint of a model.

    Attributes
    ----------
    name : str
        Of the plugin, and of the term in the logs.
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
    """

    name: str
    constraint: AttributionConstraint
    weight: float
    method: str
    baselines: str
    n_samples: int


def read_terms(tables: list[dict[str, Any]]) -> tuple[Term, ...]:
    """Build the constraints of a model from their tables.

    Parameters
    ----------
    tables : list of dict
        Each with the ``name`` of a plugin; ``weight`` (1 by default), ``method``
        (gradient), ``baselines`` (zeros, blurred, rolled, or healthy: the healthy
        images of the batch) and ``n_samples`` (1); and the constraint's own options.

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
            "told apart in the logs: keep one."
        )
    return terms


def _term(table: Mapping[str, Any], where: str) -> Term:
    if "name" not in table:
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
    return Term(
        name=cls.__name__,
        constraint=cls(**options),
        weight=_number(table.get("weight", 1.0), f"{where}.weight", 0.0),
        method=method,
        baselines=baselines,
        n_samples=int(_number(table.get("n_samples", 1), f"{where}.n_samples", 1)),
    )


def _number(value: Any, where: str, least: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{where} = {value!r} is no number.")
    if not least <= value < float("inf"):
        raise ConfigError(f"{where} = {value} must be finite and at least {least:g}.")
    return float(value)
