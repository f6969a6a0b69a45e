"""Which card reader a station's configuration names."""

from kit.errors import Invalid
from station import devices
from station.ports import hardware

#: What `--reader` takes. PORT is a serial line: COM3, /dev/ttyUSB0. Scanners that are keyboards need no choosing.
CHOICES = ("none", "serial:PORT")


def demand_known(name: str) -> None:
    """Raise Invalid when no reader goes by this name."""
    if name != "none" and not name.startswith("serial:"):
        raise Invalid("reader-unknown", reader=name, choices=", ".join(CHOICES))


def open_reader(name: str, noticed: devices.Noticed = devices.unnoticed) -> hardware.Reader | None:
    """The reader of this name; None when the desk has none."""
    demand_known(name)
    if name == "none":
        return None
    from station.readers import cards

    return cards.CardReader(name.partition(":")[2], noticed=noticed)
