"""Networks in ONNX files as PyTorch modules, by onnx2pytorch, with what it leaves loose put in order.

The converter gives each node a module. What is put in order here: constants become tensors of the network;
the ends of a clip and the slopes of a PReLU become those of PyTorch's own modules, whose kinks are known;
weights are held once; modules have the names of their nodes.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn

from polylens import imports
from polylens.errors import DataError
from polylens.models.onnx.files import chosen_output, input_of, library, not_installed, read

_BUFFER = "_initializer_"
"""What the converter puts before the name of a constant."""
_RANDOM = (
    "Bernoulli",
    "Multinomial",
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
)


def convert(path: Path, *, output: str | None) -> nn.Module:
    """The network of a file in eval mode, with the file's weights.

    Args:
        path: the file.
        output: which of its outputs is the network's; None where it has one.

    Raises:
        DataError: it cannot be read or converted; names the operator.
    """
    try:
        converter = imports.onnx2pytorch()
    except ImportError:
        raise not_installed("onnx2pytorch") from None
    model = read(path)
    graph = model.graph
    _keep_only(graph, chosen_output(input_of(path).outputs, output, file=path))
    _lift_constants(graph)
    for node in graph.node:
        if node.op_type in _RANDOM:
            raise _refused(path, node, "draws random numbers in every pass")
    slopes = _constants(graph)
    ranks = _ranks(model)
    module = _converted(converter.ConvertModel, model, path)
    for node in module.onnx_model.graph.node:
        own = _own_module(node, slopes, ranks)
        if own is not None:
            setattr(module, module.mapping[node.output[0]], own)
            del node.input[1:]
    _hold_once(module)
    _rename(module)
    return cast(nn.Module, module.eval().requires_grad_(requires_grad=True))


def _converted(converter: Any, model: Any, path: Path) -> Any:
    """The converter's module, or a refusal that names the node at which it stops."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Where it has no conversion it guesses a function of the same name, and says so.
        warnings.filterwarnings("error", message="No explicit conversion")
        try:
            return converter(model)
        except Exception as error:  # whatever a converter of one operator raises
            said = str(error).partition("\n")[0]
    unknown = re.search(r"op_type=(\w+)", said)
    operator = unknown[1] if unknown else _first_that_fails(converter, model)
    why = "is not known to onnx2pytorch" if unknown else f"cannot be converted by onnx2pytorch: {said}"
    node = next((node for node in model.graph.node if node.op_type == operator), None)
    raise _refused(path, node, why)


def _first_that_fails(converter: Any, model: Any) -> str:
    """The operator of the first node with which a conversion stops."""
    onnx = library()
    for count in range(1, len(model.graph.node) + 1):
        part = onnx.ModelProto()
        part.CopyFrom(model)
        del part.graph.node[count:]
        del part.graph.output[:]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                converter(part)
            except Exception:  # as above
                return str(model.graph.node[count - 1].op_type)
    return ""


def _refused(path: Path, node: Any, why: str) -> DataError:
    if node is None:
        return DataError(f"{path} cannot be converted to PyTorch: its graph {why}")
    called = f" (node '{node.name or node.output[0]}')"
    return DataError(
        f"{path} cannot be converted to PyTorch: the operator {node.op_type}{called} {why}",
        hint="leave it out of the export, or hand the network over from Python as a PyTorch module",
    )


def _keep_only(graph: Any, output: str) -> None:
    """Leaves out the other outputs and every node that only they need."""
    needed, kept = {output}, []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input)
            needed.update(name for inner in _graphs(node) for one in inner.node for name in one.input)
    outputs = [value for value in graph.output if value.name == output]
    del graph.node[:], graph.output[:]
    graph.node.extend(reversed(kept))
    graph.output.extend(outputs)


def _graphs(node: Any) -> Iterator[Any]:
    for attribute in node.attribute:
        for graph in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
            yield graph
            for inner in graph.node:
                yield from _graphs(inner)


def _lift_constants(graph: Any) -> None:
    """Makes tensors that nodes give into tensors of the graph, where weights are looked for."""
    lifted = []
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].HasField("t"):
            node.attribute[0].t.name = node.output[0]
            graph.initializer.append(node.attribute[0].t)
            lifted.append(node)
    for node in lifted:
        graph.node.remove(node)


def _constants(graph: Any) -> dict[str, np.ndarray]:
    """Constants that a clip or a PReLU reads, by name."""
    read_there = {name for node in graph.node if node.op_type in ("Clip", "PRelu") for name in node.input[1:]}
    to_array = library().numpy_helper.to_array
    return {tensor.name: to_array(tensor) for tensor in graph.initializer if tensor.name in read_there}


def _ranks(model: Any) -> dict[str, int]:
    """By name of a value, how many axes it has, as far as it can be told."""
    graph = library().shape_inference.infer_shapes(model).graph
    return {
        value.name: len(value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.input, *graph.output)
    }


def _own_module(node: Any, constants: dict[str, np.ndarray], ranks: dict[str, int]) -> nn.Module | None:
    """PyTorch's own module for a node whose further inputs are constants; None for every other node."""
    if node.op_type == "Clip":
        return _clip(node, constants)
    if node.op_type != "PRelu" or node.input[1] not in constants:
        return None
    slope = constants[node.input[1]]
    rank = ranks.get(node.input[0], 0)
    per_channel = rank >= 2 and (1,) * (rank - slope.ndim) + slope.shape == (
        1,
        slope.size,
        *(1,) * (rank - 2),
    )
    if slope.size != 1 and not per_channel:
        return None
    unit = nn.PReLU(slope.size)
    unit.weight.data = torch.tensor(slope.reshape(-1))
    return unit


def _clip(node: Any, constants: dict[str, np.ndarray]) -> nn.Module | None:
    """ReLU, ReLU6 or hardtanh, where both ends are constants of finite or no size."""
    ends = [*node.input[1:], "", ""][:2]
    said = {attribute.name: attribute.f for attribute in node.attribute}
    if any(name and name not in constants for name in ends):
        return None
    low, high = (
        float(constants[name].item()) if name else said.get(key, far)
        for name, key, far in zip(ends, ("min", "max"), (-np.inf, np.inf), strict=True)
    )
    largest = float(np.finfo(np.float32).max)  # what an attribute says where there is no end
    low, high = (-np.inf if low <= -largest else low), (np.inf if high >= largest else high)
    if (low, high) == (0.0, np.inf):
        return nn.ReLU()
    if (low, high) == (0.0, 6.0):
        return nn.ReLU6()
    return nn.Hardtanh(low, high) if np.isfinite([low, high]).all() and low < high else None


def _hold_once(module: Any) -> None:
    """Lets go of constants that no pass reads, since a module holds them as its own weights."""
    nodes = module.onnx_model.graph.node
    read_at_run = {name for node in nodes if not _has_own(module, node) for name in node.input}
    read_at_run |= {
        name for node in nodes for inner in _graphs(node) for one in inner.node for name in one.input
    }
    kept = {_BUFFER + name.replace(".", "_") for name in read_at_run}
    for name, _ in list(module.named_buffers(recurse=False)):
        if name.startswith(_BUFFER) and name not in kept:
            delattr(module, name)
    # The graph is read in every pass; its numbers are not.
    del module.onnx_model.graph.initializer[:]


def _has_own(module: Any, node: Any) -> bool:
    operation = getattr(module, module.mapping[node.output[0]])
    return isinstance(operation, nn.Module) and any(True for _ in operation.parameters())


def _rename(module: Any) -> None:
    """Gives every module the name of its node, in characters that the path of a layer can have."""
    taken: Counter[str] = Counter()
    parts = dict(module._modules)
    module._modules.clear()
    for node in module.onnx_model.graph.node:
        old = module.mapping[node.output[0]]
        name = _readable(node)
        taken[name] += 1
        name = name if taken[name] == 1 else f"{name}_{taken[name]}"
        if old in parts:
            module._modules[name] = parts[old]
        else:  # a plain function
            module.__dict__[name] = module.__dict__.pop(old)
        module.mapping[node.output[0]] = name


def _readable(node: Any) -> str:
    """The node's name, or its first output's: `/layer1/layer1.0/conv1/Conv` is `layer1_0_conv1_Conv`."""
    path = (node.name or f"{node.op_type}_{node.output[0]}").removeprefix("node_").split("/")
    # Scopes of PyTorch's exporter repeat what they lie in.
    own = [
        part.removeprefix(f"{before}.") for before, part in zip(["", *path[:-1]], path, strict=True) if part
    ]
    name = re.sub(r"\W+", "_", "_".join(own)).strip("_")
    return name if name and not name[0].isdigit() else f"{node.op_type}_{name}"
