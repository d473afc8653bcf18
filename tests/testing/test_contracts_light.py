"""Each contract check passes what keeps it and names what breaks it."""

import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import ClassVar

import click
import numpy as np
import pandas as pd
import pytest

from clinicadl_trust.exceptions import PluginError
from clinicadl_trust.plugins import available
from clinicadl_trust.split import HeldOut, SplitStrategy
from clinicadl_trust.stats.results import Estimate
from clinicadl_trust.testing import (
    ContractError,
    check_command,
    check_plugin,
    check_split_strategy,
    check_statistic,
    synthetic_cohort,
    synthetic_predictions,
)

# ---------------------------------------------------------------- split strategies


@dataclass(frozen=True, kw_only=True)
class Sites(SplitStrategy):
    """Test each site by a model that has not seen it."""

    title: ClassVar[str] = "each site"
    unit: ClassVar[str] = "site"

    def _hold_out(self, images, participants, rng):
        for name in sorted(images["site"].unique()):
            yield HeldOut((images["site"] == name).to_numpy(), name)


class NotFrozen(Sites):
    """Forgot the decorator."""


@dataclass(frozen=True, kw_only=True)
class Undocumented(Sites):
    pass


@dataclass(frozen=True, kw_only=True)
class Untitled(Sites):
    """Says nothing."""

    title: ClassVar[str] = " "


@dataclass(frozen=True, kw_only=True)
class WrongUnit(Sites):
    """Holds out countries."""

    unit: ClassVar[str] = "country"


@dataclass(frozen=True, kw_only=True)
class Unleaky(Sites):
    """Does not know whether it leaks."""

    leaky: ClassVar[bool] = None


@dataclass(frozen=True, kw_only=True)
class Needy(Sites):
    """Needs to be told."""

    column: str

    def _hold_out(self, images, participants, rng):
        yield next(super()._hold_out(images, participants, rng))


@dataclass(frozen=True, kw_only=True)
class Refusing(Sites):
    """Cannot be made of its defaults."""

    def __post_init__(self):
        raise ValueError("no")


@dataclass(frozen=True, kw_only=True)
class Unwritable(Sites):
    """Has an option that JSON cannot hold."""

    names: set = field(default_factory=lambda: {"a"})


@dataclass(frozen=True, kw_only=True)
class Changing(Sites):
    """Has an option that JSON changes."""

    names: tuple = ("a",)


@dataclass(frozen=True, kw_only=True)
class Failing(Sites):
    """Fails."""

    def _hold_out(self, images, participants, rng):
        raise KeyError("hospital")


@dataclass(frozen=True, kw_only=True)
class Abstract(SplitStrategy):
    """Forgot the hook."""

    title: ClassVar[str] = "nobody"


@dataclass(frozen=True, kw_only=True)
class Global(Sites):
    """Draws from the global state."""

    def _hold_out(self, images, participants, rng):
        np.random.random()  # noqa: NPY002 - the mistake
        yield from Sites._hold_out(self, images, participants, rng)


@dataclass(frozen=True, kw_only=True)
class Moody(Sites):
    """Draws from nowhere."""

    unit: ClassVar[str] = "participant"

    def _hold_out(self, images, participants, rng):
        rng = np.random.default_rng()
        chosen = rng.choice(participants["participant_id"], 20)
        yield HeldOut(images["participant_id"].isin(chosen).to_numpy())


@dataclass(frozen=True, kw_only=True)
class Halves(Sites):
    """Holds out half of each site, and says whole sites."""

    def _hold_out(self, images, participants, rng):
        chosen = participants["participant_id"][::2]
        yield HeldOut(images["participant_id"].isin(chosen).to_numpy())


@dataclass(frozen=True, kw_only=True)
class Timeless(Halves):
    """Says that it splits by time."""

    unit: ClassVar[str] = "time"


@dataclass(frozen=True, kw_only=True)
class Leaking(Sites):
    """Splits as it likes, past the base class."""

    unit: ClassVar[str] = "participant"

    def split(self, cohort, label=None):
        fold = super().split(cohort, label)[0]
        first = fold.train[:1]
        more = pd.concat([fold.test, first]).sort_values(list(first.columns))
        return [replace(fold, test=more.reset_index(drop=True))]


@dataclass(frozen=True, kw_only=True)
class Sharing(Sites):
    """Puts the sessions of a participant on both sides."""

    unit: ClassVar[str] = "participant"

    def split(self, cohort, label=None):
        fold = super().split(cohort, label)[0]
        moved = fold.train.drop_duplicates("participant_id", keep="last")
        twice = fold.train["participant_id"].duplicated(keep=False)
        moved = moved[moved.index.isin(twice[twice].index)][:1]
        test = pd.concat([fold.test, moved]).sort_values(list(moved.columns))
        train = fold.train.drop(index=moved.index)
        return [
            replace(
                fold,
                train=train.reset_index(drop=True),
                test=test.reset_index(drop=True),
            )
        ]


@dataclass(frozen=True, kw_only=True)
class Numbered(Sites):
    """Numbers its folds from one."""

    def split(self, cohort, label=None):
        return [replace(f, split=f.split + 1) for f in super().split(cohort, label)]


@dataclass(frozen=True, kw_only=True)
class Unsorted(Sites):
    """Returns the images as they come."""

    def split(self, cohort, label=None):
        return [replace(f, test=f.test[::-1]) for f in super().split(cohort, label)]


@dataclass(frozen=True, kw_only=True)
class Inventing(Sites):
    """Tests images that are not there."""

    def split(self, cohort, label=None):
        folds = super().split(cohort, label)
        test = folds[0].test.assign(session_id="ses-X").drop_duplicates()
        return [replace(f, test=test.reset_index(drop=True)) for f in folds]


@dataclass(frozen=True, kw_only=True)
class Meddling(Sites):
    """Writes into the cohort."""

    def split(self, cohort, label=None):
        folds = super().split(cohort, label)
        cohort.table["fold"] = 0
        return folds


def test_a_strategy_that_keeps_its_contract_passes():
    check_split_strategy(Sites)


def test_a_strategy_can_bring_its_own_example_and_cohort():
    with pytest.raises(ContractError, match="needs column"):
        check_split_strategy(Needy)
    check_split_strategy(Needy, example=Needy(column="a"))
    check_split_strategy(
        Needy, cohort=synthetic_cohort(60, seed=3), example=Needy(column="b", seed=5)
    )

    class Own(Needy):
        """Knows an example."""

        @classmethod
        def example(cls):
            return cls(column="a")

    check_split_strategy(dataclass(frozen=True, kw_only=True)(Own))
    with pytest.raises(ContractError, match="The example is a Sites, not a Needy"):
        check_split_strategy(Needy, example=Sites())


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (dict, "subclass of clinicadl_trust.*SplitStrategy; got <class 'dict'>"),
        (Sites(), "register the class, not an instance"),
        (Abstract, "does not implement _hold_out"),
        (NotFrozen, "no frozen dataclass of its own"),
        (Undocumented, "Undocumented has no docstring"),
        (Untitled, "Untitled.title is ' '"),
        (WrongUnit, "unit is 'country'.*one of participant, site"),
        (Unleaky, "leaky is None"),
        (Refusing, "cannot be made with no arguments: ValueError: no"),
        (Unwritable, "do not come back from JSON"),
        (Changing, "change on their way through JSON"),
        (Failing, "cannot split the synthetic cohort: KeyError: 'hospital'"),
        (Global, "draws from the global random state"),
        (Moody, "Moody gives other folds when it is called again"),
        (Halves, "values of 'site' stand on both sides"),
        (Timeless, "says that it splits by time, and trains on"),
        (Leaking, "1 images of Leaking.*both in train and in test"),
        (Sharing, "1 values of 'participant_id' stand on both sides"),
        (Numbered, r"numbers its folds \[\(0, 1\)"),
        (Unsorted, "must be sorted by its ids"),
        (Inventing, "images that are not in the cohort"),
        (Meddling, "changes the cohort it is given"),
    ],
)
def test_a_strategy_that_breaks_its_contract_is_told_how(cls, message):
    with pytest.raises(ContractError, match=message):
        check_split_strategy(cls)


def test_a_strategy_that_heeds_the_order_of_rows_is_found():
    @dataclass(frozen=True, kw_only=True)
    class Ordered(Sites):
        """Tests the first site of the table."""

        def split(self, cohort, label=None):
            first = cohort.table["site"].iloc[0]
            return [
                replace(f, split=0)
                for f in super().split(cohort, label)
                if f.name == first
            ]

    with pytest.raises(ContractError, match="rows of the table are in another order"):
        check_split_strategy(Ordered)


@pytest.mark.parametrize("name", list(available("split_strategies")))
def test_our_own_strategies_keep_their_contract(name):
    for plugin in available("split_strategies")[name]:
        check_plugin(plugin)


# ------------------------------------------------------------------------ commands


@click.command("fake-count")
@click.option("--by-site", is_flag=True, help="By site.")
def count(by_site):
    """Count images."""


def broken(name="fake-x", doc="Do x.", **option):
    def function(**_):
        pass

    function.__doc__ = doc
    if option:
        spelling = option.pop("spelling", "--y")
        function = click.option(spelling, **option)(function)
    return click.command(name)(function)


def test_a_command_that_keeps_its_contract_passes():
    check_command(count, "fake-count")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (print, "is a click command; got <built-in"),
        (broken("Fake_X"), "named 'Fake_X'. Use small letters"),
        (broken(doc=None), "has no help. Give its function a docstring"),
        (broken(spelling="--some_y", help="Y."), "kebab-case, --some-y"),
        (broken(spelling="--debug", help="Y."), "which `clinicadl` takes itself"),
        (broken(spelling="--y"), "has no help for --y"),
    ],
)
def test_a_command_that_breaks_its_contract_is_told_how(command, message):
    if isinstance(command, click.Command) and message.endswith("--y"):
        command.params = [click.Option(["--y"])]
    with pytest.raises(ContractError, match=message):
        check_command(command)


def test_a_command_registered_by_another_name_is_told():
    with pytest.raises(ContractError, match="registered as 'other' calls itself 'fake"):
        check_command(count, "other")


def test_a_group_is_checked_below():
    group = click.Group("fake-group", help="A group.")
    group.add_command(broken("below", doc=None))
    with pytest.raises(ContractError, match="`clinicadl fake-group below` has no help"):
        check_command(group)


def test_a_command_that_imports_torch_too_early_is_told(tmp_path, monkeypatch):
    (tmp_path / "torch.py").write_text("# stands for it\n")
    source = "import click, torch\n@click.command()\ndef slow():\n    'Be slow.'\n"
    (tmp_path / "fake_slow_command.py").write_text(source)
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from fake_slow_command import slow\n"
        "from clinicadl_trust.testing import check_command\n"
        "check_command(slow)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "`clinicadl slow` imports torch when its module is imported" in done.stderr


# ---------------------------------------------------------------------- statistics


def accuracy(predictions, threshold=0.5):
    """Share of images on the right side of the threshold."""
    right = (predictions["score"] > threshold) == (predictions["label"] == 1)
    return Estimate(right.mean(), 0, 1, 0.95, 0.0, "none", "approximate", 1, 1)


def by_metric(predictions, metric):
    """Return the metric."""
    return pd.DataFrame({"metric": [metric], "value": [predictions["score"].mean()]})


def undocumented(predictions):
    return predictions


def meddling(predictions):
    """Add a column to the table itself."""
    predictions["fold"] = 1
    return predictions


def moody(predictions):
    """Draw."""
    return pd.DataFrame({"value": [np.random.default_rng().random()]})


def ordered(predictions):
    """Return the first score."""
    return pd.DataFrame({"value": [predictions["score"].iloc[0]]})


def plain(predictions):
    """Return a number."""
    return 0.5


def nothing(predictions):
    """Return no row."""
    return pd.DataFrame({"value": []})


def failing(predictions, other):
    """Need what nobody gives."""


@pytest.mark.parametrize("statistic", [accuracy, by_metric])
def test_a_statistic_that_keeps_its_contract_passes(statistic):
    check_statistic(statistic)


def test_a_statistic_is_called_on_the_given_table_with_the_given_arguments():
    seen = []

    def watched(predictions, threshold):
        """Watch."""
        seen.append((len(predictions), threshold))
        return accuracy(predictions, threshold)

    table = synthetic_predictions(seed=1)[:50]
    check_statistic(watched, table, threshold=0.25)
    assert set(seen) == {(50, 0.25)}


@pytest.mark.parametrize(
    ("statistic", "message"),
    [
        (3, "cannot be called"),
        (undocumented, "has no docstring"),
        (meddling, "changes the table it is given"),
        (moody, "another result when it is called again"),
        (ordered, "another result when the rows are in another order"),
        (plain, "returns float. Return a DataFrame, or a frozen"),
        (nothing, "returns no result"),
        (failing, "fails on the predictions table: TypeError"),
    ],
)
def test_a_statistic_that_breaks_its_contract_is_told_how(statistic, message):
    with pytest.raises(ContractError, match=message):
        check_statistic(statistic)


@pytest.mark.parametrize("name", list(available("statistics")))
def test_our_own_statistics_keep_their_contract(name):
    for plugin in available("statistics")[name]:
        check_plugin(plugin)


def test_the_synthetic_tables_are_what_they_say():
    cohort = synthetic_cohort()
    assert cohort.table["site"].nunique() == 6
    assert cohort.task("diagnosis").classes == ("CN", "AD")
    families = cohort.table.groupby("family_id")["site"].nunique()
    assert (families == 1).all()
    table = synthetic_predictions()
    assert set(table["group"]) == {"test", "validation"}
    test = table[table["group"] == "test"]
    assert not test.duplicated(["participant_id", "session_id", "model"]).any()
    gap = test.groupby(["model", "label"])["score"].mean().unstack()
    assert gap.loc["better", 1] - gap.loc["better", 0] > 0.2


# -------------------------------------------------------------------------- plugins


class FakePlugin:
    """A plugin that needs no entry point."""

    def __init__(self, monkeypatch, kind, name, loaded):
        self.kind, self.name, self.loaded = kind, name, loaded
        monkeypatch.setattr(
            "clinicadl_trust.testing.dispatch.find", lambda kind, name: self
        )

    def load(self):
        return self.loaded


@pytest.mark.parametrize(
    ("kind", "name", "loaded", "message"),
    [
        ("split_strategies", "Other", Sites, "must be 'Sites', that of the class"),
        ("losses", "FineLossConfig", "x", "must be"),
        ("encoders", "wide", 3, "neither a class nor a function"),
        ("statistics", "plain", plain, "returns float"),
        ("commands", "other", count, "registered as 'other'"),
    ],
)
def test_a_plugin_is_checked_by_its_kind(monkeypatch, kind, name, loaded, message):
    with pytest.raises(ContractError, match=message):
        check_plugin(FakePlugin(monkeypatch, kind, name, loaded))


def test_a_contract_error_is_a_failed_assertion_and_a_plugin_error():
    assert issubclass(ContractError, AssertionError)
    assert issubclass(ContractError, PluginError)
