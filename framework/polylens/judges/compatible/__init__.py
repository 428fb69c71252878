"""Any server that speaks the protocol of OpenAI's chat completions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from polylens.errors import DataError, UsageError, nearest
from polylens.judges import Judge
from polylens.records import Answer, Question
from polylens.work import Judging


class Compatible(Judge):
    """A model behind any server that speaks OpenAI's protocol: vLLM, Ollama, llama.cpp, hosted ones.

    Where the server is and what key it asks for never stands in a spec: `judges` in `mlflow.yaml` names
    servers, and the environment (`POLYLENS_JUDGE_ADDRESS`, `POLYLENS_JUDGE_KEY`) gives the one called
    `default`. What the key was is written nowhere. Needs the extra `judge`; none of the variables of OpenAI's
    own client (`OPENAI_API_KEY`, `OPENAI_BASE_URL` and so on) says where or as whom it is asked.

    Source: the chat completions of OpenAI's API; structured outputs by JSON Schema.
    """

    memory_fields: ClassVar[frozenset[str]] = frozenset({"at_once", "timeout", "tries", "patience"})
    unasked_fields: ClassVar[frozenset[str]] = frozenset({"price_in", "price_out"})

    model: str = Field(min_length=1, examples=["qwen2.5-7b-instruct"])
    """The model, as the server calls it."""
    server: str = "default"
    """Name of the server in `mlflow.yaml`; `default` is the one that the environment names."""
    temperature: float = Field(default=0.0, ge=0, le=2)
    """How much chance there is in an answer; 0 takes the likeliest."""
    max_tokens: int = Field(default=1024, ge=1)
    """Tokens of an answer at most, with those of reasoning before it."""
    seed: int | None = None
    """Sent along where given, for servers that follow it."""
    form: Literal["schema", "object", "prompt"] = "schema"
    """How an answer is held to its form: by its JSON Schema, as any JSON object, or by the prompt alone."""
    images: bool = False
    """Whether the model reads images."""
    at_once: int = Field(default=8, ge=1, le=512)
    """Requests that are open at the same time, at most."""
    timeout: float = Field(default=120.0, gt=0)
    """Seconds after which a request is given up."""
    tries: int = Field(default=5, ge=1)
    """How often a question is asked before it counts as failed; being told to wait is no try."""
    patience: float = Field(default=600.0, ge=0)
    """Seconds that one question waits in all because the server says so, before it counts as failed."""
    price_in: float | None = Field(default=None, ge=0)
    """Price of a million tokens read; gives the cost, together with `price_out`."""
    price_out: float | None = Field(default=None, ge=0)
    """Price of a million tokens written."""

    def takes_images(self) -> bool:
        """Where `images` says so."""
        return self.images

    def prices(self) -> tuple[float, float] | None:
        """The prices, where both are given."""
        if self.price_in is None or self.price_out is None:
            return None
        return self.price_in, self.price_out

    def answers(self, questions: Sequence[Question], judging: Judging) -> Iterator[tuple[int, Answer]]:
        """The answers as they come, several questions being asked at once.

        Raises:
            UsageError: nothing says where the server is.
            DataError: the extra `judge` is not installed, no server is there, it has no such model, or it
                refuses the key.
        """
        server = judging.servers.get(self.server)
        if server is None:
            raise self._unknown(judging)
        try:
            from polylens.judges.compatible.asking import Caller
        except ImportError:
            raise DataError(
                "judges behind a server need the package openai, which is not installed",
                hint="pip install 'polylens[judge]'",
            ) from None
        yield from Caller(self, server).answers(questions)

    def request(self, question: Question) -> dict[str, Any]:
        """The body of a request."""
        from polylens.judges.compatible.messages import body_of

        return body_of(self, question)

    def _unknown(self, judging: Judging) -> UsageError:
        known = sorted(judging.servers)
        if self.server == "default":
            hint = "set POLYLENS_JUDGE_ADDRESS, or name one in mlflow.yaml: judges: {default: {address: ...}}"
        elif near := nearest(self.server, known):
            hint = f"did you mean '{near}'?"
        else:
            hint = f"mlflow.yaml names servers under judges; known: {', '.join(known) or 'none'}"
        return UsageError(f"nothing says where the judges' server '{self.server}' is", hint=hint)
