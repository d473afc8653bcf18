"""
What changes over visits?
=========================

People come back, each with a level and a pace of their own, to hospitals that differ. A
mixed model takes all three apart.
"""

# %%
# The table
# ---------
# Any table with one row a visit: here a cognitive score of 120 people in eight
# hospitals.

import textwrap

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from clinicadl_trust import plots, stats

rng = np.random.default_rng(0)
n_people, n_visits, n_sites = 120, 4, 8
person = np.repeat(np.arange(n_people), n_visits)
table = pd.DataFrame({"participant_id": [f"sub-{n:03d}" for n in person]})
table["site"] = [f"site-{n % n_sites + 1}" for n in person]
table["year"] = np.tile(np.arange(n_visits), n_people)
level, pace = rng.normal(0, 3, n_people), rng.normal(0, 0.5, n_people)
site = rng.normal(0, 1.5, n_sites)[person % n_sites]
noise = rng.normal(0, 1, len(table))
table["score"] = (
    27 + site + level[person] + (pace[person] - 0.8) * table["year"] + noise
)
table.head()

# %%
# The model, in lme4's language
# -----------------------------
# A level and a pace for each person, a level for each hospital. Estimates, standard
# errors and degrees of freedom agree with R's lme4 and lmerTest.

model = stats.mixed_model("score ~ year + (year | participant_id) + (1 | site)", table)
print(model)

# %%
# Which hospitals stand out?
# --------------------------

fig, ax = plt.subplots(figsize=(4.6, 2.8), layout="constrained")
plots.caterpillar(model, ax, group="site")

# %%
# Is what it takes to be normal so?
# ---------------------------------

fig, axes = plt.subplots(2, 3, figsize=(8, 5.2), layout="constrained")
axes.flat[-1].remove()
plots.random_effect_diagnostics(model, axes.flat[:5])

# %%
# What would be wrong
# -------------------
# A regression over all visits, as if of different people, takes their levels for noise,
# and its standard error is far too large here. One pace for everyone takes what is each
# person's own for a law, and its standard error is too small.

naive = np.polyfit(table["year"], table["score"], 1, cov=True)[1][0, 0] ** 0.5
right = model.fixed_effects.loc["year"]
without = stats.mixed_model("score ~ year + (1 | participant_id)", table)
print(f"regression over visits:   {naive:.3f}")
print(
    "one pace for everyone:   ",
    f"{without.fixed_effects.loc['year', 'standard_error']:.3f}",
)
print(f"a pace for each person:   {right['standard_error']:.3f}")

# %%
# ``model.compare(without)`` tests what the paces add, ``model.contrast({"year": 10})``
# gives ten years. A logistic model with one random intercept is integrated by
# quadrature, because Laplace's approximation is wrong where people have few visits.
#
# The sentence for the paper
# --------------------------

sentence = f"""
The score fell by {-right["estimate"]:.2f} a year (95% CI {-right["high"]:.2f} to
{-right["low"]:.2f}; linear mixed model with random intercepts and slopes of
{model.n_levels["participant_id"]} participants and random intercepts of
{model.n_levels["site"]} hospitals, restricted maximum likelihood, Satterthwaite's
degrees of freedom, {right["df"]:.0f}); hospitals accounted for
{model.icc["site"]:.0%} of the variance.
"""
print(textwrap.fill(sentence.strip(), 80))
