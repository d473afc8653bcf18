"""The log of the training loss, at a cost that does not grow with the training.

ClinicaDL's callback enlarges a DataFrame by one cell at each batch, which copies the
whole log each time: a few milliseconds a batch, more in each epoch. What is written,
in the MAPS and in the checkpoints, is the same here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from clinicadl.callbacks import implemented as host
from clinicadl.callbacks.handler import CallbacksHandler
from clinicadl.losses.types import LossType
from clinicadl.train import TrainerState

__all__ = ["quicken_loss_log"]


def quicken_loss_log(handler: CallbacksHandler) -> None:
    """Put a quick log of the training loss in the place of ClinicaDL's.

    Parameters
    ----------
    handler : clinicadl.callbacks.handler.CallbacksHandler
        Of a Trainer that has not begun. The callback is one that ClinicaDL always adds,
        and never names in a MAPS.
    """
    quick = TrainingLossCallback()
    for callbacks in (handler._ordered, handler._all):
        for place, callback in enumerate(callbacks):
            if type(callback) is host.TrainingLossCallback:
                callbacks[place] = quick


class TrainingLossCallback(host.TrainingLossCallback):
    """Keeps the batches in a list until somebody asks for the table.

    Its checkpoint has the name of the class, which is why it is that of ClinicaDL's.
    """

    df: pd.DataFrame | None

    def __init__(self) -> None:
        super().__init__()
        self._batches: dict[tuple[int, int], dict[str, float]] = {}

    def on_backward_step_start(
        self, *, state: TrainerState, loss: LossType, **kwargs: Any
    ) -> None:
        """Note the losses of a batch."""
        assert self.df is not None  # made in `on_train_start`
        losses = loss if isinstance(loss, dict) else {self.df.columns[0]: loss}
        batch = (state.current_epoch, state.current_train_batch)
        self._batches[batch] = {name: float(value) for name, value in losses.items()}

    def on_train_end(self, **kwargs: Any) -> None:
        """Write the table."""
        self._gather()
        super().on_train_end(**kwargs)

    def state_dict(self) -> Mapping[str, Any]:
        """Return the table, as ClinicaDL's callback does."""
        self._gather()
        return super().state_dict()

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on after the batches of a checkpoint."""
        names = self.df.index.names if self.df is not None else None
        super().load_state_dict(state_dict)
        if names is not None and self.df is not None:
            self.df.index.names = names
        self._batches.clear()

    def _gather(self) -> None:
        """Move what was noted into the table."""
        if not self._batches:
            return
        assert self.df is not None
        new = pd.DataFrame(
            list(self._batches.values()),
            index=pd.MultiIndex.from_tuples(self._batches, names=self.df.index.names),
            columns=self.df.columns,
        )
        self.df = new if self.df.empty else pd.concat([self.df, new])
        self._batches.clear()
