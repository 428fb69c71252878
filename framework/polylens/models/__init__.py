"""Models: networks, their preprocessing, and where their weights come from."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from polylens.plugin import Plugin
from polylens.progress import Progress
from polylens.records import InputFormat

if TYPE_CHECKING:
    import torch

    from polylens.modules import Behaviour

Recognise = Callable[[str, "Behaviour"], str]
"""Gives the name of a behaviour that is known of a network with these contents, or a new one."""


class Training(BaseModel):
    """How a network is trained here, by Lightning, on a dataset's `train` split."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    epochs: int = Field(default=60, ge=1)
    """Passes over the training examples."""
    batch_size: int = Field(default=64, ge=1)
    """Examples a step."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """Step size of the optimiser."""
    optimizer: Literal["adam", "sgd"] = "adam"
    """Adam, or stochastic gradient descent with momentum 0.9."""
    weight_decay: float = Field(default=0.0, ge=0)
    """Decoupled weight decay per step."""
    targets: Literal["true", "shuffled"] = "true"
    """`shuffled` trains on permuted classes: the random-label control."""
    threads: int = Field(default=1, ge=1)
    """Processor threads that train it, whatever the machine has. Part of the recipe: another number sums in
    another order, and the weights that come out are others. Small networks train fastest on one."""


class Model(Plugin):
    """A network that a spec can name."""

    family: ClassVar[str] = "models"
    learns: ClassVar[Literal["classes", "next_token"]] = "classes"
    """What a training here teaches: the classes of examples, or which token comes next in texts."""

    def locate(self, find: Callable[[str], Path]) -> Self:
        """This model with relative folders looked up by `find`; unchanged where it has none."""
        return self

    @abstractmethod
    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """The module with fresh weights drawn from `generator`, in eval mode; no file is touched."""

    def load(
        self, module: torch.nn.Module, *, root: Path, progress: Progress | None = None
    ) -> torch.nn.Module:
        """The module with its published or local weights put in. Unchanged where there are none.

        Args:
            module: as `build` gives it.
            root: folder that relative paths start from.
            progress: is told what of a file is none of the network's.

        Raises:
            DataError: the weights cannot be had or do not fit; says what to do.
        """
        return module

    @abstractmethod
    def input_format(self) -> InputFormat:
        """How images or text become inputs. Part of the model and of its digest."""

    @abstractmethod
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, without the batch axis."""

    def example_input(self) -> torch.Tensor:
        """A batch of one input, on which the network's data flow can be found."""
        import torch

        return torch.zeros(1, *self.input_shape())

    def is_causal(self) -> bool:
        """Whether inputs are tokens, and what the network makes of one depends on none that comes later."""
        return False

    def token_embedding(self) -> str | None:
        """The layer that gives each token its vector, whatever stands around it; None where none is known."""
        return None

    def layers(self) -> tuple[str, ...] | None:
        """Layer names known from the configuration alone, without building; None where it takes building."""
        return None

    def aliases(self) -> Mapping[str, str]:
        """Short layer names and the module path each stands for."""
        return {}

    def output_names(self) -> tuple[str, ...]:
        """What each of the network's outputs stands for; empty where that is not known."""
        return ()

    def skeleton(self, generator: torch.Generator) -> torch.nn.Module:
        """The network with any weights at all, for questions that its architecture alone answers."""
        return self.untrained().build(generator)

    def settle(
        self, inputs: Callable[[], torch.Tensor], *, recognise: Recognise, weights: Sequence[str]
    ) -> Self:
        """This model, named by more than its configuration; unchanged where that says all.

        Args:
            inputs: gives a few examples, by which a network is known again that no description tells of.
            recognise: finds the name of what the network does with them.
            weights: whose names are needed, `own` or `fresh`.
        """
        return self

    def training_here(self) -> Training | None:
        """How the model is trained here; None where its weights are published, in a file, or fresh."""
        return None

    def missing(self, *, root: Path) -> Path | None:
        """The folder or file that it names and that is not on this machine; None where nothing is missing.

        Args:
            root: the project, from which relative paths start.
        """
        return None

    def needs_download(self) -> bool:
        """Whether the architecture itself, not only its weights, comes from a hub."""
        return False

    def weights_in_words(self) -> str:
        """Where the weights come from, as a report says it."""
        training = self.training_here()
        return "random, nothing is trained" if training is None else f"trained here, {training.epochs} epochs"

    def weights_digest(self, *, root: Path) -> str:
        """Digest of weights outside the configuration, such as a local file; empty where there are none."""
        return ""

    @abstractmethod
    def untrained(self) -> Self:
        """This architecture and preprocessing with fresh weights: what `random_init` asks for."""

    def with_targets(self, targets: Literal["true", "shuffled"]) -> Self | None:
        """This model trained on other targets; None where it is not trained here."""
        return None

    def after_epochs(self, epochs: int) -> Self | None:
        """This model after fewer epochs of its training; None where it has none or not so many."""
        return None

    def at_revision(self, revision: str) -> Self | None:
        """This model at another commit of the hub; None where it does not come from there."""
        return None
