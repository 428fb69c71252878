"""How a computation runs: on which devices, at which precision, through a silent Lightning trainer."""

from __future__ import annotations

import logging
import os
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from polylens.errors import UsageError, nearest
from polylens.imports import lightning

Value = TypeVar("Value")

PRECISIONS = ("32-true", "bf16-mixed", "bf16-true", "16-mixed")
"""Number formats of a forward pass, in Lightning's words."""

ACCELERATORS = ("auto", "cpu", "gpu", "cuda", "mps")
"""Where to compute, in Lightning's words; `auto` takes a GPU where there is one."""

STRATEGIES = ("auto", "ddp")
"""One process, or as many as devices, each with the whole network and a part of the examples."""

_GPU_ROWS = 20_000
"""From so many rows on, moving them to a GPU pays."""

OUTSIDE_MARK = "TORCHELASTIC_RUN_ID"
"""Environment variable by which torchrun's processes are known."""

_accelerator: ContextVar[str] = ContextVar("accelerator", default="auto")

_LOGGERS = (
    "pytorch_lightning",
    "lightning.pytorch",
    "lightning_fabric",
    "lightning.fabric",
    "lightning_utilities",
)


@dataclass(frozen=True)
class Options:
    """Flags of a run. Of these only `precision` can change a number, and so enters digests."""

    devices: int = 1
    """Processes a machine, each with a device of its own."""
    accelerator: str = "auto"
    """One of `ACCELERATORS`."""
    precision: str = "32-true"
    """One of `PRECISIONS`; what is stored always has 32 bits."""
    strategy: str = "auto"
    """`auto` (`ddp` where there are several devices or machines), or `ddp`."""
    batch_size: int = 64
    """Examples a forward pass of a harvest, at most."""
    workers: int = 0
    """Processes that load examples while others are computed; 0 loads them in between."""
    num_nodes: int = 1
    """Machines."""

    def __post_init__(self) -> None:
        for name, least in (("devices", 1), ("batch_size", 1), ("workers", 0), ("num_nodes", 1)):
            if getattr(self, name) < least:
                raise UsageError(f"'{name}' must be at least {least}, got {getattr(self, name)}")
        _check_word("precision", self.precision, PRECISIONS)
        _check_word("accelerator", self.accelerator, ACCELERATORS)
        # Strategies that split a network would leave no process with whole tensors to take rows from.
        _check_word("strategy", self.strategy, STRATEGIES)

    @property
    def is_distributed(self) -> bool:
        """Whether several processes are asked for, or a strategy that is made for them."""
        return self.devices > 1 or self.num_nodes > 1 or self.strategy != "auto"

    def check_here(self) -> None:
        """Looks whether this machine has what is asked for, before anything is computed.

        Raises:
            UsageError: it has not.
        """
        import torch

        gpus = torch.cuda.device_count()
        apple = torch.backends.mps.is_available()
        wants_gpu = self.accelerator in ("gpu", "cuda", "mps")
        if wants_gpu and not (gpus if self.accelerator == "cuda" else gpus or apple):
            raise UsageError(
                f"there is no GPU here for --accelerator {self.accelerator}",
                hint="without --accelerator the CPU is used where there is no GPU",
            )
        if gpus and self.accelerator in ("auto", "gpu", "cuda") and self.devices > gpus:
            raise UsageError(
                f"--devices {self.devices} asks for more GPUs than there are: {gpus}",
                hint="--accelerator cpu computes in several processes on the CPU",
            )


@contextmanager
def compute_on(accelerator: str) -> Iterator[None]:
    """Holds what is computed outside of a trainer to the user's choice among `ACCELERATORS`."""
    token = _accelerator.set(accelerator)
    try:
        yield
    finally:
        _accelerator.reset(token)


def fitting_device(rows: int) -> str:
    """The torch device for work on all pairs of so many rows: `cuda` where it is there, allowed and pays."""
    return "cpu" if rows < _GPU_ROWS else probing_device()


def probing_device() -> str:
    """The torch device for networks that are looked into or trained on rows: `cuda` where there and allowed.

    Not `mps`: geometry computes in double precision, which it lacks.
    """
    return "cpu" if _accelerator.get() in ("cpu", "mps") else _gpu() or "cpu"


def _gpu() -> str | None:
    """The name of a torch device that is no processor and has double precision, if one is there."""
    import torch

    return "cuda" if torch.cuda.is_available() else None


def _check_word(name: str, word: str, known: Sequence[str]) -> None:
    if word not in known:
        near = nearest(word, known)
        meant = "" if near is None else f"; did you mean '{near}'?"
        raise UsageError(f"no {name} '{word}'{meant}", hint=f"known: {', '.join(known)}")


def silent_trainer(options: Options, *, callbacks: Sequence[Any] = (), **settings: Any) -> Any:
    """A Lightning trainer on the asked devices that logs nothing, saves nothing and prints nothing.

    Raises:
        UsageError: this machine lacks what the options ask for.
    """
    exceptions = lightning().utilities.exceptions
    with silence():
        try:
            trainer = lightning().Trainer(
                accelerator=options.accelerator,
                devices=options.devices,
                num_nodes=options.num_nodes,
                strategy="ddp" if options.is_distributed else "auto",
                precision=options.precision,
                plugins=[environment_of(options)],
                logger=False,
                enable_checkpointing=False,
                enable_model_summary=False,
                enable_progress_bar=False,
                use_distributed_sampler=False,
                inference_mode=False,
                callbacks=[*callbacks, _keep_terminations()],
                **settings,
            )
        except (exceptions.MisconfigurationException, ValueError, RuntimeError) as error:
            flags = (
                f"accelerator {options.accelerator}, {options.devices} device(s), strategy {options.strategy}"
            )
            raise UsageError(f"cannot compute like this ({flags}): {error}") from error
    if options.precision == "16-mixed" and trainer.strategy.root_device.type == "cpu":
        # Lightning would go on in bf16, and the result be stored under the wrong precision.
        raise UsageError("precision '16-mixed' needs a GPU", hint="use 'bf16-mixed' or '32-true' on a CPU")
    return trainer


def environment_of(options: Options) -> Any:
    """Lightning's word for who starts the processes, and where they meet."""
    environments = lightning().plugins.environments
    if options.is_distributed and is_started_outside():
        return environments.TorchElasticEnvironment()
    if options.num_nodes == 1:
        # polylens starts a machine's processes itself, also inside of a SLURM allocation.
        return environments.LightningEnvironment()
    return environments.SLURMEnvironment(auto_requeue=False)


def is_started_outside() -> bool:
    """Whether this is one of several processes of torchrun's, or is told what those are told."""
    return OUTSIDE_MARK in os.environ


def _keep_terminations() -> Any:
    """A callback that puts the program's own way of ending back: Lightning only takes note of SIGTERM."""
    before = signal.getsignal(signal.SIGTERM)

    def put_back(*_: Any) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)

    return lightning().callbacks.LambdaCallback(on_train_start=put_back, on_predict_start=put_back)


def run_trainer(work: Callable[[], object]) -> None:
    """Runs a trainer's `fit` or `predict` in silence, in plain 32-bit arithmetic, open to interrupts.

    Raises:
        KeyboardInterrupt: the user interrupted; Lightning would exit the program instead.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        with silence(), exact_float32():
            work()
    except SystemExit as error:
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        raise
    finally:
        if signal.getsignal(signal.SIGINT) is not handler:
            # Lightning ignores further interrupts from the first one on, and leaves it so.
            signal.signal(signal.SIGINT, handler)


def in_fitting_batches(
    work: Callable[[int], Value], *, batch_size: int, note: Callable[[str], None]
) -> Value:
    """What `work` gives with batches of this size, or of half of it and so on where memory is too small.

    Args:
        work: takes the size of batches; goes on, or begins anew, where it is called again.
        batch_size: examples a batch, at most.
        note: is told of each smaller size.

    Raises:
        UsageError: the device does not hold a single example.
    """
    while True:
        try:
            return work(batch_size)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            reason = str(error).partition("\n")[0]
        # Only here is the error gone, and with it the frames that hold tensors of the failed pass.
        _free_device_memory()
        if batch_size == 1:
            raise UsageError(
                f"there is not enough memory for one example ({reason})",
                hint="free memory of the device, or compute on the CPU with --accelerator cpu",
            )
        batch_size //= 2
        note(f"not enough memory; going on with batches of {batch_size:,} (--batch-size {batch_size})")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a computation failed for want of memory, on whichever device."""
    import torch

    # The CPU and Apple's GPUs have no type of their own for it.
    signs = ("out of memory", "can't allocate memory")
    is_said = isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or is_said


def _free_device_memory() -> None:
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Holds torch on the CPU to so many threads: sums of another number of threads round otherwise.

    The number is the whole process', as torch has it: other threads of the program compute with it meanwhile.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def exact_float32() -> Iterator[None]:
    """Keeps 32-bit products at 32 bits: TensorFloat-32 has a 10-bit mantissa, and would flip codes."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def silence() -> Iterator[None]:
    """Keeps Lightning's tips, notices and advice off the terminal; other packages' warnings still show."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        for package in ("pytorch_lightning", "lightning_fabric", "lightning_utilities"):
            warnings.filterwarnings("ignore", module=rf"{package}(\.|$)")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
