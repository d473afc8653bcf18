"""What differs between an experiment and the folder it is to continue in.

Additions repeat nothing and hide nothing, so they are taken: another model, split,
seed or metric. Whatever would change a result that is there, or leave it out of the
report, is refused: a benchmark that could be edited until it pleases is no test.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clinicadl_trust.benchmark.config import Experiment
from clinicadl_trust.exceptions import ConfigError

__all__ = ["additions"]

#: Keys without an effect on any number. Of the table, the rows are compared.
_FREE = {
    ("name",),
    ("question",),
    ("cohort", "participants"),
    ("run", "n_jobs"),
    ("run", "report"),
}
_FREE_IN_MODELS = "label"
_NAMED = ("models", "splits")
#: Lists that may grow.
_GROWING = ("seeds", "metrics", "splits")


def additions(old: Experiment, new: Experiment, directory: Path) -> list[str]:
    """Return what ``new`` adds to ``old``.

    Parameters
    ----------
    old, new : Experiment
        What the folder was made for, and what is asked now.
    directory : pathlib.Path
        The folder, for the message.

    Returns
    -------
    list of str
        Dotted names of the new models, splits, seeds and metrics; empty when
        nothing was added.

    Raises
    ------
    ConfigError
        If anything else differs; every difference is told.
    """
    before, after = _flat(old), _flat(new)
    added, refused = [], []
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key), after.get(key)
        if was == now or key in _FREE or _is_label(key):
            continue
        if _is_new(key, old):
            added.append(".".join(key[:2]))
        elif _grows(key, was, now):
            added.append(".".join(key))
        else:
            refused.append(f"  {'.'.join(key)}: was {_show(was)}, now {_show(now)}")
    if refused:
        raise ConfigError(
            f"'{directory}' was made for another experiment:\n"
            + "\n".join(refused)
            + "\nModels, splits, seeds and metrics may be added; for anything else "
            "name another folder, or put the file back."
        )
    return list(dict.fromkeys(added))


def _flat(experiment: Experiment) -> dict[tuple[str, ...], Any]:
    return dict(_leaves(experiment.resolved(), ()))


def _leaves(
    table: Mapping[str, Any], key: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*key, name))
        else:
            yield (*key, name), value


def _is_label(key: tuple[str, ...]) -> bool:
    return key[0] == "models" and key[2:] == (_FREE_IN_MODELS,)


def _is_new(key: tuple[str, ...], old: Experiment) -> bool:
    return key[0] in _NAMED and key[1] not in getattr(old, key[0])


def _grows(key: tuple[str, ...], was: Any, now: Any) -> bool:
    lists = isinstance(was, list) and isinstance(now, list)
    return lists and key[-1] in _GROWING and set(was) <= set(now)


def _show(value: Any) -> str:
    return "absent" if value is None else repr(value)
