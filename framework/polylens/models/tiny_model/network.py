"""The module of TinyModel: a decoder that knows some of GPT-2's tokens by numbers of its own."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Int64

from polylens.models._decoder import Decoder
from polylens.models._decoder_shape import DecoderShape
from polylens.models.tiny_model.tokens import GPT2_AND_SPECIAL, KNOWN

_OWN = {
    "embed.weight": "embedding.weight",
    "pos_embed": "positions.weight",
    "lm_head.weight": "output.weight",
    "lm_head.bias": "output.bias",
}
_OWN_PARTS = {
    "attn.Q": "attention.query",
    "attn.K": "attention.key",
    "attn.V": "attention.value",
    "attn.O": "attention.output",
    "mlp.read_in": "mlp.linear",
    "mlp.write_out": "mlp.output",
}


class StoryDecoder(Decoder):
    """GPT-2's tokens in, logits of the next of the 10,000 known tokens out."""

    renumbering: torch.Tensor

    def __init__(self, shape: DecoderShape) -> None:
        super().__init__(shape, vocabulary=KNOWN)
        # No weight: it says what tokens are called, for trained and random weights alike.
        self.register_buffer(
            "renumbering", torch.zeros(GPT2_AND_SPECIAL, dtype=torch.int64), persistent=False
        )

    def known_as(self, renumbering: Int64[torch.Tensor, " tokens"]) -> StoryDecoder:
        """This network, which knows GPT-2's token `i` as its own token `renumbering[i]`."""
        self.renumbering.copy_(renumbering)
        return self

    def forward(self, ids: Int64[torch.Tensor, "texts tokens"]) -> torch.Tensor:
        """Logits of the token after each; padding stands at the end, where no token before it sees it."""
        return super().forward(self.renumbering[ids.clamp(min=0)])


def own_names(published: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors of a published file by the names that they have here; those of no known name keep theirs."""
    state = {_own_name(name): tensor for name, tensor in published.items()}
    places = state.get("positions.weight")
    if places is not None and places.ndim == 3:
        state["positions.weight"] = places.flatten(0, 1)  # the file has them for a batch of one text
    return state


def _own_name(name: str) -> str:
    if not name.startswith("torso."):
        return _OWN.get(name, name)
    _, block, rest = name.split(".", 2)
    part, _, kind = rest.rpartition(".")
    return f"blocks.{block}.{_OWN_PARTS.get(part, part)}.{kind}"
