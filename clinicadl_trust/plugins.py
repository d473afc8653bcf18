"""The plugin door: every feature, ours or another lab's, is an entry point.

Listing imports nothing; a plugin is imported when its name is asked for. A
broken plugin is a line in ``clinicadl plugins list`` and an error for whoever
asks for it by name, never for anyone else.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from typing import Any

from clinicadl_trust.exceptions import PluginError, did_you_mean

__all__ = ["KINDS", "Plugin", "available", "find", "group", "load", "registered"]

logger = logging.getLogger(__name__)

#: Distributions that were warned about.
_passed_over: set[str] = set()

#: Plugin kind to what one entry is. The entry-point group is ``clinicadl.KIND``.
KINDS: dict[str, str] = {
    "attribution_constraints": "constraint on a network's attributions",
    "callbacks": "ClinicaDL callback (the class)",
    "commands": "click command of `clinicadl`",
    "detectors": "scikit-learn outlier estimator",
    "encoders": "network factory: volume or slice in, features out",
    "inferers": "ClinicaDL inferer (the class)",
    "losses": "ClinicaDL loss configuration (NAMEConfig)",
    "metrics": "ClinicaDL metric configuration (NAMEConfig)",
    "models": "ClinicaDL Model (the class)",
    "networks": "ClinicaDL network configuration (NAMEConfig)",
    "optimizers": "ClinicaDL optimizer configuration (NAMEConfig)",
    "split_strategies": "SplitStrategy subclass",
    "statistics": "function of a predictions table",
    "transforms": "ClinicaDL transform configuration (NAMEConfig)",
}


@dataclass(frozen=True)
class Plugin:
    """One registered entry point.

    Attributes
    ----------
    kind : str
        A key of ``KINDS``.
    name : str
        The registered name.
    value : str
        ``module:attribute``.
    distribution : str
        The distribution that registers it, ``"?"`` when unknown.
    version : str
        That distribution's version, ``"?"`` when unknown.
    entry_point : importlib.metadata.EntryPoint
        What imports it.
    """

    kind: str
    name: str
    value: str
    distribution: str
    version: str
    entry_point: EntryPoint

    def load(self) -> Any:
        """Import the plugin.

        Raises
        ------
        PluginError
            If the import fails; the message names the distribution and the cause.
        """
        try:
            return self.entry_point.load()
        except (Exception, SystemExit) as error:  # whatever an import may raise
            raise PluginError(
                f"Plugin '{self.name}' ({group(self.kind)}) of {self.distribution} "
                f"{self.version} cannot be imported from '{self.value}': "
                f"{type(error).__name__}: {error}. Reinstall, mend or remove "
                f"{self.distribution}."
            ) from error


def group(kind: str) -> str:
    """Return the entry-point group of a kind.

    Raises
    ------
    PluginError
        If the kind is not one of ``KINDS``.
    """
    if kind not in KINDS:
        raise PluginError(f"Unknown plugin kind '{kind}'.{did_you_mean(kind, KINDS)}")
    return f"clinicadl.{kind}"


def available(kind: str) -> dict[str, list[Plugin]]:
    """List what is registered for a kind, without importing any of it.

    Parameters
    ----------
    kind : str
        A key of ``KINDS``.

    Returns
    -------
    dict of str to list of Plugin
        By name, sorted. More than one plugin under a name is a clash, which
        ``load`` refuses.
    """
    name = group(kind)
    return _by_name(kind, _entries([name])[name])


def registered() -> list[Plugin]:
    """List every plugin of every kind, sorted by kind and name; none is imported."""
    found = _entries([group(kind) for kind in KINDS])
    return [
        plugin
        for kind in sorted(KINDS)
        for plugins in _by_name(kind, found[group(kind)]).values()
        for plugin in plugins
    ]


def find(kind: str, name: str) -> Plugin:
    """Return the one plugin of that name, not imported.

    Case, hyphens and underscores are ignored when no name matches exactly, so
    ``leave-one-site-out`` finds ``LeaveOneSiteOut``.

    Raises
    ------
    PluginError
        If no plugin, or more than one, has that name.
    """
    known = available(kind)
    matches = known.get(name)
    if matches is None:
        folded = _fold(name)
        matches = [p for n, ps in known.items() if _fold(n) == folded for p in ps]
    if not matches:
        raise PluginError(
            f"No plugin of kind '{kind}' is named '{name}'."
            f"{did_you_mean(name, known)} `clinicadl plugins list` shows them all."
        )
    if len(matches) > 1:
        owners = ", ".join(f"{p.distribution} ({p.value})" for p in matches)
        raise PluginError(
            f"'{name}' is registered {len(matches)} times for kind '{kind}': {owners}. "
            "Uninstall all but one of these distributions."
        )
    return matches[0]


def load(kind: str, name: str) -> Any:
    """Import and return the plugin of that kind and name.

    Parameters
    ----------
    kind : str
        A key of ``KINDS``.
    name : str
        The registered name; case, hyphens and underscores are forgiven.

    Returns
    -------
    object
        What the entry point refers to.

    Raises
    ------
    PluginError
        If the name is unknown, registered twice, or its import fails.
    """
    return find(kind, name).load()


def _entries(groups: Iterable[str]) -> dict[str, list[EntryPoint]]:
    try:
        found = entry_points()
        return {name: list(found.select(group=name)) for name in groups}
    except Exception:  # one malformed entry_points.txt breaks the call for everybody
        entries = [entry for dist in distributions() for entry in _own(dist)]
        return {name: [e for e in entries if e.group == name] for name in groups}


def _own(dist: Distribution) -> list[EntryPoint]:
    try:
        return list(dist.entry_points)
    except Exception as error:
        distribution = _origin(dist)[0]
        if distribution not in _passed_over:
            _passed_over.add(distribution)
            logger.warning(
                "The entry points of %s cannot be read and are passed over: %s. "
                "Reinstall that distribution.",
                distribution,
                error,
            )
        return []


def _by_name(kind: str, entries: Iterable[EntryPoint]) -> dict[str, list[Plugin]]:
    found: dict[str, dict[tuple[str, str], Plugin]] = defaultdict(dict)
    origins: dict[int, tuple[str, str]] = {}  # each is read from a file
    for entry in entries:
        if id(entry.dist) not in origins:
            origins[id(entry.dist)] = _origin(entry.dist)
        distribution, version = origins[id(entry.dist)]
        plugin = Plugin(kind, entry.name, entry.value, distribution, version, entry)
        # An editable install may list one distribution twice on sys.path.
        found[entry.name][(distribution, entry.value)] = plugin
    return {name: list(found[name].values()) for name in sorted(found)}


def _origin(dist: Distribution | None) -> tuple[str, str]:
    """Return a distribution's name and version, "?" where its metadata are broken."""
    try:
        name, version = dist.name, dist.version  # type: ignore[union-attr]
    except Exception:  # what a missing METADATA raises depends on Python's version
        name = version = None
    if not name and (path := getattr(dist, "_path", None)) is not None:
        name, _, version = path.name.partition(".dist-info")[0].partition("-")
    return name or "?", version or "?"


def _fold(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
