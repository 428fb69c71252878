"""A sentence encoder: texts in, vectors of length 1 out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32

from polylens import imports
from polylens.devices import probing_device
from polylens.errors import DataError
from polylens.progress import Progress

_POOLING = "1_Pooling/config.json"
_MEAN, _FIRST = "pooling_mode_mean_tokens", "pooling_mode_cls_token"
_USUAL_TOKENS = 512
_HINT = "it must be an encoder with its tokenizer, in safetensors, as sentence-transformers saves it"


class Encoder:
    """One encoder in memory. A text's vector is the mean over its tokens, or the first one's, as it says."""

    def __init__(self, folder: Path, *, name: str, batch: int) -> None:
        """
        Args:
            folder: with config, tokenizer and safetensors.
            name: of the encoder, for people.
            batch: texts that are read at once.

        Raises:
            DataError: it cannot be loaded, or takes a text's vector in another way.
        """
        transformers = imports.transformers()
        about: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **about)
            model = transformers.AutoModel.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32, **about
            )
        except Exception as error:  # transformers raises of many kinds
            said = str(error).partition("\n")[0]
            message = f"the sentence encoder '{name}' cannot be loaded: {said}"
            raise DataError(message, hint=_HINT) from error
        self._device = probing_device()
        self._model = model.eval().to(self._device)
        self._name, self._batch = name, batch
        self._takes_first = _takes_first(folder, name=name)
        self._tokens = int(getattr(model.config, "max_position_embeddings", _USUAL_TOKENS) or _USUAL_TOKENS)

    def vectors(self, texts: Sequence[str], progress: Progress) -> Float32[np.ndarray, "texts width"]:
        """One vector of length 1 a text; what is longer than the encoder reads is cut.

        Args:
            texts: at least one.
            progress: where the work shows itself.
        """
        parts = []
        # Texts of like length are read together: little is padded.
        order = np.argsort([len(text) for text in texts], kind="stable")
        with progress.task("encoding texts", total=len(texts), unit="texts") as task:
            for first in range(0, len(texts), self._batch):
                chosen = order[first : first + self._batch]
                parts.append(self._read([texts[each] for each in chosen]))
                task.advance(len(chosen))
        vectors = np.concatenate(parts)
        restored = np.empty_like(vectors)
        restored[order] = vectors
        return restored

    @torch.inference_mode()
    def _read(self, texts: list[str]) -> Float32[np.ndarray, "texts width"]:
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self._tokens, return_tensors="pt"
        ).to(self._device)
        hidden = self._model(**tokens).last_hidden_state
        if self._takes_first:
            pooled = hidden[:, 0]
        else:
            mask = tokens["attention_mask"][..., None].to(hidden.dtype)
            pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1)
        vectors: Float32[np.ndarray, "texts width"] = (
            torch.nn.functional.normalize(pooled, dim=-1).float().cpu().numpy()
        )
        return vectors


def _takes_first(folder: Path, *, name: str) -> bool:
    """Whether a text's vector is its first token's, and not the mean over all, as its folder says."""
    try:
        said: dict[str, Any] = json.loads((folder / _POOLING).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / _POOLING} cannot be read: {error}") from None
    modes = [key for key, value in said.items() if key.startswith("pooling_mode_") and value is True]
    if modes not in ([_MEAN], [_FIRST]):
        message = f"the sentence encoder '{name}' pools by {', '.join(modes) or 'nothing'}"
        raise DataError(message, hint="take an encoder that pools by the mean over tokens or by the first")
    return modes == [_FIRST]
