"""Documents as inputs: nothing lost, nothing twice, and every token where it stands in the text."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.text_models import tiny_tokenizer

from polylens.errors import DataError, UsageError
from polylens.records import PADDING, Examples, TextFormat, TokenContext
from polylens.streams import Streams
from polylens.text import InMemory, open_text, tokenizing

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
DOCUMENTS = st.lists(WORDS, min_size=1, max_size=6).map(
    lambda texts: {f"d{number}": text for number, text in enumerate(texts)}
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    names = ("gpt2", "llama", "bert")
    return {name: tiny_tokenizer(tmp_path_factory.mktemp(name), name) for name in names}


def format_of(folder: Path, *, context: int = 16) -> TextFormat:
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    around = tokenizer.encode("a", add_special_tokens=True)
    (place,) = [place for place, special in enumerate(around.special_tokens_mask) if not special]
    special = [number for number, token in tokenizer.get_added_tokens_decoder().items() if token.special]
    return TextFormat(
        tokenizer=str(folder),
        tokenizer_digest=folder.name,
        context=context,
        before=tuple(around.ids[:place]),
        after=tuple(around.ids[place + 1 :]),
        special=tuple(special),
    )


def opened(texts: dict[str, str], text_format: TextFormat, **options: Any) -> Examples:
    options = {"packing": "one_document", "streams": Streams(0), **options}
    return open_text(InMemory(texts, title="texts"), text_format, **options)


def tokens_at_rows(examples: Examples) -> list[int]:
    """The tokens that may become rows, in the order of examples."""
    found = []
    for index in range(len(examples)):
        valid = examples.valid(index)
        assert valid is not None
        found += examples.batch([index])[0][torch.from_numpy(valid)].tolist()
    return found


def encoded(folder: Path, text: str) -> tokenizers.Encoding:
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    return tokenizer.encode(text, add_special_tokens=False)


@settings(max_examples=40, deadline=None)
@given(texts=DOCUMENTS, context=st.integers(3, 20))
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "bert"])
def test_packed_sequences_hold_every_token_of_every_document_once_and_in_order(
    folders: dict[str, Path], architecture: str, texts: dict[str, str], context: int
) -> None:
    text_format = format_of(folders[architecture], context=context)
    expected = [
        token
        for text in texts.values()
        if text.strip()
        for token in encoded(folders[architecture], text).ids
        if token not in text_format.special
    ]
    try:
        examples = opened(texts, text_format, packing="packed")
    except DataError as error:
        assert "too few for one sequence" in str(error) or "can be used" in str(error)  # noqa: PT017
        return
    whole = examples.batch(range(len(examples)))
    assert whole.shape == (len(examples), context)
    assert (whole != PADDING).all()
    found = tokens_at_rows(examples)
    assert found == expected[: len(found)]
    # what is missing at the end is less than a sequence, and is named
    room = context - len(text_format.before) - len(text_format.after)
    assert len(expected) - len(found) < room
    if len(found) < len(expected):
        assert f"too few for a sequence of {room}" in examples.skipped[-1].reason
    assert len(set(examples.ids)) == len(examples)


@settings(max_examples=40, deadline=None)
@given(texts=DOCUMENTS, context=st.integers(3, 60))
@pytest.mark.parametrize("architecture", ["gpt2", "llama", "bert"])
def test_one_document_is_the_start_of_that_document_between_special_tokens(
    folders: dict[str, Path], architecture: str, texts: dict[str, str], context: int
) -> None:
    text_format = format_of(folders[architecture], context=context)
    usable = {name: text for name, text in texts.items() if text.strip()}
    if not usable:
        return
    examples = opened(texts, text_format)
    assert examples.ids == tuple(usable)
    assert [item.example_id for item in examples.skipped] == [name for name in texts if name not in usable]
    room = context - len(text_format.before) - len(text_format.after)
    for index, text in enumerate(usable.values()):
        ids = encoded(folders[architecture], text).ids[:room]
        assert examples.batch([index])[0].tolist() == [*text_format.before, *ids, *text_format.after]


@settings(max_examples=40, deadline=None)
@given(texts=DOCUMENTS, context=st.integers(4, 20), packing=st.sampled_from(["packed", "one_document"]))
def test_every_token_is_shown_where_it_stands_in_the_text(
    folders: dict[str, Path], texts: dict[str, str], context: int, packing: str
) -> None:
    try:
        examples = opened(texts, format_of(folders["bert"], context=context), packing=packing)
    except DataError:
        return
    shown: dict[str, list[TokenContext]] = {}
    for index in range(len(examples)):
        for position in examples.valid(index):  # type: ignore[union-attr]
            found = examples.context(index, int(position))
            assert isinstance(found, TokenContext)
            name = found.title.partition(" ")[0]
            assert found.before + found.token + found.after in texts[name]
            shown.setdefault(name, []).append(found)
    for name, tokens in shown.items():
        encoding = encoded(folders["bert"], texts[name])
        expected = [texts[name][start:stop] for start, stop in encoding.offsets[: len(tokens)]]
        assert [token.token for token in tokens] == expected


@settings(max_examples=40, deadline=None)
@given(
    texts=DOCUMENTS,
    limit=st.integers(1, 8),
    seed=st.integers(0, 5),
    packing=st.sampled_from(["packed", "one_document"]),
)
def test_a_limit_takes_some_of_the_inputs_as_they_are(
    folders: dict[str, Path], texts: dict[str, str], limit: int, seed: int, packing: str
) -> None:
    options: dict[str, Any] = {"packing": packing, "streams": Streams(seed)}
    try:
        every = opened(texts, format_of(folders["gpt2"], context=4), **options)
    except DataError:
        return
    some = opened(texts, format_of(folders["gpt2"], context=4), limit=limit, **options)
    assert len(some) == min(limit, len(every))
    places = [every.ids.index(name) for name in some.ids]
    assert places == sorted(places)
    assert torch.equal(some.batch(range(len(some)))[:, :1], every.batch(places)[:, :1])
    for index, place in enumerate(places):
        assert torch.equal(some.batch([index]), every.batch([place]))


TEXTS = {f"d{number:02d}": f"The cat sat on mat {number}. " * 3 for number in range(20)}


def test_documents_are_drawn_with_the_seed_and_a_longer_draw_holds_the_shorter(
    folders: dict[str, Path],
) -> None:
    text_format = format_of(folders["gpt2"])
    draws = {seed: opened(TEXTS, text_format, n_documents=5, streams=Streams(seed)).ids for seed in range(6)}
    assert len(set(draws.values())) > 3
    assert all(len(ids) == 5 and list(ids) == sorted(ids) for ids in draws.values())
    assert set(draws[0]) < set(opened(TEXTS, text_format, n_documents=9).ids)
    assert set(opened(TEXTS, text_format, n_documents=9, limit=5).ids) == set(draws[0])


def test_what_cannot_be_used_is_counted_and_another_is_drawn(folders: dict[str, Path]) -> None:
    text_format = format_of(folders["gpt2"])
    first = opened(TEXTS, text_format, n_documents=5)
    texts = {**TEXTS, first.ids[2]: " \n"}
    examples = opened(texts, text_format, n_documents=5)
    assert len(examples) == 5
    assert [(item.example_id, item.reason) for item in examples.skipped] == [(first.ids[2], "empty")]
    assert set(first.ids) - {first.ids[2]} < set(examples.ids)


def test_errors_say_what_to_do(folders: dict[str, Path]) -> None:
    text_format = format_of(folders["bert"])
    with pytest.raises(DataError, match="holds 20 documents, fewer than the 21 asked for"):
        opened(TEXTS, text_format, n_documents=21)
    with pytest.raises(DataError, match=r"none of 2 documents in texts can be used; a: empty"):
        opened({"a": "", "b": " "}, text_format)
    with pytest.raises(DataError, match="lower 'context', or take 'packing: one_document'"):
        opened({"a": "cat"}, text_format, packing="packed")
    with pytest.raises(UsageError, match="leaves no room"):
        opened(TEXTS, replace(text_format, context=2))


def test_inputs_of_different_lengths_are_filled_up_at_the_end(folders: dict[str, Path]) -> None:
    examples = opened({"a": "The", "b": "The cat"}, format_of(folders["bert"]))
    short, long = examples.batch([0, 1]).tolist()
    assert len(short) == len(long)
    assert PADDING not in long
    assert short[:3] == examples.batch([0])[0].tolist()
    assert set(short[3:]) == {PADDING}
    assert examples.batch([]).dtype == torch.int64


def test_special_tokens_and_ends_of_documents_never_become_rows(folders: dict[str, Path]) -> None:
    text_format = format_of(folders["gpt2"], context=8)
    examples = opened(
        {"a": "The cat<|endoftext|>The", "b": "The cat The cat."}, text_format, packing="packed"
    )
    # The, cat, end (written), The, end (put), The, cat, The | cat, ., end: too few
    assert examples.valid(0).tolist() == [0, 1, 3, 5, 6, 7]  # type: ignore[union-attr]
    assert examples.skipped[-1].example_id == "b#3"


def test_a_row_knows_its_token_and_its_neighbours(folders: dict[str, Path]) -> None:
    text_format = format_of(folders["bert"])
    examples = opened({"a": "The cat sat", "b": "The"}, text_format)
    tokens = examples.row_tokens(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 1, 2, 4, 1, 2]))
    assert tokens is not None
    words = [tokens.vocabulary[token] for token in tokens.current]
    assert words == ["[CLS]", "The", " cat", "[SEP]", "The", "[SEP]"]
    assert tokens.before[0] == -1
    assert [tokens.vocabulary[token] for token in tokens.before[1:]] == [
        "[CLS]",
        "The",
        " sat",
        "[CLS]",
        "The",
    ]
    assert tokens.after[[3, 5]].tolist() == [-1, -1]
    assert [tokens.vocabulary[token] for token in tokens.after[[0, 1, 4]]] == ["The", " cat", "[SEP]"]


def test_special_tokens_are_shown_by_their_names(folders: dict[str, Path]) -> None:
    examples = opened({"a": "The cat sat"}, format_of(folders["bert"]))
    first, last = examples.context(0, 0), examples.context(0, 4)
    assert isinstance(first, TokenContext)
    assert isinstance(last, TokenContext)
    assert (first.before, first.token, first.after) == ("", "[CLS]", "The cat sat")
    assert (last.before, last.token, last.after) == ("The cat sat", "[SEP]", "")
    packed = opened({"a": "The", "b": "cat"}, format_of(folders["gpt2"], context=4), packing="packed")
    end = packed.context(0, 1)
    assert isinstance(end, TokenContext)
    assert (end.title, end.before, end.token, end.after) == ("a · token 1", "The", "<|endoftext|>", "")


def test_a_text_that_changed_since_is_not_shown(folders: dict[str, Path]) -> None:
    texts = {"a": "The cat sat"}
    examples = opened(texts, format_of(folders["bert"]))
    texts["a"] = "The dog sat"
    with pytest.raises(DataError, match="changed while it was in use"):
        examples.context(0, 2)


def test_the_fingerprint_follows_texts_names_format_and_draw(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    text_format = format_of(folders["gpt2"])
    first = opened(TEXTS, text_format)
    assert opened(TEXTS, text_format, cache=tmp_path).fingerprint == first.fingerprint
    assert opened(TEXTS, text_format, cache=tmp_path).fingerprint == first.fingerprint
    found = [
        first,
        opened({**TEXTS, "d00": "Other."}, text_format),
        opened({f"{name}x": text for name, text in TEXTS.items()}, text_format),
        opened(TEXTS, replace(text_format, context=12)),
        opened(TEXTS, replace(text_format, tokenizer_digest="other")),
        opened(TEXTS, text_format, packing="packed"),
        opened(TEXTS, text_format, limit=5),
        opened(TEXTS, text_format, packing="packed", limit=5),
    ]
    assert len({examples.fingerprint for examples in found}) == len(found)


@pytest.mark.parametrize("packing", ["one_document", "packed"])
def test_a_second_run_does_not_tokenise_again(
    folders: dict[str, Path], tmp_path: Path, packing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text_format = format_of(folders["gpt2"])
    first = opened(TEXTS, text_format, packing=packing, cache=tmp_path)
    expected = first.batch(range(len(first)))

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("tokenised again")

    monkeypatch.setattr(tokenizing, "_write", refuse)
    again = opened(TEXTS, text_format, packing=packing, cache=tmp_path)
    assert torch.equal(again.batch(range(len(again))), expected)
    assert again.context(0, 3) == first.context(0, 3)
    with pytest.raises(AssertionError):
        opened({**TEXTS, "d00": "Other."}, text_format, packing=packing, cache=tmp_path)
    with pytest.raises(AssertionError):
        opened(TEXTS, replace(text_format, tokenizer_digest="other"), packing=packing, cache=tmp_path)


@pytest.mark.parametrize("kept", [True, False])
def test_examples_reach_other_processes(folders: dict[str, Path], tmp_path: Path, kept: bool) -> None:
    examples = opened(TEXTS, format_of(folders["gpt2"]), cache=tmp_path if kept else None)
    again = pickle.loads(pickle.dumps(examples))
    assert torch.equal(again.batch([3, 5]), examples.batch([3, 5]))
    assert again.ids == examples.ids
