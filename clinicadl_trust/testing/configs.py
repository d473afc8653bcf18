"""The contracts of configurations (losses, networks, ...) and of inferers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from clinicadl_trust.testing.contract import (
    ContractError,
    check_class,
    make_example,
    require,
)
from clinicadl_trust.testing.serialization import (
    base_class,
    check_config_fields,
    check_round_trip,
)

if TYPE_CHECKING:
    from clinicadl.infer import Inferer

__all__ = ["check_config", "check_inferer"]


#: Values for what a network's configuration often needs: small volumes, one output.
_NEEDED = {
    "in_shape": (1, 16, 16, 16),
    "num_outputs": 1,
    "spatial_dims": 3,
    "in_channels": 1,
    "out_channels": 1,
}


def check_config(cls: Any, kind: str, example: Any = None) -> None:
    """Check that a class keeps the contract of a ClinicaDL configuration.

    Parameters
    ----------
    cls : type
        ``NAMEConfig`` of a loss, network, metric, optimizer or transform.
    kind : {"losses", "metrics", "networks", "optimizers", "transforms"}
        What it configures.
    example : object, optional
        An instance; by default one made of the fields' defaults.

    Raises
    ------
    ContractError
        Naming what is broken and how to mend it. It is an ``AssertionError``.
    """
    check_class(cls, base_class(kind), kind)
    require(
        cls.__name__.endswith("Config"),
        f"{cls.__name__} must be called {cls.__name__}Config: ClinicaDL finds a "
        "configuration by the name of what it makes, with 'Config' after it.",
    )
    needed = {
        name: value for name, value in _NEEDED.items() if name in cls.model_fields
    }
    config = make_example(cls, example, needed)
    check_round_trip(cls, config, kind)
    import torch

    arguments = {"network": torch.nn.Linear(2, 1)} if kind == "optimizers" else {}
    try:
        config.get_object(**arguments)
    except Exception as error:
        raise ContractError(
            f"{cls.__name__}.get_object() fails: {type(error).__name__}: {error}. Make "
            "_get_class() return the class, and the fields equal its arguments."
        ) from error


def check_inferer(cls: type[Inferer], example: Inferer | None = None) -> None:
    """Check that a class keeps the contract of a ClinicaDL inferer.

    Parameters
    ----------
    cls : type
        Derived from ``clinicadl.infer.Inferer`` and ``HasConfig``.
    example : clinicadl.infer.Inferer, optional
        An instance; by default one made of defaults.

    Raises
    ------
    ContractError
        Naming what is broken and how to mend it. It is an ``AssertionError``.
    """
    check_class(cls, base_class("inferers"), "inferers")
    inferer = make_example(cls, example)
    check_config_fields(cls)
    check_round_trip(cls, inferer, "inferers")
