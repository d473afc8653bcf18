"""The runner: blocks of replicates, labels taken from results, verdicts."""

from collections import Counter

import numpy as np
import pytest

from clinicadl_trust.exceptions import StatisticsError
from clinicadl_trust.trust_check import (
    SCENARIOS,
    Answer,
    Procedure,
    Scenario,
    Setting,
    TrustCheck,
    run_trust_check,
    runner,
)
from clinicadl_trust.trust_check.measurement import Measurement, Tally, bounds_of

QUICK = ("shares", "few-discordant-pairs")


def normal_mean(n, kind="coverage", label="calibrated", reach=1.96, truth=0.0):
    """Return a scenario whose interval covers what the normal distribution says."""

    def answer(x):
        half = reach / n**0.5
        p_value = 0.01 if abs(x.mean()) > half else 0.5
        return Answer(x.mean() - half, x.mean() + half, p_value, label)

    setting = Setting(
        "a mean",
        lambda rng: rng.normal(size=n),
        (Procedure("ours", answer), Procedure("naive", answer, naive=True)),
        kind,
        truth,
    )
    return Scenario("mean", "A mean", "Naive.", "Ours.", (setting,))


@pytest.fixture
def only(monkeypatch):
    """Run a scenario of the test's own."""

    def make(scenario, replicates=2000, **options):
        monkeypatch.setattr(runner, "choose_scenarios", lambda _=(): (scenario,))
        return run_trust_check(replicates=replicates, **options)

    return make


@pytest.mark.parametrize("kind", ["coverage", "rejection"])
def test_a_right_procedure_holds(only, kind):
    ours, naive = only(normal_mean(10, kind)).measurements
    expected = 0.95 if kind == "coverage" else 0.05
    assert ours.rate == pytest.approx(expected, abs=0.015)
    assert ours.low < ours.rate < ours.high
    assert (ours.verdict, naive.verdict) == ("holds", "naive holds")
    assert (ours.label, naive.label) == ("calibrated", "")


@pytest.mark.parametrize(
    ("label", "kind", "reach", "verdict"),
    [
        ("calibrated", "coverage", 1.5, "fails"),
        ("calibrated", "coverage", 2.8, "fails"),
        ("conservative", "coverage", 2.8, "holds"),
        ("conservative", "coverage", 1.5, "fails"),
        ("approximate", "coverage", 1.0, "measured"),
        ("calibrated", "rejection", 1.5, "fails"),
        ("calibrated", "rejection", 2.8, "fails"),
        ("conservative", "rejection", 2.8, "holds"),
        ("conservative", "rejection", 1.5, "fails"),
        ("approximate", "rejection", 1.0, "measured"),
    ],
)
def test_a_label_is_held_to_what_it_promises(only, label, kind, reach, verdict):
    checked = only(normal_mean(10, kind, label, reach))
    assert checked.measurements[0].verdict == verdict
    assert len(checked.failed) == (verdict == "fails")


def test_what_replicates_cannot_tell_apart_does_not_fail(only):
    assert only(normal_mean(10, reach=1.7), replicates=40).failed == ()
    assert len(only(normal_mean(10, reach=1.7), replicates=2000).failed) == 1


def test_a_mixture_of_labels_is_bound_by_their_mean():
    labels = Counter(calibrated=3, conservative=1)
    assert bounds_of("coverage", labels) == pytest.approx((0.93, 0.9775))
    assert bounds_of("rejection", labels) == pytest.approx((0.0225, 0.065))
    tally = Tally(950, 1000, 0, Counter(calibrated=995, conservative=5))
    made = Measurement.of(("s", "t", "p"), "coverage", False, tally)
    assert made.label == "calibrated >99 %, conservative <1 %"


def test_data_without_an_answer_are_counted_apart(only):
    def refuse(x):
        if x[0] > 0:
            raise StatisticsError("one class")
        return Answer() if x[1] > 0 else Answer(-9, 9, calibration="conservative")

    scenario = normal_mean(10)
    setting = Setting(
        "t", scenario.settings[0].draw, (Procedure("p", refuse),), truth=0.0
    )
    made = only(Scenario("mean", "A", "N", "O", (setting,)), 400).measurements[0]
    assert made.replicates == 400 and made.rate == 1.0
    assert made.refused == pytest.approx(300, abs=40)


def test_data_that_cannot_be_drawn_are_counted_as_without_an_answer(only):
    def draw(rng):
        if rng.random() < 0.5:
            raise StatisticsError("one class")
        return rng.normal(size=10)

    procedures = normal_mean(10).settings[0].procedures
    setting = Setting("t", draw, procedures, truth=0.0)
    made = only(Scenario("mean", "A", "N", "O", (setting,)), 400).measurements[0]
    assert made.replicates == 400
    assert made.refused == pytest.approx(200, abs=50)


def test_a_truth_may_be_drawn_with_the_data(only):
    setting = Setting(
        "drawn",
        lambda rng: rng.normal(),
        (Procedure("p", lambda x: Answer(x - 0.1, x + 0.1)),),
        truth=lambda x: x,
    )
    made = only(Scenario("mean", "A", "N", "O", (setting,)), 50).measurements[0]
    assert made.rate == 1.0


def test_a_procedure_may_estimate_something_else(only):
    answers = (lambda x: Answer(1.0, 2.0),) * 2
    procedures = (Procedure("a", answers[0]), Procedure("b", answers[1], truth=1.5))
    setting = Setting("t", lambda rng: None, procedures, truth=0.0)
    made = only(Scenario("mean", "A", "N", "O", (setting,)), 5).measurements
    assert [m.rate for m in made] == [0.0, 1.0]


def test_numbers_depend_on_the_seed_only():
    alone = run_trust_check(["shares"], replicates=60, seed=3)
    together = run_trust_check(QUICK, replicates=60, seed=3, n_jobs=2)
    assert set(alone.measurements) < set(together.measurements)
    other = run_trust_check(["shares"], replicates=60, seed=4)
    assert other.measurements != alone.measurements


def test_a_part_of_the_replicates_is_drawn_alike():
    """More replicates are the same ones, and further ones."""
    few, many = (run_trust_check(["shares"], replicates=n) for n in (25, 50))
    for one, two in zip(few.measurements, many.measurements, strict=True):
        assert round(one.rate * 25) <= round(two.rate * 50)


def test_an_interruption_keeps_the_settings_that_were_finished():
    def stop(scenario, setting, share):
        if share > 0.5:
            raise KeyboardInterrupt

    checked = run_trust_check(["shares"], replicates=50, progress=stop)
    assert not checked.is_complete
    settings = {m.setting for m in checked.measurements}
    assert 0 < len(settings) < len(SCENARIOS[0].settings) + 15
    assert {m.replicates for m in checked.measurements} == {50}


def test_progress_reaches_the_end():
    told = []
    run_trust_check(["shares"], replicates=30, progress=lambda *now: told.append(now))
    shares = [share for _, _, share in told]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert {name for name, _, _ in told} == {"shares"}


@pytest.mark.parametrize("wrong", [{"replicates": 0}, {"n_jobs": 0}])
def test_a_number_below_one_is_refused(wrong):
    with pytest.raises(StatisticsError, match="is too few"):
        run_trust_check(["shares"], **wrong)


def test_an_unknown_scenario_is_refused():
    with pytest.raises(StatisticsError, match=r"no scenario 'share'.*shares"):
        run_trust_check(["share"])


def test_results_become_a_table_and_lines():
    checked = run_trust_check(["shares"], replicates=25)
    table = checked.to_frame()
    assert len(table) == len(checked.measurements)
    assert {"scenario", "setting", "procedure", "label", "rate", "verdict"} < set(table)
    assert str(checked).count("\n") == len(table) - 1
    assert TrustCheck((), 1, 0).to_frame().empty


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.name)
def test_every_setting_draws_and_every_procedure_answers(scenario):
    titles = [setting.title for setting in scenario.settings]
    assert len(set(titles)) == len(titles)
    assert any(p.naive for s in scenario.settings for p in s.procedures)
    rng = np.random.default_rng(0)
    # The first of each kind: all of them are drawn in tests/long.
    for kind in dict.fromkeys(s.kind for s in scenario.settings):
        setting = next(s for s in scenario.settings if s.kind == kind)
        names = [procedure.name for procedure in setting.procedures]
        assert len(set(names)) == len(names)
        data = setting.draw(rng)
        for procedure in setting.procedures:
            hit, label = setting.hit(procedure, data)
            assert hit in (True, False)
            assert procedure.naive or label is not None
