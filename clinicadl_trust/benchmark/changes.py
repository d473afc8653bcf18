"""What differs between an experiment and the folder it is to continue in.

Additions repeat nothing and hide nothing, so they are taken: another model, split,
seed or metric; and so is any change to a model that has no result yet, for example
because it failed. Whatever would change a result that is there, or leave it out of the
report, is refused: a benchmark that could be edited until it pleases is no test.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from clinicadl_trust.benchmark.config import Experiment
from clinicadl_trust.exceptions import ConfigError

__all__ = ["additions", "forget_attempts"]

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
#: A test that may be added, or made of more models, splits and draws.
_CHANCE = "chance_test"


def additions(old: Experiment, new: Experiment, directory: Path) -> list[str]:
    """Return what ``new`` adds to ``old``, or changes where there is no result yet.

    Parameters
    ----------
    old, new : Experiment
        What the folder was made for, and what is asked now.
    directory : pathlib.Path
        The folder.

    Returns
    -------
    list of str
        Dotted names of the new models, splits, seeds and metrics, and of the models
        that were changed; empty when nothing was.

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
        if _grows(key, was, now) or _is_more_chance(key, was, now, old):
            added.append(".".join(key))
        elif _is_new(key, old) or _is_unseen(key, directory):
            added.append(".".join(key[:2]))
        else:
            refused.append(f"  {'.'.join(key)}: was {_show(was)}, now {_show(now)}")
    if refused:
        raise ConfigError(
            f"'{directory}' was made for another experiment:\n"
            + "\n".join(refused)
            + "\nModels, splits, seeds and metrics may be added, and a model without "
            "any result may be changed; for anything else name another folder, or put "
            "the file back."
        )
    return list(dict.fromkeys(added))


def forget_attempts(old: Experiment, new: Experiment, directory: Path) -> None:
    """Remove what is left of runs of models that were changed before any result.

    Parameters
    ----------
    old, new, directory
        As for ``additions``, which refuses to change a model that has a result.
    """
    for name, model in old.models.items():
        asked = new.models.get(name)
        if asked is None or asked.config != model.config:
            for folder in _folders(directory, name):
                shutil.rmtree(folder)


def _folders(directory: Path, model: str) -> list[Path]:
    return sorted(directory.glob(f"runs/*/repeat-*/split-*/{model}"))


def _is_unseen(key: tuple[str, ...], directory: Path) -> bool:
    """Whether a key is of a model of which no run is done."""
    return key[0] == "models" and not any(
        run.is_dir() and run.suffix != ".partial"
        for folder in _folders(directory, key[1])
        for run in folder.glob("seed-*")
    )


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


def _is_more_chance(key: tuple[str, ...], was: Any, now: Any, old: Experiment) -> bool:
    """Whether more is held against chance than before, and nothing less."""
    if key[0] != _CHANCE:
        return False
    if old.chance_test is None:
        return True
    if isinstance(was, list) and isinstance(now, list):
        return set(was) <= set(now)
    return isinstance(was, int) and isinstance(now, int) and was <= now


def _show(value: Any) -> str:
    return "absent" if value is None else repr(value)
