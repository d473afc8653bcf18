"""How much constraints weigh: delay, warm-up, annealing, skipped steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Schedule"]


@dataclass(frozen=True)
class Schedule:
    """A factor of the constraints' weights.

    Attributes
    ----------
    delay : int
        Steps at first in which it is 0: the network learns its task.
    warmup : int
        Steps over which it then rises in a straight line, from near 0 to 1.
    anneal : int
        Steps over which it then falls along half a cosine; 0 for never.
    final : float
        Where it ends.
    every : int
        Constraints are computed at every so many steps, and weigh as much more.
    """

    warmup: int = 0
    anneal: int = 0
    final: float = 0.1
    every: int = 1
    delay: int = 0

    def factor(self, step: int) -> float:
        """Return what weights are multiplied by.

        Parameters
        ----------
        step : int
            Steps made before, 0 for the first.

        Returns
        -------
        float
            0 before the delay is over, and at a step that is skipped.
        """
        step -= self.delay
        if step < 0 or step % self.every:
            return 0.0
        if step < self.warmup:
            return self.every * (step + 1) / (self.warmup + 1)
        if not self.anneal:
            return float(self.every)
        gone = min(1.0, (step - self.warmup) / self.anneal)
        left = (1 + math.cos(math.pi * gone)) / 2
        return self.every * (self.final + (1 - self.final) * left)
