"""The configuration of a constrained model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from clinicadl.models import Model
from clinicadl.models.vanilla import VanillaModelConfig
from clinicadl.utils.config import ObjectConfig
from pydantic import Field, field_validator, model_validator

from clinicadl_trust.attribution.terms import read_terms

if TYPE_CHECKING:
    from clinicadl_trust.attribution.model import (
        AttributionConstrainedModel,  # noqa: F401 - in a name
    )

__all__ = ["AttributionConstrainedModelConfig", "SecondOrder"]

SecondOrder = Literal["auto", "exact", "difference"]


class AttributionConstrainedModelConfig(
    VanillaModelConfig, ObjectConfig["AttributionConstrainedModel"]
):
    """Configuration of ``AttributionConstrainedModel``."""

    label_key: str
    task: str
    explain: dict[str, Any]
    constraints: list[dict[str, Any]]
    mask_key: str | None
    smooth: bool
    loss_weight: float = Field(ge=0)
    wait: float = Field(ge=0, le=1)
    delay: int = Field(ge=0)
    warmup: int = Field(ge=0)
    anneal: int = Field(ge=0)
    final: float = Field(ge=0, le=1)
    balance: bool
    every: int = Field(ge=1)
    second_order: SecondOrder

    @field_validator("constraints")
    @classmethod
    def _known(cls, tables: list[dict[str, Any]]) -> list[dict[str, Any]]:
        read_terms(tables)
        return tables

    @model_validator(mode="after")
    def _balanced(self) -> AttributionConstrainedModelConfig:
        if self.balance and not self.loss_weight:
            raise ValueError(
                "balance = true weighs constraints against the supervised loss, which "
                "loss_weight = 0 leaves out. Set balance = false, or a loss_weight."
            )
        return self

    @classmethod
    def _get_class(cls) -> type[Model]:
        from clinicadl_trust.attribution.model import AttributionConstrainedModel

        return AttributionConstrainedModel
