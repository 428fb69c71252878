"""Questions that judges are asked, and what they answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from unicodedata import category

from polylens.records.label_records import AnswerOutcome

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
"""A string in JSON."""
_SPELT_OUT = re.compile(r"[<\[]")
"""Special tokens of chat templates begin so, and servers take even those in a text for their own."""
CHOICE = "answer"
"""The one key of the answer to a choice."""


@dataclass(frozen=True)
class Choice:
    """The answer is one of these words."""

    options: tuple[str, ...]

    def schema(self) -> dict[str, Any]:
        """The answer's form as JSON Schema."""
        return _object({CHOICE: {"type": "string", "enum": list(self.options)}})

    def read(self, plain: Any) -> dict[str, str] | None:
        """The answer, where it has the asked form; None where it has another.

        >>> Choice(("yes", "no")).read({"answer": "yes"}), Choice(("yes", "no")).read({"answer": "maybe"})
        ({'answer': 'yes'}, None)
        """
        is_one = isinstance(plain, dict) and set(plain) == {CHOICE} and plain[CHOICE] in self.options
        return {CHOICE: str(plain[CHOICE])} if is_one else None


@dataclass(frozen=True)
class Sentence:
    """The answer is a label of few words, how many meanings there are, and why."""

    words: int = 8
    """Most words of the label."""

    meanings: tuple[str, ...] = ("one", "several", "unclear")
    """Words for how many meanings there are."""

    def schema(self) -> dict[str, Any]:
        """The answer's form as JSON Schema."""
        return _object(
            {
                "label": {"type": "string", "description": f"at most {self.words} words"},
                "meanings": {"type": "string", "enum": list(self.meanings)},
                "why": {"type": "string"},
            }
        )

    def read(self, plain: Any) -> dict[str, str] | None:
        """The answer, where it has the asked form; None where it has another. White space is one space.

        >>> Sentence(2).read({"label": "three whole words", "meanings": "one", "why": ""}) is None
        True
        """
        if not isinstance(plain, dict) or set(plain) != {"label", "meanings", "why"}:
            return None
        if not all(isinstance(value, str) for value in plain.values()):
            return None
        label, why = (_clean(plain[key]) for key in ("label", "why"))
        if not label or len(label.split()) > self.words or plain["meanings"] not in self.meanings:
            return None
        return {"label": label, "meanings": plain["meanings"], "why": why}


@dataclass(frozen=True)
class Question:
    """One question to a judge. What comes of data stands in `data` alone, and is sent as JSON."""

    instructions: str
    """What is asked: a template's text, without anything of the data in it."""
    data: Mapping[str, Any]
    """The texts and ids that it is asked of. Ids are chosen by us."""
    form: Choice | Sentence
    """What an answer looks like."""
    images: tuple[bytes, ...] = field(default=(), repr=False)
    """PNG images that `data` speaks of, in its order."""

    @property
    def message(self) -> str:
        """The data as one line of JSON: a text in it can end neither its string nor the message.

        >>> Question("?", {"text": 'a"} {"'}, Choice(("yes", "no"))).message
        '{"text": "a\\\\"} {\\\\""}'
        """
        return _STRING.sub(_spell_out, json.dumps(self.data, ensure_ascii=False))

    def to_plain(self) -> dict[str, Any]:
        """All that an answer hangs on, as plain data; images by their digest."""
        images = [hashlib.sha256(image).hexdigest() for image in self.images]
        return {
            "instructions": self.instructions,
            "data": dict(self.data),
            "schema": self.form.schema(),
            "images": images,
        }


@dataclass(frozen=True)
class Answer:
    """What came of one question."""

    outcome: AnswerOutcome
    value: Mapping[str, str] | None = None
    """The answer by key; None where there is none of the asked form."""
    said: str = ""
    """What the judge said, as it said it; why there is no answer where it said nothing."""
    model: str = ""
    """The model that answered, as the server names it."""
    tokens_in: int = 0
    tokens_out: int = 0
    tries: int = 1
    """How often it was asked until it answered or the tries ran out."""

    @property
    def chosen(self) -> str | None:
        """The word that was chosen; None where none was."""
        return None if self.value is None else self.value.get(CHOICE)


def _clean(text: str) -> str:
    """A line of text: no signs that steer a terminal, and no halves of letters, which no file can hold.

    >>> _clean("dates\\n of \\x1b[2Jbirth \\ud800")
    'dates of [2Jbirth'
    """
    kept = (" " if letter.isspace() else letter for letter in text)
    return " ".join("".join(each for each in kept if category(each) not in ("Cc", "Cs")).split())


def _spell_out(string: re.Match[str]) -> str:
    """A string of JSON with some of its letters by their numbers; it means the same."""
    return _SPELT_OUT.sub(lambda letter: f"\\u{ord(letter[0]):04x}", string[0])


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }
