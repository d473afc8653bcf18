"""What ``clinicadl interpret`` found, for the report: pictures, means and tables."""

from clinicadl_trust.report.attributions.interpreted import (
    Interpreted,
    Run,
    read_interpreted,
)

__all__ = ["Interpreted", "Run", "read_interpreted"]
