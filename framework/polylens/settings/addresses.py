"""Addresses of tracking servers, databases and artifacts: made absolute, checked, shown without secrets."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit, urlunsplit

from polylens.errors import nearest

DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
SERVERS = ("http", "https", "databricks")
_SECRET_KEYS = {"password", "passwd", "pwd", "token", "secret", "access_token", "sig", "sslpassword"}
_MASK = "***"


class AddressError(ValueError):
    """An address cannot be used; its text says why and what to write instead."""


def tracking_address(text: str, *, beside: Path) -> str:
    """The tracking address with a relative SQLite file made absolute.

    Args:
        text: what `mlflow.yaml`, the environment or a flag says.
        beside: the folder that relative files start from.

    Raises:
        AddressError: a folder (MLflow keeps no runs in folders), a database in memory, an unknown scheme.

    >>> tracking_address("sqlite:///mlflow.db", beside=Path("/project"))
    'sqlite:////project/mlflow.db'
    """
    scheme, separator, _ = text.partition(":")
    if not separator or scheme == "file" or len(scheme) == 1:
        if text in SERVERS:
            return text
        raise AddressError(
            f"'{text}' is a folder, and MLflow no longer keeps runs in folders; write sqlite:///mlflow.db"
        )
    dialect = scheme.partition("+")[0]
    if dialect == "sqlite":
        return _sqlite(text, beside=beside)
    if dialect not in (*DATABASES, *SERVERS, *_plugins()):
        near = nearest(dialect, [*DATABASES, *SERVERS])
        meant = f"; did you mean '{near}'?" if near else f"; known: {', '.join((*DATABASES, *SERVERS))}"
        raise AddressError(f"no tracking store named '{dialect}:'{meant}")
    if dialect in ("http", "https") and not urlsplit(text).hostname:
        raise AddressError(f"'{text}' names no host; write http://host:port")
    return text


def artifact_address(text: str, *, beside: Path) -> str:
    """The artifact root: a URI as it stands, or a folder as an absolute path.

    >>> artifact_address("mlartifacts", beside=Path("/project"))
    '/project/mlartifacts'
    """
    parts = urlsplit(text)
    if parts.scheme == "file":
        return str(Path(unquote(parts.path)))
    # One letter before a colon is a Windows drive.
    return text if len(parts.scheme) > 1 else str(folder(text, beside=beside))


def folder(text: str, *, beside: Path) -> Path:
    """A folder as an absolute path; `~` is the home folder."""
    return (beside / Path(text).expanduser()).absolute()


def sqlite_file(address: str) -> Path | None:
    """The file of a SQLite address, None for any other address."""
    if not address.startswith("sqlite"):
        return None
    return Path(address.partition("///")[2].partition("?")[0])


def is_server(address: str) -> bool:
    """Whether the address is a tracking server, which decides itself where artifacts go."""
    return address.partition("+")[0].partition(":")[0] not in DATABASES


def is_server_of_judges(address: str) -> bool:
    """Whether judges can be asked there: a server of the web, and nothing secret in its address.

    >>> is_server_of_judges("http://127.0.0.1:8000/v1"), is_server_of_judges("https://me:hush@host/v1")
    (True, False)
    """
    parts = urlsplit(address)
    plain = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query
    return plain and not has_secret(address)


def has_secret(address: str) -> bool:
    """Whether the address carries a password or a token.

    >>> has_secret("postgresql://me:hush@db/runs"), has_secret("postgresql://me@db/runs"), has_secret("https://t@host")
    (True, False, True)
    """
    parts = urlsplit(address)
    user_is_token = parts.scheme in ("http", "https") and bool(parts.username)
    return bool(parts.password) or user_is_token or any(_is_secret(key) for key, _ in _query(parts))


def shown_address(address: str) -> str:
    """The address as it may be printed and stored, without password, token or secret query values.

    >>> shown_address("postgresql://me:hush@db:5432/runs?sslmode=require")
    'postgresql://me:***@db:5432/runs?sslmode=require'
    """
    if not has_secret(address):
        return address
    parts = urlsplit(address)
    user, _, host = parts.netloc.rpartition("@")
    if parts.scheme in ("http", "https"):
        user = _MASK if user else ""
    elif parts.password:
        user = f"{parts.username}:{_MASK}"
    query = "&".join(f"{key}={_MASK if _is_secret(key) else value}" for key, value in _query(parts))
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host, query=query))


def _sqlite(text: str, *, beside: Path) -> str:
    head, slashes, rest = text.partition("///")
    file, mark, query = rest.partition("?")
    if not slashes or file in ("", ":memory:"):
        raise AddressError(f"'{text}' would forget everything at the end; write sqlite:///mlflow.db")
    path = folder(file, beside=beside)
    # SQLAlchemy reads `%20` as a space, and what follows `?` as options.
    if "?" in str(path) or "%" in str(path):
        raise AddressError(f"a SQLite file cannot lie at a path with '?' or '%' in it: {path}")
    return f"{head}///{path}{mark}{query}"


def _query(parts: SplitResult) -> list[tuple[str, str]]:
    return parse_qsl(parts.query, keep_blank_values=True)


def _is_secret(key: str) -> bool:
    return key.lower() in _SECRET_KEYS


def _plugins() -> list[str]:
    return [point.name for point in entry_points(group="mlflow.tracking_store")]
