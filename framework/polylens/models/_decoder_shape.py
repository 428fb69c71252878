"""What decoders are made of and how their layers are called; torch is not needed to know that."""

from __future__ import annotations

from dataclasses import dataclass

from polylens.models._activations import Activation

_PARTS_OF_BLOCKS = (
    *(
        "norm.attention",
        "attention.query",
        "attention.key",
        "attention.value",
        "attention.output",
        "attention",
    ),
    *("norm.mlp", "mlp.linear", "mlp.activation", "mlp.output", "mlp", ""),
)
"""Layers of a block in the order of execution; those of norms only where it has norms."""
_SHORT_NAMES = {
    "mlp_pre": ".mlp.linear",
    "mlp_post": ".mlp.activation",
    "mlp_out": ".mlp",
    "attention_out": ".attention",
    "residual": "",
}
"""Layers of a block as models of the hub have them, and what follows the block's own name."""


@dataclass(frozen=True)
class DecoderShape:
    """What a decoder is made of, without its weights."""

    width: int
    """Numbers in the residual stream."""
    depth: int
    """Blocks."""
    heads: int
    """Heads of each attention."""
    hidden: int
    """Hidden units of each MLP."""
    context: int
    """Tokens of one input at most."""
    activation: Activation = "relu"
    norms: bool = True
    """Whether a layer norm stands before each attention, each MLP and the output."""
    query_biases: bool = True
    """Whether queries, keys and values have biases."""

    def layers(self) -> tuple[str, ...]:
        """Every layer, first to last."""
        parts = [part for part in _PARTS_OF_BLOCKS if self.norms or not part.startswith("norm.")]
        blocks = [f"blocks.{block}.{part}".rstrip(".") for block in range(self.depth) for part in parts]
        return ("embedding", "positions", *blocks, *(("norm",) if self.norms else ()), "output")

    def short_names(self) -> dict[str, str]:
        """Short names, as language models of the hub have them, and the layer each stands for."""
        return {
            f"{name}.{block}": f"blocks.{block}{part}"
            for name, part in _SHORT_NAMES.items()
            for block in range(self.depth)
        }
