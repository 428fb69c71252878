"""Cards: which members of a cluster people are shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from polylens.records import (
    ClusterLabel,
    CodeLayer,
    Codes,
    CodeScheme,
    Context,
    Examples,
    Labels,
    Origins,
    Partition,
    Rows,
    Shown,
    TokenContext,
)
from polylens.report import ClusterCards
from polylens.streams import Streams
from polylens.study.cards import FEW_PICTURES, IN_FULL, MOST_CLUSTERS, PICTURES, cards_of, gallery_of


class Numbered(Examples):
    """Examples whose context is their number."""

    targets = None
    classes = ()
    fingerprint = ""

    def __init__(self, count: int) -> None:
        self.ids = tuple(map(str, range(count)))

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        return torch.zeros(len(indices), 1)

    def context(self, index: int, position: int = 0) -> Shown:
        return Context(title=str(index), png=b"")


class Read(Numbered):
    """Examples whose context is a token: the position it stands at."""

    def context(self, index: int, position: int = 0) -> Shown:
        return TokenContext(title=str(index), before="", token=str(position), after="")


def cards(
    labels: Sequence[int],
    *,
    exemplars: Sequence[int],
    activations: Sequence[float] | None = None,
    bits: Sequence[Sequence[int]] | None = None,
    example: Sequence[int] | None = None,
    found: Labels | None = None,
    position: Sequence[int] | None = None,
) -> ClusterCards:
    n = len(labels)
    own = np.arange(n) if example is None else np.array(example)
    at = np.zeros(n, np.int64) if position is None else np.array(position)
    layers = (CodeLayer("1", units=8),)
    rows = Rows(
        layer="1",
        origins=Origins(own, at, (), tuple(map(str, range(n)))),
        activations=None if activations is None else np.array(activations, np.float32)[:, None],
        codes=None
        if bits is None
        else Codes(np.packbits(np.array(bits, np.uint8), axis=1), CodeScheme(layers, False, "a test")),
    )
    partition = Partition(
        labels=np.array(labels),
        strength=np.ones(n, np.float32),
        exemplars=np.array(exemplars),
        method="k-means",
        space="activation" if bits is None else "code",
    )
    return cards_of(
        "groups",
        partition,
        rows=rows,
        context=(Numbered(n) if position is None else Read(n)).context,
        labels=found,
        label=None,
        streams=Streams(0),
    )


def titles(contexts: Sequence[Shown]) -> list[str]:
    return [context.title for context in contexts]


def test_central_members_are_the_medoid_and_then_the_nearest_to_it() -> None:
    # Distances to row 2 (at 5.0): row 0 4.0, row 1 1.0, row 3 0.5; row 4 is another cluster.
    found = cards([0, 0, 0, 0, 1], exemplars=[2, 4], activations=[1.0, 4.0, 5.0, 5.5, 5.1])
    assert titles(found.clusters[0].central) == ["2", "3", "1", "0"]
    assert titles(found.clusters[1].central) == ["4"]
    assert [card.size for card in found.clusters] == [4, 1]


def test_clusters_of_codes_are_ordered_by_the_bits_that_differ() -> None:
    # Bits that differ from row 0: row 1 three, row 2 one.
    found = cards([0, 0, 0], exemplars=[0], bits=[[0] * 8, [1, 1, 1] + [0] * 5, [1] + [0] * 7])
    assert titles(found.clusters[0].central) == ["0", "2", "1"]


def test_an_example_is_central_once_however_many_rows_it_has() -> None:
    found = cards([0] * 4, exemplars=[0], activations=[0.0, 1.0, 2.0, 3.0], example=[1, 1, 0, 0])
    assert titles(found.clusters[0].central) == ["1", "0"]


def test_noise_is_counted_and_drawn_at_random() -> None:
    found = cards([-1] * 100 + [0], exemplars=[100], activations=[0.0] * 101)
    assert found.noise_size == 100
    assert len(set(titles(found.noise))) == 2 * PICTURES
    assert "100" not in titles(found.noise)
    again = cards([-1] * 100 + [0], exemplars=[100], activations=[0.0] * 101)
    assert titles(again.noise) == titles(found.noise)


def test_random_members_are_drawn_without_repeats_from_the_whole_cluster() -> None:
    found = cards([0] * 200, exemplars=[0], activations=list(np.arange(200.0)))
    drawn = [int(title) for title in titles(found.clusters[0].random)]
    assert len(set(drawn)) == PICTURES
    assert max(drawn) > 100
    assert titles(found.clusters[0].central) == [str(row) for row in range(PICTURES)]


def test_clusters_behind_the_first_show_fewer_members() -> None:
    labels = [number for number in range(IN_FULL + 1) for _ in range(PICTURES)]
    exemplars = [number * PICTURES for number in range(IN_FULL + 1)]
    shown = cards(labels, exemplars=exemplars, activations=[0.0] * len(labels)).clusters
    assert {len(card.central) for card in shown[:IN_FULL]} == {PICTURES}
    assert (len(shown[IN_FULL].central), len(shown[IN_FULL].random)) == (FEW_PICTURES, FEW_PICTURES)


def test_beyond_many_clusters_only_sizes_are_shown() -> None:
    n = MOST_CLUSTERS + 2
    found = cards(list(range(n)), exemplars=list(range(n)), activations=[0.0] * n)
    assert len(found.clusters) == n
    assert found.clusters[MOST_CLUSTERS - 1].central
    assert not found.clusters[MOST_CLUSTERS].central
    assert not found.clusters[MOST_CLUSTERS].random
    assert found.clusters[MOST_CLUSTERS].size == 1


def test_each_label_stands_on_the_card_of_its_cluster() -> None:
    label = ClusterLabel(1, "seven", 1, share=1.0, lift=9.0, chance_lift=2.0, p_value=0.01, above_chance=True)
    found = cards([0, 0, 1], exemplars=[0, 2], activations=[0.0, 1.0, 9.0], found=Labels((label,)))
    assert [card.label for card in found.clusters] == [None, label]


def test_a_text_is_shown_at_the_position_of_the_row() -> None:
    found = cards([0, 0, -1], exemplars=[0], activations=[0.0, 1.0, 9.0], position=[7, 8, 9])
    shown = [*found.clusters[0].central, *found.noise]
    assert [context.token for context in shown if isinstance(context, TokenContext)] == ["7", "8", "9"]


def test_texts_have_no_gallery_of_pictures() -> None:
    assert (
        gallery_of(cards([0, -1], exemplars=[0], activations=[0.0, 1.0], position=[0, 1]), subject="") is None
    )
