"""Tokens that members raise, on a network whose logits are written down here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from tests.judge_server import judge_server
from tests.scores import planted_clusters

from polylens.judges.compatible import Compatible
from polylens.labels.written import Written, raised
from polylens.progress import Silent
from polylens.records import PADDING, Examples, Network, Origins, Rows, RowTokens, TextFormat, TokenContext
from polylens.streams import Streams
from polylens.work import Judging, RowSource, Server, Work

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEXTS = ([1, 2, 1], [2, 1, 2, 2], [1, 1], [2, 3, 1, 2], [5, 5, 1])
"""Tokens of each example; the last example is held out, and nobody else has a 5."""
LOGITS = torch.randn(len(WORDS), len(WORDS), generator=torch.Generator().manual_seed(0))
LOGITS[1, [7, 8]] += torch.tensor([30.0, 20.0])  # what follows a "one"
LOGITS[2, [9, 4]] += torch.tensor([30.0, 20.0])
LOGITS[5, 6] += 1000.0


class Texts(Examples):
    ids = tuple(f"text {number}" for number in range(len(TEXTS)))
    targets = None
    classes = ()
    fingerprint = "texts"

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        longest = max(len(TEXTS[index]) for index in indices)
        return torch.tensor(
            [TEXTS[index] + [PADDING] * (longest - len(TEXTS[index])) for index in indices], dtype=torch.int64
        )

    def lengths(self) -> np.ndarray:
        return np.array([len(text) for text in TEXTS], dtype=np.int64)

    def context(self, index: int, position: int = 0) -> TokenContext:
        return TokenContext(f"{index}", "", WORDS[TEXTS[index][position]], "")


class Lookup(torch.nn.Module):
    """Logits that hang on the token alone; as many of them as is asked for."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.logits = torch.nn.Parameter(LOGITS[:, :width].clone())

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.logits[ids.clamp(min=0)]


def rows_of_texts() -> Rows:
    example = np.repeat(np.arange(len(TEXTS)), [len(text) for text in TEXTS])
    position = np.concatenate([np.arange(len(text)) for text in TEXTS])
    current = np.concatenate(TEXTS).astype(np.int64)
    origins = Origins(example, position, (4,), Texts.ids)
    values = current[:, None].astype(np.float32)
    none = np.full(len(current), -1, dtype=np.int64)
    return Rows("layer", origins, activations=values, tokens=RowTokens(WORDS, current, none, none))


ROWS = rows_of_texts()
CURRENT = np.asarray(ROWS.tokens.current)
CLUSTERS = np.select([np.isin(CURRENT, (1, 5)), CURRENT == 2], [0, 1], default=-1)
NAMING = ROWS.origins.example < 4


def source(width: int = len(WORDS), *, is_causal: bool = True) -> RowSource:
    form = TextFormat(tokenizer="", tokenizer_digest="", context=4)
    return RowSource(Texts(), lambda: Network("lookup", Lookup(width), form, is_causal=is_causal))


def found(**about):
    partition = planted_clusters.partition_of(CLUSTERS)
    return raised.raised_tokens(ROWS, partition, NAMING, source=source(**about), most=3, progress=Silent())


@pytest.mark.parametrize("is_causal", [True, False])
@pytest.mark.parametrize("budget", [1, 2**29])
def test_members_raise_the_planted_tokens_and_held_out_rows_say_nothing(monkeypatch, is_causal, budget):
    monkeypatch.setattr(raised, "_BUDGET", budget)
    tokens = found(is_causal=is_causal)
    assert [tokens.texts(cluster, ROWS)[:2] for cluster in range(2)] == [["seven", "eight"], ["nine", "four"]]
    mean = LOGITS.double().numpy()[CURRENT[NAMING]].mean(0)
    for cluster, member in enumerate((1, 2)):
        above = LOGITS.double().numpy()[member] - mean
        order = np.argsort(-above)[:3]
        assert tokens.token[cluster].tolist() == order.tolist()
        # Sums of 13 rows in double precision, of numbers below 64.
        assert np.abs(tokens.by[cluster] - above[order]).max() < 64 * 13 * 2**-52
    table = tokens.table(ROWS)
    assert table["token"].tolist() == [text for cluster in range(2) for text in tokens.texts(cluster, ROWS)]


def test_a_network_without_an_unembedding_raises_nothing_and_it_is_said():
    assert found(width=len(WORDS) - 1) is None
    label = Written(of="clusters", judge=Compatible(model="m"), draws=1)
    partition = planted_clusters.partition_of(CLUSTERS)
    with judge_server() as server:
        judging = Judging({"default": Server(server.address)})
        work = Work(
            Streams(0).child("written"),
            judging=judging,
            shown=lambda row: TokenContext("", "", WORDS[CURRENT[row]], ""),
            source=source(width=4),
        )
        labels = label.label(ROWS, partition, work)
        bodies = len(server.bodies)
        told = Work(work.streams, judging=judging, shown=work.shown, source=source())
        more = label.label(ROWS, partition, told)
    assert "no unembedding" in labels.notes[-1]
    assert "raised" not in labels.tables
    assert not any('"raises"' in body["messages"][1]["content"] for body in server.bodies[:bodies])
    # Of the same rows, what the network gives is told where it gives logits.
    assert all('"raises"' in body["messages"][1]["content"] for body in server.bodies[bodies:])
    assert len(more.notes) == 1
    assert set(more.tables["raised"]["cluster"]) == {0, 1}


def test_a_cluster_without_rows_of_the_writing_half_has_no_tokens():
    clusters = np.where(CURRENT == 5, 0, -1)
    tokens = raised.raised_tokens(
        ROWS, planted_clusters.partition_of(clusters), NAMING, source=source(), most=3, progress=Silent()
    )
    assert tokens.texts(0, ROWS) == []
    assert tokens.table(ROWS).empty
