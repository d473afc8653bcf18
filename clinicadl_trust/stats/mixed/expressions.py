"""The expressions of a formula, evaluated on a table by patsy."""

from __future__ import annotations

import re
from difflib import get_close_matches

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.stats.mixed.formula import MixedFormula, RandomTerm
from clinicadl_trust.stats.mixed.functions import FUNCTIONS
from clinicadl_trust.stats.mixed.grouping import Grouping, Term

__all__ = ["Expressions"]

Array = NDArray[np.float64]

_POLYNOMIAL = re.compile(r"(poly\([^()]*\))\[(\d+)\]")


class Expressions:
    """Evaluates the expressions of a formula on one table."""

    def __init__(self, formula: MixedFormula, data: pd.DataFrame) -> None:
        self.formula = formula
        self.data = data

    def complete(self) -> NDArray[np.bool_]:
        """Return which rows have all values.

        Raises
        ------
        StatisticsError
            If a column holds dates.
        """
        keep = np.ones(len(self.data), dtype=bool)
        for column in self._columns():
            if pd.api.types.is_datetime64_any_dtype(self.data[column]):
                raise StatisticsError(
                    f"'{column}' holds dates. Make it a number first, such as years "
                    "since the first visit."
                )
            keep &= self.data[column].notna().to_numpy()
        return keep

    def _columns(self) -> list[str]:
        """Return the table's columns that the formula names."""
        used = {name for term in self.formula.random for name in term.group}
        for name in sorted(used - set(self.data.columns)):
            raise _unknown(self.formula.text, name, self.data)
        expressions = [*self.formula.response, *self.formula.offset, self.formula.fixed]
        expressions += [term.left for term in self.formula.random]
        words = set(re.findall(r'Q\("([^"]+)"\)', " ".join(expressions)))
        words |= set(re.findall(r"[A-Za-z_][\w]*", " ".join(expressions)))
        return [c for c in self.data.columns if c in words or c in used]

    def matrix(
        self, expression: str, shown: str | None = None
    ) -> tuple[Array, tuple[str, ...]]:
        """Return the model matrix of a right side, and its columns' names.

        Raises
        ------
        StatisticsError
            If it cannot be read, is infinite or undefined somewhere, or has a term of
            one value; it is named as ``shown``.
        """
        import patsy

        try:
            with np.errstate(all="ignore"):
                made = patsy.dmatrix(
                    expression,
                    self.data,
                    self._functions(),
                    patsy.NAAction(NA_types=[]),  # told below
                )
        except (patsy.PatsyError, SyntaxError) as error:
            raise self._explained(shown or expression, error) from error
        values = np.asarray(made, dtype=float)
        if not np.isfinite(values).all():
            raise StatisticsError(
                f"'{shown or expression}' is infinite or undefined in "
                f"{int((~np.isfinite(values)).any(axis=1).sum())} rows."
            )
        for term, place in made.design_info.term_name_slices.items():
            if place.start == place.stop:
                raise StatisticsError(
                    f"'{term}' has one value in the rows that are used, and explains "
                    "nothing. Leave it out."
                )
        return values, tuple(map(_by_power, made.design_info.column_names))

    def response(self) -> tuple[Array, Array | None]:
        """Return the response, and the number of trials where there are.

        Raises
        ------
        StatisticsError
            If it is no number, or successes and failures make no sense.
        """
        columns = [self._numbers(expression) for expression in self.formula.response]
        if len(columns) == 1:
            return columns[0], None
        successes, failures = columns
        trials = successes + failures
        if (trials <= 0).any() or (successes < 0).any() or (failures < 0).any():
            raise StatisticsError(
                "Successes and failures must not be negative, nor both 0 in a row."
            )
        return successes / trials, trials

    def _numbers(self, expression: str) -> Array:
        given = self.data.get(expression)
        if given is not None and pd.api.types.is_bool_dtype(given):
            return given.to_numpy(dtype=float)
        number = given is None or pd.api.types.is_numeric_dtype(given)
        if not number or pd.api.types.is_complex_dtype(given):
            found = ", ".join(repr(v) for v in self.data[expression].unique()[:3])
            raise StatisticsError(
                f"'{expression}' has values such as {found}; it must be "
                "numbers (0 and 1 for two classes)."
            )
        # Within I() signs are arithmetic, as R reads them outside of a model's terms.
        matrix, names = self.matrix(f"0 + I({expression})", expression)
        if matrix.shape[1] != 1:
            raise StatisticsError(
                f"'{expression}' makes {len(names)} columns, not one."
            )
        return matrix[:, 0]

    def offset(self) -> Array:
        """Return the sum of the terms in ``offset()``."""
        zero = np.zeros(len(self.data))
        return sum((self._numbers(term) for term in self.formula.offset), zero)

    def groupings(self) -> tuple[Grouping, ...]:
        """Return the grouping factors, most levels first."""
        terms: dict[tuple[str, ...], list[Term]] = {}
        for random in self.formula.random:
            terms.setdefault(random.group, []).extend(self._terms(random))
        made = []
        for group, blocks in terms.items():
            codes, levels = self._levels(group)
            made.append(Grouping(":".join(group), levels, codes, tuple(blocks)))
        return tuple(
            sorted(made, key=lambda g: -len(g.levels) * g.terms[0].values.shape[1])
        )

    def _terms(self, random: RandomTerm) -> list[Term]:
        """Return the independent terms of a bar; several for two bars."""
        import patsy

        values, names = self.matrix(random.left)
        if not names:
            raise StatisticsError(
                f"Nothing varies in ({random.left} | {random.name}): write 1 for an "
                "intercept, or a column."
            )
        if random.correlated or len(names) == 1:
            return [Term(names, values)]
        # As lme4: each summand by itself, the columns of a factor together.
        description = patsy.ModelDesc.from_formula(random.left)
        made = []
        for summand in description.rhs_termlist:
            text = summand.name() if summand.factors else "1"
            part, columns = self.matrix("1" if text == "1" else f"0 + {text}")
            made.append(Term(columns, part))
        return made

    def _levels(self, group: tuple[str, ...]) -> tuple[NDArray[np.intp], pd.Index]:
        columns = [self.data[name].astype(str) for name in group]
        key = columns[0].str.cat(columns[1:], sep=":") if columns[1:] else columns[0]
        codes, levels = pd.factorize(key, sort=True)
        return codes, pd.Index(levels)

    @staticmethod
    def _functions() -> object:
        import patsy

        return patsy.EvalEnvironment([FUNCTIONS])

    def _explained(self, expression: str, error: Exception) -> StatisticsError:
        cause = error.__cause__
        if isinstance(cause, StatisticsError):
            return cause
        if isinstance(cause, NameError) and getattr(cause, "name", None):
            return _unknown(self.formula.text, str(cause.name), self.data)
        first = str(error).splitlines()[0]
        if isinstance(error, SyntaxError):
            first = (
                "names with spaces or signs stand in backquotes, and '.' and %in% are "
                "not known here; name each column"
            )
        origin = getattr(error, "origin", None)
        where = f"\n{origin.caretize(indent=2)}" if origin else ""
        return StatisticsError(f"'{expression}' cannot be read: {first}.{where}")


def _by_power(name: str) -> str:
    """Count the columns of a polynomial from 1, as R does."""
    return _POLYNOMIAL.sub(lambda found: f"{found[1]}{int(found[2]) + 1}", name)


def _unknown(text: str, name: str, data: pd.DataFrame) -> StatisticsError:
    columns = [str(column) for column in data.columns]
    found = re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)(\s*\()?", text)
    place = found.start() if found else 0
    near = get_close_matches(name, columns, 1)
    problem = f"names '{name}', which is no column."
    hint = f" Did you mean '{near[0]}'?" if near else ""
    if found and found[1]:
        problem = f"calls '{name}', which is no function here."
        hint = f" There are: {', '.join(f for f in FUNCTIONS if f.islower())}, factor."
    return StatisticsError(
        f"The formula {problem}{hint} The table has: {', '.join(columns)}.\n"
        f"  {text}\n  {' ' * place}^"
    )
