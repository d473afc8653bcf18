"""Services of a run: random states, gradients, divergence, progress.

They are attached to the Trainer beside its own callbacks (``host.services``) and never
written in the MAPS.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from clinicadl.callbacks import Callback
from clinicadl.metrics import MetricsHandler
from clinicadl.models import Model
from clinicadl.train import TrainerState

from clinicadl_trust.exceptions import RunError

logger = logging.getLogger(__name__)

__all__ = [
    "Begun",
    "Divergence",
    "FreshGradients",
    "Progress",
    "RandomStates",
    "Remarks",
]


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


class FreshGradients(Callback):
    """Begins each epoch without gradients.

    Batches that ``accumulation_steps`` leaves over at the end of an epoch make no
    step. ClinicaDL would add their gradients to the next epoch's first step, which a
    training that is resumed there cannot do.
    """

    def on_epoch_start(self, *, model: Model, **kwargs: object) -> None:
        """Drop what the last epoch has left."""
        model.zero_grad(set_to_none=True)


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
            If it, or the loss, is NaN or infinite.
        """
        epoch = state.current_epoch
        for name in ("loss", self.monitor):
            value = metrics.get_metric_value(name, epoch)
            if np.isfinite(value):
                continue
            if name == "loss":
                raise _diverged(f"validation {name}", value, state, "validation")
            raise RunError(
                f"The metric '{name}', which chooses the checkpoint, is {value} on the "
                f"validation set in epoch {epoch}, and the loss is a number: it is not "
                "defined on that set. An AUC, for example, needs both classes there. "
                "Set training.monitor = 'loss', or split with a larger "
                "validation-fraction."
            )


class Progress(Callback):
    """Tells how far a training is.

    Parameters
    ----------
    report : callable
        Given the fraction done and a phrase.
    """

    def __init__(self, report: Callable[[float, str], None]) -> None:
        self.report = report
        self._terms: dict[str, list[float]] = {}

    def on_epoch_start(self, **kwargs: object) -> None:
        """Forget the terms of the last epoch's loss."""
        self._terms = {}

    def on_backward_step_start(self, *, loss: Any, **kwargs: object) -> None:
        """Keep the terms of a loss that has several."""
        if isinstance(loss, Mapping):
            for name, value in loss.items():
                self._terms.setdefault(name, []).append(float(value))

    def on_epoch_end(self, *, state: TrainerState, **kwargs: object) -> None:
        """Report an epoch, and the mean of each term of its loss."""
        done, all_ = state.current_epoch, state.num_epochs
        terms = [
            f", {name} {np.mean(values):.3g}" for name, values in self._terms.items()
        ]
        self.report(done / all_, f"epoch {done} of at most {all_}{''.join(terms)}")


class Remarks(Callback):
    """Warns of what a model has to say of its own training (``remarks``)."""

    def on_train_end(self, *, model: Model, **kwargs: object) -> None:
        """Ask the model, as it is after the last epoch."""
        for remark in getattr(model, "remarks", list)():
            logger.warning("%s", remark)


def _diverged(what: str, value: float, state: TrainerState, where: str) -> RunError:
    return RunError(
        f"The model diverged: its {what} is {value} in epoch {state.current_epoch} "
        f"({where}). Lower optimizer.lr, clip gradients (for example "
        "training.clip_grad_norm = 1.0), "
        "or normalise the images (transforms)."
    )
