"""The generated secrets of one embedded stack: made once, kept in a 0600 file, never printed."""

import secrets
from collections.abc import Sequence
from pathlib import Path

import pydantic
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from cli.stack import layout

SERVICES = ("roster", "scheduler", "capture", "billing", "verify")


class Unreadable(Exception):
    """The file is there and is not a set of this version; it is left as it is, since data can be read with it alone."""

    def __init__(self, path: Path, fields: Sequence[str]) -> None:
        named = ", ".join(fields)
        super().__init__(
            f"{path} 不是本版本的密钥文件（{named}）：请用 --dir 另选目录，或用当时的版本打开。\n"
            f"{path} holds no secrets of this version ({named}): choose another directory with --dir, "
            "or use the version that wrote it."
        )


class Secrets(pydantic.BaseModel):
    """Everything that must not be guessed; `repr` shows none of it."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_admin: str = pydantic.Field(repr=False)
    database: dict[str, str] = pydantic.Field(repr=False)
    amqp_user: str
    amqp_password: str = pydantic.Field(repr=False)
    erlang_cookie: str = pydantic.Field(repr=False)
    s3_key: str
    s3_secret: str = pydantic.Field(repr=False)
    s3_seal: str = pydantic.Field(repr=False)
    vault_key: str = pydantic.Field(repr=False)
    index_key: str = pydantic.Field(repr=False)
    code_key: str = pydantic.Field(repr=False)
    words_key: str = pydantic.Field(repr=False)
    control: str = pydantic.Field(repr=False)
    token_private_key: str = pydantic.Field(repr=False)
    token_public_key: str


def generate() -> Secrets:
    """Draw a new set. URL-safe characters only, since several of them stand in URLs."""
    private, public = _token_keys()
    return Secrets(
        database_admin=secrets.token_hex(16),
        database={service: secrets.token_hex(16) for service in SERVICES},
        amqp_user="gradphoto",
        amqp_password=secrets.token_hex(16),
        erlang_cookie=secrets.token_hex(20).upper(),
        s3_key=secrets.token_hex(10).upper(),
        s3_secret=secrets.token_hex(20),
        s3_seal=secrets.token_hex(32),
        vault_key=secrets.token_hex(32),
        index_key=secrets.token_hex(32),
        code_key=secrets.token_hex(32),
        words_key=secrets.token_hex(32),
        control=secrets.token_hex(16),
        token_private_key=private,
        token_public_key=public,
    )


def load(path: Path) -> Secrets:
    """Read the secrets.

    Raises:
        FileNotFoundError: the stack was never started.
        Unreadable: another version wrote them, or they were damaged. Names fields, never what is in them.
    """
    text = path.read_text("utf-8")
    try:
        return Secrets.model_validate_json(text)
    except pydantic.ValidationError as error:
        wrong = [".".join(map(str, one["loc"])) or "JSON" for one in error.errors(include_input=False)]
    raise Unreadable(path, wrong)


def load_or_generate(path: Path) -> Secrets:
    """Yesterday's secrets if there are any: data of yesterday can be read with them alone."""
    try:
        return load(path)
    except FileNotFoundError:
        made = generate()
        layout.write_atomically(path, made.model_dump_json(indent=1), mode=0o600)
        return made


def _token_keys() -> tuple[str, str]:
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()
