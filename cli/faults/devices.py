"""Rows of card reader and printer: the drivers that a desk has, on a simulated reader and a simulated printer."""

from datetime import UTC, datetime

from cli.faults import patience
from cli.faults.hall import Hall
from cli.faults.matrix import Fault, Seen
from kit import messages
from station import ports
from station.printers import receipts
from station.printers import simulator as paper
from station.readers import cards
from station.readers import simulator as plastic

_METRIC = "gradphoto_device_faults_total"
_SLIPS, _SHEETS = 6, 3


class _Notices(list[ports.Notice]):
    """What a desk's figures would count."""

    def faults(self, fault: str, *, recovered: bool = False) -> int:
        return sum(one.fault == fault and one.recovered == recovered for one in self)


def _said(health: ports.Health) -> str:
    return messages.render(health.trouble.code, health.trouble.params)[0] if health.trouble else ""


async def reader_hangs(_hall: Hall) -> Seen:
    """A card is read; then the reader says nothing; then it is back, and the card that lay there is given once."""
    seen, notices = Seen(), _Notices()
    limits = cards.Limits(answer_s=0.6, first_pause_s=0.05, longest_pause_s=0.2)
    with plastic.simulated() as simulated:
        reader = cards.CardReader(simulated.path, limits, notices.append)
        await reader.start()
        simulated.lay("resident")
        first = await reader.next()
        if not notices and not _said(reader.health()):
            seen.control = "读卡成功，计数 0 card read, count 0"
        simulated.lift()
        simulated.fault("silent", 10_000)
        seen.zh = await patience.until("reader-silent", lambda: _code(reader, "reader-silent"))
        seen.moved = (0, notices.faults("silent"))
        simulated.lay("hk_macao_taiwan")
        simulated.fault("silent", 0)
        second = await reader.next()
        seen.demand(first.payload != second.payload, "同一张证 the same card")
        seen.demand(reader._cards.empty(), "一张证给了两次 a card given twice")
        seen.demand(notices.faults("silent", recovered=True), "未恢复 not recovered")
        await reader.close()
    seen.note = "读卡器不产生照片 no frames"
    return seen


async def paper_out(_hall: Hall) -> Seen:
    """The roll ends within a slip; after the change every slip is out, that one once more."""
    seen, notices = Seen(), _Notices()
    limits = receipts.Limits(look_every_s=0.05, first_pause_s=0.02, longest_pause_s=0.1)
    with paper.simulated() as roll:
        printer = receipts.ReceiptPrinter(roll.address, limits, notices.append)
        await printer.start()
        await printer.print(_slip(0))
        await patience.until("a slip", lambda: _printed(roll, 1))
        if not notices and not _said(printer.health()):
            seen.control = "有纸时打印，计数 0 printed with paper, count 0"
        roll.sheets = _SHEETS
        for number in range(1, _SLIPS):
            await printer.print(_slip(number))
        seen.zh = await patience.until("printer-paper-out", lambda: _code(printer, "printer-paper-out"))
        seen.moved = (0, notices.faults("paper_out"))
        seen.demand(len([one for one in roll.printed if one.whole]) < _SLIPS, "缺纸仍打印 printed without paper")
        roll.sheets = 1000
        await patience.until("all slips", lambda: _printed(roll, _SLIPS))
        tickets = {one.qr for one in roll.printed if one.whole}
        seen.demand(tickets == {_slip(number).ticket for number in range(_SLIPS)}, "少了小票 slips are missing")
        await printer.close()
    seen.note = "打印机不产生照片 no frames"
    return seen


async def _code(device: ports.Device, code: str) -> str:
    health = device.health()
    return _said(health) if health.trouble and health.trouble.code == code else ""


async def _printed(roll: paper.SimulatedPrinter, slips: int) -> bool:
    return len({one.qr for one in roll.printed if one.whole}) >= slips


def _slip(number: int) -> ports.Slip:
    return ports.Slip(f"D00-{number:04d}", "演练 1 班", "D00", datetime(2024, 5, 20, 1, tzinfo=UTC))


ROWS = (
    Fault(
        name="reader-hang",
        zh="读卡器无响应",
        en="reader hangs",
        simulator="伪终端上不应答 silent on a pseudo-terminal",
        code="reader-silent",
        metric=f'{_METRIC}{{device="card_reader",fault="silent"}}',
        alert="DeviceTroubled",
        control="读卡器正常 reader well",
        trial=reader_hangs,
    ),
    Fault(
        name="printer-paper-out",
        zh="打印机缺纸",
        en="printer out of paper",
        simulator="纸卷在小票中用完 the roll ends within a slip",
        code="printer-paper-out",
        metric=f'{_METRIC}{{device="printer",fault="paper_out"}}',
        alert="DeviceTroubled",
        control="有纸时 with paper",
        trial=paper_out,
    ),
)
