"""Tiny language models in the hub's own format: folders of config, safetensors and tokenizer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from polylens import imports

SENTENCES = (
    "The cat sat on the mat, and the dog sat on the rug.",
    "A polytope is a region where the network is one affine map.",
    "Follow the links below: they lead to the next section of the manual.",
    "def add(a, b): return a + b  # the sum of two numbers",
    "The dog saw the cat; the cat saw the mat.",
    "Numbers such as 1, 2 and 100 are tokens as well.",
)
"""What the tokenizer is trained on; any other text is spelt out in bytes."""

ARCHITECTURES = ("gpt2", "gpt_neox", "opt", "llama", "qwen2", "bert")
CONTEXT = 64
"""Positions of every tiny model."""
SPECIALS = {
    "gpt2": {"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>"},
    "gpt_neox": {"eos_token": "<|endoftext|>", "bos_token": "<|endoftext|>"},
    "opt": {"bos_token": "</s>", "eos_token": "</s>", "pad_token": "<pad>"},
    "llama": {"bos_token": "<s>", "eos_token": "</s>"},
    "qwen2": {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>"},
    "bert": {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"},
}
BEFORE = {"opt": "</s>", "llama": "<s>", "bert": "[CLS]"}
AFTER = {"bert": "[SEP]"}


def tiny_tokenizer(folder: Path, architecture: str = "gpt2") -> Path:
    """A byte-level BPE of some 400 tokens in `folder`, with the special tokens of an architecture.

    `tokenizer.json` (its template puts the architecture's special tokens around a text) and
    `tokenizer_config.json`.
    """
    import tokenizers
    from tokenizers import models, pre_tokenizers, processors, trainers

    special = SPECIALS[architecture]
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(dict.fromkeys(special.values())),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    around = [BEFORE.get(architecture), "$A", AFTER.get(architecture)]
    template = [part for part in around if part]
    if len(template) > 1:
        named = [(part, tokenizer.token_to_id(part)) for part in template if part != "$A"]
        tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=named)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": CONTEXT, **special}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return folder


def parts_alone(folder: Path) -> Path:
    """The same tokenizer as older models have it: `vocab.json` and `merges.txt`, without `tokenizer.json`."""
    path = folder / "tokenizer.json"
    plain = json.loads(path.read_text(encoding="utf-8"))
    (folder / "vocab.json").write_text(json.dumps(plain["model"]["vocab"]), encoding="utf-8")
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in plain["model"]["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]), encoding="utf-8")
    path.unlink()
    return folder


def tiny_config(architecture: str) -> dict[str, Any]:
    """What `config.json` says: 3 blocks of width 16, 4 heads, 64 hidden units, 64 positions."""
    sizes = {
        "vocab_size": 400,
        "hidden_size": 16,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "max_position_embeddings": CONTEXT,
    }
    gpt2 = {"vocab_size": 400, "n_positions": CONTEXT, "n_embd": 16, "n_layer": 3, "n_head": 4}
    own: dict[str, dict[str, Any]] = {
        "gpt2": {**gpt2, "architectures": ["GPT2LMHeadModel"]},
        "gpt_neox": {**sizes, "intermediate_size": 64, "architectures": ["GPTNeoXForCausalLM"]},
        "opt": {**sizes, "ffn_dim": 64, "word_embed_proj_dim": 16, "architectures": ["OPTForCausalLM"]},
        "llama": {**sizes, "intermediate_size": 64, "architectures": ["LlamaForCausalLM"]},
        "qwen2": {
            **sizes,
            "intermediate_size": 64,
            "num_key_value_heads": 2,
            "architectures": ["Qwen2ForCausalLM"],
        },
        "bert": {**sizes, "intermediate_size": 64, "architectures": ["BertModel"]},
    }
    return {"model_type": architecture, **own[architecture]}


def tiny_model(folder: Path, architecture: str = "gpt2", *, seed: int = 0) -> Path:
    """A folder with `config.json`, `model.safetensors` (random weights) and the tokenizer's files.

    Args:
        folder: made where it does not exist.
        architecture: one of `ARCHITECTURES`.
        seed: of the weights, which are large enough for every unit to be on and off now and then.
    """
    transformers = imports.transformers()
    tiny_tokenizer(folder, architecture)
    config = transformers.AutoConfig.for_model(**tiny_config(architecture))
    kind = getattr(transformers, config.architectures[0])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = kind(config)
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
    module.save_pretrained(folder)
    return folder
