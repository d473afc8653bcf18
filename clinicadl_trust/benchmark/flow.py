"""How many people and sessions come through each step, and why others do not."""

from __future__ import annotations

import pandas as pd

__all__ = ["COLUMNS", "Flow"]

COLUMNS = (
    "step",
    "participants",
    "sessions",
    "excluded_participants",
    "excluded_sessions",
    "reason",
)


class Flow:
    """A flow table, filled step by step.

    Parameters
    ----------
    table : pandas.DataFrame
        Everyone, with a column ``participant_id``; one row per session.
    step : str
        What they are.
    """

    def __init__(
        self, table: pd.DataFrame, step: str = "rows of the participants table"
    ) -> None:
        self._rows: list[dict[str, object]] = []
        self._participants, self._sessions = _count(table)
        self._note(step, 0, 0, "")

    def keep(self, step: str, table: pd.DataFrame, reason: str) -> None:
        """Note who is left after a step.

        Parameters
        ----------
        step : str
            What those that are left have.
        table : pandas.DataFrame
            Their rows.
        reason : str
            Why the others are out; not shown when there are none.
        """
        participants, sessions = _count(table)
        lost = self._participants - participants, self._sessions - sessions
        self._participants, self._sessions = participants, sessions
        self._note(step, *lost, reason if lost[1] else "")

    def remark(self, step: str, reason: str) -> None:
        """Note something that leaves nobody out."""
        self._note(step, 0, 0, reason)

    def to_frame(self) -> pd.DataFrame:
        """Return the table, one row per step, with ``COLUMNS``."""
        return pd.DataFrame(self._rows, columns=list(COLUMNS))

    def _note(self, step: str, participants: int, sessions: int, reason: str) -> None:
        values = (
            step,
            self._participants,
            self._sessions,
            participants,
            sessions,
            reason,
        )
        self._rows.append(dict(zip(COLUMNS, values, strict=True)))


def _count(table: pd.DataFrame) -> tuple[int, int]:
    return table["participant_id"].nunique(), len(table)
