"""The decoder that is trained here: its parts, its fresh weights, what it may see, and its word pieces."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from tests.text_models import tiny_tokenizer

from polylens.models.gpt import Gpt, LanguageTraining
from polylens.text import read_tokenizer

SMALL = Gpt(width=16, depth=2, heads=2, context=12)


def built(model: Gpt, seed: int = 0) -> torch.nn.Module:
    return model.build(torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("norms", [True, False])
def test_every_named_layer_is_a_module_and_so_is_every_alias(norms: bool) -> None:
    model = SMALL.model_copy(update={"norms": norms})
    modules = dict(built(model).named_modules())
    assert set(model.layers()) <= set(modules)
    assert set(model.aliases().values()) <= set(model.layers())
    assert model.aliases()["mlp_post.1"] == "blocks.1.mlp.activation"
    assert any("norm" in name for name in modules) == norms


@pytest.mark.parametrize("norms", [True, False])
def test_a_token_sees_those_before_it_only_and_padding_changes_nothing(norms: bool) -> None:
    module = built(SMALL.model_copy(update={"norms": norms}))
    ids = torch.randint(5, 5000, (2, 12), generator=torch.Generator().manual_seed(1))
    changed, padded = ids.clone(), ids.clone()
    changed[:, 7:] = 42
    padded[:, 7:] = -1
    with torch.no_grad():
        logits = module(ids)
        assert logits.shape == (2, 12, 5000)
        for other in (changed, padded):
            assert torch.allclose(module(other)[:, :7], logits[:, :7], rtol=0, atol=1e-5)
        assert not torch.allclose(module(changed)[:, 7:], logits[:, 7:], rtol=0, atol=1e-3)


def test_attention_is_what_it_is_by_hand() -> None:
    module = built(SMALL)
    attention = dict(module.named_modules())["blocks.0.attention"]
    stream = torch.randn(1, 5, 16, generator=torch.Generator().manual_seed(0))
    parts = dict(attention.named_children())
    query, key, value = (parts[name](stream)[0] for name in ("query", "key", "value"))
    wanted = torch.zeros(5, 16)
    for head in range(2):
        own = slice(8 * head, 8 * head + 8)
        for token in range(5):
            scores = query[token, own] @ key[: token + 1, own].T / 8**0.5
            wanted[token, own] = scores.softmax(0) @ value[: token + 1, own]
    with torch.no_grad():
        assert torch.allclose(attention(stream)[0], parts["output"](wanted), rtol=0, atol=1e-5)


def test_fresh_weights_depend_on_the_seed_alone_and_keep_the_stream_of_one_size() -> None:
    before = torch.get_rng_state()
    first, again, other = (built(SMALL, seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["embedding.weight"], other["embedding.weight"])
    deep = built(Gpt(width=64, depth=8, heads=4, context=64, norms=False))
    parts = dict(deep.named_modules())
    stream = parts["embedding"](torch.arange(100, 164)[None])
    for block in range(8):
        stream = parts[f"blocks.{block}"](stream)
    # It starts at 0.5; sixteen sums of variance at most a sixteenth of a block's input keep it near.
    assert 0.4 < float(stream.detach().std()) < 1.2


def test_the_word_pieces_that_come_along_spell_any_english_word() -> None:
    tokenizer = read_tokenizer(Path(SMALL.input_format().tokenizer))
    assert tokenizer.get_vocab_size() == 5000
    encoded = tokenizer.encode("The Zyzzyva's 42 quixotic, syzygy-like jury!", add_special_tokens=False)
    assert "[UNK]" not in encoded.tokens
    assert encoded.tokens[0] == "the"
    assert SMALL.input_format().special == (0, 1, 2, 3, 4)


def test_a_tokenizer_of_ones_own_says_how_many_tokens_there_are(tmp_path: Path) -> None:
    folder = tiny_tokenizer(tmp_path / "tokenizer")
    model = Gpt(width=8, heads=2, context=8, tokenizer="tokenizer").locate(lambda name: tmp_path)
    assert model.build(torch.Generator()).output.out_features == read_tokenizer(folder).get_vocab_size()
    shutil.copytree(folder, tmp_path / "moved")
    moved = Gpt(width=8, heads=2, context=8, tokenizer=str(tmp_path / "moved"))
    assert moved.identity() == model.identity()
    assert moved.weights_digest(root=tmp_path) == model.weights_digest(root=tmp_path)
    assert moved.weights_digest(root=tmp_path) != SMALL.weights_digest(root=tmp_path)
    assert Gpt(tokenizer="nowhere").missing(root=tmp_path) == tmp_path / "nowhere"
    assert SMALL.missing(root=tmp_path) is None


def test_a_width_that_heads_do_not_share_and_shuffled_targets_are_refused() -> None:
    with pytest.raises(ValidationError, match="a width of 10 cannot be shared out to 4 heads"):
        Gpt(width=10)
    with pytest.raises(ValidationError):
        LanguageTraining.model_validate({"targets": "shuffled"})
    assert Gpt(training=LanguageTraining()).with_targets("shuffled") is None


def test_fewer_epochs_leave_the_step_sizes_of_the_whole_training() -> None:
    model = Gpt(training=LanguageTraining(epochs=4))
    shorter = model.after_epochs(1)
    assert shorter is not None
    assert shorter.training is not None
    assert (shorter.training.epochs, shorter.training.falls_over) == (1, 4)
    assert model.after_epochs(4) is None
    untrained = model.after_epochs(0)
    assert untrained is not None
    assert untrained.training is None
