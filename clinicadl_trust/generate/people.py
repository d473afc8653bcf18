"""Who is in the cohort: the participants table, and what nobody is told.

Labels come from a stream of their own, so that no other number depends on them.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from clinicadl_trust.exceptions import ConfigError
from clinicadl_trust.generate.affine import AFFINE_PARAMETERS, draw_affine
from clinicadl_trust.generate.confounder import draw_confounder
from clinicadl_trust.generate.disease import make_disease
from clinicadl_trust.generate.options import DISEASES, GeneratorOptions
from clinicadl_trust.generate.score import add_score
from clinicadl_trust.generate.streams import stream

__all__ = ["plan_cohort", "public_columns"]

_PUBLIC = [
    "participant_id",
    "session_id",
    "dataset",
    "site",
    "scanner",
    "family_id",
    "acquisition_date",
    "age",
    "sex",
    "diagnosis",
    "score",
]

#: Mean, standard deviation and limits of age at the first session, in years, as in
#: studies of each disease.
_AGES = {
    "atrophy": (72.0, 7.0, 55.0, 90.0),
    "lesions": (40.0, 10.0, 18.0, 65.0),
    "epilepsy": (34.0, 10.0, 16.0, 60.0),
}


def public_columns(options: GeneratorOptions) -> list[str]:
    """Return the columns of ``participants.tsv``; the others are ``truth.tsv``'s."""
    return [*_PUBLIC, *(AFFINE_PARAMETERS if options.affine else ())]


def plan_cohort(options: GeneratorOptions) -> pd.DataFrame:
    """Draw everything about the cohort but its images.

    Parameters
    ----------
    options : GeneratorOptions
        What the cohort is like.

    Returns
    -------
    pandas.DataFrame
        One row per image, sorted by ids: the ``public_columns``, and ``years``
        since the first session, ``baseline_age``, ``severity`` of the disease at
        the first session (0 in controls; 1 is the mean patient at effect 1),
        ``burden`` at this one (see ``score``), ``copied_from`` (a participant, or
        missing) and, with a confounder, ``confounder`` and ``unconfounded``:
        whether the image and its unconfounded twin show it.

    Raises
    ------
    ConfigError
        If there are fewer families than sites.
    """
    people = _participants(options)
    people["diagnosis"] = _diagnoses(people["site"], options)
    patient = people["diagnosis"] != "CN"
    people["baseline_age"] += options.age_gap * patient
    people["severity"] *= options.effect * patient
    disease = make_disease(options)
    table = pd.DataFrame(
        _moved(add_score(row, disease, options), options)
        for person in people.to_dict("records")
        for row in _sessions(_confounded(person, options), options)
    )
    if options.duplicates:
        copies = _duplicates(table, options)
        table = pd.concat([table, copies], ignore_index=True)
    return table.sort_values(["participant_id", "session_id"]).reset_index(drop=True)


def _confounded(person: dict[str, Any], options: GeneratorOptions) -> dict[str, Any]:
    if options.confounder == "none":
        return person
    patient = person["diagnosis"] != "CN"
    return person | draw_confounder(person["participant_id"], patient, options)


def _moved(visit: dict[str, Any], options: GeneratorOptions) -> dict[str, Any]:
    """Return a visit with the affine that moves the head, rounded as it is told."""
    if not options.affine:
        return visit
    rng = stream(options.seed, "affine", visit["participant_id"], visit["session_id"])
    values = np.round(draw_affine(rng, options.affine), 6).tolist()
    return visit | dict(zip(AFFINE_PARAMETERS, values, strict=True))


def _participants(options: GeneratorOptions) -> pd.DataFrame:
    """Return one row per participant, all of it independent of the diagnosis."""
    n = options.participants
    digits = max(3, len(str(n + options.duplicates)))
    ids = [f"sub-{i + 1:0{digits}d}" for i in range(n)]
    families = _families(options)
    sites = _sites(families, options)
    rng = stream(options.seed, "scanners")
    scanners = rng.integers(options.scanners_per_site, size=n)
    mean, sd, low, high = _AGES[options.disease]
    draws = [stream(options.seed, "person", name) for name in ids]
    return pd.DataFrame(
        {
            "participant_id": ids,
            "dataset": [f"study-{site % options.datasets + 1}" for site in sites],
            "site": [_site_name(site, options) for site in sites],
            "scanner": [
                f"{_site_name(site, options)}-scanner-{scanner + 1}"
                for site, scanner in zip(sites, scanners, strict=True)
            ],
            "family_id": [f"fam-{family + 1:0{digits}d}" for family in families],
            "baseline_age": [np.clip(rng.normal(mean, sd), low, high) for rng in draws],
            "sex": [("F", "M")[rng.integers(2)] for rng in draws],
            "severity": [np.exp(rng.normal(-0.045, 0.3)) for rng in draws],
        }
    )


def _families(options: GeneratorOptions) -> np.ndarray:
    """Give each participant the number of a family; most are alone in theirs."""
    rng = stream(options.seed, "families")
    order = rng.permutation(options.participants)
    relatives = round(options.families * options.participants)
    family = np.empty(options.participants, dtype=int)
    position, number = 0, 0
    while position < options.participants:
        left = relatives - position
        size = min(int(rng.choice([2, 2, 3])), left) if left >= 2 else 1
        if left - size == 1:  # nobody stays without the sibling that was asked for
            size += 1
        family[order[position : position + size]] = number
        position, number = position + size, number + 1
    return family


def _sites(families: np.ndarray, options: GeneratorOptions) -> np.ndarray:
    """Give each participant a site: whole families, sites of about one size."""
    rng = stream(options.seed, "sites")
    members = np.bincount(families)
    if len(members) < options.sites:
        raise ConfigError(
            f"families = {options.families:g} of {options.participants} participants "
            f"gives {len(members)} families, too few for {options.sites} sites, as a "
            "family stays at one site. Ask for more participants, fewer sites or fewer "
            "families."
        )
    filled = np.zeros(options.sites)
    site_of = np.empty(len(members), dtype=int)
    # Larger families first, each to the emptiest site, leaves sites of equal size.
    for family in sorted(rng.permutation(len(members)), key=lambda f: -members[f]):
        site_of[family] = filled.argmin()
        filled[site_of[family]] += members[family]
    return site_of[families]


def _site_name(site: int, options: GeneratorOptions) -> str:
    return f"site-{site + 1:0{max(2, len(str(options.sites)))}d}"


def _diagnoses(sites: pd.Series, options: GeneratorOptions) -> list[str]:
    """Draw who is a patient; only the share in the whole cohort is exact.

    A quota in each site would make site predict the label *below* chance in
    cross-validation: a patient more in the training sites' folds is one less in
    the test fold.
    """
    rng = stream(options.seed, "diagnosis")
    names = sorted(sites.unique())
    spread = np.linspace(-1, 1, len(names)) if len(names) > 1 else np.zeros(1)
    deviation = options.prevalence_spread * rng.permutation(spread)
    share = sites.map(dict(zip(names, options.prevalence + deviation, strict=True)))
    # Whoever lies below the site's share by most is a patient first.
    order = np.argsort(rng.random(len(sites)) - share.to_numpy(), kind="stable")
    patient = np.zeros(len(sites), dtype=bool)
    patient[order[: round(share.sum())]] = True
    return [DISEASES[options.disease] if p else "CN" for p in patient]


def _sessions(
    person: dict[str, Any], options: GeneratorOptions
) -> list[dict[str, Any]]:
    """Return one row per session of a participant."""
    rng = stream(options.seed, "sessions", person["participant_id"])
    first = date(2012, 1, 1) + timedelta(days=int(rng.integers(8 * 365)))
    rows = []
    for k in range(options.sessions):
        months = k * options.interval
        # Drawn for sessions that are missed as well, so that attrition leaves the
        # dates of the others as they are.
        comes = rng.random() >= options.attrition
        late = int(rng.integers(-21, 22))  # appointments are kept within three weeks
        if k and not comes:
            continue
        days = round(months * 30.4375) + (late if k else 0)
        years = days / 365.25
        rows.append(
            person
            | {
                "session_id": f"ses-M{months:03d}",
                "acquisition_date": (first + timedelta(days=days)).isoformat(),
                "years": round(years, 3),
                "age": round(person["baseline_age"] + years, 1),
                "copied_from": None,
            }
        )
    return rows


def _duplicates(table: pd.DataFrame, options: GeneratorOptions) -> pd.DataFrame:
    """Return the first scans of some participants again, under new ids."""
    rng = stream(options.seed, "duplicates")
    ids = sorted(table["participant_id"].unique())
    chosen = sorted(rng.permutation(ids)[: options.duplicates])
    digits = len(ids[0]) - len("sub-")
    source = table[table["session_id"] == "ses-M000"].set_index("participant_id")
    copies = source.loc[chosen].reset_index()
    numbers = [len(ids) + k + 1 for k in range(len(chosen))]
    copies["copied_from"] = chosen
    copies["participant_id"] = [f"sub-{k:0{digits}d}" for k in numbers]
    copies["family_id"] = [f"fam-{k:0{digits}d}" for k in numbers]
    return copies
