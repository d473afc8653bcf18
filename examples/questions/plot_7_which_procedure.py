"""
Which procedure?
================

The same number can be an answer to three questions: about a new patient of these
hospitals, about a new hospital, about a model trained anew. How the data were split
decides which of them a table can answer.
"""

# %%
# ``recommend`` reads the table
# -----------------------------
# It sees repeated visits, folds, sites and leaks, names what to use, and says what
# would be wrong with what our simulations measured.

import textwrap

from clinicadl_trust import stats
from clinicadl_trust.testing import synthetic_study

skill = {"cnn": 1.6, "svm": 1.2}
sealed = synthetic_study(skill, participants=60, visits=3)
print(stats.recommend(sealed, "patient"))

# %%
# A model trained anew
# --------------------
# Only a cross-validation trains more than once.

folds = synthetic_study(skill, "cross-validation")
print(stats.recommend(folds, "retrained"))

# %%
# A new hospital
# --------------
# Whole hospitals must have been left out.

sites = synthetic_study(skill, "sites-left-out", sites=8)
print(stats.recommend(sites, "hospital"))

# %%
# A question that the table cannot answer
# ---------------------------------------
# is not answered.

print(stats.recommend(sealed, "retrained"))

# %%
# On the command line, ``clinicadl evaluate`` and ``clinicadl compare`` follow the same
# rules, and print what the answer is about.
#
# The sentence for the paper
# --------------------------

advice = stats.recommend(folds, "retrained")
sentence = f"""
Performance was estimated in {advice.n_folds}-fold cross-validation over
{advice.n_participants} participants ({advice.n_images} images); intervals and
p-values refer to models trained anew on as many participants of these hospitals,
and allow for folds that share training participants (corrected resampled t).
"""
print(textwrap.fill(sentence.strip(), 80))
