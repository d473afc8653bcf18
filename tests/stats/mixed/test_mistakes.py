"""Wrong formulas, options and tables, each told in words that help."""

import numpy as np
import pandas as pd
import pytest
from visits_factory import CROSSED, visits

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed import mixed_model

MISTAKES = {
    "score ~ agee + (1 | site)": r"'agee', which is no column. Did you mean 'age'\?",
    "score ~ age + (1 | sit)": r"'sit', which is no column. Did you mean 'site'\?",
    "score ~ age": "no random effect",
    "score ~ age + (1 | site": "never closed",
    "score ~ age) + (1 | site)": r"'\)' without '\('",
    "score age + (1 | site)": "'~' is missing",
    "score ~ age ~ (1 | site)": "a second '~'",
    " ~ age + (1 | site)": "name the response",
    "score ~ age + 1 | site": "put a random effect in brackets",
    "score ~ age * (1 | site)": "put a random effect in brackets",
    "score ~ age + ( | site)": "say what varies",
    "score ~ age + (1 | site | age)": r"only one '\|'",
    "score ~ age + (1 | )": "'nothing' is no column",
    "score ~ age + (1 | site + age)": "group by columns",
    "score ~ age + (1 | row)": "cannot be told from the residual",
    "score ~ age + (1 | one)": "has one level",
    "score ~ log(negative) + (1 | site)": "infinite or undefined",
    "name ~ age + (1 | site)": "must be numbers",
    "score ~ when + (1 | site)": "'when' holds dates",
    "score ~ name + (1 | site)": "'name' has one value",
    "score ~ np.log(age) + (1 | site)": "'np', which is no column",
    "score ~ s(age) + (1 | site)": r"calls 's', which is no function(.|\n)* {10}\^",
    "my score ~ age + (1 | site)": "stand in backquotes",
    "score ~ text + (1 | site)": "240 fixed effects.*kept as text",
    "log(negative) ~ age + (1 | site)": r"^'log\(negative\)' is infinite",
    "score ~ poly(sex, 3) + (1 | site)": r"^poly\(..., 3\) needs more than 3",
    "score ~ age + (1 | site) + (age | site)": "'Intercept' varies twice",
    "score ~ age + (1 | participant_id/site)": "group the rows alike",
    "one ~ age + (1 | site)": "Every response is 1",
    "cbind(ill, age, one) ~ age + (1 | site)": "cbind takes two columns",
    "cbind(one, one) ~ age + (1 | site)": "needs family='binomial'",
    "": "Write one such as",
}


@pytest.mark.parametrize("formula", MISTAKES)
def test_a_mistake_in_the_formula_is_pointed_at(formula):
    data = visits().assign(one=1, negative=-1.0, name="a")
    data["when"], data["sex"] = pd.Timestamp("2020-01-01"), data["site"] % 2
    data["row"] = np.arange(len(data))
    data["text"] = data["row"].astype(str)
    with pytest.raises(StatisticsError, match=MISTAKES[formula]):
        mixed_model(formula, data)


def test_the_place_of_a_mistake_is_pointed_at():
    with pytest.raises(StatisticsError) as caught:
        mixed_model("score ~ age + (1 | sit)", visits())
    *_, line, pointer = str(caught.value).split("\n")
    assert line[pointer.index("^") :].startswith("sit)")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"family": "poisson"}, "family='poisson'"),
        ({"df": "7"}, "df='7'"),
        ({"confidence_level": 95}, "between 0 and 1"),
        ({"weights": "w"}, "weights='w' is no column"),
        ({"weights": [1.0]}, r"shape \(1,\)"),
        ({"weights": [-1.0] * 240}, "above 0"),
        ({"family": "binomial"}, "needs 0 and 1"),
        ({"reml": "ML"}, "reml='ML' must be True"),
        ({"n_quadrature": 0}, "n_quadrature=0"),
        ({"reml": False, "df": "kenward-roger"}, "reml=True"),
    ],
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(StatisticsError, match=message):
        mixed_model(CROSSED, visits(), **options)


def test_tables_that_cannot_be_fitted_are_refused():
    data = visits()
    with pytest.raises(StatisticsError, match="empty"):
        mixed_model(CROSSED, data.head(0))
    with pytest.raises(StatisticsError, match="Every row has a missing value"):
        mixed_model(CROSSED, data.assign(score=np.nan))
    with pytest.raises(StatisticsError, match="Every response is 1"):
        mixed_model("ill ~ age + (1 | site)", data.assign(ill=1), family="binomial")
    with pytest.raises(StatisticsError, match="no whole number of successes"):
        mixed_model(
            "share ~ age + (1 | site)", data.assign(share=0.5), family="binomial"
        )
    with pytest.raises(StatisticsError, match="one scalar random effect"):
        mixed_model("ill ~ age + (age | site)", data, family="binomial", n_quadrature=5)
    big = pd.concat([visits(seed=s) for s in range(13)], ignore_index=True)
    with pytest.raises(StatisticsError, match="3,120 rows"):
        mixed_model(CROSSED, big, df="kenward-roger")
