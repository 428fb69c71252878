from __future__ import annotations

from pathlib import Path

import pytest

from polylens.errors import SpecError
from polylens.settings import load_settings

KEY = "sk-very-secret-key"


def settings(folder: Path, text: str, **environ: str):
    (folder / "mlflow.yaml").write_text(text, encoding="utf-8")
    return load_settings(folder, environ=environ)


def test_servers_stand_in_the_file_and_their_keys_in_the_environment(tmp_path):
    text = "judges:\n  local: {address: 'http://127.0.0.1:8000/v1'}\n"
    text += "  far: {address: 'https://host/v1', key_variable: FAR_KEY}\n"
    found = settings(tmp_path, text, FAR_KEY=KEY)
    assert (found.judges["local"].key, found.judges["far"].key) == ("", KEY)
    assert KEY not in repr(found)


def test_the_environment_names_the_default_and_a_key_goes_to_no_other_server(tmp_path):
    text = "judges: {default: {address: 'https://host/v1', key_variable: HOST_KEY}}\n"
    same = settings(tmp_path, text, HOST_KEY=KEY)
    assert same.judges["default"].key == KEY
    other = settings(tmp_path, text, HOST_KEY=KEY, POLYLENS_JUDGE_ADDRESS="http://other/v1")
    assert (other.judges["default"].address, other.judges["default"].key) == ("http://other/v1", "")
    given = settings(tmp_path, "", POLYLENS_JUDGE_ADDRESS="http://other/v1", POLYLENS_JUDGE_KEY=KEY)
    assert given.judges["default"].key == KEY


@pytest.mark.parametrize(
    "text",
    [
        f"judges: {{default: {{address: 'http://host/v1', key: {KEY}}}}}\n",
        f"judges: {{default: {{address: 'http://host/v1', key_variable: {KEY}}}}}\n",
        f"judges: {{default: {{address: 'https://me:{KEY}@host/v1'}}}}\n",
        f"judges: {{default: {{address: 'https://host/v1?token={KEY}'}}}}\n",
        f"judges: {{default: {KEY}}}\n",
    ],
)
def test_a_key_in_the_file_is_refused_and_not_shown(tmp_path, text):
    with pytest.raises(SpecError) as caught:
        settings(tmp_path, text)
    assert "mlflow.yaml:1" in str(caught.value)
    assert "key itself stands in no file" in str(caught.value)
    assert KEY not in str(caught.value)


def test_an_address_of_the_environment_that_is_none_is_refused_and_not_shown(tmp_path):
    with pytest.raises(SpecError, match="POLYLENS_JUDGE_ADDRESS is no address") as caught:
        settings(tmp_path, "", POLYLENS_JUDGE_ADDRESS=f"http://me:{KEY}@host/v1")
    assert KEY not in str(caught.value)
