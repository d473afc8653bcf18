"""HOW it trains: runs, ClinicaDL Models of ours, scikit-learn models, baselines."""

from clinicadl_trust.models.spec import RunSpec

__all__ = ["RunSpec"]
