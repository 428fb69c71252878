"""A model's answers: the likeliest of those allowed, or its likeliest words."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float

from polylens import imports
from polylens.devices import exact_float32, probing_device
from polylens.judges.local.loading import load
from polylens.records import CHOICE, Answer, AnswerOutcome, Choice, Question, Sentence

_WHY = "not asked"
"""A likelihood is no reason."""
_TOKENS_A_WORD = 4
_ENDS = ('"', "\n")
"""What ends a label."""


@dataclass(frozen=True)
class _Text:
    """One allowed answer after its question, as tokens."""

    prompt: list[int]
    answer: list[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


class Reader:
    """One model in memory."""

    def __init__(self, folder: Path, *, name: str, batch: int, gguf: str | None = None) -> None:
        """
        Args:
            folder: with config, tokenizer and safetensors, or with a GGUF file.
            name: of the model, for people.
            batch: texts that are read at once.
            gguf: name of the GGUF file, where there is one.

        Raises:
            DataError: it cannot be loaded.
        """
        self._tokenizer, model = load(folder, gguf=gguf, name=name)
        self._device = probing_device()
        self._model = model.to(self._device)
        self._name = name
        self._batch = batch
        self._context = int(getattr(model.config, "max_position_embeddings", 0) or 0)
        self._keeps = "logits_to_keep" in inspect.signature(model.forward).parameters

    def answers(self, questions: Sequence[Question]) -> Iterator[tuple[int, Answer]]:
        """The answer to each question, with its place; none where it is longer than the model reads.

        Questions are taken by their length, so that those that are read together need little padding.
        """
        waiting: list[tuple[int, list[int]]] = []
        for place in sorted(range(len(questions)), key=lambda place: len(questions[place].message)):
            question, prompt = questions[place], self._prompt(questions[place])
            if (failed := self._failure(question, prompt)) is not None:
                yield place, failed
            elif isinstance(question.form, Sentence):
                yield place, self._label(question, question.form, prompt)
            else:
                together = [*(each for each, _ in waiting), place]
                if waiting and sum(_options(questions[each]) for each in together) > self._batch:
                    yield from self._choices(questions, waiting)
                    waiting = []
                waiting.append((place, prompt))
        yield from self._choices(questions, waiting)

    def _failure(self, question: Question, prompt: Sequence[int]) -> Answer | None:
        room = _TOKENS_A_WORD * question.form.words + 16 if isinstance(question.form, Sentence) else 16
        if not self._context or len(prompt) + room <= self._context:
            return None
        said = f"the question is of {len(prompt)} tokens, and the model reads {self._context} at most"
        return Answer("failed", said=said, model=self._name)

    def _choices(
        self, questions: Sequence[Question], waiting: Sequence[tuple[int, list[int]]]
    ) -> Iterator[tuple[int, Answer]]:
        """The likeliest option of each question; of equally likely ones the first."""
        texts: list[_Text] = []
        for place, prompt in waiting:
            form = questions[place].form
            assert isinstance(form, Choice)
            texts += self._texts(prompt, f'{{"{CHOICE}": "', form.options)
        scores = self._likelihoods(texts)
        for place, prompt in waiting:
            form = questions[place].form
            assert isinstance(form, Choice)
            own, scores = scores[: len(form.options)], scores[len(form.options) :]
            chosen = form.options[int(own.argmax())]
            yield place, self._answer(questions[place], {CHOICE: chosen}, prompt)

    def _label(self, question: Question, form: Sentence, prompt: list[int]) -> Answer:
        """A label in the model's likeliest words, and the likeliest number of meanings after it."""
        label = self._words(prompt, '{"label": "', most=_TOKENS_A_WORD * form.words)
        label = " ".join(label.split()[: form.words])
        texts = self._texts(prompt, f'{{"label": "{label}", "meanings": "', form.meanings)
        meanings = form.meanings[int(self._likelihoods(texts).argmax())]
        return self._answer(question, {"label": label, "meanings": meanings, "why": _WHY}, prompt)

    def _answer(self, question: Question, plain: dict[str, str], prompt: Sequence[int]) -> Answer:
        value, said = question.form.read(plain), " ".join(plain.values())
        written = len(self._ids(said))
        outcome: AnswerOutcome = "malformed" if value is None else "answered"
        return Answer(outcome, value, said, model=self._name, tokens_in=len(prompt), tokens_out=written)

    def _prompt(self, question: Question) -> list[int]:
        """The question as the model is used to it: by its chat template, where it has one."""
        if not getattr(self._tokenizer, "chat_template", None):
            return self._ids(f"{question.instructions}\n\n{question.message}\n\n", special=True)
        messages = [
            {"role": "system", "content": question.instructions},
            {"role": "user", "content": question.message},
        ]
        text = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return self._ids(text)

    def _texts(self, prompt: list[int], start: str, options: Sequence[str]) -> list[_Text]:
        """Each option with what stands around it in the answer, after the prompt."""
        return [_Text(prompt, self._ids(f'{start}{option}"')) for option in options]

    def _likelihoods(self, texts: Sequence[_Text]) -> Float[torch.Tensor, "texts"]:
        """The log-likelihood of each answer after its prompt: the sum over all of its tokens."""
        batches = [texts[start : start + self._batch] for start in range(0, len(texts), self._batch)]
        return torch.cat([torch.zeros(0), *map(self._likelihoods_of, batches)])

    @torch.inference_mode()
    def _likelihoods_of(self, texts: Sequence[_Text]) -> Float[torch.Tensor, "texts"]:
        width = max(map(len, texts))
        ids = torch.zeros(len(texts), width, dtype=torch.int64)
        is_text, is_answer = torch.zeros_like(ids), torch.zeros_like(ids)
        for row, text in enumerate(texts):
            # Filled up at the end, which nothing before it sees, whatever side the tokenizer fills up.
            ids[row, : len(text)] = torch.tensor([*text.prompt, *text.answer])
            is_text[row, : len(text)] = 1
            is_answer[row, len(text.prompt) : len(text)] = 1
        first = min(len(text.prompt) for text in texts)
        ids, is_text, is_answer = (each.to(self._device) for each in (ids, is_text, is_answer))
        # Logits of a prompt are most of what a batch takes, and tell nothing.
        kept = {"logits_to_keep": width - first + 1} if self._keeps else {}
        with exact_float32():
            logits = self._model(input_ids=ids, attention_mask=is_text, **kept).logits
        logits = logits[:, -(width - first + 1) : -1].float()
        each = logits.log_softmax(-1).gather(-1, ids[:, first:, None])[..., 0]
        likelihoods: torch.Tensor = (each * is_answer[:, first:]).sum(1)
        return likelihoods.cpu()

    @torch.inference_mode()
    def _words(self, prompt: list[int], start: str, *, most: int) -> str:
        """The likeliest text after a start, token by token, up to the end of its string."""
        before = [*prompt, *self._ids(start)]
        ends = self._tokenizer.eos_token_id
        # Of the model's own settings none: they may repeat nothing, or draw.
        plain = imports.transformers().GenerationConfig(
            max_new_tokens=most, do_sample=False, eos_token_id=ends, pad_token_id=ends or 0
        )
        ids = torch.tensor([before], device=self._device)
        with exact_float32():
            given = self._model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=plain)
        text = str(self._tokenizer.decode(given[0, len(before) :].cpu(), skip_special_tokens=True))
        return text[: min((text.index(end) for end in _ENDS if end in text), default=len(text))]

    def _ids(self, text: str, *, special: bool = False) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=special)["input_ids"]
        return ids


def _options(question: Question) -> int:
    return len(question.form.options) if isinstance(question.form, Choice) else 0
