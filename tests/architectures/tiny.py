"""Tiny configurations of every language architecture that the installed transformers has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from polylens import imports

CONTEXT = 24
"""Tokens of one input."""
_SIZES: tuple[tuple[str, int], ...] = (
    (r"vocab_size|n_vocab|.*_vocab_size", 400),
    (r"num_hidden_layers|n_layers?|num_layers|num_encoder_layers|num_decoder_layers|(en|de)coder_layers", 2),
    (r"num_blocks|num_mem_blocks", 2),
    (
        r"(en|de)coder_attention_heads|num_attention_heads|n_heads?|num_heads|n_head|num_encoder_attention_heads",
        4,
    ),
    (r"num_decoder_attention_heads|linear_num_value_heads|mamba_n_heads|mamba_num_heads|num_kv_heads", 4),
    (r"num_key_value_heads|linear_num_key_heads|multi_query_group_num|n_kv_heads", 2),
    (
        r"head_dim|attention_head_dim|d_kv|kv_channels|v_head_dim|qk_nope_head_dim|linear_(key|value)_head_dim",
        8,
    ),
    (r"qk_rope_head_dim|rotary_dim|global_head_dim|mamba_head_dim|mamba_d_head", 8),
    (r"hidden_size|d_model|n_embd|dim|emb_dim|embedding_size|word_embed_proj_dim|attention_hidden_size", 32),
    (r"hidden_size_per_layer_input", 8),
    (r"hidden_size_global", 32),
    (r"encoder_hash_byte_group_vocab", 400),
    (r"intermediate_size|ffn_dim|d_ff|d_inner|n_inner|(en|de)coder_ffn_dim|ffn_hidden_size|hidden_dim", 64),
    (r"moe_intermediate_size|shared_expert_intermediate_size|shared_intermediate_size|lru_width", 32),
    (r"max_position_embeddings|n_positions|max_seq_len|max_sequence_length|seq_length|max_seq_length", 64),
    (r"n_ctx|context_length", 64),
    (r"num_experts|num_local_experts|n_routed_experts|moe_num_experts", 4),
    (r"num_experts_per_tok|num_experts_per_token|moe_topk|moe_top_k|top_k_experts", 2),
    (r"n_group|num_expert_group|topk_group|n_shared_experts|moe_num_shared_experts", 1),
    (r"q_lora_rank|kv_lora_rank", 16),
    (r"state_size|mamba_d_state|ssm_state_size|conv_kernel_size", 4),
    (r"sliding_window|attention_window_size", 8),
    (r"first_k_dense_replace|moe_layer_start_index", 1),
)
"""Patterns of keys and the number that each gets where an architecture has it."""
_LARGE = (
    "vocab_size",
    "hidden_size",
    "d_model",
    "n_embd",
    "num_hidden_layers",
    "n_layer",
    "intermediate_size",
)
"""Keys that are never left to an architecture's own large defaults."""


def mappings() -> dict[str, dict[str, Any]]:
    """By head (`causal`, `masked`, `base`), the classes of the automatic classes, by architecture."""
    imports.transformers()
    from transformers.models.auto import modeling_auto as auto

    return {
        "causal": dict(auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
        "masked": dict(auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES),
        "base": dict(auto.MODEL_MAPPING_NAMES),
    }


def sizes_of(model_type: str, *, head: str) -> Iterator[dict[str, Any]]:
    """Configs of a tiny network, as `config.json` would say them, until one fits.

    Args:
        model_type: the architecture.
        head: `causal`, `masked` or `base`.
    """
    transformers = imports.transformers()
    try:
        plain = transformers.CONFIG_MAPPING[model_type]().to_dict()
    except Exception:  # some have no defaults that their own checks let pass
        return
    named = mappings()[head][model_type]
    start = {"model_type": model_type, "architectures": [named if isinstance(named, str) else named[0]]}
    small = _small(plain)
    yield {**start, **small}
    if "num_key_value_heads" in small:
        yield {**start, **small, "num_key_value_heads": 4}
    for key, value in small.items():
        if key not in _LARGE and not isinstance(value, dict):  # a part's own defaults are billions of numbers
            yield {**start, **{name: size for name, size in small.items() if name != key}}


def _small(plain: dict[str, Any]) -> dict[str, Any]:
    small: dict[str, Any] = {}
    for key, value in plain.items():
        if isinstance(value, dict) and "model_type" in value:
            small[key] = {"model_type": value["model_type"], **_small(value)}
        elif isinstance(value, int) and not isinstance(value, bool):
            for pattern, size in _SIZES:
                if re.fullmatch(pattern, key):
                    small[key] = size
        elif value is None and re.fullmatch(r"intermediate_size|n_inner|d_inner", key):
            continue
    for key in ("layer_types", "layers_block_type", "mlp_layer_types"):
        if isinstance(plain.get(key), list):
            kinds = list(dict.fromkeys(plain[key]))
            small[key] = (kinds * 2)[: max(2, len(kinds))]
            small["num_hidden_layers"] = len(small[key])
    for key in (
        "pad_token_id",
        "bos_token_id",
        "eos_token_id",
        "sep_token_id",
        "cls_token_id",
        "unk_token_id",
    ):
        value = plain.get(key)
        if isinstance(value, int) and value >= 400:
            small[key] = 3
        if isinstance(value, list):
            small[key] = 3
    return small
