"""Where a language model's files lie: in a folder, in an installed package, or on the hub.

Nothing heavy is imported for the first two, so that a spec is checked in no time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from polylens.digests import file_sha256, file_stamp
from polylens.errors import DataError
from polylens.hub import ask, not_had, troubles

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
PACKAGE = "package:"
TOKENIZER_FILES = (CONFIG, TOKENIZER, "tokenizer_config.json", "special_tokens_map.json")
TOKENIZER_PARTS = ("vocab.json", "merges.txt")
"""What older models have in place of `tokenizer.json`."""
WEIGHT_FILES = (CONFIG, "generation_config.json", "*.safetensors", "*.safetensors.index.json")
PICKLED_FILES = ("pytorch_model*.bin", "pytorch_model.bin.index.json")
_SAFE = "*.safetensors"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")
_PICKLED_HINT = (
    "pickled weights can hold code: `pickled: true` opens pytorch_model.bin and refuses all but tensors, or "
    "save the model once as safetensors with save_pretrained(FOLDER) and give that folder as `source`"
)


def is_package(source: str) -> bool:
    """Whether a source names a folder of an installed package."""
    return source.startswith(PACKAGE)


def local_folder(source: str) -> Path | None:
    """The folder that a source names, where it is on this machine; None where it is not, or not a folder.

    A relative folder is looked for in the working directory and every folder above it, of which one is the
    project.
    """
    if is_package(source):
        return _package_folder(source.removeprefix(PACKAGE))
    path = Path(source).expanduser()
    bases = [Path()] if path.is_absolute() else [Path.cwd(), *Path.cwd().parents]
    return next((base / path for base in bases if (base / path).is_dir()), None)


def existing_folder(source: str, *, what: str) -> Path:
    """The folder that a source names.

    Raises:
        DataError: it is not on this machine; says how to get it.
    """
    if (found := local_folder(source)) is not None:
        return found
    if is_package(source):
        package = source.removeprefix(PACKAGE).partition("/")[0]
        raise DataError(
            f"there is no {what} in '{source}'",
            hint=f"install the package first: pip install {package.replace('_', '-')}"
            if find_spec(package) is None
            else f"the package {package} is installed, but has no such folder",
        )
    hint = "relative folders start from the project"
    if re.fullmatch(r"[\w.-]+(/[\w.-]+)?", source):
        hint += "; a model of the hub needs its `revision`, the commit's 40 digits"
    raise DataError(f"there is no folder '{source}' with a {what}", hint=hint)


def read_config(folder: Path) -> dict[str, Any]:
    """What `config.json` says.

    Raises:
        DataError: there is none, or it is damaged.
    """
    path = folder / CONFIG
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"there is no {CONFIG} in {folder}", hint="save the model there with save_pretrained"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise DataError(f"{path} holds no map of keys")
    return content


def weight_files(folder: Path, *, pickled: bool) -> list[Path]:
    """The folder's safetensors files, or its pickled ones where it has none and they are allowed.

    Raises:
        DataError: it has none; says why other files are not read.
    """
    found = sorted(folder.glob(_SAFE))
    if found:
        return found
    if pickled and (found := sorted({path for files in PICKLED_FILES for path in folder.glob(files)})):
        return found
    others = sorted(path.name for path in folder.iterdir() if path.suffix in _PICKLES)
    if not others:
        raise DataError(f"there are no weights ({_SAFE}) in {folder}")
    raise DataError(
        f"{folder} has no safetensors, only {', '.join(others[:3])}, which can hold code and is not opened",
        hint=_PICKLED_HINT,
    )


def digest_of(files: Sequence[Path]) -> str:
    """A name for the contents of files: their sha256, one after the other."""
    return "-".join(_sha256(path, file_stamp(path)) for path in files)


@lru_cache(maxsize=256)
def _sha256(path: Path, stamp: str) -> str:
    # Asked for at every plan; the stamp says whether the file is still as it was.
    return file_sha256(path)


def _package_folder(name: str) -> Path | None:
    package, _, inside = name.partition("/")
    found = find_spec(package)
    places = [] if found is None else list(found.submodule_search_locations or [])
    return next((Path(place) / inside for place in places if (Path(place) / inside).is_dir()), None)


def hub_folder(
    name: str, *, revision: str, files: Sequence[str], needed: str, instead: Sequence[str] = ()
) -> Path:
    """The folder of the hub's cache with these files of a model, downloaded where they are not there yet.

    Args:
        name: of the model, such as `openai-community/gpt2`.
        revision: the commit.
        files: names or patterns.
        needed: pattern of those without which it is no use.
        instead: names or patterns of files that do where the model has none that is `needed`.

    Raises:
        DataError: they are not there and cannot be downloaded, or the model has none; says what to do.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    def folder(patterns: Sequence[str], *, local: bool) -> Path:
        return Path(
            snapshot_download(name, revision=revision, allow_patterns=list(patterns), local_files_only=local)
        )

    def has(found: Path, *patterns: str) -> bool:
        return any(next(found.glob(pattern), None) is not None for pattern in patterns)

    try:
        found = folder(files, local=True)
        if has(found, needed, *instead):
            return found
    except LocalEntryNotFoundError:
        pass
    try:
        ask(name, what="model", revision=revision)
        found = folder(files, local=False)
        if instead and not has(found, needed):
            found = folder(instead, local=False)
    except troubles() as error:
        raise not_had(
            name,
            what="model",
            revision=revision,
            # All that will be asked for, so that one download is enough.
            files=tuple(dict.fromkeys((*TOKENIZER_FILES, *WEIGHT_FILES, *instead))),
            error=error,
        ) from None
    if not has(found, needed, *instead):
        raise DataError(
            f"{name} has no {needed} at revision {revision[:8]}",
            hint=_PICKLED_HINT
            if needed == _SAFE and not instead
            else "take a revision that has it, or save the model once to a folder with save_pretrained and "
            "give that folder as `source`",
        )
    return found


def hub_weights(name: str, *, revision: str, pickled: bool) -> Path:
    """The folder of the hub's cache with a model's weights, pickled ones only where they are allowed.

    Raises:
        DataError: as of `hub_folder`.
    """
    instead = PICKLED_FILES if pickled else ()
    return hub_folder(name, revision=revision, files=WEIGHT_FILES, needed=_SAFE, instead=instead)
