"""A small language model that reads from left to right, trained here or left as it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from polylens.models import Training
from polylens.models._activations import Activation
from polylens.models._decoder_shape import DecoderShape
from polylens.models._trained_here import TrainedHere
from polylens.records import TextFormat

if TYPE_CHECKING:
    import torch

_SHIPPED = Path(__file__).parent / "tokenizer"


class LanguageTraining(Training):
    """How a language model is trained here, by Lightning, on the texts of a dataset's `train` split."""

    epochs: int = Field(default=4, ge=1)
    """Passes over the training texts."""
    batch_size: int = Field(default=32, ge=1)
    """Sequences a step, each as long as the model's `context`."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """Step size of the optimiser after `warmup`."""
    targets: Literal["true"] = "true"
    """The next token of the text; a language model is never trained on shuffled ones."""
    threads: int = Field(default=2, ge=1)
    """Processor threads that train it, whatever the machine has. Part of the recipe: another number sums in
    another order, and the weights that come out are others."""
    warmup: int = Field(default=100, ge=0)
    """Steps over which the step size rises from nothing."""
    falls_over: int | None = Field(default=None, ge=1)
    """Epochs over which the step size falls to a tenth, as half a cosine; left out, all epochs."""


class Gpt(TrainedHere):
    """A transformer that reads from left to right: learned positions, causal attention, an MLP a block.

    Layers are `embedding`, `mlp_pre.0`, `mlp_post.0` (hidden units after the nonlinearity), `mlp_out.0`,
    `attention_out.0`, `residual.0` and so on for each block, and `output` (logits of the next token). Without
    `norms` everything but the attention's weights is piecewise linear. Attention is written out, so that it
    can be watched. What a training loses when its process is killed is at most 50 steps.

    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"; without norms after
        Nabeshima's TinyModel.
    Departs: the output layer has weights of its own, and there is no dropout.
    """

    learns: ClassVar[Literal["classes", "next_token"]] = "next_token"

    width: int = Field(default=128, ge=1)
    """Numbers in the residual stream."""
    depth: int = Field(default=2, ge=1)
    """Blocks, each an attention and an MLP."""
    heads: int = Field(default=4, ge=1)
    """Heads of each attention; they share out the width."""
    hidden: int | None = Field(default=None, ge=1)
    """Hidden units of each MLP; left out, four times the width."""
    activation: Activation = "relu"
    """The nonlinearity of the MLPs."""
    norms: bool = True
    """Whether a layer norm stands before each attention, each MLP and the output."""
    context: int = Field(default=128, ge=2)
    """Tokens of one input at most."""
    tokenizer: str | None = None
    """Folder with a `tokenizer.json`, relative to the data root. Left out: 5,000 English word pieces, lower
    case, that come with polylens: those of BERT's vocabulary (Apache-2.0) that stand first in it."""
    training: LanguageTraining | None = None
    """How the network is trained; left out, it keeps its fresh weights."""

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.width % self.heads:
            raise PydanticCustomError(
                "heads_differ",
                "a width of {width} cannot be shared out to {heads} heads",
                {"width": self.width, "heads": self.heads},
            )
        return self

    def locate(self, find: Callable[[str], Path]) -> Self:
        """This model with the folder of its tokenizer found among the data roots."""
        if self.tokenizer is None or Path(self.tokenizer).is_absolute():
            return self
        return self.model_copy(update={"tokenizer": str(find(self.tokenizer) / self.tokenizer)})

    def missing(self, *, root: Path) -> Path | None:
        """The folder of its tokenizer, where that is not on this machine."""
        return None if self._folder(root).is_dir() else self._folder(root)

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """The network with fresh weights drawn from `generator`, in eval mode.

        Raises:
            DataError: there is no tokenizer, which says how many tokens there are.
        """
        import torch

        from polylens.models._decoder import Decoder, with_fresh_weights

        with torch.device("meta"):
            module = Decoder(self._shape(), vocabulary=self._vocabulary())
        return with_fresh_weights(module, generator=generator)

    def input_format(self) -> TextFormat:
        """Token ids without special tokens around a text.

        Raises:
            DataError: there is no tokenizer, or it is damaged.
        """
        from polylens.digests import file_sha256
        from polylens.text import read_tokenizer, tokenizer_files

        folder = self._folder(Path())
        named = read_tokenizer(folder).get_added_tokens_decoder()
        return TextFormat(
            tokenizer=str(folder),
            tokenizer_digest="".join(file_sha256(path) for path in tokenizer_files(folder)),
            context=self.context,
            special=tuple(sorted(number for number, token in named.items() if token.special)),
        )

    def input_shape(self) -> tuple[int, ...]:
        """`context` tokens."""
        return (self.context,)

    def example_input(self) -> torch.Tensor:
        """One input of `context` tokens."""
        import torch

        return torch.zeros(1, self.context, dtype=torch.int64)

    def is_causal(self) -> bool:
        """A token sees those before it only."""
        return True

    def token_embedding(self) -> str:
        """The layer that gives each token its vector."""
        return "embedding"

    def layers(self) -> tuple[str, ...]:
        """Every layer, first to last."""
        return self._shape().layers()

    def aliases(self) -> Mapping[str, str]:
        """Short names, as language models of the hub have them."""
        return self._shape().short_names()

    def weights_digest(self, *, root: Path) -> str:
        """Digest of the tokenizer's files, which say how many tokens there are."""
        return self.input_format().tokenizer_digest

    def identity(self) -> dict[str, Any]:
        """Everything that can change a number, and not where the tokenizer lies."""
        return {key: value for key, value in super().identity().items() if key != "tokenizer"}

    def with_targets(self, targets: Literal["true", "shuffled"]) -> Self | None:
        """The next token is no class that could be shuffled."""
        return self if targets == "true" and self.training is not None else None

    def after_epochs(self, epochs: int) -> Self | None:
        """This network after fewer epochs of the same training, its step size falling as in the whole one."""
        shorter = super().after_epochs(epochs)
        if shorter is None or shorter.training is None or self.training is None:
            return shorter
        whole = self.training.falls_over or self.training.epochs
        return shorter.model_copy(
            update={"training": shorter.training.model_copy(update={"falls_over": whole})}
        )

    def _shape(self) -> DecoderShape:
        return DecoderShape(
            width=self.width,
            depth=self.depth,
            heads=self.heads,
            hidden=4 * self.width if self.hidden is None else self.hidden,
            context=self.context,
            activation=self.activation,
            norms=self.norms,
        )

    def _folder(self, root: Path) -> Path:
        return _SHIPPED if self.tokenizer is None else root / self.tokenizer

    def _vocabulary(self) -> int:
        from polylens.text import read_tokenizer

        return max(read_tokenizer(self._folder(Path())).get_vocab(with_added_tokens=True).values()) + 1
