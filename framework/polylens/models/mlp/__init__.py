"""A dense network, trained here or left as it is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from polylens.models import Training
from polylens.models._activations import Activation
from polylens.models._trained_here import TrainedHere
from polylens.records import ImageFormat

if TYPE_CHECKING:
    import torch

Width = Annotated[int, Field(ge=1)]


class Mlp(TrainedHere):
    """A multilayer perceptron: dense layers with a nonlinearity each, and a last dense layer for the logits.

    Layers are named `hidden.1`, `hidden.2`, ... (outputs of the nonlinearity), `hidden.1.linear`
    (pre-activations), `hidden.1.activation` (the unit itself) and `output` (logits). Fresh weights are
    He-normal (standard deviation sqrt(2 / inputs of the layer)), fresh biases zero.

    Source: He et al. 2015, "Delving Deep into Rectifiers", section 2.2.
    """

    inputs: int = Field(ge=1)
    """Numbers in one input: the pixels of an image times its channels."""
    hidden: tuple[Width, ...] = Field(min_length=1)
    """Width of each hidden layer, first to last."""
    classes: int = Field(ge=2)
    """Number of logits."""
    activation: Activation = "relu"
    """The nonlinearity of every hidden layer."""
    image_size: int | None = Field(default=None, ge=1)
    """Side in pixels that images are brought to; left out, they are taken as they are."""
    training: Training | None = None
    """How the network is trained; left out, it keeps its fresh weights."""

    @model_validator(mode="after")
    def _inputs_fit_the_image(self) -> Self:
        if self.image_size is not None and self.inputs not in (self.image_size**2, 3 * self.image_size**2):
            raise PydanticCustomError(
                "inputs_differ",
                "inputs is {inputs}; an image of {size} x {size} has {grey} numbers, or {rgb} in colour",
                {
                    "inputs": self.inputs,
                    "size": self.image_size,
                    "grey": self.image_size**2,
                    "rgb": 3 * self.image_size**2,
                },
            )
        return self

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """The network with fresh weights drawn from `generator`, in eval mode."""
        from polylens.models._fresh import he_normal
        from polylens.models.mlp.network import dense

        module = dense(self.inputs, hidden=self.hidden, classes=self.classes, activation=self.activation)
        return he_normal(module, generator=generator).eval()

    def input_format(self) -> ImageFormat:
        """One vector of pixels in [0, 1]."""
        if self.image_size is None:
            return ImageFormat(channels=1, flatten=True)
        channels = 1 if self.inputs == self.image_size**2 else 3
        square = (self.image_size, self.image_size)
        return ImageFormat(channels=channels, resize=self.image_size, crop=square, flatten=True)

    def input_shape(self) -> tuple[int, ...]:
        """`inputs` numbers."""
        return (self.inputs,)

    def layers(self) -> tuple[str, ...]:
        """Every layer, first to last."""
        parts = ("", ".linear", ".activation")
        names = [f"hidden.{depth}{part}" for depth in range(1, len(self.hidden) + 1) for part in parts]
        return (*names, "output")
