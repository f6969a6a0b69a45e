"""`gradphoto dead`: messages that a service could not handle. Look at them, hand them back, or drop them."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import asdict
from typing import Annotated, Any, TypeVar, cast

import aio_pika.exceptions
import rich.table
import typer

from cli import screen
from cli.stack import stack as stacks
from gradphoto_contracts import catalogue
from kit import broker, dead_letters, errors, topology

app = typer.Typer(help="死信:查看、重投、丢弃 · Dead letters: look, hand back, drop.", no_args_is_help=True)

T = TypeVar("T")
Service = Annotated[str, typer.Argument(help="服务 service: " + " ".join(stacks.ALL))]
Message = Annotated[str, typer.Argument(help="消息编号 · id of the message, as in the list.")]


@app.command("list")
def list_(
    service: Annotated[str | None, typer.Argument(help="服务,默认全部 · all services by default.")] = None,
    directory: screen.Dir = None,
    limit: Annotated[int, typer.Option(min=1, help="每个服务最多几条 · at most, of each service.")] = 100,
) -> None:
    """列出死信 · The oldest dead letters; they stay where they are."""
    url = _url(directory)
    asked = [service] if service else [name for name in stacks.ALL if name in catalogue.bindings()]
    # Of all services one that never ran has none; of one that is named that is told.
    none: list[dead_letters.DeadLetter] | None = None if service else []
    found = {name: _ask(name, dead_letters.list_dead(url, name, limit), none) for name in asked}
    # The id is what the other commands are given: it must not be broken over two lines.
    id_column = rich.table.Column("编号 id", no_wrap=True)
    headings = ("类型 type", "对象 subject", "原因 reason", "时间 failed at", "次数 tries")
    table = rich.table.Table("服务 service", id_column, *headings)
    for name, letters in found.items():
        for one in letters:
            cells = (one.message_id, one.type, one.subject, one.reason, one.failed_at, one.tries)
            table.add_row(name, *map(screen.plain, cells))
    screen.console.print(table if any(found.values()) else f"{', '.join(asked)}: 没有死信 · no dead letters")


@app.command()
def show(service: Service, message: Message, directory: screen.Dir = None) -> None:
    """查看一条死信的全部内容 · One dead letter with all that it carries, as JSON."""
    content = _ask(service, dead_letters.show_dead(_url(directory), service, message))
    screen.console.print_json(json.dumps(asdict(content), ensure_ascii=False, default=str))


@app.command()
def retry(
    service: Service,
    message: Annotated[str | None, typer.Argument(help="消息编号 · id of the message.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="全部重投 · hand all of them back.")] = False,
    directory: screen.Dir = None,
) -> None:
    """重投到收件队列 · Hand one dead letter, or all, back to the inbox as if never tried."""
    if (message is None) is not everything:
        screen.fail("请给出一个消息编号,或 --all · name one message, or say --all", 2)
    count = _ask(service, dead_letters.retry_dead(_url(directory), service, message))
    screen.console.print(f"已重投 handed back: {count}")


@app.command()
def drop(service: Service, message: Message, directory: screen.Dir = None) -> None:
    """永久丢弃一条 · Throw one dead letter away for good."""
    count = _ask(service, dead_letters.drop_dead(_url(directory), service, message))
    screen.console.print(f"已丢弃 dropped: {count}")


@app.command()
def unbind(
    service: Service,
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="消息类型 · type of event, as in the list.")],
    directory: screen.Dir = None,
) -> None:
    """服务不再收此类消息(event-not-heard)时,撤去旧绑定 · Take away the binding of a type that is heard no more."""
    if type_ in catalogue.bindings().get(cast("Any", service), []):
        screen.fail(f"{service} 仍收 {type_},不能撤去 · still hears it: the binding stays", 2)
    _ask(service, topology.unbind(_url(directory), service, type_))
    screen.console.print(f"已撤去 unbound: {service} {type_}")


def _url(directory: screen.Dir) -> str:
    stack = stacks.Stack.at(directory)
    if not stack.running():
        screen.fail("系统未运行,请先 ./gradphoto up · nothing runs here: say ./gradphoto up first")
    return stack.urls()["AMQP_URL"]


def _ask(service: str, question: Coroutine[Any, Any, T], no_queue: T | None = None) -> T:
    try:
        return asyncio.run(question)
    except errors.NotFound:
        screen.fail(f"{service}: 没有这条死信 · no such dead letter")
    except broker.BrokerAway as error:
        absent = isinstance(error.__cause__, aio_pika.exceptions.ChannelNotFoundEntity)
        if absent and no_queue is not None:
            return no_queue
        if absent:
            screen.fail(
                f"{service}: 没有死信队列,它不收消息或从未启动 · has no dead letters: it hears nothing, or never ran"
            )
        screen.fail(f"总线无应答,请看 ./gradphoto doctor · the broker does not answer, see ./gradphoto doctor: {error}")
