"""transformers' networks, brought to one form: int64 token ids in, padding told by -1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal, cast

import torch

from polylens import imports
from polylens.dataflow import unwatched
from polylens.errors import DataError
from polylens.models._language_layers import head_of
from polylens.models._model_files import weight_files
from polylens.records import PADDING

Attention = Literal["sdpa", "eager"]


def build(config: Mapping[str, Any], *, attention: Attention, generator: torch.Generator) -> torch.nn.Module:
    """The network as transformers initialises it, in eval mode and 32 bits.

    Args:
        config: what `config.json` says.
        attention: how attention is computed.
        generator: initial weights are drawn from it alone.

    Raises:
        DataError: transformers has no such architecture, or not with these sizes.
    """
    network, settings = _class_and_settings(config)
    # transformers draws from torch's global stream: it is given one of our own for as long as that takes.
    seed = int(torch.randint(2**62, (), generator=generator, device="cpu"))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            module = network.from_config(settings, attn_implementation=attention, dtype=torch.float32)
        except (ValueError, RuntimeError, AttributeError, TypeError) as error:
            raise DataError(f"transformers cannot build the config: {_first_line(error)}") from None
    return _prepared(module)


def load(
    folder: Path, config: Mapping[str, Any], *, attention: Attention, pickled: bool = False
) -> torch.nn.Module:
    """The network with the weights of a folder, in eval mode and 32 bits.

    Args:
        folder: with weights.
        config: what `config.json` says.
        attention: how attention is computed.
        pickled: whether pickled weights are opened where there are no safetensors; tensors alone are read of
            them, and nothing in them is run.

    Raises:
        DataError: there are no safetensors, the pickled weights hold more than tensors, or the weights do not
            fit the config; names the first few misfits.
    """
    safe = all(path.suffix == ".safetensors" for path in weight_files(folder, pickled=pickled))
    network, settings = _class_and_settings(config)
    try:
        module, report = network.from_pretrained(
            folder,
            config=settings,
            local_files_only=True,
            use_safetensors=safe,
            weights_only=True,
            trust_remote_code=False,
            attn_implementation=attention,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, UnpicklingError, EOFError) as error:
        raise DataError(f"the weights in {folder} cannot be read: {_first_line(error)}") from None
    problems = [
        f"{what}: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
        for what, key in (("missing", "missing_keys"), ("of another shape", "mismatched_keys"))
        if (names := sorted(str(name) for name in report[key]))
    ]
    if problems:
        raise DataError(
            f"the weights in {folder} do not fit its config: {'; '.join(problems)}",
            hint="the config and the weights must be of one model",
        )
    return _prepared(module)


def _class_and_settings(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """The automatic class for the head that the config names, and the config as transformers has it."""
    transformers = imports.transformers()
    classes = {
        "causal": transformers.AutoModelForCausalLM,
        "masked": transformers.AutoModelForMaskedLM,
        "none": transformers.AutoModel,
    }
    model_type = config.get("model_type", "")
    # Code that comes with a model is never run: `auto_map` would name it.
    plain = {key: value for key, value in config.items() if key not in ("auto_map", "model_type", "dtype")}
    plain.pop("torch_dtype", None)
    if model_type not in transformers.CONFIG_MAPPING:
        code = " beside code of its own, which is not run" if "auto_map" in config else ""
        raise DataError(
            f"transformers {transformers.__version__} has no architecture '{model_type}'{code}",
            hint="`model_type` in the config names it",
        )
    try:
        settings = transformers.CONFIG_MAPPING[model_type].from_dict(plain)
    except Exception as error:  # its checks raise kinds of their own
        raise DataError(f"transformers cannot read the config: {_first_line(error)}") from None
    return classes[head_of(config)], settings


def _prepared(module: torch.nn.Module) -> torch.nn.Module:
    module.register_forward_pre_hook(_from_ids, with_kwargs=True)
    return module.eval()


def _from_ids(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Turns one int64 tensor of ids into what transformers takes."""
    if len(args) != 1 or kwargs:
        return None
    ids = cast(torch.Tensor, args[0])
    with unwatched():
        real = ids != PADDING
        padded = not bool(real.all())
    if not padded:
        return (), {"input_ids": ids, "use_cache": False}
    return (), {
        "input_ids": ids.masked_fill(~real, 0),
        "attention_mask": real.to(torch.int64),
        "use_cache": False,
    }


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0].strip() if lines else type(error).__name__
