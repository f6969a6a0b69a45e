"""Which printer a station's configuration names."""

import sys

from kit.errors import Invalid
from station import devices
from station.ports import hardware

#: What `--printer` takes: a receipt printer in the network, on a serial line, as a USB device; or the system's queue.
CHOICES: tuple[str, ...] = ("none", "tcp:HOST[:PORT]", "serial:PORT[@BAUD]")
if sys.platform != "win32":  # which has neither such devices nor CUPS
    CHOICES += ("device:PATH", "queue:NAME")
_BEGUN = tuple(f"{one.partition(':')[0]}:" for one in CHOICES[1:])


def demand_known(name: str) -> None:
    """Raise Invalid when no printer goes by this name."""
    if name != "none" and not name.startswith(_BEGUN):
        raise Invalid("printer-unknown", printer=name, choices=", ".join(CHOICES))


def open_printer(name: str, noticed: devices.Noticed = devices.unnoticed) -> hardware.Printer | None:
    """The printer of this name; None when the desk has none."""
    demand_known(name)
    if name == "none":
        return None
    from station.printers import queues, receipts

    if name.startswith("queue:"):
        return queues.QueuePrinter(name.partition(":")[2], noticed)
    return receipts.ReceiptPrinter(name, noticed=noticed)
