"""Which camera a station's configuration names."""

from pathlib import Path

from kit.errors import Invalid
from station import ports

#: What `--camera` takes. PATH is the folder that the camera maker's program fills.
CHOICES = ("virtual", "virtual-24mp", "hotfolder:PATH")


def demand_known(name: str) -> None:
    """Raise Invalid when no camera goes by this name."""
    if name not in CHOICES[:2] and not name.startswith("hotfolder:"):
        raise Invalid("camera-unknown", camera=name, choices=", ".join(CHOICES))


def open_camera(name: str, folder: Path, serial: str) -> ports.Camera:
    """The camera of this name; `folder` is where it may remember things."""
    from station.cameras import hotfolder, virtual  # not before a camera is wanted: drawing needs large libraries

    demand_known(name)
    folder.mkdir(parents=True, exist_ok=True)
    if name.startswith("hotfolder:"):
        return hotfolder.HotFolderCamera(Path(name.partition(":")[2]), folder / "hotfolder.json", f"hot-{serial}")
    return virtual.VirtualCamera(name, folder, f"virtual-{serial}")
