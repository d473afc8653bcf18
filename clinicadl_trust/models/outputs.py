"""What a network says of each image, collected where ClinicaDL keeps metrics only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from clinicadl.callbacks import Callback
from clinicadl.data.dataloader import Batch
from clinicadl.utils.dictionary.words import OUTPUT, PARTICIPANT_ID, SESSION_ID

from clinicadl_trust.exceptions import RunError

__all__ = ["Outputs", "Said", "collect", "nothing"]

#: What a network said: (participant, session) to its raw outputs.
Said = dict[tuple[str, str], np.ndarray]


class Outputs(Callback):
    """Collects raw outputs, where ClinicaDL keeps metrics only.

    During training it keeps those of the validation that made the best checkpoint;
    during a test, those of the test.

    Parameters
    ----------
    is_best : callable
        Whether the last validation made the best checkpoint.
    on_trained, on_tested : callable
        Given the outputs when training, or a test, is over.
    take : callable, optional
        Takes from a batch what is kept; by default its vectors of outputs.
    """

    def __init__(
        self,
        is_best: Callable[[], bool],
        on_trained: Callable[[Said], None],
        on_tested: Callable[[Said], None],
        take: Callable[[Batch], Said] | None = None,
    ) -> None:
        self.is_best = is_best
        self.on_trained = on_trained
        self.on_tested = on_tested
        self.take = take or collect
        self._current: Said = {}
        self._best: Said = {}

    def on_train_start(self, **kwargs: object) -> None:
        """Forget the outputs of another training."""
        self._best = {}

    def on_validation_start(self, **kwargs: object) -> None:
        """Begin a validation."""
        self._current = {}

    def on_test_start(self, **kwargs: object) -> None:
        """Begin a test."""
        self._current = {}

    def on_metrics_computation_start(self, *, output: Batch, **kwargs: object) -> None:
        """Collect a batch."""
        self._current.update(self.take(output))

    def on_validation_end(self, **kwargs: object) -> None:
        """Keep the outputs when they are the best checkpoint's."""
        if self.is_best():
            self._best = self._current

    def on_train_end(self, **kwargs: object) -> None:
        """Hand over the outputs of the best checkpoint on the validation data."""
        self.on_trained(self._best)

    def on_test_end(self, **kwargs: object) -> None:
        """Hand over the outputs on the test data."""
        self.on_tested(self._current)

    def state_dict(self) -> Mapping[str, Any]:
        """Return the best outputs so far."""
        return {
            "ids": [list(key) for key in self._best],
            "outputs": [torch.from_numpy(value) for value in self._best.values()],
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take up the best outputs of an interrupted training.

        Parameters
        ----------
        state_dict : mapping
            As ``state_dict`` returned it.
        """
        self._best = {
            (participant, session): outputs.numpy()
            for (participant, session), outputs in zip(
                state_dict["ids"], state_dict["outputs"], strict=True
            )
        }


def nothing(batch: Batch) -> Said:
    """Keep nothing of a batch."""
    return {}


def collect(batch: Batch, name: str = OUTPUT) -> Said:
    """Return a batch's raw outputs by (participant, session).

    Parameters
    ----------
    batch : clinicadl.data.dataloader.Batch
        As ``Model.evaluation_step`` returns it.
    name : str, default="output"
        Where the output is in a sample.

    Returns
    -------
    dict of tuple to numpy.ndarray of shape (n_outputs,)
        In double precision.

    Raises
    ------
    RunError
        If a sample has no such output, or it is no vector.
    """
    said: Said = {}
    for sample in batch:
        value = sample.get(name)
        if not isinstance(value, torch.Tensor) or value.ndim > 1:
            raise RunError(
                f"The model gives no vector under '{name}' but "
                f"{tuple(getattr(value, 'shape', ())) or type(value).__name__}; "
                "predictions need one number a class, or one value, for each image."
            )
        outputs = value.detach().cpu().double().reshape(-1).numpy()
        said[(sample[PARTICIPANT_ID], sample[SESSION_ID])] = outputs
    return said
