"""The contract of a constraint on attributions."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from clinicadl_trust.testing.contract import (
    ContractError,
    check_class,
    make_example,
    require,
)

if TYPE_CHECKING:
    from clinicadl_trust.attribution import AttributionConstraint, Explained

__all__ = ["check_attribution_constraint"]


def check_attribution_constraint(
    cls: type[AttributionConstraint], example: AttributionConstraint | None = None
) -> None:
    """Check that a class keeps the contract of an attribution constraint.

    Its options must be plain values, kept as attributes of the same names, so that an
    experiment file and a MAPS can hold them; its penalty must be one finite number that
    can be differentiated, for volumes as for slices.

    Parameters
    ----------
    cls : type
        Derived from ``clinicadl_trust.attribution.AttributionConstraint``.
    example : AttributionConstraint, optional
        An instance; by default one made of defaults.

    Raises
    ------
    ContractError
        Naming what is broken and how to mend it. It is an ``AssertionError``.
    """
    from clinicadl_trust.attribution import AttributionConstraint

    check_class(cls, AttributionConstraint, "attribution_constraints")
    constraint = make_example(cls, example)
    _check_options(cls, constraint)
    for shape in ((4, 1, 6, 7, 8), (4, 1, 9, 9)):
        _check_penalty(cls.__name__, constraint, shape)


def _check_options(cls: type, constraint: Any) -> None:
    names = list(inspect.signature(cls).parameters)
    lost = [name for name in names if not hasattr(constraint, name)]
    require(
        not lost,
        f"{cls.__name__} does not keep {', '.join(lost)}: __init__ must set an "
        "attribute of the same name for each option.",
    )
    try:
        options = {name: getattr(constraint, name) for name in names}
        again = cls(**json.loads(json.dumps(options)))
    except Exception as error:
        raise ContractError(
            f"The options of {cls.__name__} do not come back from JSON: "
            f"{type(error).__name__}: {error}. Take numbers, texts, lists and tables."
        ) from error
    require(
        {name: getattr(again, name) for name in names} == options,
        f"{cls.__name__} is another after JSON: {options} became "
        f"{ {name: getattr(again, name) for name in names} }.",
    )


def _check_penalty(name: str, constraint: Any, shape: tuple[int, ...]) -> None:
    import torch

    explained = _example(shape)
    try:
        penalty = constraint(explained)
    except Exception as error:
        raise ContractError(
            f"{name} fails on attributions of shape {shape}: {type(error).__name__}: "
            f"{error}"
        ) from error
    require(
        isinstance(penalty, torch.Tensor)
        and penalty.ndim == 0
        and bool(torch.isfinite(penalty)),
        f"{name} must give one finite number for a batch; got {penalty!r}. _penalty "
        "returns one value, or one an image, nan where it does not count.",
    )
    (gradient,) = torch.autograd.grad(
        penalty, explained.attributions, allow_unused=True, materialize_grads=True
    )
    require(
        bool(torch.isfinite(gradient).all()) and bool(gradient.any()),
        f"The penalty of {name} does not depend on the attributions, or its derivative "
        "is not finite: it would train nothing. Compute it with torch, without "
        "detach() or numpy.",
    )


def _example(shape: tuple[int, ...]) -> Explained:
    """Return attributions with everything that a constraint may ask for."""
    import torch

    from clinicadl_trust.attribution import Explained

    generator = torch.Generator().manual_seed(0)
    mask = torch.zeros(shape)
    mask[..., :4] = 1.0
    labels = torch.zeros(shape[2:], dtype=torch.long)
    labels[..., :3], labels[..., 3:6] = 1, 2
    return Explained(
        attributions=torch.randn(shape, generator=generator).requires_grad_(),
        healthy=torch.tensor([True, False, True, False]),
        mask=mask,
        regions=lambda: (labels, ("Hippocampus_L", "Hippocampus_R")),
    )
