"""How a tokenizer's files say that text becomes a network's input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from polylens.errors import DataError
from polylens.model_files import digest_of
from polylens.records import TextFormat
from polylens.text import read_tokenizer, tokenizer_files

_CONFIG = "tokenizer_config.json"


def text_format(folder: Path, *, context: int, vocabulary: int | None) -> TextFormat:
    """The format of a tokenizer's folder.

    Args:
        folder: with `tokenizer.json`, or with `vocab.json` and `merges.txt`.
        context: tokens of one input.
        vocabulary: how many tokens the network knows; None where that is not known.

    Raises:
        DataError: there is no tokenizer, it is damaged, or it has tokens that the network lacks.
    """
    tokenizer = read_tokenizer(folder)
    last = max(tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)
    if vocabulary is not None and last >= vocabulary:
        raise DataError(
            f"the tokenizer in {folder} has a token {last}, the network only {vocabulary} tokens (from 0)",
            hint="take the tokenizer that the network was trained with",
        )
    before, after = _around(tokenizer, settings=_settings(folder))
    named = tokenizer.get_added_tokens_decoder()
    special = {number for number, token in named.items() if token.special}
    if len(before) + len(after) >= context:
        raise DataError(
            f"a context of {context} tokens leaves no room for text beside "
            f"{len(before) + len(after)} special tokens"
        )
    return TextFormat(
        tokenizer=str(folder),
        tokenizer_digest=digest_of(tokenizer_files(folder)),
        context=context,
        before=before,
        after=after,
        special=tuple(sorted({*special, *before, *after})),
    )


def _around(tokenizer: Any, *, settings: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The special tokens that are put before and after a text."""
    encoded = tokenizer.encode("a", add_special_tokens=True)
    text = [place for place, special in enumerate(encoded.special_tokens_mask) if not special]
    if not text:
        return (), ()
    before, after = list(encoded.ids[: text[0]]), list(encoded.ids[text[-1] + 1 :])
    # Older files keep these in the settings only.
    for wanted, name, tokens, place in (
        ("add_bos_token", "bos_token", before, 0),
        ("add_eos_token", "eos_token", after, len(after)),
    ):
        number = tokenizer.token_to_id(_content(settings.get(name)) or "")
        if settings.get(wanted) is True and number is not None and number not in tokens:
            tokens.insert(place, number)
    return tuple(before), tuple(after)


def _settings(folder: Path) -> dict[str, Any]:
    try:
        content = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / _CONFIG} cannot be read: {error}") from None
    return content if isinstance(content, dict) else {}


def _content(token: Any) -> str | None:
    """The text of a token, which may be written with its properties."""
    text = token.get("content") if isinstance(token, dict) else token
    return text if isinstance(text, str) else None
