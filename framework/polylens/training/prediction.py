"""How well a network predicts the next token, beside counts of single tokens and of pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from polylens.devices import Options, exact_float32, in_fitting_batches, silent_trainer
from polylens.errors import DataError
from polylens.progress import Progress, Silent
from polylens.records import Examples, Network, Number
from polylens.statistics import jackknife_limits

_RANGE = "90 % interval, leaving out one document after the other"


def next_token_numbers(
    network: Network,
    examples: Examples,
    *,
    learnt: Examples,
    options: Options | None = None,
    progress: Progress | None = None,
) -> dict[str, Number]:
    """Mean loss in nats per token of texts the network was not trained on, and that of two baselines.

    The baselines count the training texts: `unigram_loss` of single tokens, each counted once more than it
    occurs; `bigram_loss` of pairs of neighbours, where a token that never followed the one before it has its
    share among single tokens, the more so the more kinds of tokens did follow (Witten and Bell 1991).

    Args:
        network: gives logits of the next token at each token.
        examples: texts, one an example; the first token of each is not predicted.
        learnt: sequences of the training texts.
        options: accelerator and batch size.
        progress: where a smaller batch is noted.

    Raises:
        DataError: there is no text of two tokens.
        UsageError: there is not enough memory for one text.
    """
    lengths = examples.lengths()
    if lengths is None or int(lengths.max(initial=0)) < 2:
        raise DataError("the next token is predicted in texts of two tokens or more, and there is none")
    counts = _Counts.of(learnt, vocabulary=_vocabulary(network, examples))
    own, single, pairs = (np.zeros(len(examples)) for _ in range(3))

    def add_up(batch_size: int) -> None:
        for start in range(0, len(examples), batch_size):
            indices = range(start, min(start + batch_size, len(examples)))
            own[list(indices)] = _losses(network, examples, indices, lengths, options)
            for index in indices:
                ids = examples.batch([index]).numpy()[0][: lengths[index]]
                single[index] = counts.single(ids[1:]).sum()
                pairs[index] = counts.pairs(ids[:-1], ids[1:]).sum()

    with exact_float32():
        size = (options or Options()).batch_size
        in_fitting_batches(add_up, batch_size=size, note=(progress or Silent()).note)
    tokens = np.maximum(lengths - 1, 0).astype(np.float64)
    unigram, bigram = _mean(single, tokens), _mean(pairs, tokens)
    return {
        "next_token_loss": _mean(own, tokens, chance=unigram.value),
        "bigram_lead": _mean(pairs - own, tokens, chance=0.0),
        "bigram_loss": bigram,
        "unigram_loss": unigram,
    }


def _losses(
    network: Network,
    examples: Examples,
    indices: range,
    lengths: Int64[np.ndarray, "examples"],
    options: Options | None,
) -> Float64[np.ndarray, "texts"]:
    """The sum of the losses of each text's tokens."""
    import torch

    accelerator = (options or Options()).accelerator
    device = silent_trainer(Options(accelerator=accelerator)).strategy.root_device
    module = network.module.to(device).eval()
    ids = examples.batch(indices).to(device)
    try:
        with torch.no_grad():
            scores = module(ids)[:, :-1]
            following = ids[:, 1:]
            losses = torch.nn.functional.cross_entropy(
                scores.transpose(1, 2), following.clamp(min=0), reduction="none"
            )
            losses = losses.double().masked_fill(following < 0, 0.0)
    finally:
        network.module.cpu()
    summed: Float64[np.ndarray, "texts"] = losses.sum(1).cpu().numpy()
    return summed


def _vocabulary(network: Network, examples: Examples) -> int:
    import torch

    with torch.no_grad():
        return int(network.module.eval()(examples.batch([0])).shape[-1])


def _mean(
    sums: Float64[np.ndarray, "documents"],
    tokens: Float64[np.ndarray, "documents"],
    *,
    chance: float | None = None,
) -> Number:
    """A mean over tokens, with limits from leaving out documents."""
    total, count = float(sums.sum()), float(tokens.sum())
    value = total / count
    without = [
        ((total - own) / (count - size), count / size)
        for own, size in zip(sums.tolist(), tokens.tolist(), strict=True)
        if 0 < size < count
    ]
    low, high = jackknife_limits(value, without) or (None, None)
    meant = {None: "", 0.0: "counts of pairs predict as well"}
    return Number(
        value,
        low,
        high,
        "" if low is None else _RANGE,
        chance=chance,
        chance_is=meant.get(chance, "counts of single tokens of the training texts"),
        unit="nats",
    )


@dataclass(frozen=True)
class _Counts:
    """How often tokens and pairs of neighbours stand in texts."""

    tokens: Int64[np.ndarray, "vocabulary"]
    first: Int64[np.ndarray, "vocabulary"]
    """How often each token has one after it."""
    kinds: Int64[np.ndarray, "vocabulary"]
    """How many different tokens follow each."""
    pair: Int64[np.ndarray, "pairs"]
    """Each pair that occurs, as first x vocabulary + second, rising."""
    number: Int64[np.ndarray, "pairs"]
    """How often it does."""

    @staticmethod
    def of(learnt: Examples, *, vocabulary: int) -> _Counts:
        """The counts of sequences of one length."""
        from polylens.training.batches import all_inputs

        ids = all_inputs(learnt).numpy()
        pairs = (ids[:, :-1] * vocabulary + ids[:, 1:]).ravel()
        pair, number = np.unique(pairs, return_counts=True)
        return _Counts(
            tokens=np.bincount(ids.ravel(), minlength=vocabulary).astype(np.int64),
            first=np.bincount(ids[:, :-1].ravel(), minlength=vocabulary).astype(np.int64),
            kinds=np.bincount(pair // vocabulary, minlength=vocabulary).astype(np.int64),
            pair=pair.astype(np.int64),
            number=number.astype(np.int64),
        )

    def single(self, ids: Int64[np.ndarray, "tokens"]) -> Float64[np.ndarray, "tokens"]:
        """The loss of each token by single tokens."""
        return np.asarray(-np.log((self.tokens[ids] + 1) / (self.tokens.sum() + len(self.tokens))))

    def pairs(
        self, before: Int64[np.ndarray, "tokens"], ids: Int64[np.ndarray, "tokens"]
    ) -> Float64[np.ndarray, "tokens"]:
        """The loss of each token by pairs."""
        wanted = before * len(self.tokens) + ids
        at = np.minimum(np.searchsorted(self.pair, wanted), max(len(self.pair) - 1, 0))
        seen = np.where(self.pair[at] == wanted, self.number[at], 0)
        kinds, rows = self.kinds[before], self.first[before]
        share = np.exp(-self.single(ids))
        # After a token that nothing ever followed, single tokens are all that is known.
        mixed = (seen + kinds * share) / np.maximum(rows + kinds, 1)
        return np.asarray(-np.log(np.where(rows > 0, mixed, share)))
