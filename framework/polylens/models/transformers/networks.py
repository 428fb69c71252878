"""transformers' networks, brought to one form: int64 token ids in, padding told by -1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Literal, cast

import torch

from polylens import imports
from polylens.dataflow import pause_watches
from polylens.errors import DataError
from polylens.model_files import weight_files
from polylens.models.transformers.layers import head_of
from polylens.records import PADDING

Attention = Literal["sdpa", "eager"]


def build(config: Mapping[str, Any], *, attention: Attention, generator: torch.Generator) -> torch.nn.Module:
    """The network as transformers initialises it, in eval mode and 32 bits.

    Args:
        config: what `config.json` says.
        attention: how attention is computed.
        generator: initial weights are drawn from it alone.

    Raises:
        DataError: transformers has no such architecture, or not with these sizes, or it is not run on tokens
            alone; says what to do.
    """
    network, settings = _class_and_settings(config)
    # transformers draws from torch's global stream: it is given one of our own for as long as that takes.
    seed = int(torch.randint(2**62, (), generator=generator, device="cpu"))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            module = network.from_config(settings, attn_implementation=attention, dtype=torch.float32)
        except Exception as error:  # each architecture checks its sizes in its own way
            raise _not_built(error, config) from error
    return _prepare(module)


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
    return _prepare(module)


def _class_and_settings(config: Mapping[str, Any]) -> tuple[Any, Any]:
    """The automatic class for the class that the config names, and the config as transformers has it.

    Raises:
        DataError: there is none, or it is none that is run on tokens alone.
    """
    transformers = imports.transformers()
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
    automatic = _automatic_class(config)
    try:
        network = automatic._model_mapping[type(settings)]
    except Exception as error:  # a class that is not there, or whose module needs a package that is not
        raise DataError(
            f"transformers has no {automatic.__name__.removeprefix('AutoModel') or 'bare model'} of the "
            f"architecture '{model_type}' here: {_first_line(error)}",
            hint="`architectures` in the config names the class; a package that is missing must be installed",
        ) from None
    try:
        _check_inputs(network[0] if isinstance(network, tuple) else network, settings)
    except ImportError as error:  # a class whose module lacks a package stands there without anything in it
        raise _not_built(error, config) from error
    return automatic, settings


def _automatic_class(config: Mapping[str, Any]) -> Any:
    """The automatic class that knows the class which the config names; where none does, by its ending."""
    transformers = imports.transformers()
    known = transformers.models.auto.modeling_auto
    named = next(iter(config.get("architectures") or ()), "")
    automatic = {
        "causal": (transformers.AutoModelForCausalLM, known.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES),
        "masked": (transformers.AutoModelForMaskedLM, known.MODEL_FOR_MASKED_LM_MAPPING_NAMES),
        "none": (transformers.AutoModel, known.MODEL_MAPPING_NAMES),
        "encoder": (transformers.AutoModelForTextEncoding, known.MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES),
    }
    for found, names in automatic.values():
        classes = names.get(config.get("model_type", ""), ())
        if named and named in ((classes,) if isinstance(classes, str) else classes):
            return found
    return automatic[head_of(config)][0]


def _check_inputs(network: Any, settings: Any) -> None:
    """Refuses what is not run on one sequence of tokens.

    Raises:
        DataError: it is an encoder and a decoder, or reads something else than tokens.
    """
    if network.main_input_name != "input_ids":
        raise DataError(
            f"{network.__name__} reads {network.main_input_name}, not tokens of text",
            hint="take a text model, or the text part of this one as a model of its own",
        )
    is_half = network.__name__.endswith(("ForCausalLM", "EncoderModel", "Decoder"))
    if settings.is_encoder_decoder and not is_half:
        raise DataError(
            f"{network.__name__} is an encoder and a decoder, which read two texts",
            hint="name one of them in the config's `architectures`: the class that ends with ForCausalLM is "
            "the decoder alone, the one that ends with EncoderModel the encoder, where transformers has them",
        )


def _not_built(error: Exception, config: Mapping[str, Any]) -> DataError:
    """What to say of an architecture that its class does not build."""
    if isinstance(error, ImportError):
        return DataError(
            f"the architecture '{config['model_type']}' needs a package: {_first_line(error)}",
            hint="install that package beside polylens",
        )
    if "attn_implementation" in str(error) or "attention implementation" in str(error):
        return DataError(
            f"transformers has no fused attention for the architecture '{config['model_type']}'",
            hint="write `attention: eager`: attention is then computed step by step",
        )
    return DataError(
        f"transformers cannot build the config: {_first_line(error)}",
        hint="the sizes in the config must fit each other",
    )


def _prepare(module: torch.nn.Module) -> torch.nn.Module:
    module.register_forward_pre_hook(_from_ids, with_kwargs=True)
    return module.eval()


def _from_ids(
    module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
    """Turns one int64 tensor of ids into what transformers takes."""
    if len(args) != 1 or kwargs:
        return None
    ids = cast(torch.Tensor, args[0])
    with pause_watches():
        real = ids != PADDING
        padded = not bool(real.all())
    if not padded:
        return (), {"input_ids": ids, "use_cache": False}
    return (), {
        "input_ids": ids.masked_fill(~real, _padding_of(module)),
        "attention_mask": real.to(torch.int64),
        "use_cache": False,
    }


def _padding_of(module: torch.nn.Module) -> int:
    """The token by which the network itself fills texts up: some give it a vector of zeros."""
    settings: Any = module.config
    found = getattr(settings.get_text_config(), "pad_token_id", None)
    return found if isinstance(found, int) and found >= 0 else 0


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
