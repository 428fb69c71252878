"""Streams of random numbers: the same name gives the same numbers, other names nothing to do with them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from polylens.streams import Streams

names = some.lists(some.text(max_size=4), max_size=4).map(tuple)


def drawn(streams: Streams, *path: str | int) -> list[int]:
    return streams.generator(*path).integers(2**62, size=4).tolist()


def test_numbers_of_a_name_never_change() -> None:
    # Written down once: stored results of every seed stand on them.
    assert Streams(0).generator("pairs", "same").integers(1000, size=5).tolist() == [247, 734, 770, 679, 898]
    weights = torch.randint(1000, (5,), generator=Streams(3).torch_generator("weights"))
    assert weights.tolist() == [788, 240, 822, 311, 6]


@given(names, names)
def test_two_names_share_numbers_only_if_they_are_the_same(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    assert (drawn(Streams(0), *one) == drawn(Streams(0), *other)) == (one == other)


@given(names, names)
def test_a_child_is_a_longer_name(above: tuple[str, ...], below: tuple[str, ...]) -> None:
    assert drawn(Streams(7).child(*above), *below) == drawn(Streams(7), *above, *below)


def test_where_one_part_ends_and_the_next_begins_counts() -> None:
    assert drawn(Streams(0), "ab", "c") != drawn(Streams(0), "a", "bc")
    assert drawn(Streams(0), "1", "2") != drawn(Streams(0), "12")
    assert drawn(Streams(1), "2") != drawn(Streams(12))


def test_numbers_count_as_their_text() -> None:
    assert drawn(Streams(0), "draw", 3) == drawn(Streams(0), "draw", "3")


def test_every_seed_has_numbers_of_its_own() -> None:
    assert len({tuple(drawn(Streams(seed), "x")) for seed in range(100)}) == 100


def test_drawing_from_one_stream_moves_no_other() -> None:
    streams = Streams(0)
    streams.generator("a").random(1000)
    np.random.default_rng(0).random(3)
    assert drawn(streams, "b") == drawn(Streams(0), "b")


def test_streams_of_neighbouring_names_are_not_correlated() -> None:
    rows = np.stack([Streams(0).generator("resample", number).standard_normal(2000) for number in range(20)])
    correlations = np.corrcoef(rows)[~np.eye(20, dtype=bool)]
    # The correlation of 2,000 independent pairs has a standard deviation of 0.022.
    assert np.abs(correlations).max() < 0.11


@pytest.mark.parametrize("name", ["weights", "order"])
def test_torch_generators_are_fresh_and_on_the_cpu(name: str) -> None:
    generators = [Streams(0).torch_generator(name) for _ in range(2)]
    assert generators[0].device.type == "cpu"
    first, second = (torch.rand(5, generator=generator) for generator in generators)
    assert torch.equal(first, second)
