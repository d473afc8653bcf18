"""Where interpretations lie in a MAPS, and how they are read back; without torch.

In the run's record folder, ``training/split-K/trust``, which ClinicaDL does not mind::

    interpretation/GROUP/METHOD/
        interpretation.json                  what was asked, and what was impossible
        maps/SUB_SES_desc-METHOD_attribution.nii.gz
        mean/CLASS_desc-METHOD_attribution.nii.gz
        participants/SUB_SES.json            what was measured of one image
        attribution_metrics.tsv              the same of all, for the statistics
        regions.tsv                          attribution in each region of AAL2
        curves.tsv                           deletion and insertion
        cascade.tsv                          maps as layer after layer is made random

A benchmark's folder has ``interpretation/GROUP/METHOD`` too, with the tables of all its
runs: ``attribution_metrics.tsv``, and where there are any ``cascade.tsv`` and
``stability.tsv``.
"""

from clinicadl_trust.interpretations.interpretation import Interpretation
from clinicadl_trust.interpretations.listing import interpretations
from clinicadl_trust.interpretations.metrics import METRICS
from clinicadl_trust.interpretations.places import (
    ABOUT,
    interpretation_dir,
    summary_dir,
)

__all__ = [
    "ABOUT",
    "METRICS",
    "Interpretation",
    "interpretation_dir",
    "interpretations",
    "summary_dir",
]
