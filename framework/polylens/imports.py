"""Outside libraries that need care before they are imported: torchvision, those that look for it, and extras.

torchvision's wheel carries operators built for a CUDA torch. Beside a CPU-only torch they do not load, and
importing torchvision fails on the missing `torchvision::nms`. Declaring the two operators' schemas first
mends it; models and transforms use neither.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
import warnings
from functools import cache
from typing import Any

from polylens.memory import for_good

_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@cache
def torchvision() -> Any:
    """The torchvision package, importable beside any build of torch."""
    _declare_missing_operators()
    import torchvision as module
    import torchvision.models
    import torchvision.transforms.v2.functional

    return module


@cache
def lightning() -> Any:
    """The pytorch_lightning package, importable beside any build of torch."""
    with for_good(), warnings.catch_warnings():
        _hold_back_torchmetrics()
        # Lightning registers a pytree class by a name that torch calls deprecated.
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        import pytorch_lightning as module
        import pytorch_lightning.plugins.environments

    return module


@cache
def fabric() -> Any:
    """Lightning's class `Fabric`, which sets up groups of processes for what is no training."""
    lightning()
    from lightning_fabric import Fabric

    return Fabric


@cache
def transformers() -> Any:
    """The transformers package, importable beside any build of torch, without advice and progress bars."""
    _declare_missing_operators()
    import transformers

    module: Any = transformers
    module.logging.set_verbosity_error()
    module.logging.disable_progress_bar()
    return module


@cache
def datasets() -> Any:
    """Hugging Face's datasets, an extra, without advice and progress bars.

    Raises:
        ImportError: it is not installed.
    """
    # A folder of that name is a module as well, which has no such part.
    import datasets.load

    module: Any = datasets
    # Its errors are raised as well as logged.
    module.logging.set_verbosity(logging.CRITICAL)
    module.disable_progress_bars()
    return module


@cache
def sparsify() -> Any:
    """EleutherAI's sparsify, an extra, without what it prints as it is imported.

    Where Triton is installed sparsify decodes by it, on whatever device, and fails where there is no GPU, as
    beside PyPI's own torch for Linux on a laptop. It decodes by torch instead, unless the environment says 0.

    Raises:
        ImportError: it is not installed.
    """
    import contextlib
    import io
    import os

    transformers()
    os.environ.setdefault("SPARSIFY_DISABLE_TRITON", "1")
    with contextlib.redirect_stdout(io.StringIO()):
        import sparsify as module
    return module


@cache
def onnx2pytorch() -> Any:
    """onnx2pytorch, an extra, which imports torchvision.

    Raises:
        ImportError: it is not installed.
    """
    _declare_missing_operators()
    import onnx2pytorch as module

    return module


@cache
def timm() -> Any:
    """timm, an extra, which imports torchvision.

    Raises:
        ImportError: it is not installed.
    """
    _declare_missing_operators()
    import timm as module
    import timm.data
    import timm.models

    return module


@cache
def submitit() -> Any:
    """submitit, an extra, without what it logs of each look at the queue.

    Raises:
        ImportError: it is not installed.
    """
    import submitit as module

    logging.getLogger("submitit").setLevel(logging.ERROR)
    return module


def _hold_back_torchmetrics() -> None:
    """Has torchmetrics give the two classes that Lightning names, and import all else when it is asked for.

    Its `__init__` imports every metric there is, and with them torchvision, transformers and much of scipy:
    two thirds of the time that Lightning's own import takes.
    """
    if "torchmetrics" in sys.modules:
        return
    spec = importlib.util.find_spec("torchmetrics")
    if spec is None or spec.loader is None:
        return  # Lightning says that it is missing
    loader, module = spec.loader, importlib.util.module_from_spec(spec)
    names = vars(module)

    def whole(name: str) -> Any:
        names.pop("__getattr__", None)
        _declare_missing_operators()
        loader.exec_module(module)
        return getattr(module, name)

    sys.modules["torchmetrics"] = module
    try:
        names["__version__"] = _part("__about__").__version__
        names["_logger"] = logging.getLogger("torchmetrics")
        _part("utilities")  # it and `metric` import each other, in this order
        names["Metric"] = _part("metric").Metric
        names["MetricCollection"] = _part("collections").MetricCollection
    except (ImportError, AttributeError):  # a version that has them elsewhere: Lightning imports it whole
        _forget("torchmetrics")
        _declare_missing_operators()
        return
    names["__getattr__"] = whole


def _part(name: str) -> Any:
    return importlib.import_module(f"torchmetrics.{name}")


def _forget(package: str) -> None:
    """Lets what was imported of a package be imported anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        del sys.modules[name]


@cache
def _declare_missing_operators() -> None:
    import torch

    try:
        # Importing computes with tensors: not on the device that whoever asks builds a network on.
        with torch.device("cpu"):
            import torchvision  # noqa: F401
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        _forget("torchvision")
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", _SCHEMA)
