"""What `clinicadl trust-check` measures, at 2,000 replicates: each label is kept.

The naive analyses of each scenario fail somewhere, or there would be nothing to trust.
Run with ``-s`` to see the numbers.
"""

import pytest

from clinicadl_trust.trust_check import SCENARIOS, run_trust_check

pytestmark = pytest.mark.long


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS])
def test_labels_are_kept_and_naive_analyses_fail(name):
    checked = run_trust_check([name], replicates=2000, n_jobs=2)
    print(f"\n{checked}")
    assert checked.failed == ()
    assert any(m.verdict == "naive fails" for m in checked.measurements)
