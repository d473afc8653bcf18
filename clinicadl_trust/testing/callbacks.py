"""The contract of a callback."""

from __future__ import annotations

import inspect
import io
from typing import TYPE_CHECKING, Any

from clinicadl_trust.exceptions import did_you_mean
from clinicadl_trust.testing.contract import (
    ContractError,
    check_class,
    make_example,
    require,
)
from clinicadl_trust.testing.serialization import (
    base_class,
    check_config_fields,
    check_round_trip,
)

if TYPE_CHECKING:
    from clinicadl.callbacks import Callback

__all__ = ["check_callback"]


def check_callback(cls: type[Callback], example: Callback | None = None) -> None:
    """Check that a class keeps the contract of a ClinicaDL callback.

    Parameters
    ----------
    cls : type
        Derived from ``clinicadl.callbacks.Callback`` and ``HasConfig``.
    example : clinicadl.callbacks.Callback, optional
        An instance; by default one made of defaults.

    Raises
    ------
    ContractError
        Naming what is broken and how to mend it. It is an ``AssertionError``.
    """
    base = base_class("callbacks")
    check_class(cls, base, "callbacks")
    callback = make_example(cls, example)
    _check_events(cls, base)
    check_config_fields(cls)
    check_round_trip(cls, callback, "callbacks")
    _check_state(callback, cls.__name__)


def _check_events(cls: Any, base: Any) -> None:
    from clinicadl.callbacks.base import Event

    known = {event.value for event in Event}
    for name in (n for n in dir(cls) if n.startswith("on_")):
        require(
            name in known,
            f"{cls.__name__}.{name} is never called: ClinicaDL has no such event."
            f"{did_you_mean(name, known)}",
        )
        handler = inspect.signature(getattr(cls, name)).parameters.values()
        if any(p.kind is p.VAR_KEYWORD for p in handler):
            continue
        given = set(inspect.signature(getattr(base, name)).parameters)
        missing = sorted(given - {p.name for p in handler})
        require(
            not missing,
            f"{cls.__name__}.{name} does not take {', '.join(missing)}, which "
            "ClinicaDL passes. End its arguments with **kwargs.",
        )


def _check_state(callback: Callback, name: str) -> None:
    import torch

    try:
        state = callback.state_dict()
    except Exception:  # some callbacks have a state only once training has started
        return
    stream = io.BytesIO()
    try:
        torch.save(state, stream)
        stream.seek(0)
        again = torch.load(stream, weights_only=True)
    except Exception as error:
        raise ContractError(
            f"The state_dict of {name} does not come back from a checkpoint, which is "
            f"read with weights_only=True: {error}. Use tensors, numbers, text, lists "
            "and dictionaries."
        ) from error
    callback.load_state_dict(again)
