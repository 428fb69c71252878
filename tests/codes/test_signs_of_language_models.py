"""Whether signs name polytopes in language models: an MLP with ReLU, one with GELU, and beyond the MLP."""

from __future__ import annotations

import pytest
from tests.text_models import tiny_config, tiny_tokenizer

from polylens.codes.sign import Sign
from polylens.models.transformers import Transformers
from polylens.records import CodeScheme
from polylens.study.checking import flow_of

INPUT = {"opt": "model.decoder.layers.1.final_layer_norm", "gpt2": "transformer.h.1.ln_2"}
"""What the MLP of the second block reads."""


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_tokenizer(tmp_path_factory.mktemp("tokenizer")))


def scheme(architecture: str, layer: str, tokenizer: str, **fields: str) -> CodeScheme:
    model = Transformers(source="config", config=tiny_config(architecture), tokenizer=tokenizer)
    return Sign.model_validate(fields).select(flow_of(model), model.aliases().get(layer, layer)).scheme


def test_an_mlp_with_relu_has_polytopes_and_one_with_gelu_has_none(tokenizer: str) -> None:
    whole = {"units": "downstream", "through": "mlp_out.1", "positions": "all"}
    relu = scheme("opt", INPUT["opt"], tokenizer, **whole)
    assert (relu.names_polytopes, relu.is_proxy) == (True, False)
    gelu = scheme("gpt2", INPUT["gpt2"], tokenizer, **whole)
    assert (gelu.names_polytopes, gelu.is_proxy) == (False, True)
    assert "gelu" in gelu.reason


def test_the_units_own_signs_name_a_cell_before_the_layer(tokenizer: str) -> None:
    own = scheme("opt", "mlp_pre.1", tokenizer, units="own", positions="same")
    assert (own.names_polytopes, own.is_proxy) == (False, False)
    assert "names a cell of the space before the layer" in own.reason


def test_beyond_the_mlp_there_are_no_polytopes(tokenizer: str) -> None:
    found = scheme("opt", "residual.0", tokenizer, units="downstream", positions="all")
    assert not found.names_polytopes
    assert "is not piecewise linear" in found.reason
