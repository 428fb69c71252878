"""Features of a sparse autoencoder trained on rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32, Float64

from polylens import imports
from polylens.devices import probing_device
from polylens.errors import DataError
from polylens.statistics.components import Components, column_variances, linear_components
from polylens.streams import Streams

if TYPE_CHECKING:
    import torch

_BLOCK = 2048
"""Rows that are encoded at a time."""
_AUXILIARY = 1 / 32
"""Weight of the loss that wakes dead features; the paper's."""
_DEAD = 10
"""A feature is dead after as many rows as this part of the training without being active."""


@dataclass(frozen=True)
class SparseFeatures:
    """The features of a trained sparse autoencoder."""

    components: Components
    """All features; a row's score is the feature's value before only the largest of a row are kept, so that
    rows are in order also where the feature is silent."""
    variance: Float64[np.ndarray, "features"]
    """Variance over the rows that it was trained on of the feature's value, 0 where it is silent."""
    unexplained: float
    """Share of the rows' variance that the autoencoder leaves unexplained."""
    dead: int
    """Features that are silent on all rows."""


def sparse_features(
    values: Float32[np.ndarray, "rows width"],
    *,
    features: int,
    active: int,
    steps: int,
    batch: int,
    streams: Streams,
    after_each: Callable[[], object] = lambda: None,
) -> SparseFeatures:
    """Trains a sparse autoencoder that keeps the `active` largest features of each row.

    The autoencoder and its losses are those of EleutherAI's `sparsify`; its trainer hooks language models, so
    that the steps are taken here as it takes them: Adam at its rate, decoder rows of length 1. On a GPU where
    there is one, in batches that are moved there.

    Args:
        values: the rows.
        features: how many there are.
        active: how many of them a row may have.
        steps: of training.
        batch: rows of each step, drawn with replacement.
        streams: of the first weights and of the batches.
        after_each: called after each step.

    Raises:
        DataError: the library is not installed.

    Source: Gao et al. (2024), Scaling and evaluating sparse autoencoders.
    """
    import torch

    coder, scale = _coder(values, features=features, active=min(active, features), streams=streams)
    device = probing_device()
    coder = coder.to(device)
    rows = torch.from_numpy(values / np.float32(scale))
    # In one pass over weights, gradients and moments: else they go through memory a dozen times a step.
    optimizer = torch.optim.Adam(coder.parameters(), lr=2e-4 / (features / 2**14) ** 0.5, fused=True)
    silent = torch.zeros(features, dtype=torch.int64, device=device)
    generator = streams.torch_generator("batches")
    for _ in range(steps):
        drawn = rows[torch.randint(len(rows), (batch,), generator=generator)].to(device)
        coder.set_decoder_norm_to_unit_norm()
        out = coder(drawn, dead_mask=silent > steps * batch // _DEAD)
        (out.fvu + _AUXILIARY * out.auxk_loss).backward()
        coder.remove_gradient_parallel_to_decoder_directions()
        optimizer.step()
        optimizer.zero_grad()
        silent += batch
        silent[out.latent_indices[out.latent_acts > 0]] = 0
        after_each()
    coder.set_decoder_norm_to_unit_norm()
    return _features(coder, rows, scale)


def _coder(
    values: Float32[np.ndarray, "rows width"], *, features: int, active: int, streams: Streams
) -> tuple[Any, float]:
    """A fresh autoencoder, and the length that rows are divided by."""
    import torch

    try:
        library = imports.sparsify()
    except ImportError:
        raise DataError(
            "sparse autoencoders need the library that trains them", hint="pip install 'polylens[sae]'"
        ) from None
    centre = values.mean(0, dtype=np.float64)
    scale = float(np.sqrt(column_variances(values).mean())) or 1.0
    with torch.random.fork_rng(devices=[]):
        config = library.SparseCoderConfig(num_latents=features, k=active)
        coder = library.SparseCoder(values.shape[1], config)
    generator = streams.torch_generator("weights")
    with torch.no_grad():
        # The library drew the first weights from torch's global numbers; these are the named ones.
        torch.nn.init.kaiming_uniform_(coder.encoder.weight, a=5**0.5, generator=generator)
        coder.W_dec.copy_(coder.encoder.weight)
        coder.b_dec.copy_(torch.from_numpy(centre / scale))
    return coder, scale


def _features(coder: Any, rows: torch.Tensor, scale: float) -> SparseFeatures:
    import torch

    device = coder.W_dec.device
    first, second = (torch.zeros(coder.num_latents, dtype=torch.float64, device=device) for _ in range(2))
    left = total = 0.0
    mean = rows.mean(0).to(device)
    with torch.no_grad():
        for part in (block.to(device) for block in torch.split(rows, _BLOCK)):
            acts, indices, _ = coder.encode(part)
            for sums, power in ((first, 1), (second, 2)):
                sums.index_add_(0, indices.flatten(), acts.flatten().double() ** power)
            left += float((part - coder.decode(acts, indices)).pow(2).sum())
            total += float((part - mean).pow(2).sum())
        coder, first, second = coder.cpu(), first.cpu(), second.cpu()
        reading = coder.encoder.weight.T.contiguous()
        offset = coder.encoder.bias
        centre = coder.b_dec
        linear = linear_components(
            (centre * scale).numpy(), (reading / scale).numpy(), (coder.W_dec * scale).numpy()
        )
        shift = offset.numpy().copy()
    components = Components(
        linear.directions,
        linear.centre,
        lambda some: np.asarray(linear.score(some) + shift, dtype=np.float32),
    )
    variance = second / len(rows) - (first / len(rows)) ** 2
    return SparseFeatures(
        components,
        variance.clamp(min=0).numpy() * scale**2,
        left / total if total > 0 else 0.0,
        int((second == 0).sum()),
    )
