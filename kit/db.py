"""The database: one engine a process, one schema a service, one transaction a request or message. Core, no ORM."""

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import asyncpg
import sqlalchemy as sa
from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

W = TypeVar("W")

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
POOL_SIZE = 5
POOL_OVERFLOW = 5
CONNECT_TIMEOUT_S = 10.0
COMMAND_TIMEOUT_S = 60.0
#: A transaction left open holds back every relay (see kit.outbox): the server ends one that does nothing so long.
IDLE_IN_TRANSACTION_MS = "300000"


class Xid8(sa.types.UserDefinedType[str]):
    """PostgreSQL's 64-bit transaction id, which never wraps round."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "xid8"


# Reflection (for the check that migrations and metadata agree) must know the type too.
ischema_names["xid8"] = Xid8


def metadata_for(service: str) -> sa.MetaData:
    """The tables of `service` live in the schema of its name; constraints have names that a migration can rely on."""
    return sa.MetaData(schema=service, naming_convention=NAMING)


def dsn(url: str) -> str:
    """The URL as asyncpg itself takes it (`postgresql://…`)."""
    _, _, rest = url.partition("://")
    return f"postgresql://{rest}"


def engine(
    url: str, *, name: str = "gradphoto", pool_size: int = POOL_SIZE, session: Mapping[str, str] | None = None
) -> AsyncEngine:
    """An engine over asyncpg. `url` may be written `postgresql://` or `postgresql+asyncpg://`.

    `session`: server settings besides our own.
    """
    _, _, rest = url.partition("://")
    made = create_async_engine(
        f"postgresql+asyncpg://{rest}",
        pool_size=pool_size,
        max_overflow=POOL_OVERFLOW,
        connect_args={
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": {
                "application_name": name,
                "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_MS,
                "jit": "off",
                "timezone": "UTC",
                **(session or {}),
            },
        },
    )
    sa.event.listen(made.sync_engine, "checkout", _replace_if_closed)
    return made


def _replace_if_closed(adapted: Any, _record: Any, _proxy: Any) -> None:
    """asyncpg knows when its socket was closed: the pool then opens another. A ping would cost three round trips."""
    if adapted.driver_connection.is_closed():
        raise sa.exc.DisconnectionError


class Database:
    """One service's way to its schema."""

    def __init__(self, url: str, service: str, *, pool_size: int = POOL_SIZE) -> None:
        self.url = url
        self.service = service
        self.engine = engine(url, name=f"gradphoto-{service}", pool_size=pool_size)

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises. Never nested."""
        async with self.engine.begin() as tx:
            yield tx

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One read-only transaction; a write in it fails."""
        async with self.engine.connect() as connection:
            tx = await connection.execution_options(postgresql_readonly=True)
            async with tx.begin():
                yield tx

    async def ready(self) -> bool:
        """Whether the database answers now: one row of /readyz."""
        try:
            async with self.engine.connect() as connection:
                await connection.execute(sa.select(1))
        except (OSError, TimeoutError, sa.exc.SQLAlchemyError, asyncpg.PostgresError):
            return False
        return True

    async def close(self) -> None:
        await self.engine.dispose()


class Unit(Generic[W]):
    """The unit of work: `async with unit() as work:` is one transaction; `work` has all that a handler may touch."""

    def __init__(self, database: Database, build: Callable[[AsyncConnection], W]) -> None:
        self._database = database
        self._build = build

    @contextlib.asynccontextmanager
    async def __call__(self) -> AsyncIterator[W]:
        async with self._database.transaction() as tx:
            yield self._build(tx)


class Listener:
    """LISTEN on a connection of its own (a pooled one would lose its listeners)."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]") -> None:
        self.connection = connection

    @classmethod
    async def open(cls, url: str, channel: str, heard: Callable[[], None]) -> "Listener":
        """Call `heard` at each notification on `channel`. Notifications are a wake-up and may be lost: poll as well."""
        named = {"timezone": "UTC", "application_name": f"{channel}-{os.getpid()}"}
        connection = await asyncpg.connect(
            dsn(url), timeout=CONNECT_TIMEOUT_S, command_timeout=CONNECT_TIMEOUT_S, server_settings=named
        )
        await connection.add_listener(channel, lambda *_: heard())
        return cls(connection)

    async def close(self) -> None:
        """Close politely, or cut the line when the server does not answer."""
        try:
            await self.connection.close(timeout=2)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self.connection.terminate()


# Migrations: one tree and one version table a service, in its own schema; all steps in one transaction under a lock.


def _scripts(service: str) -> Path:
    return Path(__file__).parent.parent / "services" / service / "migrations"


def _config(service: str, scripts: Path | None, connection: sa.Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts or _scripts(service)).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _prepare(connection: sa.Connection, service: str) -> None:
    """Take the service's migration lock until the transaction ends, and make its schema if nobody has."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtextextended(f"migrate:{service}", 0))))
    known = connection.execute(sa.text("select 1 from pg_namespace where nspname = :name"), {"name": service}).scalar()
    if known is None:
        connection.execute(sa.schema.CreateSchema(service))


async def migrate(service: str, url: str, scripts: Path | None = None) -> None:
    """Bring the schema `service` to the newest revision: all steps or none. Two at once wait for each other.

    `scripts` is the folder of the migrations when it is not `services/<service>/migrations`.
    """

    def upgrade(connection: sa.Connection) -> None:
        _prepare(connection, service)
        command.upgrade(_config(service, scripts, connection), "head")

    await _run(url, upgrade)


async def revise(service: str, url: str, message: str, scripts: Path | None = None) -> None:
    """Write the next revision: what the metadata have and the migrated schema has not. Read it before you commit it."""

    def revision(connection: sa.Connection) -> None:
        _prepare(connection, service)
        config = _config(service, scripts, connection)
        versions = (scripts or _scripts(service)) / "versions"
        versions.mkdir(exist_ok=True)
        number = len(list(versions.glob("[0-9]*.py"))) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")
        connection.rollback()  # the comparison makes the version table

    await _run(url, revision)


async def differences(url: str, metadata: sa.MetaData) -> list[Any]:
    """What stands between the schema in the database and `metadata`: empty when migrations and tables agree."""
    found: list[Any] = []

    def compare(connection: sa.Connection) -> None:
        found.extend(compare_metadata(MigrationContext.configure(connection, opts=_options(metadata)), metadata))

    await _run(url, compare)
    return found


async def _run(url: str, act: Callable[[sa.Connection], None]) -> None:
    # A role has the schema of its name as default, where Alembic would not know its tables: schemas are always named.
    own = engine(url, name="gradphoto-migrate", pool_size=1, session={"search_path": "public"})
    try:
        async with own.begin() as connection:
            await connection.run_sync(act)
    finally:
        await own.dispose()


def _options(metadata: sa.MetaData) -> dict[str, Any]:
    def mine(name: str | None, kind: str, _parents: Any) -> bool:
        return name == metadata.schema if kind == "schema" else name != "alembic_version"

    return {"include_schemas": True, "include_name": mine, "compare_type": True, "target_metadata": metadata}


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | bool:
    if kind == "type" and isinstance(item, Xid8):
        autogen.imports.add("from kit import db")
        return "db.Xid8()"
    return False


def run_migrations(target_metadata: sa.MetaData, service: str) -> None:
    """All that a service's `migrations/env.py` does. The connection comes from `migrate` and is committed by it."""
    connection = cast("sa.Connection", context.config.attributes["connection"])
    options = _options(target_metadata) | {"version_table_schema": service, "render_item": _render}
    context.configure(connection=connection, transactional_ddl=True, **options)
    with context.begin_transaction():
        context.run_migrations()
