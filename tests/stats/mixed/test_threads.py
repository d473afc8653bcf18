import numpy as np
from threadpoolctl import threadpool_info

from clinicadl_trust.stats.mixed.threads import one_thread


def blas_threads():
    np.eye(3) @ np.eye(3)
    return {
        pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"
    }


def test_a_fit_runs_in_one_thread_and_leaves_the_others_as_they_were():
    before = blas_threads()
    assert one_thread(blas_threads)() == {1}
    assert blas_threads() == before
