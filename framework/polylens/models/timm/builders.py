"""timm's builders and data configs, and files of weights of its networks on the hub."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch

from polylens import imports
from polylens.errors import DataError, UsageError, nearest
from polylens.hub import ask, not_had, troubles
from polylens.records import ImageFormat

_FILE = "model.safetensors"


def build(name: str, *, classes: int | None, generator: torch.Generator) -> torch.nn.Module:
    """The network as timm initialises it, in eval mode.

    Args:
        name: timm's name of the network.
        classes: number of logits; None for that of the published weights.
        generator: initial weights are drawn from it alone.

    Raises:
        DataError: timm is not installed.
        UsageError: timm has no such network.
    """
    config = _config(name)
    # timm draws from torch's global stream: it is given one of our own for as long as that takes.
    seed = int(torch.randint(2**62, (), generator=generator, device="cpu"))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        module = _library().create_model(
            name, pretrained=False, num_classes=config["num_classes"] if classes is None else classes
        )
    return cast(torch.nn.Module, module.eval())


def image_format(name: str, *, image_size: int | None) -> ImageFormat:
    """How timm prepares images for the weights of a name, by its own data config.

    Args:
        name: timm's name of the network.
        image_size: side of the crop; None for the weights' own. The shorter side is scaled along.

    Raises:
        DataError: timm is not installed, or squeezes or pads images of this network.
        UsageError: timm has no such network, or it takes no other size.
    """
    published = _config(name)
    config = _library().data.resolve_data_config({}, pretrained_cfg=published)
    channels, height, width = config["input_size"]
    if published["fixed_input_size"] and image_size not in (None, height):
        raise UsageError(f"timm's {name} is built for images of {height} x {width}, not of {image_size}")
    if config["crop_mode"] != "center" or height != width or config["crop_pct"] > 1:
        raise DataError(
            f"timm prepares images for {name} by crop_mode '{config['crop_mode']}' and crop_pct "
            f"{config['crop_pct']} to {height} x {width}; polylens cuts a square about the centre",
            hint="take another network, or hand the module over from Python",
        )
    side = height if image_size is None else image_size
    return ImageFormat(
        channels=channels,
        resize=math.floor(side / config["crop_pct"]),
        crop=(side, side),
        interpolation=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )


def hub_file(name: str, *, revision: str) -> Path:
    """The file of published weights in the hub's cache, downloaded where it is not there yet.

    Raises:
        DataError: timm publishes none under this name, or they are not there and cannot be downloaded.
        UsageError: timm has no such network.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    where = _config(name).get("hf_hub_id")
    if not where:
        raise DataError(
            f"timm publishes no weights of {name} on the hub", hint="add the tag of its weights to the name"
        )
    try:
        return Path(hf_hub_download(where, _FILE, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        pass
    try:
        ask(where, what="model", revision=revision)
        return Path(hf_hub_download(where, _FILE, revision=revision))
    except troubles() as error:
        found = not_had(where, what="model", revision=revision, files=(_FILE,), error=error)
    command = (found.hint or "").partition("\n")[0]
    raise DataError(
        found.message,
        hint=f"{command}\n  then copy the cache here (HF_HOME names its folder), or write "
        f"`weights: {{file: PATH}}` with a local copy of {_FILE}",
    )


def _library() -> Any:
    try:
        return imports.timm()
    except ImportError:
        raise DataError(
            "networks of timm need the package timm, which is not installed",
            hint="pip install 'polylens[timm]'",
        ) from None


def _config(name: str) -> Mapping[str, Any]:
    """timm's record of the published weights of a name.

    Raises:
        UsageError: timm has no such network, or no such weights of it.
    """
    library = _library()
    network, _, tag = name.partition(".")
    known = library.list_models()
    if network not in known:
        raise UsageError(f"timm has no network named '{network}'{_guess(network, known)}")
    tags = library.models.list_pretrained(f"{network}.*") if tag else []
    if tag and name not in tags:
        raise UsageError(f"timm has no weights named '{name}'{_guess(name, tags)}", hint=", ".join(tags))
    config: Mapping[str, Any] = library.models.get_pretrained_cfg(name).to_dict()
    return config


def _guess(name: str, known: list[str]) -> str:
    close = nearest(name, known)
    return "" if close is None else f"; did you mean '{close}'?"
