"""One request and its reply, by the openai client. The key is sent and never seen again."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import httpx2
import openai

from polylens.errors import UsageError
from polylens.judges.compatible.transport import http_client
from polylens.work import Server

_MASK = "***"
_SECRET = 8
"""Characters of a key at least: shorter ones, such as `none`, stand for no key and are words in answers."""
_NOT_THE_KEY = "none"
"""The client wants a key. It never holds ours, so nothing that it logs or raises can."""


@dataclass(frozen=True)
class Reply:
    """What came back, without the key."""

    status: int | None
    """HTTP's; None where nothing came back."""
    plain: Any = None
    """The body as plain data; None where it is no JSON."""
    said: str = ""
    """What the server said, or what was wrong."""
    retry_after: float | None = None
    """Seconds that the server asks to wait."""
    is_unreachable: bool = False
    """Whether no connection came about."""


class Connection:
    """Posts to one server, from any number of threads."""

    def __init__(self, server: Server, *, timeout: float, at_once: int) -> None:
        """
        Args:
            server: where it is.
            timeout: seconds for a whole request.
            at_once: requests that are open at the same time, at most.

        Raises:
            UsageError: the address is none, the key cannot be sent, or the proxy that the environment names
                cannot be used.
        """
        parts = urlsplit(server.address)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc or parts.query:
            raise UsageError(
                "the address of the judges' server must look like http://HOST:PORT/v1, without a password",
                hint="the key goes into POLYLENS_JUDGE_KEY",
            )
        if not all("!" <= letter <= "~" for letter in server.key):
            raise UsageError(
                "the key of the judges' server has a space, a line break or another sign that no key has",
                hint="look at the variable that holds it; the key itself is not shown",
            )
        self.address = server.address.rstrip("/")
        self._key = server.key
        self._timeout = timeout
        self._http = http_client(parts.hostname, key=server.key, timeout=timeout, at_once=at_once)
        # An address that is given here stands before any of OPENAI_BASE_URL. Tries are counted by us.
        self._client = openai.OpenAI(
            api_key=_NOT_THE_KEY,
            base_url=self.address,
            max_retries=0,
            timeout=timeout,
            http_client=self._http,
        )

    def close(self) -> None:
        """Closes all connections."""
        self._http.close()

    def post(self, body: Mapping[str, Any]) -> Reply:
        """The reply to one request; every trouble of the network is a reply as well."""
        try:
            response = self._client.post("/chat/completions", cast_to=httpx2.Response, body=dict(body))
        except openai.APIStatusError as error:
            response = error.response
        except openai.APITimeoutError:
            return Reply(None, said=f"no answer in {self._timeout:g} seconds")
        except openai.APIConnectionError as error:
            cause = error.__cause__
            unreachable = isinstance(cause, httpx2.ConnectError | httpx2.ProxyError)
            said = f"{type(cause).__name__}: {cause}"
            return Reply(None, said=self._masked(said), is_unreachable=unreachable)
        return self._reply(response)

    def _reply(self, response: httpx2.Response) -> Reply:
        text = self._masked(response.content.decode("utf-8", errors="replace"))
        try:
            plain = json.loads(text)
        except (ValueError, RecursionError):
            plain = None
        wait = _seconds(response.headers.get("Retry-After"))
        return Reply(response.status_code, plain, " ".join(text.split()), wait)

    def _masked(self, text: str) -> str:
        return text.replace(self._key, _MASK) if len(self._key) >= _SECRET else text


def _seconds(header: str | None) -> float | None:
    """Seconds to wait, from a number or a date."""
    if header is None:
        return None
    try:
        return max(float(header), 0.0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
    except ValueError:
        return None
