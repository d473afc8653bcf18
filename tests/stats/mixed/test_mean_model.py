"""Means of many columns are those of one mixed model after another."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from clinicadl_trust.stats.mixed import mixed_model
from clinicadl_trust.stats.mixed.mean_model import MeanModel


@pytest.mark.parametrize("names", [["site"], ["site", "who"], ["who"]])
def test_each_column_has_the_fit_of_its_own_model(names):
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(40), 3)
    site = rng.integers(0, 6, 40)[who]
    table = pd.DataFrame({"who": who, "site": site})
    columns = rng.normal(size=(120, 3)) + rng.normal(size=(40, 3))[who]
    columns[:, 1] += rng.normal(size=6)[site]
    model = MeanModel(table, names, columns[:, 0])
    random = " + ".join(f"(1 | {name})" for name in names)
    for column in columns.T:
        fit = model.fit(column, 0.9)
        own = mixed_model(
            f"y ~ 1 + {random}", table.assign(y=column), confidence_level=0.9
        )
        row = own.fixed_effects.loc["Intercept"]
        assert_allclose(fit.mean.value, row["estimate"], rtol=1e-10)
        for key in ("standard_error", "df", "low", "high", "p_value"):
            assert_allclose(getattr(fit.mean, key), row[key], rtol=1e-6)
        sd = own.variance_components.set_index("group")["sd"]
        assert_allclose([fit.sd[name] for name in names], sd[names], atol=1e-8)
        assert_allclose(fit.residual_sd, own.residual_sd)
        assert fit.singular == own.singular
