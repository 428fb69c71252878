"""Which tokens TinyModel knows: GPT-2's, of which most are one and the same to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from polylens import model_files as files
from polylens.digests import file_sha256
from polylens.errors import DataError
from polylens.records import TextFormat

if TYPE_CHECKING:
    import torch

GPT2 = 50_257
"""Tokens of GPT-2."""
SPECIAL = ("[BEGIN]", "[END]", "[PAD]", "[UNK]")
"""What the network knows beside them, numbered on from GPT-2's."""
GPT2_AND_SPECIAL = GPT2 + len(SPECIAL)
KNOWN = 10_000
"""Tokens that the network tells apart."""
_BEGIN = GPT2 + SPECIAL.index("[BEGIN]")
_LANDMARKS = {".": 13, ",": 11, "Ġthe": 262, "Ġand": 290, "<|endoftext|>": 50_256}
"""Some of GPT-2's tokens and their numbers, by which its tokenizer is known."""
_FOLDER = "package:tinymodel/tokenization"
_FILE = "neo_tok_ids_to_ts.pt"
_SHA256 = "d575af2b670fcc1f4e9f387539deea31baf736931c9ec39e908b8ce86267bc53"
_INSTALL = "pip install --no-deps tinymodel==0.1.2.2.post9"


def renumbering() -> torch.Tensor:
    """The network's own number of each of GPT-2's tokens and of the special ones: 50,261 of 0 to 9,999.

    Raises:
        DataError: the package `tinymodel` is not installed, or its table is another one than was published.
    """
    import torch

    folder = files.local_folder(_FOLDER)
    if folder is None or not (folder / _FILE).is_file():
        raise DataError(
            "which tokens TinyModel knows is said by the package tinymodel, which is not installed",
            hint=f"{_INSTALL} (nothing in it is run, and what it asks for is not needed)",
        )
    if file_sha256(folder / _FILE) != _SHA256:
        raise DataError(
            f"{folder / _FILE} is not the table that was published: "
            f"its sha256 does not begin with {_SHA256[:8]}",
            hint=f"{_INSTALL} --force-reinstall",
        )
    table: torch.Tensor = torch.load(folder / _FILE, map_location="cpu", weights_only=True)
    return table


def text_format(folder: Path, *, context: int) -> TextFormat:
    """GPT-2's tokens with `[BEGIN]` before each text, and nothing behind.

    Args:
        folder: of GPT-2's tokenizer.
        context: tokens of one input, `[BEGIN]` counted.

    Raises:
        DataError: there is no tokenizer, it is damaged, or it is not GPT-2's.
    """
    from polylens.text import read_tokenizer, tokenizer_files

    tokenizer = read_tokenizer(folder)
    size = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=-1) + 1
    if size != GPT2 or any(tokenizer.token_to_id(token) != number for token, number in _LANDMARKS.items()):
        raise DataError(
            f"the tokenizer in {folder} is not GPT-2's, of whose tokens TinyModel knows the frequent ones",
            hint="take that of openai-community/gpt2",
        )
    named = tokenizer.get_added_tokens_decoder()
    special = {number for number, token in named.items() if token.special}
    return TextFormat(
        tokenizer=str(folder),
        tokenizer_digest=files.digest_of(tokenizer_files(folder)),
        context=context,
        before=(_BEGIN,),
        special=tuple(sorted({*special, *range(GPT2, GPT2_AND_SPECIAL)})),
    )
