"""Messages in a pipe: eight bytes that say how long it is, and the message."""

from __future__ import annotations

from typing import IO


def write_frame(pipe: IO[bytes], message: bytes) -> None:
    """Writes one message."""
    pipe.write(len(message).to_bytes(8, "little"))
    pipe.write(message)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> bytes:
    """Reads one message.

    Raises:
        EOFError: the other side is gone.
    """
    size = int.from_bytes(_exactly(pipe, 8), "little")
    return _exactly(pipe, size)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    content = pipe.read(size)
    if len(content) < size:
        raise EOFError("the other process is gone")
    return content
