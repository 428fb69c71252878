"""TinyModel: a language model with ReLU MLPs and without layer norms, trained on short stories."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field

from polylens import model_files as files
from polylens.models import Model
from polylens.models._decoder_shape import DecoderShape
from polylens.progress import Progress
from polylens.records import TextFormat

if TYPE_CHECKING:
    import torch

_BLOCKS = {"tiny_model": 4, "tiny_model_2L_1E": 2, "tiny_model_2L_3E": 2}
_WIDTH = 768
_CONTEXT = 256
_HUB = "noanabeshima/tiny_model"
_GPT2 = "openai-community/gpt2"
_GPT2_COMMIT = "607a30d783dfa663caf39e06633721c8d4cfcd7e"


class TinyModel(Model):
    """Nabeshima's TinyModel: ReLU MLPs and no layer norms, so piecewise linear but for attention's weights.

    Blocks of width 768 with 3,072 hidden units, 256 tokens, trained on TinyStories. Text becomes GPT-2's
    tokens; the network knows the 9,996 of them that are frequent in its stories and takes every other for
    `[UNK]`. A text begins with `[BEGIN]`. Which tokens it knows is read from the package `tinymodel`
    (pip install --no-deps tinymodel), of which nothing is run. Layers are named as those of `gpt`. Fresh
    weights are drawn as those of `gpt`.

    Source: Nabeshima 2024, github.com/noanabeshima/tiny_model.
    Departs: texts are taken as they are; the package first turns letters to ASCII and joins spaces, so clean
        texts of other kinds beforehand. The output is logits, not their logarithms of shares.
    """

    published: Literal["tiny_model", "tiny_model_2L_1E", "tiny_model_2L_3E"] = "tiny_model"
    """Which file of weights: four blocks, or two after one epoch or three."""
    folder: str | None = None
    """A folder with that file; left out, noanabeshima/tiny_model on the hub."""
    revision: str = Field(default="6e247e1394e0fb3e4f2c58d57ac97f0ea89b4478", pattern="^[0-9a-f]{40}$")
    """The hub's commit, 40 digits, where there is no `folder`."""
    tokenizer: str | None = None
    """A folder with GPT-2's tokenizer; left out, that of openai-community/gpt2 on the hub."""
    weights: Literal["published", "fresh"] = "published"
    """`published` are those of the file; `fresh` are drawn from the seed."""
    layer_aliases: dict[str, str] = Field(default_factory=dict)
    """Further short layer names and the module path each stands for."""

    def locate(self, find: Callable[[str], Path]) -> Self:
        """This model with relative folders looked up by `find`."""
        update = {
            name: str(find(folder) / folder)
            for name, folder in (("folder", self.folder), ("tokenizer", self.tokenizer))
            if folder is not None and not files.is_package(folder) and not Path(folder).is_absolute()
        }
        return self.model_copy(update=update)

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """The network with fresh weights drawn from `generator`, in eval mode.

        Raises:
            DataError: the package that says which tokens the network knows is not installed.
        """
        import torch

        from polylens.models._decoder import with_fresh_weights
        from polylens.models.tiny_model.network import StoryDecoder
        from polylens.models.tiny_model.tokens import renumbering

        known = renumbering()
        with torch.device("meta"):
            module = StoryDecoder(self._shape())
        return with_fresh_weights(module, generator=generator).known_as(known)

    def load(
        self, module: torch.nn.Module, *, root: Path, progress: Progress | None = None
    ) -> torch.nn.Module:
        """The network with the published weights put in, unless they are to be fresh.

        Raises:
            DataError: they cannot be had or do not fit; says what to do.
        """
        if self.weights == "fresh":
            return module
        from polylens.models._weights_file import put_into, read
        from polylens.models.tiny_model.network import own_names

        path = self._weights_folder() / self._file()
        put_into(module, own_names(read(path)), source=str(path))
        return module.eval()

    def input_format(self) -> TextFormat:
        """GPT-2's tokens, `[BEGIN]` before them.

        Raises:
            DataError: there is no tokenizer, or it is not GPT-2's.
        """
        from polylens.models.tiny_model.tokens import text_format

        return text_format(self._tokenizer_folder(), context=_CONTEXT)

    def input_shape(self) -> tuple[int, ...]:
        """256 tokens."""
        return (_CONTEXT,)

    def example_input(self) -> torch.Tensor:
        """One input of 256 tokens."""
        import torch

        return torch.zeros(1, _CONTEXT, dtype=torch.int64)

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
        """Short names, as language models of the hub have them, and the `layer_aliases`."""
        return {**self._shape().short_names(), **self.layer_aliases}

    def weights_digest(self, *, root: Path) -> str:
        """The revision, or the sha256 of the file; empty where weights are fresh.

        Raises:
            DataError: there is no such file.
        """
        if self.weights == "fresh":
            return ""
        if self.folder is None:
            return self.revision
        from polylens.models._weights_file import sha256

        return sha256(self._weights_folder() / self._file())

    def identity(self) -> dict[str, Any]:
        """Everything that can change a number: not layer names, and no path of a file."""
        plain = super().identity()
        for name in ("layer_aliases", "folder", "revision", "tokenizer"):
            del plain[name]
        return plain

    def weights_in_words(self) -> str:
        """Where the weights come from, as a report says it."""
        if self.weights == "fresh":
            return super().weights_in_words()
        place = f"{_HUB} at {self.revision}" if self.folder is None else self.folder
        return f"trained on TinyStories, {self._file()} from {place}"

    def untrained(self) -> Self:
        """This network and tokenizer with fresh weights."""
        return self.model_copy(update={"weights": "fresh"})

    def at_revision(self, revision: str) -> Self | None:
        """This model at another commit; None where it is read from a folder."""
        return self.model_copy(update={"revision": revision}) if self.folder is None else None

    def _shape(self) -> DecoderShape:
        return DecoderShape(
            width=_WIDTH,
            depth=_BLOCKS[self.published],
            heads=16,
            hidden=4 * _WIDTH,
            context=_CONTEXT,
            norms=False,
            query_biases=False,
        )

    def _file(self) -> str:
        return f"{self.published}.pt"

    def _weights_folder(self) -> Path:
        if self.folder is not None:
            return files.existing_folder(self.folder, what="model")
        return files.hub_folder(_HUB, revision=self.revision, files=(self._file(),), needed=self._file())

    def _tokenizer_folder(self) -> Path:
        if self.tokenizer is not None:
            return files.existing_folder(self.tokenizer, what="tokenizer")
        return files.hub_folder(
            _GPT2,
            revision=_GPT2_COMMIT,
            files=files.TOKENIZER_FILES,
            needed=files.TOKENIZER,
            instead=files.TOKENIZER_PARTS,
        )
