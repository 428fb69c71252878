"""One's own PyTorch module, handed over from Python. No kind of its own: YAML cannot name it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import ConfigDict

from polylens.digests import digest
from polylens.models import Model, Recognise
from polylens.records import ImageFormat

if TYPE_CHECKING:
    import torch

    from polylens.modules import Behaviour


class Given(Model):
    """A module from Python as a model: known by all that it holds, and by what it does with examples."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    version: ClassVar[int] = 2

    module: Any
    """The `torch.nn.Module`, taken as it is (a copy is put into eval mode)."""
    shape: tuple[int, ...]
    """Shape of one input, without the batch axis."""
    format: ImageFormat
    """How images become inputs."""
    fresh: bool = False
    """Whether the weights are drawn anew, each by the rule of the part that holds it."""
    own_name: str = ""
    """What `settle` found the module to be; empty before."""
    fresh_name: str = ""
    """What `settle` found it to be with fresh weights."""

    @classmethod
    def kind(cls) -> str:
        """What people are told: the model was given."""
        return "given"

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """A copy of the module, with its own weights or, where `fresh`, new ones.

        Raises:
            UsageError: the weights cannot all be drawn anew; says which.
        """
        import torch

        from polylens.modules import copy_module, draw_anew

        if not self.fresh:
            return copy_module(self.module).eval()
        return draw_anew(self.module, seed=int(torch.randint(2**62, (1,), generator=generator)))

    def skeleton(self, generator: torch.Generator) -> torch.nn.Module:
        """A copy of the module: its weights are there, and may not be drawn anew."""
        return self.model_copy(update={"fresh": False}).build(generator)

    def input_format(self) -> ImageFormat:
        """How images become inputs."""
        return self.format

    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return self.shape

    def weights_in_words(self) -> str:
        """Where the weights come from, as a report says it."""
        return super().weights_in_words() if self.fresh else "those of the module given from Python"

    def untrained(self) -> Self:
        """This architecture with fresh weights."""
        return self.model_copy(update={"fresh": True})

    def settle(
        self, inputs: Callable[[], torch.Tensor], *, recognise: Recognise, weights: Sequence[str]
    ) -> Self:
        """A copy of the module under names that no other network has, whatever becomes of the module.

        A name is of what Python can see of the module (`contents_digest`) and of what it does with the
        inputs, so that a global, a file or a C extension that it depends on is seen as well. With fresh
        weights it has another name, by what it does with those of one fixed draw.

        Raises:
            UsageError: fresh weights are asked for, and cannot all be drawn anew; says which.
        """
        from polylens.modules import check_changed, check_reach, copy_module

        frozen = self.model_copy(update={"module": copy_module(self.module).eval()})
        examples = inputs()
        own_name, does = frozen._known(examples, recognise)
        names = {"own_name": own_name}
        if "fresh" in weights:
            names["fresh_name"], anew = frozen.untrained()._known(examples, recognise)
            copied = copy_module(self.module).eval()
            check_reach(copied, examples, given=self.module, meant="drawn anew")
            check_changed([(does, anew)], meant="drawn anew")
        return frozen.model_copy(update=names)

    def to_plain(self) -> dict[str, Any]:
        """A description by digest: the module itself cannot be written down."""
        name = self.fresh_name if self.fresh else self.own_name
        return {
            "kind": "given",
            "type": type(self.module).__qualname__,
            "contents": name or self._contents(self.module),
            "shape": list(self.shape),
            "format": self.format.to_plain(),
            "fresh": self.fresh,
        }

    def _known(self, inputs: torch.Tensor, recognise: Recognise) -> tuple[str, Behaviour]:
        """The name, and what the module does with the inputs."""
        import torch

        from polylens.modules import behaviour_of

        module = self.build(torch.Generator().manual_seed(0))
        contents = self._contents(module)
        does = behaviour_of(module, inputs)
        return digest([contents, recognise(contents, does)]), does

    def _contents(self, module: torch.nn.Module) -> str:
        from polylens.modules import contents_digest

        return contents_digest(module, weights=not self.fresh)
