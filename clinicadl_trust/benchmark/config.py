"""The experiment file, section by section: what each key means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    model_validator,
)

from clinicadl_trust.task import Kind

__all__ = [
    "BASELINES",
    "SEALED",
    "ChanceSection",
    "CohortSection",
    "Experiment",
    "ModelSection",
    "RunSection",
    "StatisticsSection",
    "StrategySection",
]

#: The models that every benchmark has: what an image model must beat.
BASELINES = ("metadata", "majority")

#: The name that the sealed test group goes by among the splits.
SEALED = "sealed"

Seed = Annotated[StrictInt, Field(ge=0, lt=2**32)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _text(value: object) -> object:
    """Let ``positive = 1`` name the class ``1``."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if whole else value


class CohortSection(_Section):
    """``[cohort]``: who is studied, and what is predicted.

    Attributes
    ----------
    label : str or list of str
        The column to predict; several are predicted at once by a regression. For a
        segmentation a name for the mask, whose volume becomes a column.
    positive : str, optional
        The positive one of two classes; by default the one that is not named like
        a control.
    task : {"classification", "regression", "segmentation"}, optional
        By default a regression when the label is a number with more than ten
        values.
    caps : path, optional
        The CAPS folder. A relative path starts at the experiment file.
    participants : path, optional
        The participants TSV; by default ``participants.tsv`` in the CAPS.
    image : str or table, optional
        ClinicaDL's file type: ``"T1Linear"`` (the default), ``"FlairLinear"`` or
        the fields of ``BidsFileType``.
    test_image : str or table, optional
        Another image of a session, from which the test rows alone are read: a shift
        that training has not seen. Of a generated cohort with a confounder,
        ``"unconfounded"``.
    mask : table, optional
        For a segmentation, the truth: an image type, and ``missing = "empty"`` where
        a session without a file has no lesion. A generated cohort knows its own.
    missing_images : {"error", "exclude"}
        What to do with a row of the table whose image is not in the CAPS.
    generate : table, optional
        Instead of ``caps``: the options of a generated cohort.
    """

    label: StrictStr | Annotated[list[StrictStr], Field(min_length=2)]
    positive: Annotated[StrictStr | None, BeforeValidator(_text)] = None
    task: Kind | None = None
    caps: Path | None = None
    participants: Path | None = None
    image: Any = None
    test_image: Any = None
    mask: dict[str, Any] | None = None
    missing_images: Literal["error", "exclude"] = "error"
    generate: dict[str, Any] | None = None

    @property
    def labels(self) -> list[str]:
        """The columns to predict."""
        return [self.label] if isinstance(self.label, str) else self.label

    @model_validator(mode="after")
    def _one_source(self) -> CohortSection:
        if (self.caps is None) == (self.generate is None):
            raise ValueError(
                "name either 'caps' (a CAPS folder) or a table [cohort.generate], and "
                "not both"
            )
        names = ("participants", "image", "mask")
        given = [name for name in names if getattr(self, name) is not None]
        if self.generate is not None and given:
            raise ValueError(f"'{given[0]}' has no place beside [cohort.generate]")
        return self

    @model_validator(mode="after")
    def _truth(self) -> CohortSection:
        segments = self.task == "segmentation"
        if not isinstance(self.label, str) and (segments or self.positive is not None):
            kind = "segmentation" if segments else "classification"
            raise ValueError(f"several labels are for a regression, not a {kind}")
        if self.mask is not None and not segments:
            raise ValueError("'mask' is for task = \"segmentation\"")
        if segments and self.mask is None and self.generate is None:
            raise ValueError(
                "a segmentation needs the true masks: name their files in a table "
                '[cohort.mask], for example data_type = "flair_linear", suffix = '
                '"mask", with_entities = { desc = "lesion" }'
            )
        if segments and self.positive is not None:
            raise ValueError("'positive' is for a classification")
        return self


class StrategySection(_Section):
    """``[splits.NAME]`` or ``[sealed_test]``: a split strategy and its options.

    Attributes
    ----------
    strategy : str
        The strategy's registered name; every other key is one of its options.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    strategy: StrictStr

    @property
    def options(self) -> dict[str, Any]:
        """The strategy's options, as the file gives them."""
        return dict(self.model_extra or {})


class ModelSection(_Section):
    """``[models.NAME]``: a model.

    ``like = "OTHER"`` takes over all that the table of another model says and this one
    does not; see ``inheritance``.

    Attributes
    ----------
    type : str
        ``trainer``, ``scikit-learn``, ``metadata`` or ``majority``; the other keys
        depend on it.
    label : str, optional
        What reports call it.
    seeds : list of int, optional
        One run per seed; by default the experiment's seed.
    splits : list of str, optional
        Only on these; by default on all that the model may be run on.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    type: StrictStr
    label: StrictStr | None = None
    seeds: Annotated[list[Seed], Field(min_length=1)] | None = None
    splits: Annotated[list[StrictStr], Field(min_length=1)] | None = None

    @property
    def config(self) -> dict[str, Any]:
        """What the model itself is: its type and the keys that depend on it."""
        return {"type": self.type, **(self.model_extra or {})}

    @model_validator(mode="after")
    def _seeds_differ(self) -> ModelSection:
        for name in ("seeds", "splits"):
            values = getattr(self, name) or []
            if len(set(values)) < len(values):
                raise ValueError(f"'{name}' names a value twice: {values}")
        return self


class StatisticsSection(_Section):
    """``[statistics]``.

    Attributes
    ----------
    metrics : list of str, optional
        By default those that suit the task.
    primary : str, optional
        The metric that the primary comparison is made on; by default the first.
    reference : str, optional
        The model that each of the others is to beat, in general ``"metadata"``: the
        primary question. Its p-values are adjusted for these pairs alone, the
        remaining pairs are exploratory. By default all pairs are one question.
    confidence_level : float
        Of every interval.
    """

    metrics: Annotated[list[StrictStr], Field(min_length=1)] | None = None
    primary: StrictStr | None = None
    reference: StrictStr | None = None
    confidence_level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95


class ChanceSection(_Section):
    """``[chance_test]``: does a model learn anything? Refitted on redrawn labels.

    Attributes
    ----------
    permutations : int
        How often labels are redrawn, by participant; each time every fold is fitted
        anew. 200 give p-values of .005 or more.
    models : list of str, optional
        By default those of type ``scikit-learn``.
    splits : list of str, optional
        By default all that do not leak, ``sealed`` among them.
    """

    permutations: Annotated[StrictInt, Field(ge=19)] = 200
    models: Annotated[list[StrictStr], Field(min_length=1)] | None = None
    splits: Annotated[list[StrictStr], Field(min_length=1)] | None = None


class RunSection(_Section):
    """``[run]``: how it is run.

    Attributes
    ----------
    n_jobs : int
        Runs at a time, each in a process of its own. Results do not depend on it.
    threads : int
        CPU threads of each run. Weights depend on it, so it is part of the
        experiment.
    report : bool
        Whether the report is written at the end.
    """

    n_jobs: Annotated[StrictInt, Field(ge=1)] = 1
    threads: Annotated[StrictInt, Field(ge=1)] = 1
    report: StrictBool = True


class Experiment(_Section):
    """An experiment file.

    Attributes
    ----------
    name : str
        A short name.
    question : str
        What it is to answer, for the report.
    seed : int
        Seeds the generated cohort, the splits and the models, unless they name
        their own.
    cohort, sealed_test, splits, models, statistics, chance_test, run
        The sections.
    """

    name: StrictStr
    question: StrictStr = ""
    seed: Seed = 0
    cohort: CohortSection
    sealed_test: StrategySection | None = None
    splits: dict[str, StrategySection] = Field(default_factory=dict)
    models: Annotated[dict[str, ModelSection], Field(min_length=1)]
    statistics: StatisticsSection = StatisticsSection()
    chance_test: ChanceSection | None = None
    run: RunSection = RunSection()

    def resolved(self) -> dict[str, Any]:
        """Return the file's content with every default written out.

        Reading it again gives an equal experiment, wherever it is read.
        """
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def all_splits(self) -> dict[str, StrategySection]:
        """Every split by name, the sealed test group first."""
        sealed = {} if self.sealed_test is None else {SEALED: self.sealed_test}
        return {**sealed, **self.splits}
