"""Documents as inputs of a network: cut to its context, or packed into sequences of that length."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Int64

from polylens.digests import digest
from polylens.errors import DataError, UsageError
from polylens.progress import Progress, Silent
from polylens.records import Skipped, TextFormat
from polylens.streams import Streams
from polylens.text.documents import Documents
from polylens.text.inputs import PREPARATION, TextExamples
from polylens.text.tokenizer import Tokenizer
from polylens.text.tokenizing import tokenize_documents
from polylens.text.tokens import Tokens, kept_tokens

Packing = Literal["one_document", "packed"]


def open_text(
    documents: Documents,
    text_format: TextFormat,
    *,
    packing: Packing,
    streams: Streams,
    n_documents: int | None = None,
    limit: int | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> TextExamples:
    """The documents as inputs of `text_format.context` tokens at most.

    Args:
        documents: where the texts come from.
        text_format: the network's tokenizer, context and special tokens.
        packing: `one_document` makes one input of each document, cut to the context; `packed` puts documents
            one after the other, the tokenizer's end token between them, and cuts that into inputs of exactly
            `context` tokens; what is left at the end is left out.
        streams: randomness of the draws (`draw` of documents, `sequences` of packed inputs under a limit).
        n_documents: how many documents are drawn; those that cannot be used are replaced.
        limit: at most this many inputs, drawn.
        cache: folder where tokens are kept between runs.
        progress: shows documents that are tokenised.

    Raises:
        DataError: no document can be used, or together they do not fill one sequence.
        UsageError: the context leaves no room for text.
    """
    room = text_format.context - len(text_format.before) - len(text_format.after)
    if room < 1:
        raise UsageError(
            f"a context of {text_format.context} tokens leaves no room beside the special ones",
            hint="raise 'context'",
        )
    _check_number(documents, n_documents)
    is_packed = packing == "packed"
    counts = (n_documents, None if is_packed else limit)
    wanted = min((count for count in counts if count is not None), default=None)
    tokens = _tokens_of(
        documents,
        text_format,
        most=None if is_packed else room,
        wanted=wanted,
        is_packed=is_packed,
        streams=streams,
        cache=cache,
        progress=progress or Silent(),
    )
    if is_packed:
        return _pack(documents, tokens, room, text_format=text_format, limit=limit, streams=streams)
    return TextExamples(documents, tokens, _whole(tokens), text_format=text_format)


def _check_number(documents: Documents, n_documents: int | None) -> None:
    """Refuses a source without documents, or with fewer than are asked for."""
    if not len(documents):
        raise DataError(
            f"{documents.title} holds no document", hint="a table has one for each row below its header"
        )
    if n_documents is not None and n_documents > len(documents):
        raise DataError(
            f"{documents.title} holds {len(documents)} documents, fewer than the {n_documents} asked for",
            hint="lower 'documents', or leave it out to take all",
        )


def _tokens_of(
    documents: Documents,
    text_format: TextFormat,
    *,
    most: int | None,
    wanted: int | None,
    is_packed: bool,
    streams: Streams,
    cache: Path | None,
    progress: Progress,
) -> Tokens:
    """The tokens of documents, `most` of each, of all or of as many as are `wanted`; made once and kept.

    Raises:
        DataError: no document can be used.
    """
    tokenizer = Tokenizer(Path(text_format.tokenizer))
    separator = tokenizer.end_of_document() if is_packed else None
    key = digest(
        {
            "preparation": PREPARATION,
            "documents": documents.fingerprint(cache=cache, progress=progress),
            "tokenizer": text_format.tokenizer_digest,
            "library": version("tokenizers"),
            "separator": separator,
            "most": most,
            "wanted": wanted,
            "draw": None if wanted is None else [streams.seed, *streams.path],
        }
    )
    tokens = kept_tokens(
        key,
        cache=cache,
        make=lambda writer: tokenize_documents(
            documents,
            tokenizer,
            writer,
            wanted=wanted,
            most=most,
            separator=separator,
            generator=streams.generator("draw"),
            progress=progress,
        ),
    )
    if not tokens.names:
        first = tokens.skipped[0]
        raise DataError(
            f"none of {len(documents)} documents in {documents.title} can be used; "
            f"{first.example_id}: {first.reason}",
            hint="texts have to be UTF-8, or in the 'encoding' that the dataset names, and not empty",
        )
    return tokens


def _whole(tokens: Tokens) -> Int64[np.ndarray, "sequences 2"]:
    return np.stack([tokens.bounds[:-1], tokens.bounds[1:]], axis=1)


def _pack(
    documents: Documents,
    tokens: Tokens,
    room: int,
    *,
    text_format: TextFormat,
    limit: int | None,
    streams: Streams,
) -> TextExamples:
    count, rest = divmod(len(tokens.ids), room)
    if not count:
        raise DataError(
            f"{documents.title} has {len(tokens.ids)} tokens, too few for one sequence of {room}",
            hint="lower 'context', or take 'packing: one_document'",
        )
    starts = np.arange(count, dtype=np.int64) * room
    skipped: tuple[Skipped, ...] = ()
    if rest:
        name = _ids(tokens, np.array([count * room]))[0]
        skipped = (Skipped(name, f"the last {rest} tokens are too few for a sequence of {room}"),)
    if limit is not None and limit < count:
        starts = np.sort(streams.generator("sequences").permutation(starts)[:limit])
    windows = np.stack([starts, starts + room], axis=1)
    ids = _ids(tokens, starts)
    return TextExamples(documents, tokens, windows, text_format=text_format, ids=ids, skipped=skipped)


def _ids(tokens: Tokens, starts: Int64[np.ndarray, "sequences"]) -> tuple[str, ...]:
    """Names of sequences: the document in which each starts, and at which of its tokens."""
    documents = np.searchsorted(tokens.bounds, starts, side="right") - 1
    offsets = starts - tokens.bounds[documents]
    return tuple(
        f"{tokens.names[document]}#{offset}"
        for document, offset in zip(documents.tolist(), offsets.tolist(), strict=True)
    )
