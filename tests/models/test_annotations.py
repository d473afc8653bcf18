"""Who is annotated: nested draws, the healthy known, and the validation too."""

from itertools import pairwise

import pandas as pd
import pytest

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.models.annotations import annotated_participants, how_often
from clinicadl_trust.models.options import read_options

ROWS = pd.DataFrame(
    {
        "participant_id": [f"sub-{n // 2:02}" for n in range(40)],
        "session_id": ["ses-1", "ses-2"] * 20,
        # The first ten have a lesion, at their second visit only.
        "lesion": [0.0, 5.0] * 10 + [0.0] * 20,
    }
)
PATIENTS = {f"sub-{n:02}" for n in range(10)}
HEALTHY = {f"sub-{n:02}" for n in range(10, 20)}


def drawn(number, seed=0):
    return annotated_participants(ROWS, "lesion", number, seed)


def test_the_first_five_are_among_the_first_ten():
    sets = [drawn(number) - HEALTHY for number in range(1, 11)]
    assert [len(each) for each in sets] == [*range(1, 11)]
    assert all(small < large for small, large in pairwise(sets))
    assert sets[-1] == PATIENTS


def test_empty_masks_are_known():
    assert drawn(1) >= HEALTHY
    assert drawn(None) == PATIENTS | HEALTHY


def test_seeds_draw_others():
    assert len({drawn(2, seed) for seed in range(20)}) > 5
    assert drawn(2, 3) == drawn(2, 3)


def test_more_than_there_are_is_refused():
    with pytest.raises(ConfigError, match=r"annotated = 11.*10 training participants"):
        drawn(11)


@pytest.mark.parametrize("number", [1, 3, 9])
def test_the_share_of_draws_is_the_one_asked_for(number):
    known = pd.Series([True] * number + [False] * (10 - number))
    weights = how_often(known, 0.4)
    assert weights[known].sum() / weights.sum() == pytest.approx(0.4)
    assert weights.mean() == pytest.approx(1)
    assert weights[known].nunique() == 1


@pytest.mark.parametrize("known", [True, False])
def test_where_all_are_alike_each_is_drawn_as_often(known):
    assert (how_often(pd.Series([known] * 4), 0.4) == 1).all()


def test_a_share_without_a_number_is_refused():
    with pytest.raises(ConfigError, match=r"annotated_share = 0\.5.*annotated = 5"):
        read_options("few", {"annotated_share": 0.5})
