"""AdamW, which ClinicaDL 2.0 does not list; it comes in through the plugin door."""

from __future__ import annotations

from clinicadl.optim.optimizers.config import AdamConfig

__all__ = ["AdamWConfig"]


class AdamWConfig(AdamConfig):
    """Configuration of ``torch.optim.AdamW``: Adam with decoupled weight decay.

    The options are Adam's; only the default of ``weight_decay`` differs.

    References
    ----------
    Loshchilov and Hutter (2019), Decoupled weight decay regularization, ICLR.
    """

    weight_decay: float | dict[str, float] = 0.01
