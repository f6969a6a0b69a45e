"""Where a JPEG ends (ITU-T T.81, annex B): a cut one has the end mark of its thumbnail, and is not whole for that."""

import re

BEGIN, END = b"\xff\xd8", b"\xff\xd9"
#: The next marker in coded data: neither a stuffed byte, nor a restart mark, nor one that only fills.
_NEXT = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_FILL, _END_OF_IMAGE, _START_OF_SCAN = 0xFF, 0xD9, 0xDA


def ends_there(content: bytes) -> bool:
    """Whether the picture's own end mark is the last there is but zeros: those the camera may not have written yet.

    Coded data holds no end mark, so one behind the first scan's beginning is no thumbnail's. Looks at the head and the
    tail alone, whatever lies between.
    """
    last = content.rstrip(b"\0") if content.endswith(b"\0") else content
    return last.endswith(END) and _scan_begins(content) <= len(last) - len(END)


def has_end(content: bytes) -> bool:
    """Whether the picture itself comes to its end, whatever the camera wrote behind it. Goes through all of it."""
    at = _scan_begins(content)
    while marker := _NEXT.search(content, at):
        at = marker.start()
        if content[at + 1] == _END_OF_IMAGE:
            return True
        at = _behind(content, at)
    return False


def _scan_begins(content: bytes) -> int:
    """Where the first scan's coded data begins; behind the end if there is none."""
    at = len(BEGIN)
    while content.startswith(BEGIN) and at + 4 <= len(content) and content[at] == _FILL:
        kind, at = content[at + 1], _behind(content, at)
        if kind == _START_OF_SCAN:
            return at
    return len(content)


def _behind(content: bytes, at: int) -> int:
    """Where the segment ends whose marker stands here."""
    return at + 1 if content[at + 1] == _FILL else at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
