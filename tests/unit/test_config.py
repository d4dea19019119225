"""Settings: where they come from, what is refused, and how clearly."""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from salesforce_bridge.config import (
    ConfigRefused,
    Settings,
    duration_text,
    load,
    names,
    parse_duration,
)
from salesforce_bridge.errors import CannotStart

CONFIG = Path(__file__).parents[2] / "config"
LEAST = """
[salesforce]
login_url = "https://acme.my.salesforce.com"
client_id = "key"
username = "bridge@acme.invalid"
private_key_file = "key.pem"
[points]
key_file = "point-keys"
"""


@pytest.fixture(autouse=True)
def _an_empty_folder_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


def a_file(folder: Path, *, extra: str = "", text: str = LEAST) -> Path:
    path = folder / "bridge.toml"
    path.write_text(text + extra)
    return path


def refusal(
    config: Path | None = None, given: Mapping[str, Mapping[str, object]] | None = None
) -> str:
    with pytest.raises(ConfigRefused) as caught:
        load(config, given)
    return caught.value.message


def test_the_file_beside_is_read_without_being_named(tmp_path: Path) -> None:
    a_file(tmp_path)
    assert load().salesforce.login_url == "https://acme.my.salesforce.com"


def test_nearer_sources_win_over_farther_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    config = a_file(tmp_path, extra='[daemon]\ntick = "10s"\n[logs]\nlevel = "error"\n')
    assert load(config).daemon.tick == timedelta(seconds=10)
    monkeypatch.setenv("SALESFORCE_BRIDGE_SECRETS_DIR", str(secrets))
    (secrets / "daemon__tick").write_text("20s\n")
    assert load(config).daemon.tick == timedelta(seconds=20)
    monkeypatch.setenv("SALESFORCE_BRIDGE_DAEMON__TICK", "30s")
    assert load(config).daemon.tick == timedelta(seconds=30)
    nearest = load(config, {"daemon": {"tick": "40s"}})
    assert nearest.daemon.tick == timedelta(seconds=40)
    assert nearest.logs.level == "error"
    assert nearest.daemon.chunk == 2_000


def test_systemd_credentials_are_secret_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ledger__url").write_text("postgresql://bridge:hush@db/bridge")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert load(a_file(tmp_path)).ledger.url == "postgresql://bridge:hush@db/bridge"


def test_a_file_setting_names_the_file_that_holds_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("hush\n")
    config = a_file(
        tmp_path,
        text=LEAST.replace(
            "[points]", 'auth = "client_credentials"\nclient_secret_file = "secret"\n[points]'
        ),
    )
    secret = load(config).salesforce.client_secret
    assert secret is not None
    assert secret.get_secret_value() == "hush"
    monkeypatch.setenv("SALESFORCE_BRIDGE_SALESFORCE__CLIENT_SECRET", "louder")
    secret = load(config).salesforce.client_secret
    assert secret is not None
    assert secret.get_secret_value() == "louder"


def test_a_secret_file_that_is_missing_or_empty_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for name, problem in (("absent", "cannot be read"), ("empty", "is empty")):
        message = refusal(a_file(tmp_path, extra=f'[ledger]\nurl_file = "{name}"\n'))
        assert "ledger.url_file" in message
        assert problem in message


@pytest.mark.parametrize(
    "secret",
    [
        '[ledger]\nurl = "postgresql://bridge:hush@db/bridge"\n',
        '[salesforce]\nclient_secret = "hush"\n',
        '[salesforce]\nproxy = "http://me:hush@proxy:3128"\n',
    ],
)
def test_secrets_in_the_file_are_refused_and_never_repeated(tmp_path: Path, secret: str) -> None:
    text = (
        LEAST.replace("[salesforce]\n", secret)
        if secret.startswith("[salesforce]")
        else LEAST + secret
    )
    message = refusal(a_file(tmp_path, text=text))
    assert "secrets do not belong" in message
    assert "SALESFORCE_BRIDGE_" in message
    assert "hush" not in message


@pytest.mark.parametrize(
    ("extra", "suggestion"),
    [
        ('[daemon]\ntik = "10s"\n', "daemon.tik"),
        ('[deamon]\ntick = "10s"\n', "did you mean daemon?"),
        ('[logs]\nlevle = "info"\n', "did you mean logs.level?"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest_known_one(
    tmp_path: Path, extra: str, suggestion: str
) -> None:
    config = a_file(tmp_path, extra=extra)
    message = refusal(config)
    assert "unknown setting" in message
    assert suggestion in message
    assert str(config) in message


@pytest.mark.parametrize(
    ("variable", "suggestion"),
    [
        ("SALESFORCE_BRIDGE_DAEMON__TICKS", "did you mean SALESFORCE_BRIDGE_DAEMON__TICK?"),
        ("SALESFORCE_BRIDGE_DAEMON_TICK", "did you mean SALESFORCE_BRIDGE_DAEMON__TICK?"),
        ("salesforce_bridge_deamon__tick", "did you mean SALESFORCE_BRIDGE_DAEMON__TICK?"),
    ],
)
def test_an_unknown_variable_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, suggestion: str
) -> None:
    monkeypatch.setenv(variable, "10s")
    message = refusal(a_file(tmp_path))
    assert variable in message
    assert suggestion in message


def test_what_an_orchestrator_announces_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PORT", "SERVICE_HOST", "WEB_PORT", "CONFIG"):
        monkeypatch.setenv(f"SALESFORCE_BRIDGE_{name}", "tcp://10.0.0.1:80")
    assert load(a_file(tmp_path)).web.port == 8088


def test_every_problem_is_told_at_once_without_values(tmp_path: Path) -> None:
    text = '[salesforce]\nlogin_url = "http://acme.my.salesforce.com"\nclient_id = ""\n[daemon]\nchunk = 0\nunheard_of = "private"\n'
    message = refusal(a_file(tmp_path, text=text))
    for setting in (
        "salesforce.login_url",
        "salesforce.client_id",
        "daemon.chunk",
        "daemon.unheard_of",
        "points: is not set",
    ):
        assert setting in message
    assert "private" not in message


@pytest.mark.parametrize(
    "url",
    [
        "http://acme.my.salesforce.com",
        "https://acme.lightning.force.com",
        "https://acme.my.salesforce.com/services",
        "https://me:hush@acme.my.salesforce.com",
        "acme.my.salesforce.com",
    ],
)
def test_a_login_address_must_be_an_api_host(tmp_path: Path, url: str) -> None:
    assert "login_url" in refusal(a_file(tmp_path), {"salesforce": {"login_url": url}})


@pytest.mark.parametrize(
    ("host", "audience"),
    [
        ("acme.my", "login"),
        ("acme--uat.sandbox.my", "test"),
        ("login", "login"),
        ("test", "test"),
    ],
)
def test_the_audience_follows_the_kind_of_org(tmp_path: Path, host: str, audience: str) -> None:
    given = {"salesforce": {"login_url": f"https://{host}.salesforce.com/"}}
    assert (
        load(a_file(tmp_path), given).salesforce.token_audience
        == f"https://{audience}.salesforce.com"
    )


def test_an_audience_that_is_set_wins(tmp_path: Path) -> None:
    settings = load(a_file(tmp_path), {"salesforce": {"audience": "https://acme.example"}})
    assert settings.salesforce.token_audience == "https://acme.example"


def test_each_way_to_log_in_asks_for_what_it_needs(tmp_path: Path) -> None:
    text = LEAST.replace('username = "bridge@acme.invalid"\n', "")
    assert 'auth = "jwt" also needs username' in refusal(a_file(tmp_path, text=text))
    config = a_file(tmp_path)
    assert "client_secret_file" in refusal(config, {"salesforce": {"auth": "client_credentials"}})
    generic = {
        "auth": "client_credentials",
        "client_secret": "x",
        "login_url": "https://login.salesforce.com",
    }
    assert "My Domain host only" in refusal(config, {"salesforce": generic})


def test_max_staleness_is_at_least_four_ticks(tmp_path: Path) -> None:
    message = refusal(a_file(tmp_path), {"daemon": {"tick": "10m", "max_staleness": "39m"}})
    assert "at least four ticks (40m)" in message
    fine = load(a_file(tmp_path), {"daemon": {"tick": "10m", "max_staleness": "PT40M"}})
    assert fine.daemon.max_staleness == timedelta(minutes=40)


def test_the_alarm_comes_before_the_light(tmp_path: Path) -> None:
    assert "clean_cycle_limit" in refusal(
        a_file(tmp_path), {"daemon": {"clean_cycle_limit": "31m"}}
    )


@pytest.mark.parametrize("text", ["", "5", 5, "5 minutes", "m", "1m1h", "0s", "-5m", True, "P"])
def test_a_duration_without_unit_or_sense_is_refused(tmp_path: Path, text: object) -> None:
    assert "daemon.tick" in refusal(a_file(tmp_path), {"daemon": {"tick": text}})


@given(st.integers(min_value=1, max_value=10_000_000))
def test_a_duration_reads_back_as_it_is_written(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(duration_text(duration)) == duration


def test_no_duration_is_written_as_zero_seconds() -> None:
    assert duration_text(timedelta()) == "0s"


def test_relative_paths_are_meant_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config = a_file(
        tmp_path,
        extra='[ledger]\nurl = "sqlite:///ledger.sqlite3"\n[policy]\nfile = "rules/policy.toml"\n',
    )
    monkeypatch.chdir(elsewhere)
    settings = load(config)
    assert settings.points.key_file == tmp_path / "point-keys"
    assert settings.policy.file == tmp_path / "rules" / "policy.toml"
    assert settings.ledger.url == f"sqlite:///{tmp_path}/ledger.sqlite3"


@pytest.mark.parametrize(
    "url",
    ["sqlite:////srv/ledger.sqlite3", "sqlite://", "sqlite:///:memory:", "postgresql://db/bridge"],
)
def test_a_url_that_names_no_relative_file_stays_as_it_is(tmp_path: Path, url: str) -> None:
    assert load(a_file(tmp_path, extra=f'[ledger]\nurl = "{url}"\n')).ledger.url == url


def test_a_file_that_cannot_be_read_or_parsed_is_named(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "absent.toml")
    assert "is not TOML" in refusal(a_file(tmp_path, extra="[daemon\n"))
    assert "daemon" in refusal(a_file(tmp_path, text=f"daemon = 5\n{LEAST}"))


def test_settings_never_change(tmp_path: Path) -> None:
    settings = load(a_file(tmp_path))
    with pytest.raises(ValidationError):
        settings.daemon.chunk = 5  # type: ignore[misc]  # the very thing that must not work
    with pytest.raises(ValidationError):
        settings.daemon = settings.daemon  # type: ignore[misc]  # the very thing that must not work


def test_neither_text_nor_dump_shows_a_secret(tmp_path: Path) -> None:
    given = {
        "ledger": {"url": "postgresql://bridge:hush@db/bridge"},
        "salesforce": {"client_secret": "hush", "proxy": "http://u:hush@p:1"},
    }
    settings = load(a_file(tmp_path), given)
    dump = settings.model_dump(mode="json")
    assert "hush" not in repr(settings) + str(settings) + str(dump)
    assert dump["ledger"]["url"] == "postgresql://bridge:***@db/bridge"
    assert dump["daemon"]["tick"] == "1m"


def test_a_refusal_tells_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(CannotStart) as caught:
        load(tmp_path / "absent.toml")
    assert caught.value.hint == "name another with --config"
    with pytest.raises(CannotStart) as caught:
        load(a_file(tmp_path, text=""))
    assert caught.value.hint == "salesforce-bridge config check"


def documented() -> dict[tuple[str, str], str | None]:
    """Each setting of config/bridge.toml with the value shown for it, commented out or not."""
    found: dict[tuple[str, str], str | None] = {}
    group = ""
    for line in (CONFIG / "bridge.toml").read_text().splitlines():
        if heading := re.fullmatch(r"\[(\w+)\]", line):
            group = heading[1]
        elif setting := re.fullmatch(r"(?:# )?(\w+) =(?: (.+))?", line):
            found[group, setting[1]] = setting[2]
    return found


def test_every_setting_is_documented_in_the_shipped_file() -> None:
    assert set(documented()) == set(names())


def test_the_shipped_file_shows_the_true_defaults() -> None:
    shown = {
        place: tomllib.loads(f"value = {text}")["value"]
        for place, text in documented().items()
        if text
    }
    for (group, name), value in shown.items():
        field = Settings.model_fields[group].annotation
        assert isinstance(field, type)
        default = field.model_fields[name]
        if default.is_required() or default.default is None:
            continue
        told = parse_duration(value) if isinstance(default.default, timedelta) else value
        assert told == (
            str(default.default) if isinstance(default.default, Path) else default.default
        ), (group, name)


@pytest.mark.parametrize("name", ["bridge.toml", "demo.toml"])
def test_the_shipped_files_load(name: str) -> None:
    settings = load(CONFIG / name)
    assert settings.points.key_file == CONFIG / "point-keys"
