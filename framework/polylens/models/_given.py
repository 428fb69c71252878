"""One's own PyTorch module, handed over from Python. No kind of its own: YAML cannot name it."""

from __future__ import annotations

import copy
import hashlib
import inspect
from typing import TYPE_CHECKING, Any, Self

from pydantic import ConfigDict

from polylens.models import Model
from polylens.records import ImageFormat

if TYPE_CHECKING:
    import torch


class Given(Model):
    """A module from Python as a model: its weights and its source are its identity."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    module: Any
    """The `torch.nn.Module`, taken as it is (a copy is put into eval mode)."""
    shape: tuple[int, ...]
    """Shape of one input, without the batch axis."""
    format: ImageFormat
    """How images become inputs."""
    fresh: bool = False
    """Whether the weights are drawn anew by each submodule's `reset_parameters`."""

    @classmethod
    def kind(cls) -> str:
        """What people are told: the model was given."""
        return "given"

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """A copy of the module, with its own weights or, where `fresh`, new ones."""
        import torch

        module: torch.nn.Module = copy.deepcopy(self.module)
        if self.fresh:
            with torch.random.fork_rng(devices=[]):
                # reset_parameters draws from torch's global stream: set for this block, put back after it.
                torch.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
                for part in module.modules():
                    reset = getattr(part, "reset_parameters", None)
                    if callable(reset):
                        reset()
        return module.eval()

    def input_format(self) -> ImageFormat:
        """How images become inputs."""
        return self.format

    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self.shape

    def layers(self) -> tuple[str, ...]:
        """All module paths."""
        return tuple(name for name, _ in self.module.named_modules() if name)

    def weights_in_words(self) -> str:
        """Where the weights come from, as a report says it."""
        return super().weights_in_words() if self.fresh else "those of the module given from Python"

    def untrained(self) -> Self:
        """The same architecture with fresh weights."""
        return self.model_copy(update={"fresh": True})

    def to_plain(self) -> dict[str, Any]:
        """A description by digest: the module itself cannot be written down."""
        return {
            "kind": "given",
            "type": type(self.module).__qualname__,
            "state": "" if self.fresh else _state_digest(self.module),
            "source": _source_digest(self.module),
            "shape": list(self.shape),
            "format": self.format.to_plain(),
            "fresh": self.fresh,
        }


def _state_digest(module: torch.nn.Module) -> str:
    """sha256 over the names, types, shapes and bytes of all parameters and buffers."""
    import torch

    total = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return total.hexdigest()


def _source_digest(module: torch.nn.Module) -> str:
    """sha256 over the structure and, where it can be had, the source of each class not torch's own."""
    total = hashlib.sha256(repr(module).encode())
    types = {type(part) for part in module.modules()}
    for kind in sorted(types, key=lambda kind: (kind.__module__, kind.__qualname__)):
        if kind.__module__.partition(".")[0] == "torch":
            continue
        total.update(f"{kind.__module__}.{kind.__qualname__}".encode())
        try:
            total.update(inspect.getsource(kind).encode())
        except (OSError, TypeError):  # typed into a notebook or an interpreter: the structure has to do
            continue
    return total.hexdigest()
