"""Where a JPEG ends (ITU-T T.81, annex B): a cut one has the end mark of its thumbnail, and is not whole for that."""

import re

BEGIN, END = b"\xff\xd8", b"\xff\xd9"
#: The next marker in coded data: neither a stuffed byte, nor a restart mark, nor one that only fills.
_NEXT = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FILL, _END_OF_IMAGE, _START_OF_SCAN = 0xFF, 0xD9, 0xDA


def ends_there(content: bytes) -> bool:
    """Whether nothing lies behind its end mark but zeros: those may also be what the camera has not written yet."""
    if content.endswith(b"\0"):
        return content.rstrip(b"\0").endswith(END) and has_end(content)
    return content.startswith(BEGIN) and content.endswith(END)


def has_end(content: bytes) -> bool:
    """Whether the picture itself comes to its end, whatever the camera wrote behind it."""
    at = len(BEGIN)
    while content.startswith(BEGIN) and at + 2 <= len(content) and content[at] == _FILL:
        kind = content[at + 1]
        if kind == _END_OF_IMAGE:
            return True
        at += 1 if kind == _FILL else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if kind == _START_OF_SCAN:
            marker = _NEXT.search(content, at)
            at = marker.start() if marker else len(content)
    return False
