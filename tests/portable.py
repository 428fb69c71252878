"""Runs the tests that compute, or any other command, as another processor would.

    python tests/portable.py baseline|avx2 [PYTEST OPTION...] [FILE OR FOLDER OF TESTS...]
    python tests/portable.py baseline|avx2 -- COMMAND [WORD...]

`baseline` leaves what every x86-64 server has (SSE4.2 at most), `avx2` takes AVX-512 away. Each library that
computes has a switch of its own; all of them stand here, and a process of its own asks the libraries whether
the switches were heard before a test runs. ARM has no such switches: there it refuses.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

FOLDERS = (
    *("analyses", "bits", "clustering", "codes", "controls", "dataflow", "datasets", "geometry", "harvest"),
    *("labels", "models", "sampling", "statistics", "text", "training"),
    *("study/test_gpt2_study.py", "study/test_own_module.py", "study/test_proxies.py", "test_assembly.py"),
)
"""Tests of this folder that compute; the others read, write, draw or track."""
SWITCHES = {
    "baseline": {
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "MKL_CBWR": "COMPATIBLE",
        "OPENBLAS_CORETYPE": "Nehalem",
        "NUMBA_CPU_NAME": "generic",
        "NUMBA_CPU_FEATURES": "",
    },
    "avx2": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_CBWR": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "",
    },
}
"""PyTorch's own kernels, its oneDNN and its MKL; NumPy's and SciPy's OpenBLAS; Numba. NumPy is below."""
KEPT = {"baseline": ("X86_V2",), "avx2": ("X86_V2", "X86_V3", "AVX2", "FMA3", "AVX", "F16C")}
"""Instructions that NumPy may keep, by its names from 2.0 to 2.4; what else it can choose is switched off."""


def heard() -> dict[str, str]:
    """What each library says that it computes with, and digests of what shows only in the last bits."""
    import hashlib

    import numba.core.codegen
    import scipy.linalg  # noqa: F401  (loads its OpenBLAS)
    import threadpoolctl
    import torch
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    def last_bits(values: torch.Tensor) -> str:
        return hashlib.sha256(values.numpy().tobytes()).hexdigest()[:8]

    # Written without a random number: those of PyTorch are rounded by the processor too.
    one = (torch.arange(60_000, dtype=torch.float64) * 0.7).sin().float().reshape(200, 300)
    blas = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    return {
        "PyTorch": torch.backends.cpu.get_cpu_capability(),
        "oneDNN": last_bits(torch.nn.functional.gelu(one)),
        "MKL": last_bits(one @ one.T),
        "OpenBLAS": ", ".join(sorted({pool["architecture"] for pool in blas})),
        "NumPy": ", ".join(name for name in __cpu_dispatch__ if __cpu_features__[name]),
        "Numba": numba.config.CPU_NAME or "native",
    }


def environment(name: str, *, given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a process on such a processor."""
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    off = [item for item in __cpu_dispatch__ if __cpu_features__[item] and item not in KEPT[name]]
    switches = SWITCHES[name] | ({"NPY_DISABLE_CPU_FEATURES": " ".join(off)} if off else {})
    # Kernels that Numba compiled for another processor must not be found, nor these be found later.
    return {**given, **switches, "NUMBA_CACHE_DIR": tempfile.mkdtemp(prefix=f"numba-{name}-")}


def unheard(name: str, *, found: Mapping[str, str], here: Mapping[str, str]) -> list[str]:
    """Libraries that did not hear their switch.

    Args:
        name: of the processor.
        found: what libraries say with the switches.
        here: what they say without.
    """
    expected = {"baseline": ("DEFAULT", "Nehalem"), "avx2": ("AVX2", "Haswell")}[name]
    wrong = [] if found["PyTorch"] == expected[0] else ["PyTorch"]
    wrong += [] if found["OpenBLAS"] == expected[1] else ["OpenBLAS"]
    wrong += [] if not set(filter(None, found["NumPy"].split(", "))) - set(KEPT[name]) else ["NumPy"]
    wrong += [] if found["Numba"] == SWITCHES[name]["NUMBA_CPU_NAME"] else ["Numba"]
    # Neither oneDNN nor MKL says what it uses; the last bits of what they compute do.
    return wrong + [each for each in ("oneDNN", "MKL") if name == "baseline" and found[each] == here[each]]


def main() -> int:
    """Runs the tests or the command; its exit code, or 2 where the processor cannot be imitated."""
    if len(sys.argv) < 2 or sys.argv[1] not in SWITCHES:
        print(__doc__, file=sys.stderr)
        return 2
    if platform.machine() not in ("x86_64", "AMD64"):
        print(f"no switches are known for {platform.machine()}", file=sys.stderr)
        return 2
    name, options = sys.argv[1], sys.argv[2:]
    changed = environment(name, given=os.environ)

    def ask(environ: Mapping[str, str]) -> dict[str, str]:
        program = "import json; from tests.portable import heard; print(json.dumps(heard()))"
        done = subprocess.run(
            [sys.executable, "-c", program], env=dict(environ), stdout=subprocess.PIPE, check=True
        )
        return dict(json.loads(done.stdout))

    found, here = ask(changed), ask(os.environ)
    for library in found:
        print(f"{library:10} {here[library]:28} -> {found[library]}", flush=True)
    if wrong := unheard(name, found=found, here=here):
        print(f"the switches were not heard by {', '.join(wrong)}: nothing would be shown", file=sys.stderr)
        return 2
    if options[:1] == ["--"]:
        return subprocess.run(options[1:], env=changed, check=False).returncode
    named = [option for option in options if Path(option.partition("::")[0]).exists()]
    tests = [] if named else [f"tests/{folder}" for folder in FOLDERS]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *tests], env=changed, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
