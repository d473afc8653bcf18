"""HTML with figures: what a benchmark found, and what may be claimed of it."""

from clinicadl_trust.report.page import render_report, write_report

__all__ = ["render_report", "write_report"]
