"""What a MAPS asks of whatever enters it: to come back from JSON the same.

Importing this module imports neither torch nor ClinicaDL; calling a check does.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from clinicadl_trust.plugins import available
from clinicadl_trust.testing.contract import ContractError, check_json_text, require

__all__ = ["CONFIGS", "base_class", "check_config_fields", "check_round_trip"]

#: Kinds whose plugin is a configuration class, ``NAMEConfig``.
CONFIGS = ("losses", "metrics", "networks", "optimizers", "transforms")

#: Kind to its base class and to the function by which a MAPS reads it back.
_HOST = {
    "callbacks": ("clinicadl.callbacks:Callback", "get_callback_from_dict"),
    "inferers": ("clinicadl.infer:Inferer", "get_inferer_from_dict"),
    "losses": ("clinicadl.losses.config:LossConfig", "get_loss_function_from_dict"),
    "metrics": ("clinicadl.metrics.config:MetricConfig", "get_metric_from_dict"),
    "models": ("clinicadl.models:Model", "get_model_from_json"),
    "networks": ("clinicadl.networks.config:NetworkConfig", "get_network_from_dict"),
    "optimizers": (
        "clinicadl.optim.optimizers.config:OptimizerConfig",
        "get_optimizer_from_dict",
    ),
    "transforms": (
        "clinicadl.transforms.config:TransformConfig",
        "get_transform_from_dict",
    ),
}


def base_class(kind: str) -> type:
    """Return the class of ClinicaDL that plugins of a kind derive from."""
    module, _, name = _HOST[kind][0].partition(":")
    return getattr(import_module(module), name)


def check_config_fields(cls: Any) -> None:
    """Check that a class has a Config whose fields equal ``__init__``'s arguments.

    A class that translates between them in ``_from_config`` is free to differ.

    Raises
    ------
    ContractError
        If it does not hold.
    """
    from clinicadl.utils.objects import HasConfig

    name = cls.__name__
    require(
        issubclass(cls, HasConfig) and getattr(cls, "_config_type", None) is not None,
        f"{name} has no configuration, so a MAPS cannot hold it. Derive it from "
        f"ClinicaDL's HasConfig[{name}Config] and set _config_type = {name}Config.",
    )
    config = cls._config_type
    if "_get_class" in dir(config):
        require(
            config._get_class() is cls,
            f"{config.__name__}._get_class() returns {config._get_class()!r}, "
            f"not {name}.",
        )
    if cls._from_config.__func__ is not HasConfig._from_config.__func__:
        return
    fields = set(config.get_fields(alias=False))
    parameters = inspect.signature(cls).parameters.values()
    arguments = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
    require(
        fields == arguments,
        f"The fields of {config.__name__} differ from the arguments of "
        f"{name}.__init__: only fields {sorted(fields - arguments)}, only arguments "
        f"{sorted(arguments - fields)}. Make them the same.",
    )


def check_round_trip(cls: Any, item: Any, kind: str) -> None:
    """Check that an object comes back from its JSON the same.

    It is read by its own class and, when it is registered, by ClinicaDL's factory.

    Raises
    ------
    ContractError
        If it does not hold.
    """
    name = cls.__name__.removesuffix("Config") if kind in CONFIGS else cls.__name__
    content = check_json_text(item, name)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "item.json"
        item.to_json(path)
        readers = {f"{cls.__name__}.from_json": cls.from_json}
        if any(plugin.load() is cls for plugin in available(kind).get(name, [])):
            readers[_HOST[kind][1]] = _reader(kind)
        for reader, read in readers.items():
            try:
                again = read(path)
            except Exception as error:
                raise ContractError(
                    f"{name} does not come back from its JSON by {reader}: "
                    f"{type(error).__name__}: {error}"
                ) from error
            _check_same(item, again, content, f"{name} comes back by {reader}")


def _check_same(
    item: Any, again: Any, content: dict[str, Any], comes_back: str
) -> None:
    require(
        type(again) is type(item),
        f"{comes_back} as a {type(again).__name__}, not a {type(item).__name__}.",
    )
    back = check_json_text(again, content["name_"])
    require(
        back == content, f"{comes_back} as something else: {content} became {back}."
    )
    fields = [getattr(one, "config", one).to_raw_dict() for one in (item, again)]
    for field, value in fields[0].items():
        kinds = [_sort(value), _sort(fields[1][field])]
        require(
            kinds[0] == kinds[1],
            f"{comes_back} with another kind of '{field}': a {kinds[0]} became a "
            f"{kinds[1]}. Give the field a type that JSON has, or a reader as "
            "ClinicaDL's models have for their network.",
        )


def _sort(value: Any) -> str:
    """Name the type of a value, as JSON tells types apart."""
    if isinstance(value, list | tuple):
        return "list"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def _reader(kind: str) -> Any:
    """Return the host's factory as a function of a path."""
    from clinicadl.utils.json import read_json

    from clinicadl_trust.host.factories import FACTORIES

    function = getattr(import_module(FACTORIES[kind].module), _HOST[kind][1])
    if kind == "models":
        return function
    return lambda path: function(read_json(path))
