"""Whether a GPU gives the processor's results, and how fast: `python benchmarks/gpu.py [--seconds 450]`.

Parts, each a process of its own under a time limit of its own, so that one that fails or hangs takes nothing
from the others; what a part had found by then is kept:

- equality: codes, spanning trees and crossings are the processor's.
- harvest: rows a second of GPT-2 small and GoogLeNet (random weights) beside the bare model, 32 and 16 bits
- activations: spanning trees of 10,000 and 100,000 rows of 1,536 numbers, and k-means of them.
- crossings: boundaries on segments of GoogLeNet.
- codes: spanning trees of 10,000, 100,000 and 1,000,000 codes of 3,072 bits.

A size is left out where the one before it says that the time would not do. Results are a table, and JSON in
`--json`. Where there is no network, `--wheels FOLDER` takes all packages but torch from wheels in a folder
(`pip wheel --wheel-dir FOLDER --constraint constraints.txt .`, made where there is one, for the same system
and Python); the torch that is there is used, 2.8 or later. `--device cpu --tiny` shows that all of it works.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from offline_packages import installed

ROOT = Path(__file__).parents[1]
SHARES = {"equality": 0.15, "harvest": 0.25, "activations": 0.15, "crossings": 0.1, "codes": 0.35}
"""Of the whole time, each part's share; what one leaves over goes to those after it."""
_SAID = 12
"""Last lines of what a failed part said."""


def run_part(command: Sequence[str], *, seconds: float) -> tuple[list[dict[str, Any]], str]:
    """What a part's process gave, a JSON object a line, and what became of it (empty: all went well)."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    started = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        out, said = started.communicate(timeout=seconds)
        became = "" if started.returncode == 0 else f"failed ({started.returncode}): {_end(said)}"
    except subprocess.TimeoutExpired:
        started.kill()
        out, said = started.communicate()
        became = f"stopped after {seconds:.0f} s"
    whole = [line for line in out.splitlines() if line.startswith("{") and line.endswith("}")]
    return [json.loads(line) for line in whole], became


def _end(said: str) -> str:
    return "\n".join(said.strip().splitlines()[-_SAID:])


def run_all(parts: Sequence[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """Runs the parts one after the other; gives their rows and what became of each."""
    end, results = time.monotonic() + arguments.seconds, {}
    for number, part in enumerate(parts):
        left = end - time.monotonic()
        seconds = left * SHARES[part] / sum(SHARES[name] for name in parts[number:])
        command = [sys.executable, __file__, "--part", part, "--seconds", str(seconds)]
        command += ["--device", arguments.device, *(["--tiny"] if arguments.tiny else [])]
        start = time.monotonic()
        rows, became = run_part(command, seconds=seconds)
        results[part] = {"rows": rows, "became": became, "seconds": round(time.monotonic() - start, 1)}
        show(part, results[part])
    return results


def show(part: str, result: dict[str, Any]) -> None:
    """Prints one part's table."""
    print(f"\n### {part}, {result['seconds']} s\n", flush=True)
    columns = list(dict.fromkeys(name for row in result["rows"] for name in row))
    if columns:
        print("| " + " | ".join(columns) + " |\n|" + " --- |" * len(columns))
    for row in result["rows"]:
        print("| " + " | ".join(_shown(row.get(name)) for name in columns) + " |", flush=True)
    if result["became"]:
        print(f"\nThis part {result['became']}", flush=True)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return (
        f"{value:.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )


def machine(device: str) -> dict[str, Any]:
    """What computes."""
    import torch

    found = {"python": platform.python_version(), "torch": torch.__version__, "device": device}
    if device == "cuda":
        about = torch.cuda.get_device_properties(0)
        found |= {
            "gpu": about.name,
            "memory_gb": round(about.total_memory / 1e9, 1),
            "cuda": torch.version.cuda,
        }
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Measures and prints; 1 where a part failed or found other results than the processor's."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=450, help="for all parts together")
    parser.add_argument("--only", nargs="+", choices=SHARES, default=list(SHARES), help="these parts")
    parser.add_argument("--device", default="cuda", help="a torch device")
    parser.add_argument("--tiny", action="store_true", help="small networks, few rows")
    parser.add_argument("--json", type=Path, default=Path("gpu.json"), help="where results go")
    parser.add_argument("--wheels", type=Path, help="a folder of wheels, where there is no network")
    parser.add_argument("--part", choices=SHARES, help=argparse.SUPPRESS)
    arguments = parser.parse_args(words)
    sys.path[:0] = [str(ROOT / "framework"), str(ROOT / "benchmarks")]
    if arguments.wheels is not None:
        sys.path.insert(0, str(installed(arguments.wheels)))
    if arguments.part:
        from gpu_parts import Job, rows_of

        job = Job(arguments.device, tiny=arguments.tiny, end=time.monotonic() + arguments.seconds)
        for row in rows_of(arguments.part, job):
            print(json.dumps(row), flush=True)
        return 0
    about = machine(arguments.device)
    print(", ".join(f"{name} {value}" for name, value in about.items()), flush=True)
    results = run_all(arguments.only, arguments)
    arguments.json.write_text(json.dumps({"machine": about, "parts": results}, indent=1))
    print(f"\nAll of it is in {arguments.json}.")
    rows = [row for result in results.values() for row in result["rows"]]
    is_well = all(not result["became"] for result in results.values())
    return 0 if is_well and all(row.get("equal") != "no" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
