"""Validation, statistics and reports that one can defend, for ClinicaDL 2.

Importing this package makes ClinicaDL know every plugin installed beside it:
``Trainer.from_maps`` then reopens a MAPS that holds plugin classes. The import
is cheap: neither torch nor clinicadl is imported by it.
"""

from clinicadl_trust import host

__all__ = ["__version__"]

__version__ = "0.1.0"

host.connect()
