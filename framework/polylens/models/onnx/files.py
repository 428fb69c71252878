"""ONNX files: read without running anything in them, what goes in and comes out, and their digest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from polylens.digests import file_sha256
from polylens.errors import DataError, nearest
from polylens.folders import there_instead

_NOT_INSTALLED = "pip install 'polylens[onnx]'"


@dataclass(frozen=True)
class Input:
    """The one input of a network."""

    name: str
    shape: tuple[int | None, ...]
    """With the axis of the batch; None where the file leaves a size open."""
    outputs: tuple[str, ...]
    """Names of what the network gives."""


def library() -> Any:
    """The onnx package.

    Raises:
        DataError: it is not installed.
    """
    try:
        import onnx
    except ImportError:
        raise not_installed("onnx") from None
    return onnx


def not_installed(name: str) -> DataError:
    """What is said where a package of the extra is missing."""
    return DataError(f"ONNX files need the package {name}, which is not installed", hint=_NOT_INSTALLED)


def read(path: Path, *, weights: bool = True) -> Any:
    """The file as onnx's `ModelProto`.

    Args:
        path: the file.
        weights: whether those in files beside it are read as well.

    Raises:
        DataError: there is no such file, it is damaged, or onnx is not installed.
    """
    onnx = library()
    _must_exist(path)
    try:
        # Only data: the format is a protocol buffer, and files beside it must lie in its folder.
        model = onnx.load(path, load_external_data=weights)
        if weights:
            onnx.checker.check_model(model)
    except Exception as error:  # protobuf's, onnx's own and the system's have no common parent
        said = str(error).strip().partition("\n")[0] or type(error).__name__
        raise DataError(f"{path} cannot be read as an ONNX file: {said}") from None
    return model


def input_of(path: Path) -> Input:
    """What the network in a file takes and gives; remembered while the file stays as it is.

    Raises:
        DataError: it cannot be read, or takes several inputs.
    """
    _must_exist(path)
    found = path.stat()
    return _input_of(path, (found.st_size, found.st_mtime_ns))


@lru_cache(maxsize=8)
def _input_of(path: Path, stamp: tuple[int, int]) -> Input:
    del stamp
    graph = read(path, weights=False).graph
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    if len(inputs) != 1:
        names = ", ".join(value.name for value in inputs) or "none"
        raise DataError(f"{path} takes {len(inputs)} inputs ({names}): polylens gives a network one")
    tensor = inputs[0].type.tensor_type
    if tensor.elem_type != library().TensorProto.FLOAT:
        kind = library().TensorProto.DataType.Name(tensor.elem_type)
        raise DataError(
            f"the input '{inputs[0].name}' of {path} is {kind}: polylens gives 32-bit floats",
            hint="export the network with inputs of 32-bit floats",
        )
    shape = tuple(axis.dim_value if axis.dim_value > 0 else None for axis in tensor.shape.dim)
    return Input(inputs[0].name, shape, tuple(value.name for value in graph.output))


def one_shape(found: Input, *, asked: tuple[int, ...] | None, file: str) -> tuple[int, ...]:
    """The shape of one input without the batch, of what the file and the spec say.

    Raises:
        DataError: they differ, leave it open, or it is neither an image's nor a vector's.
    """
    said = found.shape[1:]
    shown = " x ".join("?" if size is None else str(size) for size in found.shape)
    if asked is not None:
        fits = len(asked) == len(said) and all(
            own in (None, size) for own, size in zip(said, asked, strict=True)
        )
        if not fits:
            raise DataError(f"`shape` is {list(asked)}, and the input of {file} is {shown}, batch first")
        said = asked
    if len(said) not in (1, 3):
        raise DataError(
            f"the input of {file} is {shown}: neither batch x channels x height x width nor batch x width"
        )
    if len(said) == 3 and said[0] not in (1, 3, None):
        last = " (the channels seem to come last)" if said[2] in (1, 3) else ""
        raise DataError(
            f"the input of {file} is {shown}: images have 1 or 3 channels, before height and width{last}",
            hint="export the network with channels first (tf2onnx: --inputs-as-nchw)",
        )
    if None in said:
        example = "[3, 224, 224]" if len(said) == 3 else "[64]"
        raise DataError(
            f"{file} leaves the shape of its input open: {shown}", hint=f"say it: `shape: {example}`"
        )
    return tuple(size for size in said if size is not None)


def chosen_output(found: tuple[str, ...], asked: str | None, *, file: Path) -> str:
    """The name of the output that is the network's.

    Raises:
        DataError: the file has several and none is asked for, or none of the name.
    """
    if asked is None and len(found) == 1:
        return found[0]
    names = ", ".join(found)
    if asked is None:
        raise DataError(f"{file} gives {len(found)} outputs: {names}", hint="choose one: `output: NAME`")
    if asked not in found:
        close = nearest(asked, found)
        guess = "" if close is None else f"; did you mean '{close}'?"
        raise DataError(f"{file} has no output named '{asked}'{guess}", hint=f"it has: {names}")
    return asked


def digest_of(path: Path) -> str:
    """The sha256 of a file and of those beside it that its weights lie in.

    Raises:
        DataError: one does not exist.
    """
    beside = sorted({path.parent / name for name in _external(read(path, weights=False).graph)})
    for file in beside:
        _must_exist(file)
    return "-".join(file_sha256(file) for file in (path, *beside))


def tensors_of(graph: Any) -> Iterator[Any]:
    """Every constant of a graph: initializers, and those that nodes hold, in graphs within them too."""
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for inner in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from tensors_of(inner)


def _external(graph: Any) -> Iterator[str]:
    for tensor in tensors_of(graph):
        yield from (entry.value for entry in tensor.external_data if entry.key == "location")


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise DataError(
            f"no file {path}: there is {there_instead(path)}",
            hint="paths are relative to the project's folder",
        )
