from __future__ import annotations

import json
from pathlib import Path

import pytest
import tokenizers
from tests.text_models import parts_alone, tiny_tokenizer
from tokenizers import decoders, models, pre_tokenizers

from polylens import imports
from polylens.errors import DataError
from polylens.text.tokenizer import Tokenizer


def saved(folder: Path, tokenizer: tokenizers.Tokenizer) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def test_tokens_come_with_their_characters_and_nothing_is_added_cut_or_padded(tmp_path: Path) -> None:
    folder = tiny_tokenizer(tmp_path, "bert")
    plain = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    plain.enable_truncation(2)
    plain.enable_padding(length=50)
    plain.save(str(folder / "tokenizer.json"))
    text = "The cat sat."
    ((ids, spans),) = Tokenizer(folder).encode([text])
    assert len(ids) == len(spans) > 2
    assert "".join(text[start:stop] for start, stop in spans) == text


def test_a_vocabulary_is_readable_text(tmp_path: Path) -> None:
    folder = tiny_tokenizer(tmp_path)
    tokenizer = Tokenizer(folder)
    vocabulary = tokenizer.vocabulary()
    ((ids, _),) = tokenizer.encode(["The cat\n⌘"])
    # ⌘ is e2 8c 98, and the tiny vocabulary has no token for it
    assert [vocabulary[token] for token in ids] == ["The", " cat", "\n", "\\xe2", "\\x8c", "\\x98"]
    assert vocabulary[0] == "<|endoftext|>"


def test_each_family_of_vocabularies_is_read_by_its_own_spelling(tmp_path: Path) -> None:
    metaspace = tokenizers.Tokenizer(models.WordLevel({"▁the": 0, "cat": 2}, unk_token="cat"))
    metaspace.pre_tokenizer = pre_tokenizers.Metaspace()
    metaspace.decoder = decoders.Metaspace()
    # a gap in the ids stays empty
    assert Tokenizer(saved(tmp_path / "metaspace", metaspace)).vocabulary() == (" the", "", "cat")
    replaced = tokenizers.Tokenizer(models.WordLevel({"▁the": 0}, unk_token="▁the"))
    replaced.decoder = decoders.Replace("▁", " ")
    assert Tokenizer(saved(tmp_path / "replaced", replaced)).vocabulary() == (" the",)
    pieces = tokenizers.Tokenizer(models.WordPiece({"[UNK]": 0, "##ing": 1}, unk_token="[UNK]"))
    pieces.decoder = decoders.WordPiece()
    assert Tokenizer(saved(tmp_path / "pieces", pieces)).vocabulary() == ("[UNK]", "##ing")


# How transformers reads the two files; some versions of tokenizers warn of it.
@pytest.mark.filterwarnings("ignore:Deprecated in 0.9.0")
def test_a_tokenizer_of_two_files_is_the_same_as_that_of_one(tmp_path: Path) -> None:
    whole = Tokenizer(tiny_tokenizer(tmp_path / "whole", "opt"))
    folder = parts_alone(tiny_tokenizer(tmp_path / "parts", "opt"))
    parts = Tokenizer(folder)
    theirs = imports.transformers().GPT2Tokenizer.from_pretrained(folder)
    text = "The cat\nsat: ⌘ </s> and"
    (ids, spans), (others, other_spans) = whole.encode([text])[0], parts.encode([text])[0]
    assert ids.tolist() == others.tolist() == theirs(text, add_special_tokens=False).input_ids
    assert spans.tolist() == other_spans.tolist()
    assert parts.vocabulary() == whole.vocabulary()
    assert parts.end_of_document() == whole.end_of_document()
    (folder / "merges.txt").write_text("one\ntwo\n")
    with pytest.raises(DataError, match=r"vocab\.json cannot be read as a tokenizer"):
        Tokenizer(folder)
    (folder / "merges.txt").unlink()
    with pytest.raises(DataError, match=r"there is no tokenizer\.json.*\n.*save_pretrained"):
        Tokenizer(folder)


@pytest.mark.parametrize(
    ("architecture", "expected"), [("gpt2", "<|endoftext|>"), ("llama", "</s>"), ("bert", "[SEP]")]
)
def test_the_end_token_is_that_of_the_settings(tmp_path: Path, architecture: str, expected: str) -> None:
    folder = tiny_tokenizer(tmp_path, architecture)
    tokenizer = Tokenizer(folder)
    end = tokenizer.end_of_document()
    assert end is not None
    assert tokenizer.vocabulary()[end] == expected
    (folder / "tokenizer_config.json").unlink()
    assert Tokenizer(folder).end_of_document() == end, "without settings, by its usual name"


def test_an_end_token_written_with_its_properties_is_found(tmp_path: Path) -> None:
    folder = tiny_tokenizer(tmp_path)
    settings = {"eos_token": {"content": "The", "lstrip": False}}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = Tokenizer(folder)
    end = tokenizer.end_of_document()
    assert end is not None
    assert tokenizer.vocabulary()[end] == "The"


def test_a_tokenizer_may_have_no_end_token(tmp_path: Path) -> None:
    words = tokenizers.Tokenizer(models.WordLevel({"a": 0}, unk_token="a"))
    assert Tokenizer(saved(tmp_path, words)).end_of_document() is None


def test_a_missing_or_damaged_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="save_pretrained"):
        Tokenizer(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(DataError, match="cannot be read as a tokenizer"):
        Tokenizer(tmp_path)
