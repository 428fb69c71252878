"""A model's answers: the likeliest of those allowed, or its likeliest words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float

from polylens import imports
from polylens.devices import probing_device
from polylens.errors import DataError
from polylens.records import CHOICE, Answer, AnswerOutcome, Choice, Question, Sentence

_WHY = "not asked"
"""A likelihood is no reason."""
_TOKENS_A_WORD = 4


class Reader:
    """One model in memory."""

    def __init__(self, folder: Path, *, name: str, batch: int) -> None:
        """
        Args:
            folder: with config, tokenizer and safetensors.
            name: of the model, for people.
            batch: texts that are read at once.

        Raises:
            DataError: it cannot be loaded.
        """
        transformers = imports.transformers()
        about: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **about)
            model = transformers.AutoModelForCausalLM.from_pretrained(
                folder, use_safetensors=True, dtype=torch.float32, **about
            )
        except Exception as error:  # transformers raises of many kinds
            said = str(error).partition("\n")[0]
            raise DataError(
                f"the judge's model '{name}' cannot be loaded: {said}",
                hint="it must be a causal language model with its tokenizer, in safetensors",
            ) from error
        self._device = probing_device()
        self._model = model.eval().to(self._device)
        self._name = name
        self._batch = batch
        self._context = int(getattr(model.config, "max_position_embeddings", 0) or 0)

    @torch.inference_mode()
    def answer(self, question: Question) -> Answer:
        """The answer to one question; none where it is longer than the model reads."""
        prompt = self._prompt(question)
        room = _TOKENS_A_WORD * question.form.words + 16 if isinstance(question.form, Sentence) else 16
        if self._context and len(prompt) + room > self._context:
            said = f"the question is of {len(prompt)} tokens, and the model reads {self._context} at most"
            return Answer("failed", said=said, model=self._name)
        if isinstance(question.form, Choice):
            chosen = self._likeliest(prompt, f'{{"{CHOICE}": "', question.form.options)
            return self._answer(question, {CHOICE: chosen}, prompt)
        label = self._words(prompt, '{"label": "', most=_TOKENS_A_WORD * question.form.words)
        label = " ".join(label.split()[: question.form.words])
        meanings = self._likeliest(prompt, f'{{"label": "{label}", "meanings": "', question.form.meanings)
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

    def _likeliest(self, prompt: list[int], start: str, options: Sequence[str]) -> str:
        """The option after which the text is likeliest; of equally likely ones the first."""
        texts = [self._ids(f'{start}{option}"') for option in options]
        scores: list[float] = []
        for first in range(0, len(texts), self._batch):
            scores += self._likelihoods(prompt, texts[first : first + self._batch]).tolist()
        return options[scores.index(max(scores))]

    def _likelihoods(self, prompt: list[int], texts: Sequence[list[int]]) -> Float[torch.Tensor, "texts"]:
        """The log-likelihood of each text after the prompt."""
        width = len(prompt) + max(map(len, texts))
        ids = torch.zeros(len(texts), width, dtype=torch.int64)
        mask = torch.zeros_like(ids)
        for row, text in enumerate(texts):
            whole = [*prompt, *text]
            ids[row, : len(whole)] = torch.tensor(whole)
            mask[row, : len(whole)] = 1
        ids, mask = ids.to(self._device), mask.to(self._device)
        logits = self._model(input_ids=ids, attention_mask=mask).logits.float()
        each = logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]
        kept = mask[:, 1:].bool()
        kept[:, : len(prompt) - 1] = False
        likelihoods: torch.Tensor = (each * kept).sum(1)
        return likelihoods.cpu()

    def _words(self, prompt: list[int], start: str, *, most: int) -> str:
        """The likeliest text after a start, up to the end of its string."""
        before = [*prompt, *self._ids(start)]
        written: list[int] = []
        for _ in range(most):
            ids = torch.tensor([[*before, *written]], device=self._device)
            written.append(int(self._model(input_ids=ids).logits[0, -1].argmax()))
            text = str(self._tokenizer.decode(written, skip_special_tokens=True))
            ends = [text.index(end) for end in ('"', "\n") if end in text]
            if ends or written[-1] == self._tokenizer.eos_token_id:
                return text[: min(ends)] if ends else text
        return str(self._tokenizer.decode(written, skip_special_tokens=True))

    def _ids(self, text: str, *, special: bool = False) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=special)["input_ids"]
        return ids
