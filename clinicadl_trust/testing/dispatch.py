"""The check of any plugin, by its kind."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from clinicadl_trust.host.factories import FACTORIES
from clinicadl_trust.plugins import Plugin, find
from clinicadl_trust.testing.callbacks import check_callback
from clinicadl_trust.testing.commands import check_command
from clinicadl_trust.testing.configs import check_config, check_inferer
from clinicadl_trust.testing.constraints import check_attribution_constraint
from clinicadl_trust.testing.contract import require
from clinicadl_trust.testing.detectors import check_detector
from clinicadl_trust.testing.models import check_model
from clinicadl_trust.testing.serialization import CONFIGS
from clinicadl_trust.testing.statistics import check_statistic
from clinicadl_trust.testing.strategies import check_split_strategy

__all__ = ["check_plugin"]

_CHECKS: dict[str, Callable[[Any], None]] = {
    "attribution_constraints": check_attribution_constraint,
    "callbacks": check_callback,
    "detectors": check_detector,
    "inferers": check_inferer,
    "models": check_model,
    "split_strategies": check_split_strategy,
    "statistics": check_statistic,
    **{kind: partial(check_config, kind=kind) for kind in CONFIGS},
}

#: Kinds registered by the name of a class, and what stands after the name.
_SUFFIX = {
    **dict.fromkeys(
        (
            "attribution_constraints",
            "callbacks",
            "inferers",
            "models",
            "split_strategies",
        ),
        "",
    ),
    **dict.fromkeys(CONFIGS, "Config"),
}


def check_plugin(plugin: Plugin) -> None:
    """Import a registered plugin and check the contract of its kind.

    Parameters
    ----------
    plugin : Plugin
        From ``clinicadl_trust.plugins.available``.

    Raises
    ------
    PluginError
        If it is registered twice, its import fails, or it breaks its contract
        (``ContractError``); the message says how to mend it.
    """
    find(plugin.kind, plugin.name)
    loaded = plugin.load()
    if (suffix := _SUFFIX.get(plugin.kind)) is not None:
        name = getattr(loaded, "__name__", repr(loaded))
        require(
            name == plugin.name + suffix,
            f"'{plugin.name}' ({plugin.kind}) refers to {name}; the registered name "
            f"must be '{name.removesuffix(suffix)}'"
            + (f", without '{suffix}'." if suffix else ", that of the class."),
        )
    if plugin.kind in FACTORIES:
        _check_free(plugin)
    if plugin.kind == "commands":
        check_command(loaded, plugin.name)
    else:
        _CHECKS.get(plugin.kind, _check_callable)(loaded)


def _check_free(plugin: Plugin) -> None:
    """Check that ClinicaDL would ask for the plugin, not take its own."""
    factory = FACTORIES[plugin.kind]
    names = getattr(import_module(factory.module), factory.names)
    require(
        plugin.name not in [member.value for member in names],
        f"ClinicaDL has '{plugin.name}' of its own ({plugin.kind}), which "
        "goes before a plugin's: the plugin would never be used. Rename it.",
    )


def _check_callable(loaded: Any) -> None:
    require(
        callable(loaded), f"{loaded!r} is neither a class nor a function. Register one."
    )
