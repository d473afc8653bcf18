"""Services of a run: random states, predictions, divergence, progress.

They are attached to the Trainer beside its own callbacks (``host.services``) and never
written in the MAPS.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from clinicadl.callbacks import Callback
from clinicadl.data.dataloader import Batch
from clinicadl.metrics import MetricsHandler
from clinicadl.train import TrainerState
from clinicadl.utils.dictionary.words import OUTPUT, PARTICIPANT_ID, SESSION_ID

from clinicadl_trust.exceptions import RunError

__all__ = ["Begun", "Divergence", "Outputs", "Progress", "RandomStates", "collect"]

#: What a network said: (participant, session) to its raw outputs.
Said = dict[tuple[str, str], np.ndarray]


class RandomStates(Callback):
    """Keeps the random states in the training checkpoints.

    Without them a resumed training draws other dropout masks and augmentations than
    the uninterrupted one. It must be the last of the services: a checkpoint with its
    file is whole.
    """

    def state_dict(self) -> Mapping[str, Any]:
        """Return the states of Python, NumPy and PyTorch, CUDA included."""
        name, keys, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002 - the host's generator
        version, words, gauss = random.getstate()
        return {
            "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "numpy": {
                "name": name,
                "keys": torch.from_numpy(np.asarray(keys, dtype=np.int64)),
                "position": int(position),
                "has_gauss": int(has_gauss),
                "cached": float(cached),
            },
            "python": {"version": version, "words": list(words), "gauss": gauss},
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Set the random states.

        Parameters
        ----------
        state_dict : mapping
            As ``state_dict`` returned it.
        """
        torch.set_rng_state(state_dict["torch"])
        if state_dict["cuda"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(state_dict["cuda"])
        kept = state_dict["numpy"]
        np.random.set_state(  # noqa: NPY002 - the host's generator
            (
                kept["name"],
                kept["keys"].numpy().astype(np.uint32),
                kept["position"],
                kept["has_gauss"],
                kept["cached"],
            )
        )
        kept = state_dict["python"]
        random.setstate((kept["version"], tuple(kept["words"]), kept["gauss"]))


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
    """

    def __init__(
        self,
        is_best: Callable[[], bool],
        on_trained: Callable[[Said], None],
        on_tested: Callable[[Said], None],
    ) -> None:
        self.is_best = is_best
        self.on_trained = on_trained
        self.on_tested = on_tested
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
        self._current.update(collect(output))

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


class Begun(Callback):
    """Does something once the MAPS has a place for it.

    Parameters
    ----------
    action : callable
        What to do.
    """

    def __init__(self, action: Callable[[], None]) -> None:
        self.action = action

    def on_train_start(self, **kwargs: object) -> None:
        """Do it."""
        self.action()


class Divergence(Callback):
    """Stops a training whose loss is no longer a number.

    Parameters
    ----------
    monitor : str
        The validation metric that chooses the checkpoint; watched too.
    """

    def __init__(self, monitor: str) -> None:
        self.monitor = monitor

    def on_backward_step_start(
        self, *, loss: Any, state: TrainerState, **kwargs: object
    ) -> None:
        """Look at the training loss.

        Raises
        ------
        RunError
            If it is NaN or infinite.
        """
        terms = loss if isinstance(loss, dict) else {"loss": loss}
        for name, value in terms.items():
            if not bool(torch.isfinite(value).all()):
                where = f"batch {state.current_train_batch}"
                raise _diverged(f"training {name}", float(value), state, where)

    def on_validation_end(
        self, *, metrics: MetricsHandler, state: TrainerState, **kwargs: object
    ) -> None:
        """Look at the monitored validation metric.

        Raises
        ------
        RunError
            If it is NaN or infinite.
        """
        value = metrics.get_metric_value(self.monitor, state.current_epoch)
        if not np.isfinite(value):
            raise _diverged(f"validation {self.monitor}", value, state, "validation")


class Progress(Callback):
    """Tells how far a training is.

    Parameters
    ----------
    report : callable
        Given the fraction done and a phrase.
    """

    def __init__(self, report: Callable[[float, str], None]) -> None:
        self.report = report

    def on_epoch_end(self, *, state: TrainerState, **kwargs: object) -> None:
        """Report an epoch."""
        done, all_ = state.current_epoch, state.num_epochs
        self.report(done / all_, f"epoch {done} of at most {all_}")


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
                f"{type(value).__name__ if value is None else tuple(value.shape)}; "
                "predictions need one number a class, or one value, for each image."
            )
        outputs = value.detach().cpu().double().reshape(-1).numpy()
        said[(sample[PARTICIPANT_ID], sample[SESSION_ID])] = outputs
    return said


def _diverged(what: str, value: float, state: TrainerState, where: str) -> RunError:
    return RunError(
        f"The model diverged: its {what} is {value} in epoch {state.current_epoch} "
        f"({where}). Lower optimizer.lr, clip gradients (for example "
        "training.clip_grad_norm = 1.0), "
        "or normalise the images (transforms)."
    )
