"""A MAPS whose training was killed, made fit to be resumed."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import lru_cache
from pathlib import Path

import pandas as pd
import torch
from clinicadl.io.maps import Maps
from clinicadl.io.maps.training.splits.tmp import EpochTmpDir
from clinicadl.utils import env
from clinicadl.utils.json import read_json

__all__ = [
    "clear_checkpoints",
    "forget_test",
    "last_checkpoint",
    "one_freeze",
    "quiet",
    "weights_of",
]


def last_checkpoint(maps: Path, split: int) -> int | None:
    """Make the newest whole training checkpoint the only one, and return its epoch.

    A checkpoint cut short by a kill makes the whole MAPS unreadable to ClinicaDL, and
    what a training writes at its very end cannot be written twice: both are removed.

    Parameters
    ----------
    maps : pathlib.Path
        The MAPS.
    split : int
        The split in training.

    Returns
    -------
    int or None
        The epoch to resume from; None when there is none, and the training must
        start again.
    """
    folder = maps / "training" / f"split-{split}"
    newest = None
    for path in sorted((folder / "tmp").glob("epoch-*"), key=_epoch, reverse=True):
        if newest is None and _is_whole(path):
            newest = _epoch(path)
        else:
            shutil.rmtree(path)
    if newest is not None:
        for end in ("logs", "validation_metrics"):
            shutil.rmtree(folder / end, ignore_errors=True)
        try:
            Maps(maps).read()
        except (OSError, ValueError):
            return None
    return newest


def clear_checkpoints(maps: Path, split: int) -> None:
    """Remove the training checkpoints of a finished training."""
    folder = maps / "training" / f"split-{split}" / "tmp"
    for path in folder.glob("epoch-*"):
        shutil.rmtree(path)


def forget_test(maps: Path, group: str) -> None:
    """Remove what an interrupted test has left."""
    shutil.rmtree(maps / "test" / f"group-{group}", ignore_errors=True)


def weights_of(maps: Path) -> Path:
    """Return the weights that a MAPS is used with: the best ones, else the last ones.

    Parameters
    ----------
    maps : pathlib.Path
        A MAPS of one split.

    Raises
    ------
    FileNotFoundError
        If it has none, or several splits.
    """
    for pattern in ("best_models/best-*", "final"):
        found = sorted(maps.glob(f"training/split-*/models/{pattern}/model.pt"))
        if len(found) == 1:
            return found[0]
        if found:
            raise FileNotFoundError(
                f"'{maps}' has {len(found)} sets of weights: "
                f"{[str(path.relative_to(maps)) for path in found]}."
            )
    raise FileNotFoundError(f"'{maps}' has no trained weights.")


@contextmanager
def one_freeze() -> Iterator[None]:
    """Run ``pip freeze`` once a process, not once a MAPS (it takes about a second)."""
    original = env._freeze_packages
    env._freeze_packages = _frozen
    try:
        yield
    finally:
        env._freeze_packages = original


_freeze = env._freeze_packages


@lru_cache(maxsize=1)
def _frozen() -> str:
    return _freeze()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what ClinicaDL prints off the terminal, unless it was asked to say more.

    It is in the MAPS (``exec/`` and ``warning.log``) all the same, and an error is
    still raised.
    """
    host = logging.getLogger("clinicadl")
    handlers, propagated = list(host.handlers), host.propagate
    with ExitStack() as stack:
        # An interrupted training leaves its handlers behind, open on files.
        stack.callback(_put_back, host, handlers, propagated)
        if not logging.getLogger("clinicadl_trust").isEnabledFor(logging.INFO):
            host.propagate = False
            nowhere = stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))
            stack.enter_context(redirect_stdout(nowhere))
            stack.enter_context(redirect_stderr(nowhere))
        yield


def _put_back(
    logger: logging.Logger, handlers: list[logging.Handler], propagate: bool
) -> None:
    for handler in logger.handlers[:]:
        if handler not in handlers:
            logger.removeHandler(handler)
            handler.close()
    logger.propagate = propagate


def _epoch(path: Path) -> int:
    return int(path.name.split("-")[-1])


def _is_whole(path: Path) -> bool:
    """Whether every file of a checkpoint is there and can be read."""
    try:
        EpochTmpDir(path).read()
        readers = {".pt": _load, ".json": read_json, ".tsv": _table}
        files = [file for file in path.rglob("*") if file.is_file()]
        for file in files:
            readers[file.suffix](file)
        # Written last, by the last of the services.
        return (path / "callbacks" / "random_states.pt") in files
    except Exception:  # torch, json and pandas each raise their own
        return False


def _load(path: Path) -> object:
    return torch.load(path, weights_only=True)


def _table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, sep="\t")
