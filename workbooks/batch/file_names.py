"""What a person is told a file is called: its path below the folder that was given, so that two towns' files differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from workbooks.batch.tasks import shown


class FileNames:
    """The names of the files of one run; given: the files and folders it was asked for.

    A file given itself goes by its own name, and where that would not do by the path it was given with. Of several
    folders the name of each stands before what is below it.
    """

    def __init__(self, given: Sequence[Path] = ()) -> None:
        folders = [path for path in given if path.is_dir()]
        heads = [path.resolve().name for path in folders]
        alone, alike = len(folders) == 1, Counter(heads)
        self._folders = [
            (Path(shown(path)), "" if alone else f"{head if alike[head] == 1 else shown(path)}/")
            for path, head in zip(folders, heads, strict=True)
        ]
        own = Counter(path.name for path in given)
        self._unclear = {shown(path) for path in given if own[path.name] > 1}

    def __call__(self, path: str) -> str:
        """The name of the file whose result has this path."""
        found = Path(path)
        for folder, head in self._folders:
            if found != folder and found.is_relative_to(folder):
                return head + found.relative_to(folder).as_posix()
        return path if path in self._unclear else found.name
