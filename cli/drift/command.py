"""`./gradphoto drift`: a noisy day through the desk's own rules, beside the desk that goes by order alone."""

import enum
import json as jsonlib
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cli.drift import crew, faces, naive, script, tally
from cli.drift.script import Kind
from station.domain import signals

#: Of which kinds no photo is silently on the wrong person, once the slip is shown at the seat.
BY_ORDER = frozenset(Kind) - {Kind.SWAPPED_SLIPS, Kind.STAND_IN}
PROMISED = {
    faces.Signal.NONE: BY_ORDER,
    faces.Signal.SESSION: BY_ORDER | {Kind.STAND_IN},
    faces.Signal.REFERENCE: frozenset(Kind),
}
FALSE_ALARMS = 0.005
#: Columns from which the signs have room in the table; the JSON has them always.
_WIDE = 120
_ZH = {
    Kind.QUEUE_JUMP: "插队",
    Kind.SWAPPED_NEIGHBOURS: "邻位对调",
    Kind.WALK_OFF: "离队",
    Kind.DOUBLE_SCAN: "重复签到",
    Kind.SLIP_TWICE: "小票扫两次",
    Kind.MISSED_SCAN: "漏扫小票",
    Kind.NOT_CHECKED_IN: "未签到就座",
    Kind.DOUBLE_FIRE: "连拍",
    Kind.STALE_FRAME: "上一位的帧",
    Kind.LOST_FRAME: "丢帧",
    Kind.TEST_SHOT: "试拍",
    Kind.EARLY_SLIP: "未换人先拍",
    Kind.CHAIR_CHANGE: "扫后换人坐",
    Kind.SWAPPED_SLIPS: "互换小票",
    Kind.STAND_IN: "代拍",
}


class Proof(enum.StrEnum):
    """How the desk knows who sits: by the slip, by the student's own code, or because the number was called."""

    SLIP = "slip"
    CODE = "code"
    CALLED = "called"


def play(
    students: int, desks: int, seed: int, proof: Proof, signal: faces.Signal, reference: str = "admission"
) -> tuple[tally.Result, tally.Result]:
    """Ours and the naive desk's day. The same arguments, the same figures."""
    terms = signals.LENIENT if proof is Proof.CALLED else crew.STRICT
    ours, control = [], []
    for place in range(desks):
        people, key = students // desks, seed * 1000 + place
        compared = faces.Faces(key, signal, reference)
        ours.append(crew.Crew(script.write(people, key), terms, compared, own_code=proof is Proof.CODE).play())
        control.append(naive.play(script.write(people, key)))
    return tally.add_up(ours), tally.add_up(control)


def promised(proof: Proof, signal: faces.Signal) -> frozenset[Kind]:
    """Of which kinds of noise no photo is silently on the wrong person."""
    if proof is Proof.CALLED:
        return frozenset()
    return PROMISED[signal] | ({Kind.SWAPPED_SLIPS} if proof is Proof.CODE else frozenset())


def kept(result: tally.Result, proof: Proof, signal: faces.Signal) -> bool:
    """Whether what is promised held: no silent wrong photo, drift flagged in time, few false alarms."""
    few = result.false_alarms.wrong <= FALSE_ALARMS * result.false_alarms.all
    return few and result.silent_in(promised(proof, signal)) == 0


def drift(
    students: Annotated[int, typer.Option(min=100, help="学生数 students")] = 10_000,
    desks: Annotated[int, typer.Option(min=1, help="采集台数 desks")] = 10,
    seed: Annotated[int, typer.Option(help="随机种子 seed")] = 1,
    signal: Annotated[faces.Signal, typer.Option(help="人脸比对 what faces are compared with")] = faces.Signal.NONE,
    reference: Annotated[str, typer.Option(help="参照照片 " + " | ".join(faces.REFERENCES))] = "admission",
    proof: Annotated[Proof, typer.Option(help="就座凭据 what shows who sits")] = Proof.SLIP,
    json: Annotated[Path | None, typer.Option(help="写入文件 write figures")] = None,
) -> None:
    """错位演练 · Play a noisy day through the desk's rules; ends with 1 when a promise is broken."""
    if reference not in faces.REFERENCES:
        raise typer.BadParameter(f"--reference {' | '.join(faces.REFERENCES)}")
    console = Console()
    began = time.perf_counter()
    ours, control = play(students, desks, seed, proof, signal, reference)
    _show(console, ours, control, promised(proof, signal), f"{proof}, {signal}", time.perf_counter() - began)
    if json is not None:
        told: dict[str, Any] = {"seed": seed, "desks": desks, "signal": signal, "reference": reference, "proof": proof}
        told |= {"ours": ours.as_dict(), "naive": control.as_dict()}
        json.write_text(jsonlib.dumps(told, ensure_ascii=False, indent=2) + "\n", "utf-8")
    if not kept(ours, proof, signal):
        raise typer.Exit(1)


def _show(
    console: Console, ours: tally.Result, control: tally.Result, sure: frozenset[Kind], how: str, took_s: float
) -> None:
    table = Table(title=f"错位演练 Drift · {ours.students:,} 人 students · {how}", title_justify="left")
    for heading in (
        "干扰\nnoise",
        "次\nn",
        "报警\nflag",
        "拒绝\nref.",
        "最迟\nlate",
        "错绑\nwrong",
        "静默\nsilent",
        "95 %",
    ):
        table.add_column(heading, no_wrap=True)
    wide = console.width >= _WIDE
    if wide:
        table.add_column("信号\nsigns", overflow="fold")
    for row in ours.rows:
        low, high = row.silent.interval
        mark = "" if Kind(row.kind) in sure else " ＊"
        table.add_row(
            f"{_ZH[Kind(row.kind)]}{mark}\n[dim]{row.kind}[/dim]", str(row.events), str(row.flagged), str(row.refused),
            "–" if row.latest is None else str(row.latest), str(row.wrong), str(row.silent_photos),
            f"{100 * low:.0f}–{100 * high:.0f} %", *([" ".join(row.signs) or "–"] if wide else []),
        )  # fmt: skip
    console.print(table)
    low, high = ours.false_alarms.interval
    false = ours.false_alarms
    share = 100 * false.wrong / false.all if false.all else 0
    console.print(
        "flag：至少有一次报警提到当事人；late：其后几名学生；silent：错绑之后两名学生内无报警，95 % 按次计。"
        "＊：没有人脸比对（或就座扫码）分辨不出，见 docs/binding.md。\n"
        "flag: an alarm named somebody concerned; late: students until then; silent: no alarm within two students "
        "after the wrong photo, interval over events. ＊ cannot be told without faces or the own code at the seat.",
        style="dim",
    )
    console.print(
        f"静默错绑 silently wrong: {ours.silent.wrong} / {ours.photos:,}；只按顺序的采集台 order-only desk: "
        f"{control.wrong:,} / {control.photos:,}"
    )
    console.print(
        f"误报 false alarms: {false.wrong} / {false.all:,} = {share:.2f} % ({100 * low:.2f}–{100 * high:.2f} %)；"
        f"请人看 looks asked for: {ours.looks}；{took_s:.1f} s"
    )
