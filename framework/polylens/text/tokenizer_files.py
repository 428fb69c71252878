"""The files of a tokenizer: one `tokenizer.json`, or the vocabulary and the merges of GPT-2's kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from polylens.errors import DataError

if TYPE_CHECKING:
    import tokenizers

TOKENIZER = "tokenizer.json"
VOCABULARY, MERGES = "vocab.json", "merges.txt"
"""What older models, such as OPT, have in place of it."""
SETTINGS = ("tokenizer_config.json", "special_tokens_map.json")
_SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def tokenizer_files(folder: Path) -> list[Path]:
    """The files that say which tokens a text has.

    Raises:
        DataError: there are none.
    """
    whole = folder / TOKENIZER
    if whole.is_file():
        return [whole]
    parts = [folder / VOCABULARY, folder / MERGES]
    if all(path.is_file() for path in parts):
        # The settings name its special tokens here, which `tokenizer.json` does itself.
        return [*parts, *(folder / name for name in SETTINGS if (folder / name).is_file())]
    raise DataError(
        f"there is no {TOKENIZER} in {folder}",
        hint="write one: transformers' AutoTokenizer.from_pretrained(...).save_pretrained(FOLDER), "
        "and give that folder as `tokenizer`",
    )


def read_tokenizer(folder: Path) -> tokenizers.Tokenizer:
    """The tokenizer in a folder, which neither cuts texts nor fills them up.

    Raises:
        DataError: it has none, or it is damaged.
    """
    import tokenizers

    path = tokenizer_files(folder)[0]
    try:
        whole = path.name == TOKENIZER
        tokenizer = tokenizers.Tokenizer.from_file(str(path)) if whole else _of_parts(folder)
    except Exception as error:
        # The library raises plain Exception on damaged files.
        raise DataError(f"{path} cannot be read as a tokenizer: {error}") from None
    # Some carry how their authors cut and filled texts, which is no part of what tokens are.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def setting(folder: Path, name: str) -> Any:
    """What a tokenizer's settings say; of a token its text, which may stand there with its properties."""
    for file in SETTINGS:
        try:
            value = json.loads((folder / file).read_bytes()).get(name)
        except (OSError, ValueError, AttributeError):
            continue
        value = value.get("content") if isinstance(value, dict) else value
        if value is not None:
            return value
    return None


def _of_parts(folder: Path) -> tokenizers.Tokenizer:
    """Byte-level pairs, as transformers' GPT2Tokenizer makes them of the same files."""
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers

    pairs = models.BPE.from_file(str(folder / VOCABULARY), str(folder / MERGES))
    tokenizer = tokenizers.Tokenizer(pairs)
    spaced = setting(folder, "add_prefix_space") is True
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=spaced)
    tokenizer.decoder = decoders.ByteLevel()
    named = [setting(folder, name) for name in _SPECIAL]
    tokenizer.add_special_tokens([token for token in dict.fromkeys(named) if isinstance(token, str)])
    return tokenizer
