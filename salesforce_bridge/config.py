"""Settings: command line over environment over secret files over one TOML file over defaults.

The environment enters the program here and nowhere else.
"""

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import BaseSettings, InitSettingsSource, SettingsConfigDict
from pydantic_settings import PydanticBaseSettingsSource as Source
from typing_extensions import override

from salesforce_bridge.errors import CannotStart

ENV_PREFIX = "SALESFORCE_BRIDGE_"
DEFAULT_FILES = (Path("bridge.toml"), Path("/etc/salesforce-bridge/bridge.toml"))
CHECK = "salesforce-bridge config check"
TICKS_BEFORE_STALE = 4
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_SQLITE_FILE = re.compile(r"^(sqlite(?:\+\w+)?:///)(?=[^/:])")


class ConfigRefused(CannotStart):
    """The settings contradict themselves, are incomplete, or hold something nobody knows."""


def load(
    config: Path | None = None, given: Mapping[str, Mapping[str, Any]] | None = None
) -> "Settings":
    """Read the settings from every source, or say about each bad one what is wrong with it."""
    path = config or next((file for file in DEFAULT_FILES if file.is_file()), None)
    toml = _read_toml(path) if path else {}
    if problems := (*_unknown_variables(), *_secrets_in(toml)):
        raise _refused(problems)
    secret_files = _from_folder()

    class Sourced(Settings):
        @classmethod
        @override
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: Source,
            env_settings: Source,
            dotenv_settings: Source,
            file_secret_settings: Source,
        ) -> tuple[Source, ...]:
            return (
                init_settings,
                env_settings,
                InitSettingsSource(settings_cls, init_kwargs=secret_files),
                _NamedSecretFiles(settings_cls, toml=toml),
                InitSettingsSource(settings_cls, init_kwargs=toml),
            )

    try:
        return Sourced(**{group: dict(values) for group, values in (given or {}).items()})  # type: ignore[arg-type]  # groups are validated by pydantic
    except ValidationError as error:
        raise _refused(tuple(_problems(error, toml=toml, path=path))) from None


def parse_duration(text: object) -> object:
    """Read "5m" and leave ISO 8601 to pydantic; a bare number has no unit and is refused."""
    if isinstance(text, timedelta) or (isinstance(text, str) and text.startswith("P")):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None or not match[0]:
        raise ValueError('write a duration with its unit, such as "90s", "5m", "1h30m" or "PT5M"')
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def duration_text(duration: timedelta) -> str:
    """Write a duration the way a person would type it."""
    rest = int(duration.total_seconds())
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def masked_url(url: str) -> str:
    """Show a URL without the password it may carry."""
    return re.sub(r"(://[^/@\s]*?):[^@\s]*@", r"\1:***@", url)


def _login_url(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" or not host or parts.username or parts.path not in {"", "/"}:
        raise ValueError('must be a bare https address such as "https://acme.my.salesforce.com"')
    if host.endswith(".lightning.force.com"):
        raise ValueError(
            "is a page for people, not an API host; use the My Domain host that ends in .my.salesforce.com"
        )
    return url.rstrip("/")


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    Field(ge=timedelta(seconds=1)),
    PlainSerializer(duration_text, return_type=str),
]
Url = Annotated[str, PlainSerializer(masked_url, return_type=str)]


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class SalesforceSettings(_Group):
    """Which org, as whom, and how patiently."""

    login_url: Annotated[str, AfterValidator(_login_url)]
    audience: str | None = None
    auth: Literal["jwt", "client_credentials"] = "jwt"
    client_id: Annotated[str, Field(min_length=1)]
    username: str | None = None
    private_key_file: Path | None = None
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    api_version: Annotated[str, Field(pattern=r"^\d{2,3}\.0$")] = "66.0"
    org_id: Annotated[str, Field(pattern=r"^00D[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?$")] | None = None
    ca_file: Path | None = None
    proxy: Url | None = Field(default=None, repr=False)
    connect_timeout: Duration = timedelta(seconds=10)
    read_timeout: Duration = timedelta(seconds=60)
    login_timeout: Duration = timedelta(seconds=30)
    daily_calls_share: Annotated[float, Field(gt=0, le=1)] = 0.25

    @property
    def token_audience(self) -> str:
        """Who a JWT assertion is meant for: the generic host, even where the login host is a My Domain."""
        host = urlsplit(self.login_url).hostname or ""
        sandbox = host == "test.salesforce.com" or host.endswith(".sandbox.my.salesforce.com")
        return self.audience or f"https://{'test' if sandbox else 'login'}.salesforce.com"

    @model_validator(mode="after")
    def _credentials_fit(self) -> Self:
        if self.auth == "jwt":
            needed = ("username", "private_key_file")
            if missing := [name for name in needed if getattr(self, name) is None]:
                raise ValueError(f'auth = "jwt" also needs {" and ".join(missing)}')
            return self
        if self.client_secret is None:
            raise ValueError(
                f'auth = "client_credentials" also needs client_secret: {_secret_hint("salesforce", "client_secret")}'
            )
        if urlsplit(self.login_url).hostname in {"login.salesforce.com", "test.salesforce.com"}:
            raise ValueError(
                'auth = "client_credentials" works on the My Domain host only, not on login or test'
            )
        return self


class LedgerSettings(_Group):
    """Where the authoritative ledger is."""

    url: Url = Field(default="sqlite:////var/lib/salesforce-bridge/ledger.sqlite3", repr=False)
    url_file: Path | None = None


class PolicySettings(_Group):
    """Which purposes and rules are in force."""

    file: Path = Path("policy.toml")


class DaemonSettings(_Group):
    """When cycles run, and when somebody has to be called."""

    tick: Duration = timedelta(seconds=60)
    overlap: Duration = timedelta(minutes=10)
    max_staleness: Duration = timedelta(minutes=30)
    deadline: Duration = timedelta(minutes=10)
    chunk: Annotated[int, Field(ge=1, le=10_000)] = 2_000
    lease_ttl: Annotated[Duration, Field(ge=timedelta(seconds=3))] = timedelta(seconds=90)
    clean_cycle_limit: Duration = timedelta(minutes=15)
    unwritten_stop_limit: Duration = timedelta(minutes=15)

    @model_validator(mode="after")
    def _stale_comes_last(self) -> Self:
        if self.max_staleness < TICKS_BEFORE_STALE * self.tick:
            raise ValueError(
                f"max_staleness must be at least four ticks ({duration_text(TICKS_BEFORE_STALE * self.tick)}),"
                " or one slow cycle turns every Contact to Wait"
            )
        if self.clean_cycle_limit > self.max_staleness:
            raise ValueError(
                "clean_cycle_limit must not exceed max_staleness: the alarm comes before the light"
            )
        return self


class PointsSettings(_Group):
    """With which keys addresses are fingerprinted, and proofs of a permission are checked."""

    key_file: Path
    proof_key_file: Path | None = None


class WebSettings(_Group):
    """Where health and metrics are served."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8088


class LogsSettings(_Group):
    """How the bridge speaks."""

    format: Literal["auto", "json", "console"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """All that an operator can set; `load` reads it, and it never changes afterwards."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
    )
    # What a TOML file must not hold, and the setting that names a file with it instead.
    SECRETS: ClassVar[tuple[tuple[str, str], ...]] = (
        ("salesforce", "client_secret"),
        ("ledger", "url"),
    )

    salesforce: SalesforceSettings
    ledger: LedgerSettings = LedgerSettings()
    policy: PolicySettings = PolicySettings()
    daemon: DaemonSettings = DaemonSettings()
    points: PointsSettings
    web: WebSettings = WebSettings()
    logs: LogsSettings = LogsSettings()


def names() -> tuple[tuple[str, str], ...]:
    """Every setting as (group, name)."""
    return tuple((group, name) for group, model in _groups().items() for name in model.model_fields)


def _groups() -> dict[str, type[BaseModel]]:
    fields = Settings.model_fields.items()
    return {group: kind for group, field in fields if isinstance(kind := field.annotation, type)}


class _NamedSecretFiles(Source):
    """Secrets from the files that `client_secret_file` and `url_file` name, wherever those are set."""

    def __init__(self, settings_cls: type[BaseSettings], *, toml: Mapping[str, Any]) -> None:
        super().__init__(settings_cls)
        self._toml = toml

    @override
    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for group, name in Settings.SECRETS:
            given = {**_table(self._toml, group), **_table(self.current_state, group)}
            if path := given.get(f"{name}_file"):
                found[group] = {name: _read_secret(Path(path), f"{group}.{name}_file")}
        return found


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        toml = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigRefused(f"{path} cannot be read.", hint="name another with --config") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigRefused(f"{path} is not TOML: {error}.", hint=CHECK) from error
    return _beside(toml, path.absolute().parent)


def _beside(toml: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Relative paths are meant from the file that holds them, not from wherever the bridge was started."""
    for group, name in names():
        value = (values := _table(toml, group)).get(name)
        if not isinstance(value, str) or not value:
            continue
        if name == "file" or name.endswith("_file"):
            values[name] = str(folder / Path(value).expanduser())
        elif (group, name) == ("ledger", "url"):
            values[name] = _SQLITE_FILE.sub(lambda found: f"{found[1]}{folder}/", value)
    return toml


def _from_folder() -> dict[str, Any]:
    # systemd names its folder of credentials in a variable of its own.
    folder = os.environ.get(f"{ENV_PREFIX}SECRETS_DIR") or os.environ.get("CREDENTIALS_DIRECTORY")
    found: dict[str, dict[str, str]] = {}
    for group, name in names() if folder else ():
        path = Path(folder or "") / f"{group}__{name}"
        if path.is_file():
            found.setdefault(group, {})[name] = _read_secret(path, f"{group}.{name}")
    return found


def _read_secret(path: Path, setting: str) -> str:
    try:
        text = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigRefused(f"{setting}: the file {path} cannot be read.", hint=CHECK) from error
    if not text:
        raise ConfigRefused(f"{setting}: the file {path} is empty.", hint=CHECK)
    return text


def _secrets_in(toml: Mapping[str, Any]) -> Iterator[str]:
    for group, name in names():
        value = _table(toml, group).get(name)
        if isinstance(value, str) and (name == "client_secret" or masked_url(value) != value):
            yield f"{group}.{name}: secrets do not belong in a settings file; {_secret_hint(group, name)}"


def _table(values: Mapping[str, Any], group: str) -> dict[str, Any]:
    table = values.get(group)
    return table if isinstance(table, dict) else {}


def _secret_hint(group: str, name: str) -> str:
    variable = f"set the variable {ENV_PREFIX}{group.upper()}__{name.upper()}"
    return (
        f"name a file in {name}_file, or {variable}"
        if (group, name) in Settings.SECRETS
        else variable
    )


def _unknown_variables() -> Iterator[str]:
    known = {f"{ENV_PREFIX}{group}__{name}".upper() for group, name in names()}
    once = {name.replace("__", "_"): name for name in known}
    for variable, value in sorted(os.environ.items()):
        upper = variable.upper()
        if not upper.startswith(ENV_PREFIX) or upper in known:
            continue
        # An orchestrator announces its own services as NAME_PORT=tcp://…; those are not ours.
        if upper in once and "://" not in value[:6]:
            yield f"{variable}: unknown variable, did you mean {once[upper]}?"
        elif "__" in upper:
            yield f"{variable}: unknown variable{_nearest(upper, sorted(known))}"


def _problems(
    error: ValidationError, *, toml: Mapping[str, Any], path: Path | None
) -> Iterator[str]:
    dotted = [f"{group}.{name}" for group, name in names()]
    if path is None:
        yield "no settings file was found; name one with --config"
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        place = [str(part) for part in problem["loc"]]
        setting = ".".join(place)
        known = _table(toml, place[0]) if len(place) > 1 else toml
        origin = f" ({path})" if place[-1] in known else ""
        match problem["type"]:
            case "extra_forbidden":
                yield f"{setting}{origin}: unknown setting{_nearest(setting, [*_groups(), *dotted])}"
            case "missing":
                yield f"{setting}: is not set"
            case _:
                yield f"{setting}{origin}: {problem['msg'].removeprefix('Value error, ')}"


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return "".join(f", did you mean {name}?" for name in near)


def _refused(problems: tuple[str, ...]) -> ConfigRefused:
    return ConfigRefused("\n  ".join(("The settings cannot be used:", *problems)), hint=CHECK)
