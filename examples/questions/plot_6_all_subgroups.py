"""
Does it work equally in all subgroups?
======================================

A model can be good on average and poor for the oldest, or for one sex. Small groups
also differ by chance.
"""

# %%
# The predictions table
# ---------------------
# With a column to look at: ``sex``, ``age``, a scanner, a site.

import textwrap

import matplotlib.pyplot as plt

from clinicadl_trust import plots, stats
from clinicadl_trust.testing import synthetic_study

table = synthetic_study({"cnn": 1.6}, participants=240, visits=2, seed=5)
table[["participant_id", "session_id", "age", "sex", "label", "score"]].head()

# %%
# By age
# ------
# ``bands`` are the ages at which a new band starts.

by_age = stats.subgroups(table, "age", "roc_auc", bands=[65, 75])
print(by_age)

fig, ax = plt.subplots(figsize=(5.6, 2), layout="constrained")
plots.forest(by_age, ax, metric="ROC AUC by age", reference=0.5)

# %%
# Differences are what counts, not whether each interval leaves out .5: each pair has
# its own interval, and ``p_adjusted`` allows for their number (max-T).
#
# What would be wrong
# -------------------
# To call a group "not significant" and another "significant": the difference between
# the two may be nothing. To look through many columns and report the worst group alone.
# In a cross-validation the bands' scores come from several models; the result then
# warns.
#
# The sentence for the paper
# --------------------------

largest = by_age.differences.sort_values("p_value").iloc[0]
low, high = (by_age.levels["value"].min(), by_age.levels["value"].max())
sentence = f"""
The ROC AUC lay between {low:.2f} and {high:.2f} in three bands of age; the clearest
difference ({largest["level"]} minus {largest["minus"]}) was
{largest["effect"]:+.2f} (95% CI {largest["low"]:+.2f} to {largest["high"]:+.2f},
adjusted p = {largest["p_adjusted"]:.2f}, max-T over {len(by_age.differences)}
pairs; clustered by participant).
"""
print(textwrap.fill(sentence.strip(), 80))
