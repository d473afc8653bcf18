"""A MAPS opened by ClinicaDL alone, in a process that has never seen us."""

import subprocess
import sys

_SCRIPT = """
import sys
from clinicadl.train import Trainer

host_only, with_plugins = sys.argv[1:]
trainer = Trainer.from_maps(host_only)
print(type(trainer.model).__name__, len(trainer._get_split(1).train_dataset))
assert not any(name.startswith("clinicadl_trust") for name in sys.modules)
try:
    Trainer.from_maps(with_plugins)
except ValueError as error:
    print("unknown:", error)

import clinicadl_trust

trainer = Trainer.from_maps(with_plugins)
print(type(trainer.model).__name__, type(trainer.model).__module__)
"""


def test_a_maps_of_the_hosts_classes_needs_us_not_and_a_plugins_one_does(
    regression, finished, spec
):
    result = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(regression), str(finished)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    first, unknown, last = result.stdout.splitlines()
    assert first == f"SupervisedModel {len(spec.fold.train)}"
    assert unknown.startswith("unknown:")
    assert "ClassificationModel" in unknown
    assert last == "ClassificationModel clinicadl_trust.models.classification"
