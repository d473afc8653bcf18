"""What a generated cohort is like: every choice, with its limits."""

from __future__ import annotations

import difflib
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from clinicadl_trust.clinica import atlas_labels
from clinicadl_trust.exceptions import ConfigError, did_you_mean

__all__ = ["DISEASES", "GeneratorOptions"]

#: Disease to the label of its patients; healthy controls are ``CN``.
DISEASES = {"atrophy": "AD", "lesions": "MS", "epilepsy": "EP"}

_HIPPOCAMPI = ("Hippocampus_L", "Hippocampus_R")


class GeneratorOptions(BaseModel):
    """The options of ``generate_caps``.

    Raises
    ------
    ConfigError
        If an option is unknown, of the wrong type, out of its range, or at odds
        with another.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    participants: int = Field(120, ge=1, le=100_000, description="Participants.")
    datasets: int = Field(
        1, ge=1, le=100, description="Studies that the sites belong to."
    )
    sites: int = Field(4, ge=1, le=1000, description="Acquisition sites.")
    scanners_per_site: int = Field(1, ge=1, le=20, description="Scanners at each site.")
    sessions: int = Field(
        2, ge=1, le=50, description="Most sessions that a participant can have."
    )
    interval: int = Field(12, ge=1, le=120, description="Months between two sessions.")
    attrition: float = Field(
        0.25, ge=0, lt=1, description="Probability of not coming back for each session."
    )
    resolution: int = Field(
        4,
        ge=1,
        le=16,
        description="Edge of a voxel in mm; 1 gives Clinica's 169x208x179 crop.",
    )
    modality: Literal["T1w", "FLAIR"] = Field("T1w", description="Kind of image.")
    disease: Literal["atrophy", "lesions", "epilepsy"] = Field(
        "atrophy",
        description="Planted effect: regions that shrink (AD), white-matter lesions "
        "(MS), or one small dysplasia in the cortex (EP).",
    )
    regions: tuple[str, ...] = Field(
        _HIPPOCAMPI,
        min_length=1,
        description="AAL2 regions that the disease 'atrophy' shrinks.",
    )
    effect: float = Field(
        1.0,
        ge=0,
        le=10,
        description="Size of the planted effect; 0 leaves no trace of the diagnosis.",
    )
    progression: float = Field(
        0.2, ge=0, le=5, description="Growth of the effect per year, in patients."
    )
    prevalence: float = Field(0.5, ge=0, le=1, description="Share of patients.")
    prevalence_spread: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Prevalence differs by site, by up to this much around the mean: "
        "a confound.",
    )
    age_gap: float = Field(
        0.0,
        ge=-30,
        le=30,
        description="Years by which patients are older on average: a confound.",
    )
    site_effect: float = Field(
        1.0, ge=0, le=5, description="How much scanners differ; 0 makes them alike."
    )
    noise: float = Field(
        1.0, ge=0, le=20, description="Noise of the scanners; 0 gives noiseless images."
    )
    families: float = Field(
        0.0, ge=0, le=1, description="Share of participants who have a sibling inside."
    )
    duplicates: int = Field(
        0, ge=0, le=100_000, description="Scans repeated under another participant id."
    )
    duplicate_noise: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Noise added to these, as a share of white matter's intensity; 0 "
        "makes exact copies.",
    )
    score_noise: float = Field(
        0.5,
        ge=0,
        le=10,
        description="Standard deviation of the noise of the clinical score, which goes "
        "from 0 to 10.",
    )
    affine: float = Field(
        0.0,
        ge=0,
        le=3,
        description="Size of a known random affine that moves each head; 1 has "
        "standard deviations of 5 mm, 5 degrees and 5 %, 0 moves none.",
    )
    confounder: Literal["none", "mark", "pattern"] = Field(
        "none",
        description="What goes with the label and is not the disease: a bright mark "
        "outside the brain, or an intensity pattern in the cerebellum.",
    )
    confounder_association: float = Field(
        1.0,
        ge=0,
        le=1,
        description="From 0, the confounder is independent of the label, to 1, all "
        "patients have it and no control.",
    )
    confounder_strength: float = Field(
        1.0, ge=0, le=5, description="Brightness of the confounder; 0 hides it."
    )
    seed: int = Field(0, ge=0, lt=2**63, description="Same seed, same files.")

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ValidationError as error:
            raise ConfigError(_explain(error, list(type(self).model_fields))) from error

    @field_validator("regions", mode="before")
    @classmethod
    def _one_region(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("regions")
    @classmethod
    def _known_regions(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value == _HIPPOCAMPI:  # the default needs no look into the atlas
            return value
        known = list(atlas_labels("AAL2")["name"])
        for name in value:
            if name not in known:
                near = _nearest(name, known)
                raise ConfigError(
                    f"'{name}' is not one of the {len(known)} regions of AAL2. Did "
                    f"you mean '{near[0]}'? Others like it: {', '.join(near[1:])}."
                )
        return tuple(dict.fromkeys(value))

    @model_validator(mode="after")
    def _coherent(self) -> GeneratorOptions:
        low = self.prevalence - self.prevalence_spread
        high = self.prevalence + self.prevalence_spread
        if self.prevalence_spread and (low < 0 or high > 1):
            raise ConfigError(
                f"prevalence {self.prevalence} with prevalence_spread "
                f"{self.prevalence_spread} would give sites between {low:.2f} and "
                f"{high:.2f}. Keep both between 0 and 1: lower the spread."
            )
        if self.prevalence_spread and self.sites == 1:
            raise ConfigError(
                f"prevalence_spread = {self.prevalence_spread} makes prevalence differ "
                "by site, and there is one site. Ask for more sites."
            )
        for small, large in (("datasets", "sites"), ("sites", "participants")):
            if getattr(self, small) > getattr(self, large):
                raise ConfigError(
                    f"{getattr(self, small)} {small} need at least as many {large}; "
                    f"got {large} = {getattr(self, large)}."
                )
        if self.duplicates > self.participants:
            raise ConfigError(
                f"duplicates = {self.duplicates} is more than the "
                f"{self.participants} participants to copy from."
            )
        return self


def _nearest(name: str, known: list[str], n: int = 6) -> list[str]:
    """Return the names that look most alike: all of them are too many to show."""
    folded = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), folded, n=n, cutoff=0.0)
    return [folded[k] for k in close]


def _explain(error: ValidationError, known: list[str]) -> str:
    """Say all that pydantic found wrong, in one line each."""
    lines = []
    for problem in error.errors():
        name = str(problem["loc"][0]) if problem["loc"] else "options"
        if problem["type"] == "extra_forbidden":
            lines.append(f"Unknown option '{name}'.{did_you_mean(name, known)}")
        else:
            value = problem["input"]
            lines.append(f"Option '{name}' = {value!r}: {problem['msg']}.")
    return "\n".join(lines)
