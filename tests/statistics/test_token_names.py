from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.shapes import unchecked

from polylens.statistics import Blocks, Pieces, enrich_tokens, visible
from polylens.statistics.log_odds import least_share, log_likelihood_ratio, log_odds
from polylens.statistics.token_names import TokenNaming, name_by_tokens
from polylens.streams import Streams

CURRENT, BEFORE, AFTER = range(3)


def _name(labels, current, before=None, after=None, *, most=4, surprise=2.0, n_clusters=None):
    none = np.full(len(labels), -1)
    tokens = np.stack([current, none if before is None else before, none if after is None else after])
    return name_by_tokens(
        labels,
        tokens,
        n_clusters=int(labels.max()) + 1 if n_clusters is None else n_clusters,
        naming=TokenNaming(most, surprise, prior=10.0),
    ), tokens


def test_log_odds_by_hand():
    # Group: (9 + 1) of (10 + 10), odds 10 / 10; rest: (1 + 1) of (90 + 10), odds 2 / 98.
    found = log_odds(*(np.array([n]) for n in (9, 10, 1, 90)), share=np.array([0.1]), prior=10.0)
    assert found[0] == pytest.approx((np.log(1.0) - np.log(2 / 98)) / np.sqrt(1 / 10 + 1 / 2))


def test_a_group_like_all_others_has_no_odds():
    found = log_odds(*(np.array([n]) for n in (5, 50, 10, 100)), share=np.array([0.1]), prior=7.0)
    assert found[0] == pytest.approx(0.0)


def test_a_heavier_prior_says_less():
    light, heavy = (
        log_odds(*(np.array([n]) for n in (3, 5, 10, 1000)), share=np.array([0.013]), prior=prior)[0]
        for prior in (1.0, 1000.0)
    )
    assert light > heavy > 0


def test_where_there_is_one_word_no_group_uses_it_more():
    found = log_odds(*(np.array([n]) for n in (5, 5, 10, 10)), share=np.array([1.0]), prior=3.0)
    assert found.tolist() == [0.0]


@given(st.integers(1, 200), st.floats(0.001, 0.9), st.floats(0.0, 50.0))
def test_the_least_share_is_where_the_ratio_is_reached(size, base, ratio):
    own, base = np.array([float(size)]), np.array([base])
    share = least_share(own, base, ratio=ratio)
    reached = log_likelihood_ratio(share * own, own, base)[0]
    assert share[0] == 1.0 or reached == pytest.approx(ratio, abs=1e-6)
    assert reached <= ratio + 1e-6 or share[0] < 1.0


def test_rows_end_to_end_are_a_permutation_that_keeps_examples_together():
    example = np.repeat([4, 2, 9], [3, 1, 2])
    blocks = Blocks.of(example)
    seen = set()
    for seed in range(40):
        source = blocks.relaid_rows(np.random.default_rng(seed))
        assert sorted(source.tolist()) == list(range(6))
        # Laid over the rows of 2, 4, 9 in turn: neighbours of one example stay neighbours.
        laid = example[source][np.argsort(example, kind="stable")]
        assert (np.diff(laid) != 0).sum() == 2
        seen.add(tuple(laid.tolist()))
    assert len(seen) == 6


def test_rows_are_exchanged_within_groups_only():
    rng = np.random.default_rng(0)
    group, blocks = rng.integers(0, 4, 60), Blocks.of(np.repeat(np.arange(12), 5))
    source = blocks.relaid_rows(rng, within=group)
    assert sorted(source.tolist()) == list(range(60))
    assert (group[source] == group).all()
    assert (source != np.arange(60)).any()


def test_a_cluster_of_one_token_is_named_by_it_alone():
    rng = np.random.default_rng(0)
    current, before = rng.integers(0, 20, 1000), rng.integers(0, 20, 1000)
    labels = np.where(current == 3, 0, -1)
    names, tokens = _name(labels, current, before)
    assert names.tokens[0, CURRENT].tolist() == [3, -1, -1, -1]
    assert names.used.tolist() == [[True, False, False]]
    assert names.fit_own(labels, tokens).tolist() == (labels == 0).tolist()
    assert names.count_fits(tokens).tolist() == [(current == 3).sum()]


def test_a_place_is_added_where_it_sets_the_cluster_apart_more():
    rng = np.random.default_rng(0)
    current, before = rng.integers(0, 10, 2000), rng.integers(0, 10, 2000)
    labels = np.where((current == 3) & (before == 5), 0, -1)
    names, tokens = _name(labels, current, before)
    assert names.used.tolist() == [[True, True, False]]
    assert names.count_fits(tokens).tolist() == [((current == 3) & (before == 5)).sum()]
    assert names.fit(0, tokens).tolist() == (labels == 0).tolist()


def test_a_cluster_can_be_named_by_what_comes_next():
    rng = np.random.default_rng(0)
    current, after = rng.integers(0, 10, 1000), rng.integers(0, 10, 1000)
    names, _ = _name(np.where((after == 2) | (after == 4), 0, -1), current, after=after)
    assert names.used.tolist() == [[False, False, True]]
    assert sorted(names.tokens[0, AFTER].tolist()) == [-1, -1, 2, 4]


def test_no_more_tokens_than_asked_are_named_and_the_most_surprising_come_first():
    current = np.concatenate([np.repeat(np.arange(6), [30, 25, 20, 15, 10, 5]), np.arange(6, 106)])
    names, _ = _name(np.where(current < 6, 0, -1), current, most=3)
    assert names.tokens[0, CURRENT].tolist() == [0, 1, 2]
    assert (np.diff(names.surprise[0, CURRENT]) <= 0).all()


def test_clusters_without_over_represented_tokens_have_no_name():
    current = np.tile(np.arange(5), 40)
    names, tokens = _name(np.repeat([0, 1], 100), current)
    assert not names.has_name.any()
    assert not names.fit_own(np.repeat([0, 1], 100), tokens).any()


def _enrich(labels, current, *, example=None, seed=0, permutations=100):
    none = np.full(len(labels), -1)
    return enrich_tokens(
        labels,
        np.stack([current, none, none]),
        blocks=Blocks.of(np.arange(len(labels)) if example is None else example),
        naming=TokenNaming(most=3, surprise=2.0, prior=10.0),
        holdout=0.5,
        permutations=permutations,
        streams=Streams(seed),
    )


def test_share_coverage_and_lift_by_hand():
    # One cluster: half of the rows of token 1, which a fifth of all rows have.
    current = np.tile(np.arange(5), 80)
    labels = np.where((current == 1) & (np.arange(400) < 200), 0, -1)
    found = _enrich(labels, current)
    kept = found.held_out
    assert found.share.tolist() == [1.0]
    assert found.base[0] == (current[kept] == 1).mean()
    assert found.lift[0] == pytest.approx(1 / (current[kept] == 1).mean())
    assert found.coverage[0] == pytest.approx((labels[kept] == 0).sum() / (current[kept] == 1).sum())
    assert found.naming_rows[0] + found.held_out_rows[0] == 40
    assert found.lift[0] > found.chance_lift(0.05)[0] > 1


def test_rows_of_one_document_are_one_piece_of_evidence():
    # Four documents of ten equal tokens each: forty rows, but four documents of a token that half have.
    example = np.repeat(np.arange(40), 10)
    current = (np.arange(40) % 2)[example]
    labels = np.where(np.isin(example, [1, 3, 5, 7]), 0, -1)
    assert _enrich(labels, current).p_values[0] < 0.05
    assert _enrich(labels, current, example=example).p_values[0] > 0.05


def test_any_cluster_is_named_by_chance_at_the_stated_rate():
    strong = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        example = np.repeat(np.arange(60), 5)
        labels = np.where(rng.random(300) < 0.7, rng.integers(0, 4, 60)[example], -1)
        current = np.where(rng.random(300) < 0.5, rng.integers(0, 6, 60)[example], rng.integers(0, 6, 300))
        with unchecked(when=seed > 0):
            # A level of 0.1 is one that 39 permutations and what was found have exactly: four of forty.
            found = _enrich(labels, current, example=example, seed=seed, permutations=39)
        strong += bool((found.p_values <= 0.1).any())
    # Binomial(30, 0.1): 3 expected, at most 8 in all but 1 of 500 trials.
    assert strong <= 8


def test_a_token_that_goes_on_with_a_word_is_seen_by_the_habits_of_its_vocabulary():
    words = [f"w{index}" for index in range(20)]
    pieces = Pieces([*words, "##ing", "##", " the"])
    assert [pieces.text(token) for token in range(20, 23)] == ["…ing", "##", " the"]
    assert Pieces([*words * 50, "##ing"]).text(1000) == "##ing"
    assert pieces.text(-1) == pieces.text(99) == ""
    assert Pieces(['"']).quote(0) == "'\"'"


def test_white_space_of_tokens_can_be_seen():
    assert [visible(text) for text in (" a", "\n\n", " \t", "x\ny", "")] == [" a", "⏎×2", "␣⇥", "x⏎y", ""]
    assert visible("W" * 100) == "W" * 39 + "…"
