"""Contract checks that plugin authors run on their own classes."""

from clinicadl_trust.testing.callbacks import check_callback
from clinicadl_trust.testing.commands import check_command
from clinicadl_trust.testing.configs import check_config, check_inferer
from clinicadl_trust.testing.constraints import check_attribution_constraint
from clinicadl_trust.testing.contract import ContractError
from clinicadl_trust.testing.detectors import check_detector
from clinicadl_trust.testing.dispatch import check_plugin
from clinicadl_trust.testing.models import (
    check_model,
    example_batch,
    example_parts,
)
from clinicadl_trust.testing.statistics import check_statistic
from clinicadl_trust.testing.strategies import check_split_strategy
from clinicadl_trust.testing.study import synthetic_study
from clinicadl_trust.testing.synthetic import (
    synthetic_cohort,
    synthetic_predictions,
    synthetic_readings,
    synthetic_seeds,
    synthetic_test_group,
)

__all__ = [
    "ContractError",
    "check_attribution_constraint",
    "check_callback",
    "check_command",
    "check_config",
    "check_detector",
    "check_inferer",
    "check_model",
    "check_plugin",
    "check_split_strategy",
    "check_statistic",
    "example_batch",
    "example_parts",
    "synthetic_cohort",
    "synthetic_predictions",
    "synthetic_readings",
    "synthetic_seeds",
    "synthetic_study",
    "synthetic_test_group",
]
