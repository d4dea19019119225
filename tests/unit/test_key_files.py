"""Files of keys: read line by line, and whatever is wrong with one is told with its line."""

from pathlib import Path

import pytest

from salesforce_bridge.key_files import (
    FileUnreadable,
    KeysRefused,
    read_point_keys,
    read_proof_keys,
    text_of,
)
from salesforce_bridge.permissions.keys import ControllerKey

ACME = ControllerKey("acme")
ONE, OTHER = "1a" * 32, "2B" * 32


def written(folder: Path, text: str) -> Path:
    path = folder / "keys"
    path.write_text(text)
    return path


def test_the_highest_version_is_the_current_one(tmp_path: Path) -> None:
    path = written(tmp_path, f"# keys\n2 {OTHER}\n\n1   {ONE}\n")
    keys = read_point_keys(path, controller=ACME)
    assert (keys.current, keys.controller) == (2, ACME)
    assert keys.keys == {1: bytes.fromhex(ONE), 2: bytes.fromhex(OTHER)}


def test_keys_of_proofs_go_by_the_kind_of_the_proof(tmp_path: Path) -> None:
    path = written(tmp_path, f"double_opt_in {ONE}\nportal {OTHER}\n")
    assert read_proof_keys(path) == {
        "double_opt_in": bytes.fromhex(ONE),
        "portal": bytes.fromhex(OTHER),
    }


def test_a_file_of_keys_for_proofs_may_be_empty(tmp_path: Path) -> None:
    assert read_proof_keys(written(tmp_path, "# none yet\n")) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no key"),
        (f"1 {ONE}\n0 {ONE}\n", "line 2"),
        (f"1 {ONE[:-1]}\n", "line 1"),
        (f"1 {ONE}\n1 {OTHER}\n", "repeats a version"),
    ],
)
def test_what_is_wrong_with_keys_of_addresses_is_named(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(KeysRefused, match=words) as caught:
        read_point_keys(written(tmp_path, text), controller=ACME)
    assert ONE[:8] not in caught.value.message
    assert caught.value.hint == "salesforce-bridge config new-point-key FILE"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"double.opt.in {ONE}\n", "line 1"),
        (f"double_opt_in {ONE}ff\n", "line 1"),
        (f"portal {ONE}\nportal {OTHER}\n", "repeats a kind"),
    ],
)
def test_what_is_wrong_with_keys_of_proofs_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(KeysRefused, match=words) as caught:
        read_proof_keys(written(tmp_path, text))
    assert "points.proof_key_file" in caught.value.message
    assert ONE[:8] not in caught.value.message
    assert "salesforce-bridge config new-proof-key KIND FILE" in caught.value.hint


def test_a_file_that_cannot_be_read_is_named_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match=r"policy\.file"):
        text_of(tmp_path / "missing", "policy.file")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileUnreadable, match="not UTF-8"):
        text_of(tmp_path / "binary", "policy.file")
