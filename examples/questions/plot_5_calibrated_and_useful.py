"""
Is my model calibrated and worth using?
=======================================

An AUC says that patients rank above controls. It does not say that a probability of
80 % means 80 %, nor that anyone is better off for having the model.
"""

# %%
# The predictions table
# ---------------------
# This model is overconfident: its log odds are twice what they should be.

import textwrap

import matplotlib.pyplot as plt
import numpy as np

from clinicadl_trust import plots, stats
from clinicadl_trust.testing import synthetic_study

table = synthetic_study({"cnn": 1.4}, participants=300, visits=2, confidence=2, seed=3)
label, score, who = table["label"], table["score"], table["participant_id"]
table[["participant_id", "session_id", "label", "score"]].head()

# %%
# Do probabilities mean what they say?
# ------------------------------------
# Slope and intercept of the log odds: 1 and 0 if so. A slope below 1 is overconfidence.

slope = stats.calibration_slope(label, score, who)
intercept = stats.calibration_intercept(label, score, who)
print("slope:", slope)
print("intercept:", intercept)

fig, ax = plt.subplots(figsize=(4, 5), layout="constrained")
plots.calibration_curve(stats.reliability_curve(label, score, who), ax, scores=score)

# %%
# Does acting on it do more good than harm?
# -----------------------------------------
# At a threshold of 20 % a false alarm weighs a quarter of a case found. The model is
# worth having where its line lies above treating everyone and treating no one.

curve = stats.net_benefit(label, score, np.arange(5, 81) / 100, who)
fig, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
plots.decision_curve(curve, ax)

# %%
# At the threshold that was chosen beforehand, against the better of the two:

at = 0.2
gain = stats.compare_net_benefit(label, score, "treat all", at, who).points.iloc[0]
print(gain.to_string())

# %%
# What would be wrong
# -------------------
# An interval of the expected calibration error by the bootstrap: the error is never 0,
# so under perfect calibration its interval never holds the truth. A test of Hosmer and
# Lemeshow, which depends on the bins. A decision curve from a case-control set without
# weights: net benefit depends on how common the disease is.
#
# ``clinicadl evaluate predictions.tsv --metric brier`` and the report of a benchmark
# show the same curves.
#
# The sentence for the paper
# --------------------------

sentence = f"""
The model's probabilities were too extreme (calibration slope {slope.value:.2f}, 95%
CI {slope.low:.2f} to {slope.high:.2f}; intercept {intercept.value:+.2f},
{intercept.low:+.2f} to {intercept.high:+.2f}). At a threshold of {at:.0%} its net
benefit exceeded that of treating everyone by {gain["effect"]:.3f}
({gain["low"]:.3f} to {gain["high"]:.3f}), at the prevalence of this group
({label.mean():.0%}; intervals clustered by participant).
"""
print(textwrap.fill(sentence.strip(), 80))
