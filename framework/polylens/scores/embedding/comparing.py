"""Labels held against rows by the cosine of their texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Float64, Int64

from polylens.errors import DataError
from polylens.progress import Progress
from polylens.records import Context, Described, Number, Told
from polylens.scores import Labeler, Subject
from polylens.scores._answering import Answers
from polylens.scores._trial import Trial
from polylens.scores.embedding.encoding import Encoder
from polylens.statistics import ItemMean, guessed_area, placements

if TYPE_CHECKING:
    import pandas as pd

    from polylens.scores.embedding import Embedding

_GUESS = 0.5
_DECIMALS = 5
"""Cosines that differ by less are equal: the same text read in another batch differs by rounding."""


class NearerByCosine:
    """Whether a label is nearer to its cluster's rows than to others, by the cosine of their texts."""

    name = "embedding"

    def __init__(self, score: Embedding, encoder: Encoder, progress: Progress) -> None:
        self._score = score
        self._encoder = encoder
        self._progress = progress
        self._vectors: dict[str, Float32[np.ndarray, "width"]] = {}

    def guess(self, labeler: Labeler, trial: Trial) -> float:
        """The area under the curve of scores that say nothing."""
        return _GUESS

    def best_guess(self, labeler: Labeler, trial: Trial, level: float) -> Float64[np.ndarray, "scored"]:
        """The area that scores which say nothing stay at or below on each cluster, with this probability."""
        halves = np.maximum(trial.items.of_each // 2, 1)
        return np.array([guessed_area(level, members=each, others=each) for each in halves.tolist()])

    def is_free(self, labeler: Labeler) -> bool:
        """A text is read once, whatever it is then held against."""
        return True

    def answer(
        self, labeler: Labeler, trial: Trial, whose: Int64[np.ndarray, "clusters"], *, group: str
    ) -> Answers:
        """Of each item the share of those of the other kind that it is on the right side of.

        Items of a cluster without a label count as a guess.
        """
        items = trial.items
        called = labeler.labels.guesses(trial.subject.partition.n_clusters)
        labels = [called[each] for each in whose[items.cluster].tolist()]
        texts = self._texts(trial)
        cosines = self._cosines(labels, texts)
        placed = placements(cosines, items.is_member, items.cluster)
        has_label = np.array([bool(label) for label in labels])
        said = [f"{cosine:.3f}" if label else "" for cosine, label in zip(cosines, labels, strict=True)]
        outcomes = ["by cosine" if label else "no label" for label in labels]
        return Answers(np.where(has_label, placed, _GUESS), outcomes, said)

    def mean(self, right: Float64[np.ndarray, "items"], trial: Trial) -> ItemMean:
        """The mean area under the curve."""
        block = trial.subject.rows.origins.block[trial.items.row]
        return ItemMean.of_areas(right, group=trial.items.cluster, example=block)

    def numbers(self) -> Mapping[str, Number]:
        """None: nobody was asked."""
        return {}

    def notes(self) -> tuple[str, ...]:
        """What was read, and by whom."""
        read = (
            "the name of its example's class"
            if self._score.text == "class"
            else f"its token with {self._score.words} words on either side"
        )
        return (f"{len(self._vectors):,} texts were read by {self._score.source}; of a row {read}.",)

    def tables(self) -> Mapping[str, pd.DataFrame]:
        """None: nobody was asked."""
        return {}

    def _cosines(self, labels: Sequence[str], texts: Sequence[str]) -> Float64[np.ndarray, "items"]:
        missing = sorted({*labels, *texts} - self._vectors.keys())
        if missing:
            self._vectors |= dict(zip(missing, self._encoder.vectors(missing, self._progress), strict=True))
        own = np.array([self._vectors[each] for each in labels], dtype=np.float64)
        others = np.array([self._vectors[each] for each in texts], dtype=np.float64)
        return np.asarray(np.round((own * others).sum(1), _DECIMALS))

    def _texts(self, trial: Trial) -> list[str]:
        """The text of every item's row."""
        rows = trial.items.row.tolist()
        if self._score.text == "class":
            return _class_names(trial.subject, rows)
        return [text_around(trial.subject.shown(row), words=self._score.words) for row in rows]


def text_around(shown: Told, *, words: int) -> str:
    """A row's token with so many words on either side, all of a word that the token is a piece of.

    Raises:
        DataError: the row is an image.

    >>> from polylens.records import TokenContext
    >>> text_around(TokenContext("", "it was a cat", "fish, not", " a dog"), words=1)
    'a catfish, not a'
    """
    if isinstance(shown, Context | Described):
        raise DataError(
            "rows are images here, and have no text for a sentence encoder",
            hint="where classes have names in words, `text: class` reads those in place of a row's text; "
            "`detection` and `match` need no text",
        )
    return " ".join(f"{_last(shown.before, words)}{shown.token}{_first(shown.after, words)}".split())


def _last(text: str, words: int) -> str:
    """The last words of a text, and what is after them up to its end."""
    count = words + (not text[-1:].isspace())
    kept = text.rsplit(None, count)[-count:] if count else []
    return " ".join(kept) + (" " if text[-1:].isspace() else "")


def _first(text: str, words: int) -> str:
    """The first words of a text, and what is before them from its start."""
    count = words + (not text[:1].isspace())
    return (" " if text[:1].isspace() else "") + " ".join(text.split(None, count)[:count])


def _class_names(subject: Subject, rows: Sequence[int]) -> list[str]:
    """The names of the classes of rows' examples.

    Raises:
        DataError: they have none.
    """
    targets, classes = subject.rows.targets, subject.rows.classes
    if targets is None or not classes:
        raise DataError(
            "these rows have no classes whose names could be read",
            hint="use a dataset with classes, or `text: around` for rows of text",
        )
    return [classes[targets[row]] for row in rows]
