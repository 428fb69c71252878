"""Addresses: what is absolute, what is a server, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polylens.settings.addresses import (
    AddressError,
    artifact_address,
    has_secret,
    is_server,
    shown_address,
    sqlite_file,
    tracking_address,
)

BESIDE = Path("/project")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("sqlite:///mlflow.db", "sqlite:////project/mlflow.db"),
        ("sqlite:////data/runs.db", "sqlite:////data/runs.db"),
        ("sqlite:///runs.db?timeout=5", "sqlite:////project/runs.db?timeout=5"),
        ("http://host:5000", "http://host:5000"),
        ("postgresql+psycopg2://me@host/db", "postgresql+psycopg2://me@host/db"),
        ("databricks", "databricks"),
    ],
)
def test_tracking_addresses_that_are_taken(text: str, address: str) -> None:
    assert tracking_address(text, beside=BESIDE) == address


@pytest.mark.parametrize(
    "text",
    [
        "mlruns",
        "./runs",
        "file:///runs",
        "C:\\runs",
        "sqlite://",
        "sqlite:///:memory:",
        "http://",
        "ftp://host",
    ],
)
def test_tracking_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(AddressError):
        tracking_address(text, beside=BESIDE)


@pytest.mark.parametrize("folder", ["/what?", "/100%20"])
def test_a_folder_that_sqlalchemy_would_misread_is_refused(folder: str) -> None:
    with pytest.raises(AddressError, match=r"'\?' or '%'"):
        tracking_address("sqlite:///mlflow.db", beside=Path(folder))


def test_only_databases_are_no_servers() -> None:
    addresses = ("sqlite:////a.db", "postgresql+psycopg2://h/d", "http://h", "databricks://profile")
    assert [is_server(address) for address in addresses] == [False, False, True, True]


def test_the_file_of_a_sqlite_address() -> None:
    assert sqlite_file("sqlite:////data/runs.db?timeout=5") == Path("/data/runs.db")
    assert sqlite_file("http://host") is None


def test_artifact_roots() -> None:
    assert artifact_address("file:///a%20b", beside=BESIDE) == "/a b"
    assert artifact_address("s3://bucket/runs", beside=BESIDE) == "s3://bucket/runs"
    assert artifact_address("/abs", beside=BESIDE) == "/abs"


@given(st.text(alphabet="abcdefgh0123456789", min_size=4).map(lambda text: "S3" + text))
def test_no_form_of_a_secret_is_shown(secret: str) -> None:
    for address in (
        f"postgresql://me:{secret}@host:5432/db?sslmode=require",
        f"https://{secret}@host:5000",
        f"https://me:{secret}@host:5000/path",
        f"mysql://me@host/db?Password={secret}",
    ):
        assert has_secret(address)
        assert secret not in shown_address(address)
        assert "host" in shown_address(address)
