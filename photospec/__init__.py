"""毕业证书电子注册图像的检查与裁切 · Inspects and composes photos by the Chinese graduate-photo standard.

The names below are enough for most; the modules hold the rest. Nothing is read before a name is asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from photospec.composition import Finished, NotComposable, compose, finish
    from photospec.decoding import UnreadableImage
    from photospec.inspection import Context, Finding, Report, inspect
    from photospec.profiles import Profile, ProfileBroken, ProfileUnknown, load, load_file, names

    __version__: str

__all__ = [
    "Context",
    "Finding",
    "Finished",
    "NotComposable",
    "Profile",
    "ProfileBroken",
    "ProfileUnknown",
    "Report",
    "UnreadableImage",
    "__version__",
    "compose",
    "finish",
    "inspect",
    "load",
    "load_file",
    "names",
]

_WHERE = {
    **dict.fromkeys(("Finished", "NotComposable", "compose", "finish"), "composition"),
    "UnreadableImage": "decoding",
    **dict.fromkeys(("Context", "Finding", "Report", "inspect"), "inspection"),
    **dict.fromkeys(("Profile", "ProfileBroken", "ProfileUnknown", "load", "load_file", "names"), "profiles"),
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name not in _WHERE:
        raise AttributeError(f"module 'photospec' has no attribute {name!r}")
    return getattr(importlib.import_module(f"photospec.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("photospec")
    except metadata.PackageNotFoundError:  # a part of gradphoto, not a wheel of its own
        return f"gradphoto {metadata.version('gradphoto')}"
