"""ClinicaDL's closed factories learn the plugins.

A factory of ClinicaDL 2 is an ``Enum`` of names and the globals of its module: a name
that is not in the Enum cannot be read from JSON. Here each Enum gets a ``_missing_``
that looks for an entry point of that name, imports it, puts the class among the
globals and adds a member. Nothing is imported before its name is asked for.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["FACTORIES", "SUPPORTED", "Factory", "connect"]

#: The releases of ClinicaDL whose internals this package knows.
SUPPORTED = "2.0"


@dataclass(frozen=True)
class Factory:
    """Where one of ClinicaDL's factories is.

    Attributes
    ----------
    module : str
        The module whose globals the factory reads.
    names : str
        Its Enum of names, found in that module.
    suffix : str
        What is appended to a name to find it among the globals.
    """

    module: str
    names: str
    suffix: str = "Config"


#: Plugin kind to factory.
FACTORIES: dict[str, Factory] = {
    "callbacks": Factory("clinicadl.callbacks.factory", "ImplementedCallback", ""),
    "inferers": Factory("clinicadl.infer.factory", "ImplementedInferer", ""),
    "losses": Factory("clinicadl.losses.factory", "ImplementedLoss"),
    "metrics": Factory("clinicadl.metrics.factory", "ImplementedMetric"),
    "models": Factory("clinicadl.models.factory", "ImplementedModel", ""),
    "networks": Factory("clinicadl.networks.factory", "ImplementedNetwork"),
    "optimizers": Factory("clinicadl.optim.optimizers.factory", "ImplementedOptimizer"),
    "transforms": Factory("clinicadl.transforms.factory", "ImplementedTransform"),
}

_KIND_OF = {factory.module: kind for kind, factory in FACTORIES.items()}


def connect() -> None:
    """Make ClinicaDL's factories know the registered plugins.

    Works before or after ClinicaDL is imported, and may be called again. It costs
    less than a millisecond and imports neither torch nor clinicadl.
    """
    if not any(_is_ours(finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    for module, kind in _KIND_OF.items():
        if module in sys.modules:
            _open(sys.modules[module], kind)


class _Finder(MetaPathFinder):
    """Lets a factory's module be imported as ever, then opens it."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname not in _KIND_OF:
            return None
        for finder in sys.meta_path:
            if _is_ours(finder) or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, _KIND_OF[fullname])
                return spec
        return None


def _is_ours(finder: object) -> bool:
    # By name: a package imported twice has two classes, whose finders would ask each
    # other for ever.
    return type(finder).__qualname__ == _Finder.__qualname__ and (
        type(finder).__module__ == __name__
    )


class _Loader(Loader):
    """The module's own loader, with one step after it."""

    def __init__(self, loader: Loader, kind: str) -> None:
        self.loader = loader
        self.kind = kind

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        module.__loader__ = self.loader
        self.loader.exec_module(module)
        _open(module, self.kind)


def _open(module: ModuleType, kind: str) -> None:
    """Give a factory's Enum a ``_missing_`` that asks the plugins."""
    factory = FACTORIES[kind]
    names = getattr(module, factory.names, None)
    if not (isinstance(names, type) and issubclass(names, Enum)):
        # Raising here would break the import of ClinicaDL for everybody.
        warnings.warn(
            f"ClinicaDL's {factory.module} has no Enum {factory.names}: plugins of "
            f"kind '{kind}' cannot be read from a MAPS. {_version_note()}",
            RuntimeWarning,
            stacklevel=2,
        )
        return
    if "_asks_plugins" in vars(names):
        return
    _check_version()
    closed = names._missing_

    def missing(cls: type[Enum], value: object) -> Any:
        from clinicadl_trust.plugins import available

        if isinstance(value, str) and value in available(kind):
            return _admit(cls, kind, value, module)
        return closed(value)

    names._missing_ = classmethod(missing)  # type: ignore[assignment,method-assign]
    names._asks_plugins = True  # type: ignore[attr-defined]


def _admit(names: type[Enum], kind: str, name: str, module: ModuleType) -> Enum:
    """Import a plugin and make it a member of the factory."""
    from clinicadl_trust.exceptions import PluginError
    from clinicadl_trust.plugins import find

    plugin = find(kind, name)
    loaded = plugin.load()
    key = name + FACTORIES[kind].suffix
    if getattr(loaded, "__name__", None) != key:
        raise PluginError(
            f"Plugin '{name}' of {plugin.distribution} is the class "
            f"'{getattr(loaded, '__name__', loaded)}'; ClinicaDL writes class names "
            f"into a MAPS, so an entry of clinicadl.{kind} named '{name}' must be a "
            f"class named '{key}'."
        )
    setattr(module, key, loaded)
    member: Any = str.__new__(names, name)  # type: ignore[type-var]
    member._name_ = name
    member._value_ = name
    names._value2member_map_[name] = member
    return member


def _check_version() -> None:
    global _version_checked  # noqa: PLW0603 - one warning per process is enough
    if not _version_checked:
        _version_checked = True
        if note := _version_note():
            warnings.warn(note, RuntimeWarning, stacklevel=2)


_version_checked = False


def _version_note() -> str:
    """Say what is wrong with the host's version, if anything."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        found = version("clinicadl")
    except PackageNotFoundError:
        return "The installed clinicadl has no version."
    if found.split(".")[:2] == SUPPORTED.split("."):
        return ""
    return (
        f"ClinicaDL {found} is installed; clinicadl-trust knows the inside of "
        f"{SUPPORTED}.x. Runs may fail: install 'clinicadl>=2.0,<2.1'."
    )
