"""Scanners that pretend to be a keyboard: a stream of keys becomes codes, and what fingers type is told from them.

Pure: time comes with each key. A scanner's keys follow each other within milliseconds and most end with Enter or Tab.
"""

import unicodedata
from dataclasses import dataclass, field
from typing import Literal

TERMINATORS = frozenset({"Enter", "Tab", "\r", "\n", "\t"})
#: The symbology that some scanners put before the code: AIM, "]Q1" for a QR code.
_AIM = ("]Q", "]C", "]d")


@dataclass(frozen=True, slots=True)
class Code:
    """What came. `typed` when a person's fingers were as slow as fingers are: then it is a search, no scan."""

    payload: str = field(repr=False)
    source: Literal["scanned", "typed"]


@dataclass(slots=True)
class KeyStream:
    """Gathers keys into codes.

    `gap_s`: keys further apart than this were typed. `silence_s`: a scanner that sends no terminator has ended after
    so long. `shortest`: fewer keys than this are no code. `longest`: a stuck key must not fill the memory.
    """

    gap_s: float = 0.06
    silence_s: float = 0.15
    shortest: int = 4
    longest: int = 4096
    _keys: list[str] = field(default_factory=list)
    _last_s: float = 0.0
    _slow: int = 0

    def key(self, key: str, at_s: float) -> Code | None:
        """One key: a character, or the name of a key as browsers call it. Shift, Control and the like are no text."""
        before = self.tick(at_s)
        if key in TERMINATORS:
            return self._done() or before
        if len(key) != 1:
            return before
        if self._keys and at_s - self._last_s > self.gap_s:
            self._slow += 1
        self._keys.append(key)
        self._last_s = at_s
        if len(self._keys) > self.longest:
            self._forget()
        return before

    def tick(self, at_s: float) -> Code | None:
        """Time passes: a scan without terminator is over. What is being typed waits for its Enter."""
        if self._keys and not self._slow and at_s - self._last_s > self.silence_s:
            if len(self._keys) < self.shortest:
                return None  # the first letters of somebody who thinks before typing on
            return self._done()
        return None

    def _done(self) -> Code | None:
        text, slow = "".join(self._keys), self._slow
        self._forget()
        if len(text) < self.shortest:
            return None
        return Code(plain(text), "typed" if slow else "scanned")

    def _forget(self) -> None:
        self._keys.clear()
        self._slow = 0


def plain(text: str) -> str:
    """A code without what scanner and input method add: symbology mark, blanks around it, full-width letters.

    A Chinese input method left on turns a scanner's keys into full-width ones. Anything beyond ASCII is left alone.
    """
    if text[:2] in _AIM:
        text = text[3:]
    narrow = "".join(unicodedata.normalize("NFKC", sign) if "\uff01" <= sign <= "\uff5e" else sign for sign in text)
    return narrow.strip(" \u3000")
