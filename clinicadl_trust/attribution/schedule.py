"""How much constraints weigh, step by step: warm-up, annealing, skipped steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Schedule"]


@dataclass(frozen=True)
class Schedule:
    """A factor of the constraints' weights.

    Attributes
    ----------
    warmup : int
        Steps over which it rises in a straight line, from near 0 to 1.
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

    def factor(self, step: int) -> float:
        """Return what weights are multiplied by.

        Parameters
        ----------
        step : int
            Steps made before, 0 for the first.

        Returns
        -------
        float
            0 at a step that is skipped.
        """
        if step % self.every:
            return 0.0
        if step < self.warmup:
            return self.every * (step + 1) / (self.warmup + 1)
        if not self.anneal:
            return float(self.every)
        gone = min(1.0, (step - self.warmup) / self.anneal)
        left = (1 + math.cos(math.pi * gone)) / 2
        return self.every * (self.final + (1 - self.final) * left)
