"""Texts whose words have a tag each, such as a part of speech."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from polylens.datasets import Opening
from polylens.datasets._on_disk import OnDisk
from polylens.datasets._texts import Encoding
from polylens.records import Examples, InputFormat


class TaggedText(OnDisk):
    """Files of words with a tag each (`The/at jury/nn`); each is a document, with a class or none.

    The text is the words with one space between them, whatever lines they stand on. A token of the network
    has the tag of the word that its characters are of: all pieces of a word have its tag. White space around
    a word is of no word; a token of white space alone has the class `(no word)`, one with characters of
    several words `(several words)`. Special tokens never become rows, and of a word that the context cuts the
    pieces before the cut do, with its tag. What an analysis or a label scores is named by its `targets`:
    `class`, the document's, `token_tag` or `coarse_tag`.
    """

    root: str
    """The folder that holds the files, relative to the project's data root."""
    pattern: str = "**/*"
    """Which files below the folder: `*` any text in a name, `?` one letter, `[a-r]` one of these, `**`
    folders of any depth."""
    separator: str = Field(default="/", min_length=1)
    """Stands between a word and its tag; the last one in a token counts."""
    comment: str | None = Field(default=None, min_length=1)
    """Lines that begin so are passed over, counted and named. Left out: every line holds words or nothing."""
    encoding: Encoding | None = None
    """How letters are written as bytes. Left out: UTF-8. The mark of byte order of a file counts more."""
    classes: str | None = None
    """Where the class of a document stands: `folders`, in the first folder of its path, or the name of a file
    below the root with a line `NAME CLASS` for each document. Left out: documents have no class."""
    coarse: dict[str, tuple[str, ...]] | None = None
    """The tags of each coarse tag, such as `NOUN: [nn, nns]`; every tag has to be in one. Left out: there are
    no coarse tags."""
    syntax: Literal["plain", "brown"] = "plain"
    """How tags are written, for `coarse`. `plain`: as they are. `brown`: `fw-...` is `fw`, what follows a
    hyphen is left out (`nn-tl`), of a contraction the first part counts (`ppss+bem`), and a `*` behind a tag
    is left out (`md*`)."""
    documents: int | None = Field(default=None, ge=1)
    """How many documents are drawn; left out, all of them."""
    train_fraction: float | None = Field(default=None, gt=0, lt=1)
    """Share of the documents of each class kept for training a network here, and never drawn otherwise; left
    out, none."""
    context: int | None = Field(default=None, ge=2)
    """Tokens of one input at most, special ones counted; left out, as many as the model allows."""
    fetch: str | None = None
    """The command that fetches the files, said where they are missing and never run."""

    @field_validator("pattern", "classes")
    @classmethod
    def _stays_below_the_root(cls, path: str | None) -> str | None:
        if path is not None and (not path or path.startswith("/") or ".." in path.split("/")):
            raise PydanticCustomError("leaves_the_root", "a path or pattern below 'root' is needed")
        return path

    @field_validator("coarse", mode="before")
    @classmethod
    def _lists_become_tuples(cls, coarse: Any) -> Any:
        """YAML's lists inside of a mapping, which are left as they are elsewhere."""
        if not isinstance(coarse, dict):
            return coarse
        return {key: tuple(item) if isinstance(item, list) else item for key, item in coarse.items()}

    @model_validator(mode="after")
    def _syntax_is_of_coarse_tags(self) -> Self:
        if self.syntax != "plain" and self.coarse is None:
            raise PydanticCustomError(
                "syntax_alone", "'syntax' is read for coarse tags, and there is no 'coarse'"
            )
        return self

    def carried(self) -> frozenset[str]:
        """Tokens, and classes where documents have them."""
        return frozenset({"tokens"} if self.classes is None else {"tokens", "classes"})

    def row_targets(self) -> tuple[str, ...]:
        """Tags of tokens, and coarse ones where there are."""
        return ("token_tag",) if self.coarse is None else ("token_tag", "coarse_tag")

    def identity(self) -> dict[str, Any]:
        """Everything but where it lies and how it is fetched."""
        return {key: value for key, value in super().identity().items() if key != "fetch"}

    def open(self, input_format: InputFormat, opening: Opening) -> Examples:
        """The texts as inputs of the model, in the order of their paths; for training packed into sequences.

        Raises:
            DataError: there is no such folder, no file matches, a file is not of this form (says in which
                line), a document has no class or a tag no coarse tag.
            UsageError: the model takes images, or texts for training are asked for and none are kept.
        """
        from polylens.datasets.tagged_text.examples import tagged_examples

        return tagged_examples(self, input_format, opening)
