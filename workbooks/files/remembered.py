"""What was read of a text, kept for the next file that has the same text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Text = TypeVar("Text", str, bytes)
Read = TypeVar("Read")


class Remembered(Generic[Text, Read]):
    """Readings by their text, of a size of up to twice ``most``: that of the texts, or what ``size`` says.

    The oldest are forgotten, so that many different files do not fill the memory.
    """

    def __init__(self, most: int, size: Callable[[Read], int] | None = None) -> None:
        self._most, self._size, self._size_of = most, 0, size
        self._young: dict[Text, Read] = {}
        self._old: dict[Text, Read] = {}

    def get(self, text: Text) -> Read | None:
        """The reading of a text; what is asked for stays."""
        found = self._young.get(text)
        if found is None and (found := self._old.get(text)) is not None:
            self.put(text, found)
        return found

    def put(self, text: Text, read: Read) -> None:
        """Remembers a reading."""
        self._young[text] = read
        self._size += self._size_of(read) if self._size_of else len(text)
        if self._size > self._most:
            self._old, self._young, self._size = self._young, {}, 0
