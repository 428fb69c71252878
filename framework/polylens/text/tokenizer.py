"""A model's tokenizer, from the files that the model comes with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int32

from polylens.text.tokenizer_files import read_tokenizer, setting

_END_TOKENS = ("<|endoftext|>", "</s>", "[SEP]")
"""Ends of documents where the tokenizer's settings name none."""


class Tokenizer:
    """Text in, tokens and their places in the text out; nothing is added, cut or padded.

    A special token's name that is written in a document becomes that token, as in transformers.

    Raises:
        DataError: the folder holds no tokenizer that can be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tokenizer = read_tokenizer(folder)

    def encode(
        self, texts: Sequence[str], *, most: int | None = None
    ) -> list[tuple[Int32[np.ndarray, "tokens"], Int32[np.ndarray, "tokens 2"]]]:
        """Ids of each text's tokens, and the characters of the text from and up to which each goes.

        Args:
            texts: any; they are encoded on all cores.
            most: tokens given of each text; None gives all.
        """
        if most is None:
            self._tokenizer.no_truncation()
        else:
            self._tokenizer.enable_truncation(most, direction="right")
        return [
            (
                np.array(encoding.ids, dtype=np.int32),
                # Several times as fast as an array made from pairs.
                np.fromiter(chain.from_iterable(encoding.offsets), dtype=np.int32).reshape(-1, 2),
            )
            for encoding in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        ]

    def end_of_document(self) -> int | None:
        """The token that stands between documents; None where the tokenizer has none."""
        named = [setting(self._folder, name) for name in ("eos_token", "sep_token")]
        for token in [*named, *_END_TOKENS]:
            token_id = self._tokenizer.token_to_id(token) if isinstance(token, str) else None
            if token_id is not None:
                return int(token_id)
        return None

    def vocabulary(self) -> tuple[str, ...]:
        """Text of each token, by id. Where a token is a part of a character, its bytes are shown as `\\xe2`.

        Spaces are spaces, however the tokenizer writes them; a piece inside of a word keeps the mark that the
        tokenizer gives it (`##ing`).
        """
        ids = self._tokenizer.get_vocab(with_added_tokens=True)
        raw = [""] * (max(ids.values(), default=-1) + 1)
        for token, number in ids.items():
            raw[number] = token
        plain = json.loads(self._tokenizer.to_str())
        added = {entry["id"] for entry in plain["added_tokens"]}
        readable = _reader(plain)
        return tuple(token if number in added else readable(token) for number, token in enumerate(raw))


@lru_cache(maxsize=4)
def vocabulary_of(folder: str, digest: str) -> tuple[str, ...]:
    """The vocabulary of the tokenizer in a folder, read once.

    Args:
        folder: where the tokenizer lies.
        digest: the digest of its files, so that another tokenizer in the same place is read again.
    """
    return Tokenizer(Path(folder)).vocabulary()


def _reader(plain: dict[str, Any]) -> Any:
    """How a token's spelling becomes its text, by the parts that the tokenizer is made of."""
    parts = json.dumps([plain.get(name) for name in ("normalizer", "pre_tokenizer", "decoder")])
    if '"ByteLevel"' in parts:
        return _from_bytes
    if '"Metaspace"' in parts or "\\u2581" in parts:
        return lambda token: token.replace("\u2581", " ")
    return lambda token: token


def _from_bytes(token: str) -> str:
    """The text of a token that is spelt in the letters that stand for bytes.

    >>> _from_bytes("ĠcafÃ©"), _from_bytes("Ã")
    (' café', '\\\\xc3')
    """
    letters = _bytes_of_letters()
    if any(letter not in letters for letter in token):
        return token
    return bytes(letters[letter] for letter in token).decode(errors="backslashreplace")


@lru_cache(maxsize=1)
def _bytes_of_letters() -> dict[str, int]:
    """The letter of each byte in byte-level vocabularies (Radford et al. 2019, `bytes_to_unicode`)."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {chr(byte): byte for byte in plain} | {chr(256 + index): byte for index, byte in enumerate(rest)}
