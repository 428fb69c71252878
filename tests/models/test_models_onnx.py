"""Networks in ONNX files: converted, held against the ONNX runtime, read as plain PyTorch networks are."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tests.mlflow_database import put_database
from torch import nn

import polylens
from polylens.devices import Options
from polylens.errors import DataError, UsageError
from polylens.models.onnx import Onnx
from polylens.models.onnx.conversion import convert
from polylens.records import ImageFormat


class Residual(nn.Module):
    """Small, with every kind of unit that a file can have."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU6(), nn.MaxPool2d(2))
        self.inner = nn.Conv2d(6, 6, 3, padding=1)
        self.slope = nn.PReLU(6)
        self.wide = nn.Conv2d(12, 8, 1)
        self.units = nn.ReLU()
        self.head = nn.Linear(8, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        first = self.features(images)
        joined = torch.cat([first, first + self.slope(self.inner(first))], dim=1)
        scores: torch.Tensor = self.head(self.units(self.wide(joined)).mean((2, 3)))
        return scores


def residual() -> nn.Module:
    torch.manual_seed(3)
    network = Residual().eval()
    with torch.no_grad():
        network.features[0].weight.mul_(12)  # so that ReLU6's upper kink is met
        network.slope.weight.copy_(torch.linspace(-0.5, 0.7, 6))
    return network


def export(network: nn.Module, path: Path, shape: Sequence[int], *, open_batch: bool = True) -> Path:
    axes = {"images": {0: "batch"}} if open_batch else {}
    with warnings.catch_warnings():
        # The newer exporter needs another package; files are what is tested here.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network, (torch.zeros(1, *shape),), path, input_names=["images"], dynamic_axes=axes, dynamo=False
        )
    return path


def dense() -> tuple[onnx.ModelProto, nn.Module]:
    """A vector network written node by node, and the same one in PyTorch."""
    torch.manual_seed(4)
    plain = nn.Sequential(
        OrderedDict(
            a=nn.Linear(64, 24),
            b=nn.ReLU(),
            c=nn.Linear(24, 16),
            d=nn.Hardtanh(-0.5, 1.5),
            e=nn.Linear(16, 4),
        )
    )
    with torch.no_grad():
        plain.c.weight.mul_(8)  # so that both ends of the hard tanh are met
    held = {name: value.detach().numpy() for name, value in plain.state_dict().items()}
    tensors = {
        "a.w": held["a.weight"].T.copy(),
        "a.b": held["a.bias"],
        "c.w": held["c.weight"],
        "c.b": held["c.bias"],
        "low": np.float32(-0.5),
        "high": np.float32(1.5),
        "e.w": held["e.weight"],
        "e.b": held["e.bias"],
    }
    nodes = [
        helper.make_node("MatMul", ["vectors", "a.w"], ["product"]),
        helper.make_node("Add", ["product", "a.b"], ["sum"]),
        helper.make_node("Relu", ["sum"], ["positive"], name="first.units"),
        helper.make_node("Gemm", ["positive", "c.w", "c.b"], ["second"], name="second", transB=1),
        helper.make_node("Clip", ["second", "low", "high"], ["cut"], name="second:cut"),
        helper.make_node("Gemm", ["cut", "e.w", "e.b"], ["scores"], transB=1),
    ]
    return written(nodes, tensors, width=64), plain.eval()


def written(
    nodes: list[Any],
    tensors: dict[str, Any],
    *,
    width: int | str,
    outputs: Sequence[str] = ("scores",),
    opset: int = 21,
) -> onnx.ModelProto:
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", f"{name}_width"]) for name in outputs
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["batch", width])],
        values,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def model(file: Path | str, **fields: Any) -> Onnx:
    return Onnx.model_validate({"file": str(file), **fields})


def loaded(chosen: Onnx) -> nn.Module:
    return chosen.load(chosen.build(torch.Generator().manual_seed(0)), root=Path())


def run_by_onnx(path: Path, inputs: torch.Tensor) -> torch.Tensor:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return torch.tensor(session.run(None, {session.get_inputs()[0].name: inputs.numpy()})[0])


@pytest.fixture
def both(tmp_path: Path) -> dict[str, tuple[Path, nn.Module, tuple[int, ...]]]:
    """Two files, and the networks that they were made of."""
    network, (proto, plain) = residual(), dense()
    onnx.save(proto, tmp_path / "dense.onnx")
    return {
        "exported": (export(network, tmp_path / "residual.onnx", (1, 8, 8)), network, (1, 8, 8)),
        "written": (tmp_path / "dense.onnx", plain, (64,)),
    }


@pytest.mark.parametrize("name", ["exported", "written"])
def test_a_converted_network_gives_what_the_onnx_runtime_gives(name: str, both: Any) -> None:
    path, plain, shape = both[name]
    found = loaded(model(path))
    inputs = torch.randn(40, *shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        outputs = found(inputs)
        torch.testing.assert_close(outputs, run_by_onnx(path, inputs), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(outputs, plain(inputs), rtol=1e-5, atol=1e-5)


SPEC: dict[str, Any] = {
    "about": "A network of a file.",
    "claim": "Its codes are those of the same network in PyTorch. Refuted by any that differs.",
    "seed": 0,
    "layer": "input",
    "dataset": "digits",
    "code": {"kind": "sign", "units": "downstream", "positions": "all", "pools": True},
    "analyses": {"codes": {"kind": "code_statistics", "pairs": 10, "resamples": 2}},
}


@pytest.mark.parametrize(
    ("name", "bits"), [("exported", 6 * 64 * 2 + 6 * 16 * 4 + 6 * 16 + 8 * 16), ("written", 24 + 16 * 2)]
)
def test_codes_are_those_of_the_same_network_in_pytorch(
    name: str, bits: int, both: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(tmp_path)
    monkeypatch.chdir(tmp_path)
    path, plain, shape = both[name]
    options = Options(accelerator="cpu")
    found = polylens.run(SPEC | {"model": {"kind": "onnx", "file": path.name}}, limit=40, options=options)
    expected = polylens.run(SPEC, model=plain, input_shape=shape, limit=40, options=options)
    codes = [polylens.load_rows(result).codes for result in (found, expected)]
    assert codes[0].scheme.names_polytopes
    assert codes[0].scheme.bits == codes[1].scheme.bits == bits
    assert np.array_equal(codes[0].packed, codes[1].packed)
    assert len(np.unique(codes[0].packed, axis=0)) == 40


def test_layers_have_the_names_of_nodes(both: Any) -> None:
    names = [name for name, _ in convert(both["exported"][0], output=None).named_children()]
    assert names == [
        *("features_0_Conv", "features_1_Clip", "features_2_MaxPool", "inner_Conv", "slope_PRelu", "Add"),
        *("wide_Conv", "units_Relu", "ReduceMean", "head_Gemm"),
    ]
    names = [name for name, _ in convert(both["written"][0], output=None).named_children()]
    assert names == ["MatMul_sum", "first_units", "second", "second_cut", "Gemm_scores"]


def test_an_operator_that_cannot_be_converted_is_named(tmp_path: Path) -> None:
    known = helper.make_node("Relu", ["vectors"], ["positive"])
    for node, opset, says in (
        (
            helper.make_node("Binarizer", ["positive"], ["scores"], name="cut", domain="ai.onnx.ml"),
            21,
            "Binarizer",
        ),
        (helper.make_node("RandomNormalLike", ["positive"], ["scores"], name="cut"), 21, "RandomNormalLike"),
    ):
        proto = written([known, node], {}, width=5, opset=opset)
        proto.opset_import.append(helper.make_opsetid("ai.onnx.ml", 3))
        onnx.save(proto, tmp_path / "odd.onnx")
        with pytest.raises(DataError, match=rf"the operator {says} \(node 'cut'\)"):
            loaded(model(tmp_path / "odd.onnx"))


def test_a_conversion_that_is_wrong_is_refused(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _, _ = both["written"]
    chosen = model(path)
    network = chosen.build(torch.Generator())
    network.get_submodule("second_cut").max_val = 1.4
    with pytest.raises(DataError, match=r"as run by the ONNX runtime differ by up to .* where outputs reach"):
        chosen.load(network, root=Path())


def test_what_the_converter_gets_wrong_is_refused(tmp_path: Path) -> None:
    # It takes weights times values for values times weights.
    nodes = [
        helper.make_node("Transpose", ["vectors"], ["columns"], perm=[1, 0]),
        helper.make_node("MatMul", ["weights", "columns"], ["product"]),
        helper.make_node("Transpose", ["product"], ["scores"], perm=[1, 0]),
    ]
    weights = np.arange(4, dtype=np.float32).reshape(2, 2)
    onnx.save(written(nodes, {"weights": weights}, width=2), tmp_path / "turned.onnx")
    with pytest.raises(DataError, match="differ by up to"):
        loaded(model(tmp_path / "turned.onnx"))


def test_a_file_that_mixes_a_batch_is_refused(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Reshape", ["vectors", "shape"], ["flat"]),
        helper.make_node("ReduceSum", ["flat", "axis"], ["scores"], keepdims=1),
    ]
    tensors = {"shape": np.array([1, -1]), "axis": np.array([1])}
    onnx.save(written(nodes, tensors, width=5), tmp_path / "mixing.onnx")
    with pytest.raises(DataError, match=r"differ in shape.*\n.*open batch"):
        loaded(model(tmp_path / "mixing.onnx"))


def test_weights_beside_the_file_are_read_and_part_of_its_digest(tmp_path: Path) -> None:
    proto, plain = dense()
    onnx.save(
        proto, tmp_path / "split.onnx", save_as_external_data=True, location="split.data", size_threshold=0
    )
    inputs = torch.randn(3, 64)
    with torch.no_grad():
        torch.testing.assert_close(loaded(model(tmp_path / "split.onnx"))(inputs), plain(inputs))
    before = model("split.onnx").weights_digest(root=tmp_path)
    held = bytearray((tmp_path / "split.data").read_bytes())
    held[0] ^= 1
    (tmp_path / "split.data").write_bytes(bytes(held))
    after = model("split.onnx").weights_digest(root=tmp_path)
    assert before.split("-")[0] == after.split("-")[0]
    assert before != after
    (tmp_path / "split.data").unlink()
    with pytest.raises(DataError, match=r"no file .*: there is nothing"):
        model("split.onnx").weights_digest(root=tmp_path)


def test_one_of_several_outputs_is_chosen_and_the_rest_left_out(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Relu", ["vectors"], ["scores"]),
        helper.make_node("Sigmoid", ["vectors"], ["other"]),
    ]
    onnx.save(written(nodes, {}, width=5, outputs=["scores", "other"]), tmp_path / "two.onnx")
    with pytest.raises(DataError, match=r"gives 2 outputs: scores, other"):
        loaded(model(tmp_path / "two.onnx"))
    with pytest.raises(DataError, match=r"no output named 'othe'; did you mean 'other'"):
        loaded(model(tmp_path / "two.onnx", output="othe"))
    found = loaded(model(tmp_path / "two.onnx", output="other"))
    assert [name for name, _ in found.named_children()] == ["Sigmoid_other"]
    assert model("a.onnx", output="other").identity() != model("a.onnx").identity()


def test_inputs_are_prepared_as_the_spec_says(both: Any, tmp_path: Path) -> None:
    path = export(nn.Conv2d(3, 2, 3), tmp_path / "colour.onnx", (3, 20, 24))
    plain = model(path).input_format()
    assert plain == ImageFormat(channels=3, resize=24, crop=(20, 24))
    said = {"resize": 32, "interpolation": "bicubic", "mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]}
    found = model(path, preparation=said).input_format()
    assert found == ImageFormat(
        channels=3, resize=32, crop=(20, 24), interpolation="bicubic", mean=(0.5,) * 3, std=(0.2,) * 3
    )
    assert model(path).identity() != model(path, preparation=said).identity()
    with pytest.raises(DataError, match=r"preparation\.mean has 1 numbers for 3 channels"):
        model(path, preparation={"mean": [0.5]}).input_format()
    assert model(both["written"][0]).input_format() == ImageFormat(flatten=True)


def test_an_open_shape_has_to_be_said_and_a_fixed_one_fits(tmp_path: Path) -> None:
    nodes = [helper.make_node("Relu", ["vectors"], ["scores"])]
    onnx.save(written(nodes, {}, width="any"), tmp_path / "open.onnx")
    with pytest.raises(DataError, match=r"leaves the shape of its input open: \? x \?\n.*`shape: \[64\]`"):
        model(tmp_path / "open.onnx").input_shape()
    assert model(tmp_path / "open.onnx", shape=[7]).input_shape() == (7,)
    onnx.save(written(nodes, {}, width=5), tmp_path / "fixed.onnx")
    with pytest.raises(DataError, match=r"`shape` is \[7\], and the input of .* is \? x 5, batch first"):
        model(tmp_path / "fixed.onnx", shape=[7]).input_shape()
    last = export(nn.Linear(3, 3), tmp_path / "last.onnx", (20, 20, 3))
    with pytest.raises(DataError, match=r"the channels seem to come last.*\n.*--inputs-as-nchw"):
        model(last).input_shape()


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no file .*: there is nothing"):
        model(tmp_path / "none.onnx").input_shape()
    (tmp_path / "bad.onnx").write_bytes(b"no protocol buffer")
    with pytest.raises(DataError, match=r"bad\.onnx cannot be read as an ONNX file"):
        model(tmp_path / "bad.onnx").build(torch.Generator())
    assert model("none.onnx").missing(root=tmp_path) == tmp_path / "none.onnx"


def test_fresh_weights_are_all_drawn_anew(both: Any, tmp_path: Path) -> None:
    path, plain, _ = both["exported"]
    fresh = model(path).untrained()
    drawn = [fresh.build(torch.Generator().manual_seed(seed)).state_dict() for seed in (0, 0, 1)]
    assert all(torch.equal(drawn[0][name], drawn[1][name]) for name in drawn[0])
    changed = {name for name in drawn[0] if not torch.equal(drawn[0][name], drawn[2][name])}
    assert {"inner_Conv.weight", "wide_Conv.bias", "head_Gemm.weight"} <= changed
    assert not torch.equal(drawn[0]["inner_Conv.weight"], plain.inner.weight)
    assert fresh.identity() != model(path).identity()
    # A weight that a plain node multiplies with belongs to no layer that could draw it.
    nodes = [helper.make_node("Mul", ["vectors", "scale"], ["scores"])]
    onnx.save(written(nodes, {"scale": np.arange(5, dtype=np.float32)}, width=5), tmp_path / "mul.onnx")
    with pytest.raises(UsageError, match=r"cannot be drawn anew: .*_initializer_scale"):
        model(tmp_path / "mul.onnx").untrained().build(torch.Generator())


def test_missing_packages_name_the_extra(both: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import polylens.imports

    def none() -> None:
        raise ImportError

    monkeypatch.setattr(polylens.imports, "onnx2pytorch", none)
    with pytest.raises(DataError, match=r"need the package onnx2pytorch.*\n.*pip install 'polylens\[onnx\]'"):
        model(both["written"][0]).build(torch.Generator())


def test_names_and_paths_do_not_enter_the_identity() -> None:
    one, other = model("a.onnx", layer_aliases={"first": "x"}), model("b/c.onnx")
    assert one.identity() == other.identity()
    assert one.aliases() == {"first": "x"}
    assert Onnx.model_validate(one.to_plain()) == one
    assert model("c.onnx").locate(lambda relative: Path("/there")).file == "/there/c.onnx"
