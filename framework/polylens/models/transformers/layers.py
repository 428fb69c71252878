"""Layers of language models and their short names, told from the configuration alone.

transformers names a network's parts by its architecture. Those of six are written down here, so that a
misspelt layer is found at once; those of others are found when the network is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Head = Literal["causal", "masked", "none"]
"""What stands on the blocks: logits of the next token, of a masked token, or nothing."""


@dataclass(frozen=True)
class Structure:
    """How transformers names the parts of one architecture; `{i}` is a block's number, from 0."""

    base: str
    """Attribute that holds the blocks where a head stands on them."""
    block: str
    """Path of a block within the base."""
    parts: tuple[str, ...]
    """Layers of a block."""
    before: tuple[str, ...]
    """Layers of the base before the blocks, first the one that embeds tokens."""
    after: tuple[str, ...]
    """Layers of the base after the blocks."""
    aliases: Mapping[str, str]
    """Short names and the part of a block that each stands for; the block itself is the empty text."""
    heads: Mapping[Head, tuple[str, ...]]
    """Layers beside the base; `none` are the base's own where no head stands on it."""
    blocks: str = "num_hidden_layers"
    """Key of the configuration that has the number of blocks."""
    causal: bool = True
    """Whether a token sees those before it only."""


_LOGITS: Mapping[Head, tuple[str, ...]] = {"causal": ("lm_head",)}
"""A dense layer over the vocabulary, where a head stands on the blocks."""


def _short_names(*, mlp: tuple[str, str, str], attention: str) -> Mapping[str, str]:
    """Short names of a block's parts; `mlp` is what its nonlinearity is given, what it gives, and its end."""
    before, after, out = mlp
    return {
        "mlp_pre": before,
        "mlp_post": after,
        "mlp_out": out,
        "attention_out": attention,
        "residual": "",
    }


def _gated_structure() -> Structure:
    """Llama and those built like it: the MLP's hidden units are `act(gate) * up`."""
    return Structure(
        base="model",
        block="layers.{i}",
        parts=(
            *("input_layernorm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
            *("self_attn.o_proj", "self_attn", "post_attention_layernorm", "mlp.gate_proj", "mlp.act_fn"),
            *("mlp.up_proj", "mlp.down_proj", "mlp", ""),
        ),
        before=("embed_tokens", "rotary_emb"),
        after=("norm", ""),
        aliases=_short_names(mlp=("mlp.gate_proj", "mlp.act_fn", "mlp"), attention="self_attn"),
        heads=_LOGITS,
    )


_STRUCTURES: Mapping[str, Structure] = {
    "gpt2": Structure(
        base="transformer",
        block="h.{i}",
        parts=(
            *("ln_1", "attn.c_attn", "attn.c_proj", "attn.resid_dropout", "attn", "ln_2", "mlp.c_fc"),
            *("mlp.act", "mlp.c_proj", "mlp.dropout", "mlp", ""),
        ),
        before=("wte", "wpe", "drop"),
        after=("ln_f", ""),
        aliases=_short_names(mlp=("mlp.c_fc", "mlp.act", "mlp"), attention="attn"),
        heads=_LOGITS,
        blocks="n_layer",
    ),
    "gpt_neox": Structure(
        base="gpt_neox",
        block="layers.{i}",
        parts=(
            *("input_layernorm", "attention.query_key_value", "attention.dense", "attention"),
            *("post_attention_dropout", "post_attention_layernorm", "mlp.dense_h_to_4h", "mlp.act"),
            *("mlp.dense_4h_to_h", "mlp", "post_mlp_dropout", ""),
        ),
        before=("embed_in", "emb_dropout", "rotary_emb"),
        after=("final_layer_norm", ""),
        aliases=_short_names(mlp=("mlp.dense_h_to_4h", "mlp.act", "mlp"), attention="attention"),
        heads=_LOGITS,
    ),
    "opt": Structure(
        base="model",
        block="decoder.layers.{i}",
        parts=(
            *("self_attn_layer_norm", "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
            *("self_attn.out_proj", "self_attn", "final_layer_norm", "fc1", "activation_fn", "fc2", ""),
        ),
        before=("decoder.embed_tokens", "decoder.embed_positions"),
        after=("decoder.final_layer_norm", "decoder"),
        aliases=_short_names(mlp=("fc1", "activation_fn", "fc2"), attention="self_attn"),
        heads=_LOGITS,
    ),
    "llama": _gated_structure(),
    "qwen2": _gated_structure(),
    "bert": Structure(
        causal=False,
        base="bert",
        block="encoder.layer.{i}",
        parts=(
            *("attention.self.query", "attention.self.key", "attention.self.value", "attention.self"),
            *("attention.output.dense", "attention.output.dropout", "attention.output.LayerNorm"),
            *("attention.output", "attention", "intermediate.dense", "intermediate.intermediate_act_fn"),
            *("intermediate", "output.dense", "output.dropout", "output.LayerNorm", "output", ""),
        ),
        before=(
            *("embeddings.word_embeddings", "embeddings.token_type_embeddings"),
            *("embeddings.position_embeddings", "embeddings.LayerNorm", "embeddings.dropout", "embeddings"),
        ),
        after=("encoder", ""),
        aliases=_short_names(
            mlp=("intermediate.dense", "intermediate", "output.dense"), attention="attention.output.dense"
        ),
        heads={
            "masked": (
                *("cls.predictions.transform.dense", "cls.predictions.transform.transform_act_fn"),
                *("cls.predictions.transform.LayerNorm", "cls.predictions.transform"),
                *("cls.predictions.decoder", "cls.predictions", "cls"),
            ),
            "none": ("pooler.dense", "pooler.activation", "pooler"),
        },
    ),
}


def head_of(config: Mapping[str, Any]) -> Head:
    """What stands on the blocks, by the class that the configuration names.

    >>> head_of({"architectures": ["GPT2LMHeadModel"]}), head_of({"architectures": ["BertModel"]})
    ('causal', 'none')
    """
    name = next(iter(config.get("architectures") or ()), "")
    if name.endswith(("ForCausalLM", "LMHeadModel")):
        return "causal"
    return "masked" if name.endswith("ForMaskedLM") else "none"


def layers(config: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Every layer in the order of execution; None for an architecture that is not written down here."""
    structure = _STRUCTURES.get(config.get("model_type", ""))
    if structure is None or structure.blocks not in config:
        return None
    head = head_of(config)
    base = [*structure.before]
    for number in range(config[structure.blocks]):
        block = structure.block.format(i=number)
        base += [f"{block}.{part}".removesuffix(".") for part in structure.parts]
    base += structure.after
    if head == "none":
        names = [*base, *structure.heads.get("none", ())]
    else:
        inside = [f"{structure.base}.{name}".removesuffix(".") for name in base]
        names = [*inside, *structure.heads.get(head, ())]
    return tuple(name for name in names if name)


def aliases(config: Mapping[str, Any]) -> dict[str, str]:
    """Short names, such as `embedding` and `mlp_post.5`, and their layers; none for other architectures."""
    structure = _STRUCTURES.get(config.get("model_type", ""))
    if structure is None or structure.blocks not in config:
        return {}
    base = "" if head_of(config) == "none" else f"{structure.base}."
    return {
        "embedding": f"{base}{structure.before[0]}",
        **{
            f"{alias}.{number}": f"{base}{structure.block.format(i=number)}.{part}".removesuffix(".")
            for alias, part in structure.aliases.items()
            for number in range(config[structure.blocks])
        },
    }


def is_causal(config: Mapping[str, Any]) -> bool:
    """Whether a token sees those before it only; False where the architecture is not written down here.

    A configuration can ask for attention to both sides of an architecture that usually looks back.
    """
    structure = _STRUCTURES.get(config.get("model_type", ""))
    looks_ahead = config.get("is_causal") is False or bool(config.get("use_bidirectional_attention"))
    return structure is not None and structure.causal and not looks_ahead


_BEHIND_PADDING = frozenset(
    {
        *(
            "camembert",
            "data2vec-text",
            "esm",
            "ibert",
            "layoutlmv3",
            "lilt",
            "longformer",
            "luke",
            "markuplm",
        ),
        *("mpnet", "roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod"),
    }
)
"""Architectures whose positions start behind the number of their padding token."""
_PADDING = 1
"""That number where the configuration does not say it."""


def most_tokens(config: Mapping[str, Any]) -> int | None:
    """The most tokens of one input; None where the configuration does not say.

    >>> most_tokens({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1})
    512
    """
    for settings in _settings(config):
        for key in ("n_positions", "max_position_embeddings"):
            positions = settings.get(key)
            if isinstance(positions, int) and positions > 0:
                return positions - _unused_positions(settings)
    return None


def vocabulary(config: Mapping[str, Any]) -> int | None:
    """How many tokens the network knows; None where the configuration does not say."""
    for settings in _settings(config):
        if isinstance(settings.get("vocab_size"), int):
            return int(settings["vocab_size"])
    return None


def _settings(config: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The configuration, and that of the part that reads text, where it has one of its own."""
    inner = config.get("text_config")
    return (config, inner) if isinstance(inner, Mapping) else (config,)


def _unused_positions(config: Mapping[str, Any]) -> int:
    """Positions that no token ever gets."""
    if config.get("model_type") not in _BEHIND_PADDING:
        return 0
    padding = config.get("pad_token_id")
    if not isinstance(padding, int) or config["model_type"] == "mpnet":
        return _PADDING + 1
    return padding + 1
