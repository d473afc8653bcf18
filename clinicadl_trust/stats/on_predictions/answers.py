"""The results of one statistic on a predictions table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from clinicadl_trust.stats.multiplicity import adjust
from clinicadl_trust.stats.planning import SampleSize
from clinicadl_trust.stats.results import Comparison, Estimate

__all__ = ["Answer", "Answers"]

#: Columns of text that a table may take, indented.
_WIDTH = 78


@dataclass(frozen=True)
class Answer:
    """One result, and whose predictions it was computed from.

    Attributes
    ----------
    result : object
        A frozen result such as ``Estimate``, or a table.
    split_strategy, group : str
        The rows.
    model, reference : str
        Whose; ``reference`` is empty where there is one model, and both are where
        all models are looked at together.
    seed : int or None
        The trained model, where there are several of the same name.
    """

    result: Any
    split_strategy: str
    group: str
    model: str = ""
    reference: str = ""
    seed: int | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the result as a table, with columns that say whose it is."""
        is_table = isinstance(self.result, pd.DataFrame)
        frame = self.result.copy() if is_table else self.result.to_frame()
        about = {name: value for name, value in vars(self).items() if name != "result"}
        about = {
            name: value for name, value in about.items() if value not in ("", None)
        }
        known = pd.DataFrame({k: [v] * len(frame) for k, v in about.items()})
        frame = frame.drop(columns=[*about], errors="ignore").reset_index(drop=True)
        return pd.concat([known, frame], axis=1)

    @property
    def title(self) -> str:
        """Whose it is, in words."""
        seed = "" if self.seed is None else f" (seed {self.seed})"
        who = f"{self.model}{seed}" or "all models"
        symmetric = isinstance(self.result, Estimate | SampleSize)
        joint = "with" if symmetric else "minus"
        against = f" {joint} {self.reference}" if self.reference else ""
        return f"{who}{against}, on '{self.split_strategy}' ({self.group})"


@dataclass(frozen=True)
class Answers:
    """What a statistic says of each model, or pair of models, of a table.

    Attributes
    ----------
    statistic : str
        Its name.
    answers : tuple of Answer
        In alphabetical order of the models.
    notes : tuple of str
        What was left out, and what holds for all of them.
    """

    statistic: str
    answers: tuple[Answer, ...]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Return all results, one under the other."""
        frames = [answer.to_frame() for answer in self.answers]
        table = pd.concat(frames, ignore_index=True)
        table.insert(0, "procedure", self.statistic)
        if self.p_adjusted:
            table["p_adjusted"] = self.p_adjusted
        return table

    @property
    def p_adjusted(self) -> tuple[float, ...]:
        """The p-values of several pairs, by Holm within each split strategy."""
        results = [answer.result for answer in self.answers]
        if len(results) < 2 or not all(isinstance(r, Comparison) for r in results):
            return ()
        p_values = pd.Series([result.p_value for result in results])
        strategies = [answer.split_strategy for answer in self.answers]
        adjusted = p_values.groupby(strategies).transform(lambda p: adjust(p.tolist()))
        return tuple(float(p_value) for p_value in adjusted)

    def __str__(self) -> str:
        lines = [self.statistic]
        adjusted = self.p_adjusted or (None,) * len(self.answers)
        for answer, p_value in zip(self.answers, adjusted, strict=True):
            result = answer.result
            if isinstance(result, pd.DataFrame):
                said = [name for name in result if not (result[name] == "").all()]
                result = result[said].to_string(
                    index=False, float_format="{:.4g}".format, line_width=_WIDTH
                )
            lines += [answer.title, *(f"  {line}" for line in str(result).splitlines())]
            if p_value is not None:
                lines.append(f"  p = {p_value:.3g} by Holm over the pairs")
        return "\n".join([*lines, *(f"! {note}" for note in self.notes)])
