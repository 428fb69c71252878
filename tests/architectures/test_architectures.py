"""One architecture of each kind that once went wrong; `python -m tests.architectures` tries them all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tests.architectures.comparing import outcome
from tests.architectures.images import outcome_of_images
from tests.architectures.tiny import sizes_of
from tests.text_models import tiny_tokenizer

from polylens.errors import DataError, UsageError
from polylens.harvest.dependence import check_examples_alone
from polylens.models.transformers import Transformers
from polylens.models.transformers.layers import is_causal
from polylens.records import Network
from polylens.streams import Streams
from polylens.text import InMemory, open_text


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.mark.parametrize(
    ("model_type", "head", "attention"),
    [
        ("qwen3", "causal", "sdpa"),  # norms of each head: tokens in the middle of four axes
        ("bloom", "causal", "eager"),  # no limit of positions, no fused attention
        ("mixtral", "causal", "sdpa"),  # experts that get some of the tokens
        ("gemma3_text", "causal", "sdpa"),  # windows
        ("xlnet", "causal", "eager"),  # tokens outside of examples
        ("mamba", "causal", "eager"),  # no attention; convolutions over tokens
        ("roberta", "masked", "sdpa"),  # positions behind the padding's number
    ],
)
def test_rows_are_those_of_a_plain_pass(model_type: str, head: str, attention: str, tokenizer: Path) -> None:
    found = outcome(model_type, head=head, tokenizer=tokenizer, attention=attention)
    assert (found.kind, found.layers > 0) == ("equal", True), found


def test_rows_of_channels_last_blocks_are_those_of_a_plain_pass() -> None:
    found = outcome_of_images("swin_t", size=32)
    assert (found.kind, found.layers > 0, found.why) == ("equal", True, ""), found


@pytest.mark.parametrize(
    ("model_type", "head", "said"),
    [
        ("bloom", "causal", "no fused attention for the architecture 'bloom' .*`attention: eager`"),
        (
            "t5",
            "base",
            "T5Model is an encoder and a decoder, which read two texts .*EncoderModel the encoder",
        ),
        ("vit", "base", "ViTModel reads pixel_values, not tokens of text"),
    ],
)
def test_others_are_refused_with_what_to_do(model_type: str, head: str, said: str, tokenizer: Path) -> None:
    config = next(sizes_of(model_type, head=head))
    model = Transformers(source="config", config=config, tokenizer=str(tokenizer))
    with pytest.raises(DataError) as error:
        model.build(torch.Generator())
    assert re.search(said, f"{error.value.message} {error.value.hint}")


def test_a_class_whose_module_lacks_a_package_is_refused_with_its_name(
    tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lacking(type):
        @property
        def main_input_name(cls) -> str:  # as transformers' stand-ins do
            raise ImportError("\nGPT2Model requires the torchaudio library")

    mapping = {transformers.GPT2Config: Lacking("GPT2Model", (), {})}
    monkeypatch.setattr(transformers.AutoModel, "_model_mapping", mapping)
    config = {"model_type": "gpt2", "architectures": ["GPT2Model"]}
    model = Transformers(source="config", config=config, tokenizer=str(tokenizer))
    with pytest.raises(
        DataError, match="needs a package: GPT2Model requires the torchaudio library"
    ) as error:
        model.build(torch.Generator())
    assert "install that package" in (error.value.hint or "")


@pytest.mark.parametrize(("padding", "limit"), [(1, 32), (0, 33), (4, 29)])
def test_positions_that_start_behind_the_padding_are_fewer(padding: int, limit: int, tokenizer: Path) -> None:
    config: dict[str, Any] = {
        "model_type": "roberta",
        "architectures": ["RobertaModel"],
        "vocab_size": 400,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 8,
        "max_position_embeddings": 34,
        "pad_token_id": padding,
    }
    model = Transformers(source="config", config=config, tokenizer=str(tokenizer))
    assert model.input_shape() == (limit,)
    network = model.build(torch.Generator())
    network(torch.full((1, limit), 7))
    with pytest.raises((IndexError, RuntimeError)):  # one more is one too many, as each kernel says it
        network(torch.full((1, limit + 1), 7))
    with pytest.raises(ValueError, match=f"the model takes {limit} tokens at most"):
        Transformers(source="config", config=config, tokenizer=str(tokenizer), context=limit + 1)


def test_a_config_that_asks_for_both_sides_is_not_cut_at_the_last_token() -> None:
    assert is_causal({"model_type": "llama"})
    assert not is_causal({"model_type": "llama", "is_causal": False})
    assert not is_causal({"model_type": "qwen2", "use_bidirectional_attention": True})


@pytest.mark.parametrize("packing", ["one_document", "packed"])
def test_networks_that_do_not_mask_padding_take_texts_of_one_length(packing: str, tokenizer: Path) -> None:
    model = Transformers(
        source="config",
        config=next(sizes_of("fnet", head="masked")),
        tokenizer=str(tokenizer),
        context=16,
        attention="eager",
    )
    network = Network("fnet", model.build(torch.Generator()), model.input_format())
    sources = InMemory({f"d{n}": "the cat sat on a mat " * n for n in (1, 2, 5)}, title="texts")
    examples = open_text(sources, network.input_format, packing=packing, streams=Streams(0))
    if packing == "packed":
        check_examples_alone(network, examples, layers=["output"])
    else:
        with pytest.raises(UsageError, match="depend on the padding") as error:
            check_examples_alone(network, examples, layers=["output"])
        assert "packing: packed" in str(error.value)
