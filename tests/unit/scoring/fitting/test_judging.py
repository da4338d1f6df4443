"""How well a score ranks, on leads that it has not seen."""

import random
from collections.abc import Sequence

import pytest

from scoring.fitting.judging import Learned, judge, lift


def test_lift_is_how_often_the_best_tenth_is_won_in_base_rates() -> None:
    won = [True] * 8 + [False] * 2 + [True] * 12 + [False] * 78
    scores = [float(-place) for place in range(100)]
    assert lift(scores, won) == pytest.approx(0.8 / 0.2)


def test_equal_scores_at_the_edge_count_in_part_whatever_their_order() -> None:
    won = [True] * 10 + [False] * 30
    assert lift([1.0] * 40, won) == pytest.approx(1)
    assert lift([1.0] * 40, won[::-1]) == pytest.approx(1)


def test_each_lead_is_judged_once_by_what_was_learned_without_it() -> None:
    won = [place % 3 == 0 for place in range(300)]
    judged: list[int] = []

    def learn(seen: Sequence[int]) -> Learned:
        def scores(places: Sequence[int]) -> list[float]:
            assert not set(places) & set(seen)
            judged.extend(places)
            return [float(won[place]) for place in places]

        return Learned(scores, lambda score: score)

    judgement = judge(won, learn, seed=1)
    assert sorted(judged) == list(range(300))
    assert (judgement.auc, judgement.lowest, judgement.highest) == (1, 1, 1)
    assert [group.actual for group in judgement.groups][0::4] == [1, 0]


def test_what_learns_by_heart_ranks_no_better_than_chance() -> None:
    rng = random.Random(2)
    won = [rng.random() < 0.4 for _ in range(1_000)]

    def learn(seen: Sequence[int]) -> Learned:
        known = {place: float(won[place]) for place in seen}
        return Learned(
            lambda places: [known.get(place, rng.random()) for place in places], lambda score: score
        )

    assert judge(won, learn, seed=1).auc == pytest.approx(0.5, abs=0.06)


def test_a_score_that_promises_what_happens_shows_it_in_every_fifth() -> None:
    rng = random.Random(4)
    chances = [rng.random() for _ in range(5_000)]
    won = [rng.random() < chance for chance in chances]
    judgement = judge(won, lambda _: Learned(lambda ps: [chances[p] for p in ps], lambda s: s), seed=1)
    assert [round(group.expected, 1) for group in judgement.groups] == [0.9, 0.7, 0.5, 0.3, 0.1]
    assert all(group.actual == pytest.approx(group.expected, abs=0.05) for group in judgement.groups)
    assert sum(group.leads for group in judgement.groups) == 5_000


def test_the_same_seed_gives_the_same_figures_and_another_one_others() -> None:
    rng = random.Random(4)
    scores = [rng.random() for _ in range(500)]
    won = [rng.random() < score for score in scores]

    def figures(seed: int) -> object:
        return judge(won, lambda _: Learned(lambda ps: [scores[p] for p in ps], lambda s: s), seed)

    assert figures(1) == figures(1) != figures(2)
