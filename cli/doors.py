"""A running capture service as the command line asks it: of the embedded stack, or of any server with a token."""

from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import typer

from cli import screen
from cli.stack import stack as stacks
from kit import messages

Server = Annotated[
    str | None,
    typer.Option(help="capture 地址,默认本机的系统 · address of capture, the stack of --dir by default."),
]
Token = Annotated[
    str | None,
    typer.Option(envvar="GRADPHOTO_TOKEN", help="令牌,见 ./gradphoto token · a token, see ./gradphoto token."),
]


@dataclass(frozen=True)
class Door:
    """Where capture answers, and as whom we ask."""

    url: str
    token: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """The decoded answer; ends the program with the server's own words when it refuses."""
        try:
            answer = httpx.request(
                method,
                self.url.rstrip("/") + path,
                json=body,
                headers={"authorization": f"Bearer {self.token}"},
                timeout=60,
                trust_env=False,
            )
        except httpx.TransportError:
            screen.fail(f"采集服务无应答 · capture does not answer: {self.url}")
        if not answer.is_success:
            screen.fail(refusal(answer))
        return answer.json()


def capture(directory: screen.Dir, server: str | None, token: str | None, *, role: str) -> Door:
    """The service that was named, else the one of the embedded stack, asked in the role."""
    if server is not None:
        if not token:
            screen.fail("请用 --token 或 GRADPHOTO_TOKEN 给出令牌 · give a token: --token or GRADPHOTO_TOKEN", 2)
        return Door(server, token)
    stack = stacks.Stack.at(directory)
    if not stack.running():
        screen.fail("系统未运行,请先 ./gradphoto up · nothing runs here: say ./gradphoto up first")
    return Door(stack.url("capture"), token or stack.token(role))


def refusal(answer: httpx.Response) -> str:
    """What the server says is wrong, in both languages where we have its words."""
    try:
        problem = answer.json()
        return "\n".join(messages.render(problem["code"], problem.get("params", {})))
    except (ValueError, KeyError, TypeError, messages.UnknownCode):
        return f"HTTP {answer.status_code}: {answer.text[:200]}"
