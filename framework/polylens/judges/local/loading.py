"""A judge's model and its tokenizer, from safetensors or from a GGUF file."""

from __future__ import annotations

from contextlib import nullcontext, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import torch

from polylens import imports
from polylens.errors import DataError


def load(folder: Path, *, gguf: str | None, name: str) -> tuple[Any, Any]:
    """The tokenizer and the model, in eval mode and 32 bits, on the CPU.

    Args:
        folder: with config, tokenizer and safetensors, or with a GGUF file, which holds all three.
        gguf: name of that file; its weights are widened from the few bits that they have there.
        name: of the model, for people.

    Raises:
        DataError: it cannot be loaded.
    """
    transformers = imports.transformers()
    about: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    weights: dict[str, Any] = {"use_safetensors": True} if gguf is None else {}
    if gguf is not None:
        about["gguf_file"] = gguf
    # A GGUF file is read under a progress bar that nothing else switches off.
    silence = nullcontext() if gguf is None else redirect_stderr(StringIO())
    try:
        with silence:
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **about)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                folder, dtype=torch.float32, **about, **weights
            )
    except Exception as error:  # transformers raises of many kinds
        said = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise DataError(
            f"the judge's model '{name}' cannot be loaded: {said}",
            hint="pip install 'polylens[gguf]', where it is not installed; transformers must know the "
            "architecture in GGUF files"
            if gguf is not None
            else "it must be a causal language model with its tokenizer, in safetensors",
        ) from error
    return tokenizer, model.eval()
