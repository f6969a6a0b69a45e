"""`gradphoto down`: end everything that `up` started, also after the supervisor itself was killed."""

from cli import screen
from cli.stack import stack as stacks


def down(directory: screen.Dir = None) -> None:
    """停止整套系统,数据保留 · Stop everything; the data stay."""
    stack = stacks.Stack.at(directory)
    ran = stack.running()
    left = stack.down()
    if left:
        screen.console.print(f"已结束残留进程 · ended what a lost supervisor had left: {', '.join(left)}", markup=False)
    screen.console.print("已停止 · stopped" if ran or left else "没有运行中的系统 · nothing was running")
