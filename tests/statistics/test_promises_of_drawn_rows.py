"""What is named by tokens, held out and drawn evenly keeps the limits that keys set."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from polylens.analyses._probing import draw_rows
from polylens.analyses.cluster_effect.centroids import members_of
from polylens.records import Origins, Rows
from polylens.statistics import split_examples
from polylens.statistics.token_names import TokenNaming, name_by_tokens

FEW = settings(max_examples=30, deadline=None)


@FEW
@given(
    st.integers(1, 6), st.sampled_from([0.5, 3.0, 8.0]), st.sampled_from([1.0, 100.0]), st.integers(0, 999)
)
def test_no_more_tokens_are_named_than_asked_for_and_none_is_less_surprising(most, surprise, prior, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, 4, 300)
    # Tokens lean on the cluster of their row.
    tokens = np.stack(
        [(rng.integers(0, 12, 300) + 3 * labels * (rng.random(300) < 0.7)).clip(-1) for _ in range(3)]
    )
    names = name_by_tokens(labels, tokens, n_clusters=4, naming=TokenNaming(most, surprise, prior))
    given_tokens = names.tokens >= 0
    assert names.tokens.shape[2] <= most
    assert (names.surprise[given_tokens] >= surprise).all()
    assert (names.surprise[~given_tokens] == 0).all()
    assert (given_tokens.any(2) | ~names.used).all()


@FEW
@given(
    st.lists(st.integers(0, 3), min_size=1, max_size=60),
    st.floats(0.05, 0.95),
    st.integers(1, 80),
    st.integers(0, 999),
)
def test_shares_are_held_out_and_rows_drawn_evenly_from_the_classes(classes, holdout, count, seed):
    targets = np.array(classes, dtype=np.int64)
    held_out = split_examples(targets, holdout=holdout, generator=np.random.default_rng(seed))
    rows = Rows(
        layer="layer",
        origins=Origins(np.arange(len(targets)), np.zeros(len(targets), np.int64), (), ()),
        targets=targets,
    )
    drawn = draw_rows(rows, count=count, generator=np.random.default_rng(seed))
    assert len(drawn) == min(count, len(targets))
    assert (np.diff(drawn) > 0).all()
    sizes, taken = np.bincount(targets, minlength=4), np.bincount(targets[drawn], minlength=4)
    for label in range(4):
        assert abs(held_out[targets == label].sum() - holdout * sizes[label]) < 1
        # A class gives fewer than another only where it has no more.
        assert taken[label] == sizes[label] or taken[label] >= taken.max() - 1


@FEW
@given(
    st.lists(st.integers(-1, 3), min_size=1, max_size=60),
    st.integers(1, 5),
    st.integers(2, 9),
    st.integers(0, 99),
)
def test_members_of_clusters_are_their_own_and_no_more_than_asked_for(labels, clusters, most, seed):
    chosen = range(min(clusters, 4))
    found = members_of(np.array(labels), clusters=chosen, most=most, generator=np.random.default_rng(seed))
    assert (np.diff(found) > 0).all()
    counts = np.bincount([labels[row] for row in found], minlength=4).tolist()
    assert counts == [min(most, labels.count(label)) if label in chosen else 0 for label in range(4)]
