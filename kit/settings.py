"""Settings of a service: environment variables `GRADPHOTO_…`, read once at start and passed on as one value."""

import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeVar

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "GRADPHOTO_"

Deployment = Literal["embedded", "compose", "cluster"]


def _key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if len(text) != 64 or not all(digit in "0123456789abcdefABCDEF" for digit in text):
        raise ValueError("must be 32 bytes in hex (64 digits)")
    return value


#: A master key: 32 bytes in hex. `bytes.fromhex(settings.vault_key.get_secret_value())` gives the bytes.
MasterKey = Annotated[SecretStr, AfterValidator(_key)]

#: A PEM in one line: an environment file cannot hold line breaks, so `\\n` is read as one.
Pem = Annotated[str, AfterValidator(lambda text: text.replace("\\n", "\n").strip() + "\n")]


class ServiceSettings(BaseSettings):
    """What every service is told. A service's own class adds what it alone needs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    deployment: Deployment = "cluster"
    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    database_url: SecretStr
    amqp_url: SecretStr
    #: `http://key:secret@host:port/bucket`; None where the service keeps no objects.
    s3_url: SecretStr | None = None
    #: The store's address as stations and browsers see it, where that is another: `https://host[:port]`.
    s3_public_url: str | None = None
    auth_public_key: Pem
    clock_file: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _simulated_time_stays_at_home(self) -> "ServiceSettings":
        if self.clock_file is not None and self.deployment != "embedded":
            raise ValueError("GRADPHOTO_CLOCK_FILE is for the embedded stack alone")
        return self


class WordsSettings(ServiceSettings):
    """Of a service that keeps people's own words (`kit.words`): `words_key` seals them, and is named in what it sealed.

    `words_retired_keys` (`{"id": "hex"}`) still open what they sealed before.
    """

    words_key: MasterKey
    #: At most 31 letters: by its length the database tells sealed words from plain ones.
    words_key_id: str = Field(default="v1", min_length=1, max_length=31)
    words_retired_keys: dict[str, MasterKey] = {}


S = TypeVar("S", bound=ServiceSettings)


def load(kind: type[S]) -> S:
    """Read the settings, or end the process with one sentence that names the variables at fault, never their values."""
    try:
        return kind()
    except ValidationError as error:
        _give_up(error)


def _give_up(error: ValidationError) -> NoReturn:
    faults = [(_variable(fault["loc"]), fault["msg"]) for fault in error.errors(include_input=False, include_url=False)]
    listed = "; ".join(f"{variable}: {message}" if variable else message for variable, message in faults)
    names = "、".join(sorted({variable for variable, _ in faults if variable})) or f"{PREFIX}…"
    sys.stderr.write(f"设置有误，服务未启动，请检查环境变量 {names}。\n")
    sys.stderr.write(f"The service did not start because its settings are wrong: {listed}.\n")
    raise SystemExit(2)


def _variable(location: tuple[int | str, ...]) -> str:
    return f"{PREFIX}{location[0]}".upper() if location else ""
