"""The experiment file, its runs, and where they run."""

from clinicadl_trust.benchmark.config import Experiment
from clinicadl_trust.benchmark.plan import Run
from clinicadl_trust.benchmark.progress import make_display
from clinicadl_trust.benchmark.reading import read_experiment
from clinicadl_trust.benchmark.run import BenchmarkResult, run_benchmark

__all__ = [
    "BenchmarkResult",
    "Experiment",
    "Run",
    "make_display",
    "read_experiment",
    "run_benchmark",
]
