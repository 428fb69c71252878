"""A whole run on another device: harvest, controls and probes, from a spec to findings."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.mlflow_database import put_database
from tests.pretend import device
from tests.projects import SPEC
from tests.shapes import unchecked

import polylens
from polylens.analyses import Probed
from polylens.analyses.polytope_size import PolytopeSize
from polylens.analyses.rescaling import Rescaling
from polylens.devices import Options

CHANGES = {
    "model": {"kind": "mlp", "inputs": 64, "hidden": [16, 16], "classes": 10},
    "layer": "hidden.1",
    "code": {"kind": "sign", "units": "downstream", "positions": "all"},
    "analyses": {
        "size": {"kind": "polytope_size", "points": 10, "resamples": 20},
        "rescaled": {"kind": "rescaling", "factors": [0.5], "draws": 1, "rows": 5, "resamples": 20},
    },
}


@pytest.mark.slow
def test_probes_of_one_network_share_its_copy_on_the_device(
    tmp_path: Path, accelerator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_into: list[torch.nn.Module] = []
    for kind in (PolytopeSize, Rescaling):

        def noted(self, rows, probed: Probed, work, probe=kind.probe):
            looked_into.append(probed.network.module)
            return probe(self, rows, probed, work)

        monkeypatch.setattr(kind, "probe", noted)
    (tmp_path / "mlflow.yaml").write_text("tracking_uri: sqlite:///mlflow.db\n")
    put_database(tmp_path)
    monkeypatch.chdir(tmp_path)
    spec = {key: value for key, value in (SPEC | CHANGES).items() if key != "labels"}
    with unchecked():
        polylens.run(spec, options=Options(accelerator=accelerator), limit=20)
    own, again, control, control_again = looked_into
    assert (own is again, control is control_again, own is control) == (True, True, False)
    assert {next(module.parameters()).device for module in looked_into} == {device.DEVICE}
