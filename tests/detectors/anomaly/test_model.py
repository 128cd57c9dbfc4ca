"""Models: p-values mean what they say, equal data gives equal scores, explanations hold."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.anomaly.calibration import BELOW, STRANGEST, Calibration
from detectors.anomaly.drift import SHIFTED, shares, stability
from detectors.anomaly.explain import named_features
from detectors.anomaly.model import WIDE, WORTH, Ensemble, Matrix, Member, Model, Options, fit, ranked
from detectors.errors import UsageError

RANDOM = np.random.default_rng(7)
TRAIN, HELD, FRESH = (np.abs(RANDOM.normal(size=(rows, 4))) for rows in (300, 300, 600))


def p_values(one: Member, rows: Matrix) -> Matrix:
    return one.calibrated.p_values(ranked(one.ensemble, rows))


@pytest.fixture(scope="module")
def model() -> Member:
    return fit(TRAIN, HELD)


def test_p_values_of_normal_windows_are_uniform_and_fall_beyond_all_that_was_seen(model: Member) -> None:
    p = p_values(model, FRESH)
    for share in (0.05, 0.2, 0.5):
        assert (p <= share).mean() == pytest.approx(share, abs=0.07)
    far = p_values(model, np.array([[0, 0, 0, 9.0], [0, 0, 0, 25.0]]))
    assert far[1] < far[0] < 1 / len(HELD)


def test_a_hair_in_what_hardly_ever_moves_is_not_strange() -> None:
    rows = np.abs(np.random.default_rng(3).normal(size=(4_000, 4)))
    rows[:, 3] = np.where(np.arange(4_000) % 150 == 0, 0.4, 0.0)
    model = fit(rows[:2_000], rows[2_000:])
    hair, far = p_values(model, np.array([[0.7, 0.7, 0.7, 0.4], [0.7, 0.7, 0.7, 4.0]]))
    assert hair > 0.05
    assert far < 0.001


def test_a_few_windows_less_of_a_rare_kind_hardly_move_the_score_of_another_such() -> None:
    random = np.random.default_rng(5)
    usual, rare = np.abs(random.normal(size=(3_000, 4))), np.array([[0.0, 0.0, 0.0, 6.0]])
    kind = rare + random.normal(scale=0.2, size=(5, 4))

    def moved(options: Options) -> float:
        scores = [
            Ensemble(np.concatenate([usual, kind[:left]]), ("KNN",), 0, options).score(rare)[0] for left in (5, 3)
        ]
        return float(abs(scores[1] - scores[0]))

    assert moved(WIDE) < 0.15
    assert moved({}) > 0.5


def test_a_window_that_nobody_is_told_of_ranks_below_one_that_somebody_is(model: Member) -> None:
    much, little = np.full((1, 4), WORTH - 0.1), np.array([[WORTH, 0.7, 0.7, 0.7]])
    assert model.ensemble.score(much)[0] > model.ensemble.score(little)[0]
    assert ranked(model.ensemble, much)[0] < ranked(model.ensemble, little)[0]


def test_p_values_fall_steadily_over_the_edge_of_the_tail_and_know_its_size() -> None:
    scores = np.sort(np.random.default_rng(2).exponential(size=20_000))
    calibrated = Calibration(scores)
    p = calibrated.p_values(np.linspace(0, 30, 3_000))
    assert (np.diff(p) <= 0).all()
    edge = scores[-STRANGEST - 1]
    below, above = calibrated.p_values(np.array([edge, edge + 1e-9]))
    assert below == pytest.approx(above, rel=0.02)
    assert calibrated.p_values(np.array([12.0]))[0] == pytest.approx(np.exp(-12.0), rel=0.5)


def test_scores_so_high_that_no_number_is_as_small_as_their_probability_are_told_apart() -> None:
    calibrated = Calibration(np.concatenate([np.zeros(200), np.full(100, 1e-3)]))
    one, two = calibrated.surprise(np.array([3.0, 4.0]))
    assert 745 < one < two < np.inf


def test_where_hardly_any_window_is_told_of_all_say_how_far_scores_lie_apart() -> None:
    scores = np.sort(np.concatenate([np.linspace(0, 1, 990) - BELOW, np.linspace(1, 1.5, 10)]))
    p = Calibration(scores).p_values(np.array([-BELOW, 1.2, 2.0]))
    assert p[0] > 0.9
    assert 1e-3 < p[1] < 0.02
    assert p[2] < 1e-3


def test_members_are_averaged_where_somebody_is_told_and_one_tells_of_the_rest(model: Member) -> None:
    other = fit(HELD, TRAIN, seed=1)
    both = Model("logons", "x", ("a", "b", "c", "d"), (model, other))
    odd, usual = np.array([[0.5, 9.0, 0.2, 5.0]]), np.full((1, 4), 0.9)
    one, two = (p_values(each, odd)[0] for each in (model, other))
    assert one != two
    assert both.p_values(odd)[0] == pytest.approx(np.sqrt(one * two))
    assert both.p_values(usual)[0] == pytest.approx(p_values(model, usual)[0])


def test_what_is_calibrated_for_odd_windows_only_tells_the_same_of_them() -> None:
    rows = np.abs(np.random.default_rng(4).normal(scale=1.6, size=(4_000, 4)))
    whole, part = (fit(rows[:500], rows[500:], whole=each) for each in (True, False))
    odd = rows[np.abs(rows).max(axis=1) >= WORTH][:50]
    np.testing.assert_allclose(p_values(whole, odd), p_values(part, odd))


def test_equal_data_gives_equal_scores_one_by_one_or_together(model: Member) -> None:
    again = fit(TRAIN, HELD)
    np.testing.assert_array_equal(again.calibration, model.calibration)
    alone = np.concatenate([model.ensemble.score(FRESH[at : at + 1]) for at in range(5)])
    np.testing.assert_allclose(alone, model.ensemble.score(FRESH)[:5])


def test_putting_the_named_features_back_makes_the_window_normal(model: Member) -> None:
    row = np.array([0.5, 12.0, 0.2, 20.0])
    limit = float(np.quantile(model.calibration, 0.999))
    calm = np.array([0.1, 0.1, 30.0, 0.1])
    (named, explained), (other, _) = named_features(model.ensemble.score, np.array([row, calm]), [limit, limit])
    assert explained
    assert other == [2]  # each row is explained by itself
    assert set(named[:2]) == {1, 3}
    usual = row.copy()
    usual[named] = 0.0
    assert model.ensemble.score(usual[None, :])[0] < limit <= model.ensemble.score(row[None, :])[0]


def test_constant_features_and_odd_numbers_do_no_harm() -> None:
    train, held = TRAIN.copy(), HELD.copy()
    train[:, 2] = held[:, 2] = 0.0
    train[0, 0], held[0, 1] = np.nan, np.inf
    model = fit(train, np.clip(held, -30, 30))
    assert np.isfinite(p_values(model, FRESH)).all()


def test_too_little_is_refused() -> None:
    with pytest.raises(UsageError, match=r"too few.*longer period"):
        fit(TRAIN[:10], HELD, name="logons")


def test_drift_is_seen_and_no_drift_is_not() -> None:
    before = shares(TRAIN)
    assert max(stability(before, FRESH)) < SHIFTED
    moved = FRESH + np.array([0, 3.0, 0, 0])
    assert [index > SHIFTED for index in stability(before, moved)] == [False, True, False, False]
