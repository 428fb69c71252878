"""Texts of like length are computed together, no more at once than is wanted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from polylens.harvest.loading import BatchesOf
from polylens.harvest.shard import Shard


@given(
    lengths=st.lists(st.integers(1, 30), min_size=1, max_size=40),
    batch_size=st.integers(1, 9),
    most_tokens=st.none() | st.integers(1, 60),
    cut=st.integers(0, 40),
)
def test_every_text_is_in_one_batch_and_no_batch_is_too_large(
    lengths: list[int], batch_size: int, most_tokens: int | None, cut: int
) -> None:
    cut = min(cut, len(lengths))
    shards = [Shard(0, cut), Shard(cut, len(lengths))]
    batches = list(
        BatchesOf(shards, batch_size=batch_size, lengths=np.array(lengths), most_tokens=most_tokens)
    )
    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        assert 1 <= len(batch) <= batch_size
        assert all(index < cut for index in batch) or all(index >= cut for index in batch)
        padded = len(batch) * max(lengths[index] for index in batch)
        assert most_tokens is None or len(batch) == 1 or padded <= most_tokens


def test_without_lengths_examples_keep_their_order() -> None:
    assert list(BatchesOf([Shard(0, 5)], batch_size=2, most_tokens=1)) == [[0, 1], [2, 3], [4]]
