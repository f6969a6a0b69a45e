"""Which camera a station's configuration names."""

import importlib.util
from pathlib import Path

from kit.errors import Invalid, Unavailable
from station import devices
from station.ports import hardware

#: What `--camera` takes. PATH is the folder that the camera maker's program fills; PORT as libgphoto2 names it
#: (usb:001,004), to be given when two cameras are on one computer. `simulated` is a tethered camera without hardware.
CHOICES = ("virtual", "virtual-24mp", "simulated", "gphoto2", "gphoto2:PORT", "hotfolder:PATH")
#: Opening a camera takes one or two seconds; with thousands of pictures on its card, more.
_TRIAL_S = 20.0
_WHOLE = tuple(choice for choice in CHOICES if ":" not in choice)
_BEGUN = tuple(choice.partition(":")[0] + ":" for choice in CHOICES if ":" in choice)


def demand_known(name: str) -> None:
    """Raise Invalid when no camera goes by this name."""
    if name not in _WHOLE and not name.startswith(_BEGUN):
        raise Invalid("camera-unknown", camera=name, choices=", ".join(CHOICES))


def open_camera(name: str, folder: Path, serial: str, noticed: devices.Noticed = devices.unnoticed) -> hardware.Camera:
    """The camera of this name; `folder` is where it may remember things, `noticed` hears of its troubles."""
    from station.cameras import hotfolder, virtual  # not before a camera is wanted: drawing needs large libraries

    demand_known(name)
    folder.mkdir(parents=True, exist_ok=True)
    if name.startswith("hotfolder:"):
        return hotfolder.HotFolderCamera(
            Path(name.partition(":")[2]), folder / "hotfolder.jsonl", f"hot-{serial}", noticed
        )
    if name == "simulated" or name.startswith("gphoto2"):
        return _tethered(name, folder, noticed)
    return virtual.VirtualCamera(name, folder, f"virtual-{serial}")


async def try_out(camera: hardware.Camera) -> None:
    """See whether a camera answers: raise Unavailable with what is wrong, or that it takes long. It is closed again."""
    await devices.try_out(camera, _TRIAL_S, "camera-opening")


def _tethered(name: str, folder: Path, noticed: devices.Noticed) -> hardware.Camera:
    from station.cameras.tethered import camera, link

    kind, _, port = name.partition(":")
    if kind == "gphoto2" and importlib.util.find_spec("gphoto2") is None:
        raise Unavailable("camera-library-missing")
    driver = link.Driver("drawn" if kind == "simulated" else kind, folder, port or None)
    return camera.TetheredCamera(driver, folder / "tethered.jsonl", noticed=noticed)
