"""Networks and examples: what the plugin families hand to each other."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from polylens.errors import UsageError
from polylens.records.rows import RowTargets, RowTokens

if TYPE_CHECKING:
    import numpy as np
    import torch
    from jaxtyping import Int64


@dataclass(frozen=True)
class ImageFormat:
    """How an image becomes a network's input. Part of the network, and of every digest that depends on it."""

    channels: int = 1
    """1 (grey) or 3 (RGB)."""
    resize: int | None = None
    """Pixels the shorter side is brought to (antialiased, `interpolation`); None leaves the size alone."""
    crop: tuple[int, int] | None = None
    """Height and width of the centre crop after resizing."""
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = ()
    """Subtracted per channel, from pixels in [0, 1]."""
    std: tuple[float, ...] = ()
    flatten: bool = False
    """Whether the input is a vector (for dense networks) rather than channels x height x width."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data for digests."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }


@dataclass(frozen=True)
class TextFormat:
    """How text becomes a network's input. Part of the network, and of every digest that depends on it."""

    tokenizer: str
    """Folder with the tokenizer's files. Not part of digests: what lies there is, as `tokenizer_digest`."""
    tokenizer_digest: str
    context: int
    """Tokens of one input at most, special ones counted."""
    before: tuple[int, ...] = ()
    """Special tokens put before the text."""
    after: tuple[int, ...] = ()
    """Special tokens put after the text."""
    special: tuple[int, ...] = ()
    """Tokens that stand for no text: they never become rows."""

    def to_plain(self) -> dict[str, Any]:
        """Plain data for digests."""
        plain = {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }
        del plain["tokenizer"]
        return plain


InputFormat = ImageFormat | TextFormat
"""How examples become a network's inputs."""

PADDING = -1
"""The token that fills inputs up to one length; networks never see it."""


@dataclass(frozen=True)
class Network:
    """A network in eval mode, ready to be harvested."""

    name: str
    module: torch.nn.Module
    input_format: InputFormat
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Short layer names, such as `inception4c`, and the module path each stands for."""
    example_input: torch.Tensor | None = None
    """A batch of one input of the right shape, where the configuration knows it."""
    is_causal: bool = False
    """Whether inputs are tokens, and what the network makes of one depends on none that comes later."""
    output_names: tuple[str, ...] = ()
    """What each output stands for, such as ImageNet's classes; empty where that is not known."""


@dataclass(frozen=True)
class Context:
    """What a person is shown of one example: an image."""

    title: str
    png: bytes


@dataclass(frozen=True)
class TokenContext:
    """What a person is shown of one token: the text around it."""

    title: str
    before: str
    token: str
    after: str


Shown = Context | TokenContext
"""What a person is shown of one row."""


@dataclass(frozen=True)
class Described:
    """What a judge that is shown no images is told of one."""

    classes: tuple[str, ...]
    """Names of the classes that lie nearest to it, the nearest first."""


Told = Shown | Described
"""What a judge is told of one row."""


@dataclass(frozen=True)
class Skipped:
    """An example that was left out, and why."""

    example_id: str
    reason: str


class Examples(ABC):
    """The examples of one dataset, prepared for one network. Map-style: any index, any order, any process."""

    ids: tuple[str, ...]
    """Stable ids, one an example."""
    targets: Int64[np.ndarray, "examples"] | None
    """Class of each example, an index into `classes`; None where the dataset has no classes."""
    classes: tuple[str, ...]
    fingerprint: str
    """Digest of the contents and of all that prepares them."""
    skipped: tuple[Skipped, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @abstractmethod
    def batch(self, indices: Sequence[int]) -> torch.Tensor:
        """The inputs of these examples as one tensor `examples ...`, on the CPU.

        float32 for images; int64 token ids `examples tokens` for text, padded at the end with `PADDING`.
        """

    @abstractmethod
    def context(self, index: int, position: int = 0) -> Shown:
        """What a person is shown of one position of example `index`."""

    def lengths(self) -> Int64[np.ndarray, "examples"] | None:
        """Tokens of each input; None where all inputs have one shape."""
        return None

    def valid(self, index: int) -> Int64[np.ndarray, "valid"] | None:
        """Positions of example `index` that may become rows, ascending; None where all of a layer's may."""
        return None

    def row_tokens(
        self, example: Int64[np.ndarray, "rows"], position: Int64[np.ndarray, "rows"]
    ) -> RowTokens | None:
        """The tokens at and around positions; None where examples have none."""
        return None

    def row_targets(
        self, name: str, example: Int64[np.ndarray, "rows"], position: Int64[np.ndarray, "rows"]
    ) -> RowTargets:
        """The classes that one of the dataset's named targets gives rows at positions.

        Raises:
            UsageError: the dataset has no targets of this name.
        """
        raise UsageError(f"the dataset has no targets called '{name}'")

    def targets_digest(self, name: str) -> str:
        """Digest of one of the dataset's named targets, which `fingerprint` says nothing of.

        Raises:
            UsageError: the dataset has no targets of this name.
        """
        raise UsageError(f"the dataset has no targets called '{name}'")
