"""Text that someone typed, made fit for a document: nothing invisible in it, and no longer than its place."""

from __future__ import annotations

import unicodedata


def readable(text: str) -> str:
    """The text without control and direction marks, which a document cannot hold or which disguise what it says.

    >>> readable("示例\\u202e企业\\x07有限公司")
    '示例企业有限公司'
    """
    return "".join(char for char in text if char in "\n\t" or unicodedata.category(char)[0] != "C")


def clipped(text: str, longest: int) -> str:
    """The text, or its beginning with a mark that something follows.

    >>> clipped("一二三四五六", 4)
    '一二三…'
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
