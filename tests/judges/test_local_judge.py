"""A judge in this process: tiny random models, which are no use as judges and show the path."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.text_models import tiny_tokenizer

from polylens import imports
from polylens.errors import DataError
from polylens.judges import ask
from polylens.judges.local import Local
from polylens.progress import Silent
from polylens.records import Choice, Question, Sentence
from polylens.work import Judging

CHOICES = [Question("Fits?", {"row": f"cat {n}"}, Choice(("yes", "no", "perhaps"))) for n in range(4)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = imports.transformers()
    place = tiny_tokenizer(tmp_path_factory.mktemp("judge") / "model")
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=400, n_embd=16, n_layer=2, n_head=2, n_positions=512)
    transformers.GPT2LMHeadModel(config).save_pretrained(place, safe_serialization=True)
    return place.parent


def asked(folder: Path, questions: list[Question], **fields):
    judge = Local(source="model", **fields)
    return ask(judge, questions, judging=Judging(root=folder), progress=Silent(), title="judging")


@pytest.mark.slow
def test_choices_are_the_likeliest_continuation_and_never_malformed(folder):
    found = asked(folder, CHOICES)
    transformers = imports.transformers()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder / "model")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder / "model").eval()
    assert found.tally.counts["answered"] == len(CHOICES)
    for question, answer in zip(CHOICES, found.answers, strict=True):
        before = tokenizer(f"{question.instructions}\n\n{question.message}\n\n")["input_ids"]
        likelihoods = []
        for option in question.form.options:  # one by one, token by token
            text = tokenizer(f'{{"answer": "{option}"', add_special_tokens=False)["input_ids"]
            total = 0.0
            for count, token in enumerate(text):
                logits = model(torch.tensor([[*before, *text[:count]]])).logits[0, -1].detach()
                total += float(logits.log_softmax(-1)[token])
            likelihoods.append(total)
        assert answer.chosen == question.form.options[likelihoods.index(max(likelihoods))]
    assert asked(folder, CHOICES, batch=1).answers == found.answers


def test_labels_in_words_have_the_asked_form_or_are_malformed(folder):
    (answer,) = asked(folder, [Question("What?", {"group": ["a"]}, Sentence(3))]).answers
    assert answer.outcome in ("answered", "malformed")
    if answer.value is not None:
        assert 1 <= len(answer.value["label"].split()) <= 3
        assert answer.value["meanings"] in ("one", "several", "unclear")


def test_a_question_that_is_too_long_fails_and_is_counted(folder):
    found = asked(folder, [Question("What?", {"row": "cat " * 600}, Choice(("yes", "no")))])
    assert found.tally.counts["failed"] == 1
    assert "512 at most" in found.answers[0].said


def test_other_weights_are_another_judge(folder):
    judge = Local(source="model")
    before = judge.contents_digest(root=folder)
    assert len(before) > 64
    with pytest.raises(DataError, match="no folder"):
        Local(source="nowhere").contents_digest(root=folder)
    with pytest.raises(ValueError, match="revision"):
        Local(source="me/model", revision="main")
