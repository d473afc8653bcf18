"""The AUC of several images a participant, and near 1."""

from __future__ import annotations

from clinicadl_trust.stats import compare_roc_auc, roc_auc
from clinicadl_trust.trust_check.populations import Group, Uneven
from clinicadl_trust.trust_check.scenario import Procedure, Scenario, Setting

__all__ = ["SCENARIO"]

_ONE = (
    Procedure("DeLong, each image a person", lambda d: roc_auc(d[0].label, d[1]), True),
    Procedure(
        "roc_auc(cluster=participant)",
        lambda d: roc_auc(d[0].label, d[1], d[0].cluster),
    ),
)
_PLAIN = (
    Procedure(
        "Obuchowski, estimate +- 1.96 standard errors",
        lambda d: roc_auc(d[0].label, d[1], d[0].cluster, transform=None),
        True,
    ),
    _ONE[1],
)
_TWO = (
    Procedure(
        "DeLong's test, each image a person",
        lambda d: compare_roc_auc(d[0].label, d[1], d[2]),
        True,
    ),
    Procedure(
        "compare_roc_auc(cluster=participant)",
        lambda d: compare_roc_auc(d[0].label, d[1], d[2], d[0].cluster),
    ),
)
_GROUPS = tuple(Group(80, 4, 0.5, auc) for auc in (0.5, 0.75, 0.95))

SCENARIO = Scenario(
    name="clustered-auc",
    title="The AUC of several images a participant",
    naive=(
        "DeLong's interval and test are given all images as if each came from another "
        "person; or they are given participants, but as the estimate plus and minus "
        "1.96 standard errors, which is too short where the AUC is near 1."
    ),
    ours=(
        "Obuchowski's standard error counts participants; the interval is made on the "
        "logit scale with degrees of freedom from the smaller class."
    ),
    settings=(
        *(
            Setting(
                f"80 participants x 4 images, ICC .5, AUC {group.auc:g}",
                group.draw,
                _ONE,
                truth=group.auc,
            )
            for group in _GROUPS
        ),
        Setting(
            "60 participants, unequal numbers of images, ICC .6, AUC 0.75",
            Uneven(60, 3, 0.6, 0.75).draw,
            _ONE,
            truth=0.75,
        ),
        *(
            Setting(
                f"{n} participants x 1 image, AUC 0.95",
                Group(n, 1, 0.0, 0.95).draw,
                _PLAIN,
                truth=0.95,
            )
            for n in (80, 20)
        ),
        *(
            Setting(
                f"two equal models, 80 x 4 images, ICC .5, AUC {group.auc:g}",
                group.draw,
                _TWO,
                "rejection",
            )
            for group in _GROUPS
        ),
    ),
)
