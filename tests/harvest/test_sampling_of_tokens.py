"""Rows of text: chosen among tokens that are neither special nor padding, by text where a rule asks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from tests.text_models import tiny_tokenizer

from polylens.harvest.loading import Batches, Rule
from polylens.records import Examples, TextFormat
from polylens.sampling import Sampling
from polylens.sampling.all_positions import AllPositions
from polylens.sampling.last_token import LastToken
from polylens.sampling.tokens_matching import TokensMatching
from polylens.streams import Streams
from polylens.text import InMemory, open_text

TEXTS = {"a": "The cat sat on the mat.", "b": "The dog.", "c": "The cat saw the cat;"}


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    folder = tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"), "bert")
    text_format = TextFormat(
        tokenizer=str(folder),
        tokenizer_digest="tiny",
        context=32,
        before=(0,),
        after=(1,),
        special=(0, 1, 2, 3),
    )
    return open_text(InMemory(TEXTS, title="texts"), text_format, packing="one_document", streams=Streams(0))


def rows(examples: Examples, sampling: Sampling) -> tuple[list[tuple[int, str]], Sequence[tuple[str, str]]]:
    """Example and token of each row, and what was skipped."""
    rule = Rule(sampling, (32,))
    found = Batches(examples, [rule], streams=Streams(0))[range(3)]["rows"][rule.key]
    example, position = found["example_of_row"].numpy(), found["position"].numpy()
    tokens = examples.row_tokens(example, position)
    assert tokens is not None
    words = [tokens.vocabulary[token] for token in tokens.current]
    return list(zip(example.tolist(), words, strict=True)), found["skipped"]


def test_rows_are_the_tokens_whose_text_matches(examples: Examples) -> None:
    found, skipped = rows(examples, TokensMatching(match=("cat",)))
    assert found == [(0, " cat"), (2, " cat"), (2, " cat")]
    assert skipped == [(1, "b", "no token matches")]
    assert rows(examples, TokensMatching(match="^The$"))[0] == [(0, "The"), (1, "The"), (2, "The")]


def test_all_tokens_are_those_of_the_text(examples: Examples) -> None:
    found, skipped = rows(examples, AllPositions())
    for index, text in enumerate(TEXTS.values()):
        assert "".join(word for example, word in found if example == index) == text
    assert skipped == []


def test_the_last_token_is_no_special_one(examples: Examples) -> None:
    assert [word for _, word in rows(examples, LastToken())[0]] == [".", ".", ";"]


def test_padding_of_a_batch_changes_no_row(examples: Examples) -> None:
    rule = Rule(AllPositions(), (32,))
    batches = Batches(examples, [rule], streams=Streams(0))
    together = batches[range(3)]["rows"][rule.key]
    alone = [batches[range(index, index + 1)]["rows"][rule.key]["position"].numpy() for index in range(3)]
    assert np.array_equal(together["position"].numpy(), np.concatenate(alone))
