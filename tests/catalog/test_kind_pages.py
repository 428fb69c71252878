"""What a field takes, in plain words."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from polylens.catalog import in_words, kind_page
from polylens.models import Training
from polylens.sampling import Sampling


class Block(BaseModel):
    """Two keys."""

    one: int
    two: int = 2


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "a whole number"),
        (float, "a number"),
        (str, "a text"),
        (bool, "true or false"),
        (int | None, "a whole number or null"),
        (Literal["a", "b", "c"], "'a', 'b' or 'c'"),
        (Literal[1, 3], "1 or 3"),
        (Annotated[int, Field(ge=1, le=9)], "a whole number of at least 1 and at most 9"),
        (Annotated[float, Field(gt=0, lt=1)], "a number of more than 0 and less than 1"),
        (tuple[int, ...], "a list of whole numbers"),
        (tuple[int, int], "a list of 2 values, each a whole number"),
        (tuple[str, ...] | None, "a list of texts or null"),
        (tuple[tuple[int, int], ...], "a list, each item a list of 2 values, each a whole number"),
        (
            tuple[int, int] | Literal["center"] | int,
            "'center', a whole number or a list of 2 values, each a whole number",
        ),
        (dict[str, int], "a map"),
        (Block, "a map with one, two"),
        (Sampling, "a sampling rule: a registry name, or a map with 'use' or 'kind'"),
    ],
)
def test_types_are_said_in_plain_words(annotation: Any, words: str) -> None:
    assert in_words(annotation) == words


def test_a_page_says_what_is_required_and_what_the_defaults_are() -> None:
    page = kind_page("sampling", "evenly_spaced")
    assert page.summary == "Takes `count` positions at equal steps, none of the first `after`."
    assert [(field.name, field.required, field.default) for field in page.fields] == [
        ("count", True, None),
        ("after", False, 0),
        ("end", False, "open"),
    ]


def test_a_block_is_described_key_by_key() -> None:
    page = kind_page("models", "mlp")
    training = next(field for field in page.fields if field.name == "training")
    assert training.takes == "a map of these keys"
    assert [field.name for field in training.fields] == list(Training.model_fields)
    assert all(field.about for field in training.fields)
