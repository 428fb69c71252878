"""Whether a converted network computes what the ONNX runtime computes from its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import nn

from polylens.errors import DataError
from polylens.models.onnx.files import chosen_output, input_of, not_installed
from polylens.wording import short

EXAMPLES = 2
"""Two at once: a network that was exported for one input and mixes a batch would differ."""
BOUND = 1e-4
"""Largest difference as a share of the largest output. Rounding in 32 bits is some 1e-7 an operation and adds
up over layers; another epsilon of a norm, another padding or another kink is more."""


def check(module: nn.Module, path: Path, *, output: str | None, shape: tuple[int, ...]) -> None:
    """Compares both on a few fixed inputs of normal noise.

    Args:
        module: the converted network, in eval mode.
        path: its file.
        output: which of the file's outputs is meant.
        shape: of one input.

    Raises:
        DataError: the outputs differ by more than rounding, or one of the two cannot be computed.
    """
    inputs = torch.randn(EXAMPLES, *shape, generator=torch.Generator().manual_seed(0))
    try:
        with torch.no_grad():
            found = module(inputs).numpy()
    except Exception as error:  # of any operation
        said = str(error).partition("\n")[0]
        raise DataError(
            f"{path} cannot be run as converted to PyTorch by onnx2pytorch: {type(error).__name__}: {said}",
            hint="if it was exported for one input at a time, export it with an open batch size",
        ) from None
    expected = outputs(path, inputs.numpy(), output=output)
    same = found.shape == expected.shape and np.isfinite(expected).all() and np.isfinite(found).all()
    size = float(np.abs(expected).max(initial=0.0)) if same else 0.0
    apart = float(np.abs(found - expected).max(initial=0.0)) if same else np.inf
    if not apart <= BOUND * size:
        how = (
            f"by up to {short(apart)}, where outputs reach {short(size)}"
            if same
            else f"in shape or by numbers that are not finite: {found.shape} and {expected.shape}"
        )
        raise DataError(
            f"{path} as converted to PyTorch and as run by the ONNX runtime differ {how}",
            hint="the conversion is not right, and nothing is computed with it; an export with an open batch "
            "size and a newer opset, or the network itself handed over from Python, may do",
        )


def outputs(path: Path, inputs: np.ndarray, *, output: str | None) -> np.ndarray:
    """What the ONNX runtime computes, on the processor, one input after another.

    Raises:
        DataError: it is not installed, or does not take the file.
    """
    try:
        import onnxruntime
    except ImportError:
        raise not_installed("onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # what it would say of its own optimisations
    found = input_of(path)
    name = chosen_output(found.outputs, output, file=path)
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        each = [session.run([name], {found.name: inputs[i : i + 1]})[0] for i in range(len(inputs))]
    except Exception as error:  # its errors have no common parent
        said = str(error).strip().partition("\n")[0]
        raise DataError(f"the ONNX runtime does not run {path}: {said}") from None
    return np.concatenate(each)
