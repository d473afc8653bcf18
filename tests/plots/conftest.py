from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from clinicadl_trust import stats


@pytest.fixture(autouse=True)
def untouched():
    """No function may make, close or restyle what belongs to the user."""
    import matplotlib.pyplot as plt

    mine = plt.figure()
    style = dict(mpl.rcParams)
    yield
    assert plt.get_fignums() == [mine.number]
    assert dict(mpl.rcParams) == style
    plt.close(mine)


@pytest.fixture
def ax():
    from matplotlib.figure import Figure

    return Figure().subplots()


@pytest.fixture(scope="session")
def sites():
    return stats.heterogeneity(
        [0.81, 0.87, 0.78, 0.91],
        [0.04, 0.03, 0.05, 0.02],
        sites=["Paris", "Lyon", "Lille", "Nice"],
        transform="logit",
    )


@pytest.fixture(scope="session")
def images():
    """Label, the probabilities of two models, and participant of 240 images."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(120), 2)
    label = np.repeat(rng.permutation(120) % 2, 2)
    noise = rng.normal(size=(2, 120))[:, who]
    first, second = 1 / (
        1 + np.exp(-(np.array([[1.5], [0.5]]) * (2 * label - 1) + noise))
    )
    return label, first, second, who


@pytest.fixture(scope="session")
def linear():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"site": np.repeat(list("abcdefgh"), 30)})
    table["age"] = rng.uniform(-1, 1, len(table))
    code = table["site"].map("abcdefgh".index).to_numpy()
    shift, slope = rng.normal(size=(2, 8))
    noise = 0.5 * rng.normal(size=len(table))
    table["score"] = shift[code] + slope[code] * table["age"] + noise
    return stats.mixed_model("score ~ age + (age | site)", table)


@pytest.fixture(scope="session")
def logistic():
    rng = np.random.default_rng(2)
    table = pd.DataFrame({"site": np.repeat(list("abcdefgh"), 30)})
    shift = rng.normal(size=8)[table["site"].map("abcdefgh".index)]
    table["correct"] = (rng.uniform(size=240) < 1 / (1 + np.exp(-shift))).astype(int)
    return stats.mixed_model("correct ~ 1 + (1 | site)", table, family="binomial")
