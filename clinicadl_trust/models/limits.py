"""What a run may use, and what it says when there is no more of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from clinicadl_trust.exceptions import RunError

__all__ = ["memory_errors", "threads"]


@contextmanager
def threads(number: int | None) -> Iterator[None]:
    """Pin the threads of PyTorch for a while: weights depend on their number.

    Parameters
    ----------
    number : int or None
        How many; None leaves it as it is.
    """
    before = torch.get_num_threads()
    if number is not None:
        torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Say what to do when memory runs out.

    Raises
    ------
    RunError
        In place of the error of Python or of PyTorch.
    """
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise RunError(
            "Memory ran out. Lower training.batch_size (and raise "
            "training.accumulation_steps as much to keep the same steps), or choose a "
            "smaller network."
        ) from error
