"""One document with the cluster of each token: which one, which part of it, and with what between tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch
from jaxtyping import Int64

from polylens.records import NOISE, Examples, Origins, Partition, Rows, RowTokens, TokenContext
from polylens.study import clustered_texts
from polylens.study.clustered_texts import clustered_text

TEXTS = (("one", " two", " three"), ("a", " b", " c", " d"), ("x", " y"))


class Texts(Examples):
    """Documents of a few tokens, the white space before a token being its own or not."""

    targets = None
    classes = ()
    fingerprint = ""
    ids = ("numbers", "letters", "ends")

    def __init__(self, *, stripped: bool = False) -> None:
        self._stripped = stripped

    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        return torch.zeros(len(indices), 1)

    def context(self, index: int, position: int = 0) -> TokenContext:
        words = TEXTS[index]
        token, before = words[position], "".join(words[:position])
        if self._stripped and token.startswith(" "):
            before, token = before + " ", token[1:]
        return TokenContext("", before, token, "")

    def valid(self, index: int) -> Int64[np.ndarray, "valid"]:
        return np.arange(len(TEXTS[index]))


def clustered(at: dict[tuple[int, int], int]) -> tuple[Partition, Rows]:
    """Rows at some positions of documents, with their clusters."""
    example, position = (np.array(each) for each in zip(*at, strict=True))
    labels = np.array([*at.values()])
    tokens = RowTokens(
        (), np.zeros(len(at), np.int64), np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    )
    rows = Rows("1", Origins(example, position, (4,), Texts.ids), tokens=tokens)
    exemplars = np.array([int(np.flatnonzero(labels == each)[0]) for each in range(labels.max() + 1)])
    return Partition(labels, np.ones(len(at), np.float32), exemplars), rows


@pytest.mark.parametrize("stripped", [False, True])
def test_the_document_with_most_clusters_is_shown_with_noise_and_tokens_that_are_no_rows(
    stripped: bool,
) -> None:
    partition, rows = clustered({(0, 0): 0, (0, 1): 0, (0, 2): 0, (1, 0): 0, (1, 1): 1, (1, 3): NOISE})
    text = clustered_text(partition, rows, Texts(stripped=stripped))
    assert text is not None
    assert text.title == "letters"
    assert [(piece.text, piece.cluster) for piece in text.pieces] == [
        ("a", 0),
        ("b", 1),
        ("c", None),
        ("d", -1),
    ]
    assert "".join(piece.gap + piece.text for piece in text.pieces) == "a b c d"
    assert text.clusters == (0, 1)


def test_of_as_many_clusters_the_document_with_most_clustered_rows_is_shown() -> None:
    partition, rows = clustered(
        {(2, 0): 0, (0, 0): 0, (0, 1): 0, (1, 0): NOISE, (1, 1): NOISE, (1, 2): NOISE}
    )
    text = clustered_text(partition, rows, Texts())
    assert text is not None
    assert text.title == "numbers"


def test_of_a_long_document_the_stretch_with_most_clustered_rows_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clustered_texts, "MOST_TOKENS", 2)
    partition, rows = clustered({(1, 0): 0, (1, 2): 0, (1, 3): 0})
    text = clustered_text(partition, rows, Texts())
    assert text is not None
    assert [piece.text for piece in text.pieces] == ["c", "d"]


def test_without_tokens_or_clusters_there_is_no_text() -> None:
    partition, rows = clustered({(0, 0): 0})
    assert clustered_text(partition, replace(rows, tokens=None), Texts()) is None
    assert clustered_text(replace(partition, labels=np.array([NOISE])), rows, Texts()) is None
