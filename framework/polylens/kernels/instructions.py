"""What the processor has instructions for."""

from __future__ import annotations

import functools

from llvmlite import binding


@functools.cache
def multiplies_bfloat16() -> bool:
    """Whether numbers of 16 bits with the range of single precision are multiplied as they are."""
    return bool(binding.get_host_cpu_features().get("avx512bf16", False))
