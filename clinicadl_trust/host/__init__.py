"""All that reaches into ClinicaDL's private parts, in one place.

Importing this package imports neither torch nor clinicadl: ``factories`` waits for
ClinicaDL to be imported; the other modules import it, and are imported themselves by
the models only.

- ``factories``: ClinicaDL's closed factories learn the plugins;
- ``loaders``: batches whose order differs by epoch and by seed;
- ``inference``: networks as their inferer evaluates them, differentiably;
- ``memory``: converted images held in bounded memory, and batches of them;
- ``services``: callbacks of ours that a MAPS does not mention;
- ``training_loss``: the log of the training loss, quick;
- ``maps``: a MAPS that was interrupted, made readable; one ``pip freeze`` for all.
"""

from clinicadl_trust.host.factories import connect

__all__ = ["connect"]
