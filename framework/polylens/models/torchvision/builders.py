"""torchvision's builders, weights and transforms, brought to one form."""

from __future__ import annotations

import re
import sys
from contextlib import redirect_stdout
from pathlib import Path, PurePosixPath
from typing import Any, cast
from urllib.error import URLError
from urllib.parse import urlparse

import torch

from polylens import imports
from polylens.digests import file_sha256
from polylens.errors import DataError, UsageError, nearest
from polylens.records import ImageFormat

_HASH = re.compile(r"-([0-9a-f]{8,})\.")
"""The digits that PyTorch writes into the file names of published weights."""
_SIZES = "give another `image_size`, such as 224: some networks cut images into patches or windows"
_OLD_DENSENET_KEY = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")


def build(
    name: str, *, preset: str | None, classes: int, image_size: int | None, generator: torch.Generator
) -> torch.nn.Module:
    """The network as torchvision initialises it, in eval mode, without auxiliary heads.

    Args:
        name: torchvision's name of the network.
        preset: published weights whose architecture is meant: a few networks differ with their weights.
        classes: number of logits.
        image_size: side of the input, for the networks that are built for one size.
        generator: initial weights are drawn from it alone.

    Raises:
        UsageError: torchvision has no such network, it has no such weights, or it does not fit images of this
            size.
    """
    models = imports.torchvision().models
    if name not in (known := models.list_models(module=models)):
        raise UsageError(f"torchvision has no network named '{name}'{_guess(name, known)}")
    weights = None if preset is None else weights_record(name, weights=preset)
    options = {"num_classes": classes, **_quirks(name, weights, image_size=image_size)}
    # torchvision draws from torch's global stream: it is given one of our own for as long as that takes.
    seed = int(torch.randint(2**62, (), generator=generator, device="cpu"))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            module = models.get_model(name, weights=None, **options)
        except (AssertionError, ValueError) as error:  # patches and windows that the size is no multiple of
            size = f" for images of {image_size} x {image_size} pixels" if image_size else ""
            raise UsageError(
                f"torchvision cannot build {name}{size}: {error}", hint=_SIZES if image_size else ""
            ) from error
    return cast(torch.nn.Module, module.eval())


def weights_record(name: str, *, weights: str) -> Any:
    """torchvision's record of published weights.

    Raises:
        UsageError: the network has no weights of that name.
    """
    known = imports.torchvision().models.get_model_weights(name)
    if weights not in known.__members__:
        guess = _guess(weights, list(known.__members__))
        raise UsageError(f"torchvision has no weights of {name} named '{weights}'{guess}")
    return known[weights]


def published_file(name: str, *, weights: str) -> str:
    """File name of published weights, such as `googlenet-1378be20.pth`; it carries digits of its sha256."""
    return PurePosixPath(urlparse(weights_record(name, weights=weights).url).path).name


def published_format(name: str, *, weights: str) -> ImageFormat:
    """How published weights want their images."""
    transforms = weights_record(name, weights=weights).transforms()
    return ImageFormat(
        channels=3,
        resize=transforms.resize_size[0],
        crop=(transforms.crop_size[0], transforms.crop_size[0]),
        interpolation=transforms.interpolation.value,
        mean=tuple(transforms.mean),
        std=tuple(transforms.std),
    )


def download(name: str, *, weights: str) -> dict[str, torch.Tensor]:
    """Published weights, from torch's cache or downloaded there, checked against the hash in their file name.

    Raises:
        DataError: they cannot be downloaded, or the file is damaged; says where to put it.
    """
    record = weights_record(name, weights=weights)
    place = Path(torch.hub.get_dir()) / "checkpoints" / published_file(name, weights=weights)
    _check_hash(place, name=name, weights=weights)
    try:
        # torch announces a download on standard output, which belongs to what was asked for.
        with redirect_stdout(sys.stderr):
            state = record.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (URLError, OSError) as error:
        raise DataError(
            f"the weights {weights} of {name} cannot be downloaded from {record.url}: {error}",
            hint=f"put that file at {place} (TORCH_HOME moves the folder),\n"
            f"  or write `weights: {{file: PATH, preset: {weights}}}` with a local copy",
        ) from None
    except RuntimeError as error:
        raise DataError(f"the weights {weights} of {name} came damaged from {record.url}: {error}") from None
    if name.startswith("densenet"):
        return _rename(state)
    return cast("dict[str, torch.Tensor]", state)


def _guess(name: str, known: list[str]) -> str:
    close = nearest(name, known)
    return "" if close is None else f"; did you mean '{close}'?"


def _check_hash(place: Path, *, name: str, weights: str) -> None:
    """Checks a file that lies in torch's cache, which torch itself does only while it downloads."""
    expected = _HASH.search(place.name)
    if expected is None or not place.is_file() or file_sha256(place).startswith(expected[1]):
        return
    raise DataError(
        f"the weights {weights} of {name} at {place} are damaged: "
        f"their sha256 does not begin with {expected[1]}",
        hint="delete that file, so that it is downloaded again, or put a whole copy there",
    )


def _quirks(name: str, weights: Any, *, image_size: int | None) -> dict[str, Any]:
    """What torchvision's builders set themselves where they load weights, which here happens later."""
    if name in ("googlenet", "inception_v3"):
        # Said outright, since leaving it out warns; the published weights want images normalised in
        # another way.
        return {"aux_logits": False, "init_weights": True, "transform_input": weights is not None}
    if name.startswith("vit_"):
        own = 224 if weights is None else weights.transforms().crop_size[0]
        return {"image_size": image_size or own}
    if name == "maxvit_t":
        return {"input_size": (image_size or 224, image_size or 224)}
    return {}


def _rename(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """DenseNet's published keys with the names of today: `norm.1.weight` is `norm1.weight`."""
    for key in list(state):
        if match := _OLD_DENSENET_KEY.match(key):
            state[match[1] + match[2]] = state.pop(key)
    return state
