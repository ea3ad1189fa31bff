"""Pictures of everything that goes on paper, a sheet of small pages each, and an index: ``make gallery``.

Forms blank above and filled in below; every enterprise is invented.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from PIL import Image
from printed import BLANK, FILLED, printed

from workbooks.form import forms

FOLDER = Path(__file__).parents[1] / "docs" / "gallery"
ACROSS, GAP, DOTS, COLOURS = 6, 8, 44, 40
SHOWN = ("hohhot.self_assessment", 2, "questions.png")
"""The page of the README: form, page and file."""

KINDS = {
    "supplement": "补正通知单", "review": "资格审查表", "opinion": "审核意见表", "recognition": "投入核定明细表",
    "materials": "申报材料清单", "publicity": "公示名单", "payment": "拨付表", "recommendation": "推荐文件",
    "recovery": "收回通知", "choices": "口径确认表", "statistics": "统计表", "pack": "报送清单",
    "review-merge": "评审意见合并对照",
}  # fmt: skip


def main() -> None:
    """Draws all sheets anew; what is no longer printed goes."""
    printed()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    lines = ["# 打印出来的样子", "", "由 `make gallery` 生成；企业、人员、电话均为虚构。", ""]
    for name, title, rows in _sheets():
        save(sheet(rows), FOLDER / name)
        lines += [f"## {title}", "", f"![{title}]({name})", ""]
    form, page, name = SHOWN
    save(drawn(printed()[f"{form} {FILLED}.xlsx"], 84)[page - 1], FOLDER / name)
    (FOLDER / "README.md").write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(list(FOLDER.glob('*.png')))} 张图，{size / 1e6:.2f} MB：{FOLDER}")


def _sheets() -> Iterator[tuple[str, str, list[list[Image.Image]]]]:
    """(file, title, rows of pages) of every form and kind of document."""
    pdfs = printed()
    for form_id, spec in forms().items():
        states = [drawn(pdfs[f"{form_id} {state}.xlsx"], DOTS) for state in (BLANK, FILLED)]
        yield f"{form_id}.png", f"{spec.title}（`{form_id}`）", states
    documents = [name for name in pdfs if name.partition(" ")[0] in KINDS]
    for kind, names in groupby(documents, key=lambda name: name.partition(" ")[0]):
        yield f"document.{kind}.png", KINDS[kind], [drawn(pdfs[name], DOTS) for name in names]


def drawn(pdf: bytes, dots: int) -> list[Image.Image]:
    """The pages of a PDF as pictures, so many dots to the inch."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["pdftoppm", "-r", str(dots), "-", f"{folder}/page"]
        subprocess.run(command, input=pdf, check=True, capture_output=True)
        return [Image.open(io.BytesIO(path.read_bytes())) for path in sorted(Path(folder).iterdir())]


def sheet(rows: Sequence[Sequence[Image.Image]]) -> Image.Image:
    """Pages side by side on grey, each row broken where it is long."""
    lines = [row[at : at + ACROSS] for row in rows for at in range(0, len(row), ACROSS)]
    width = max(sum(page.width + GAP for page in line) for line in lines) + GAP
    heights = [max(page.height for page in line) + GAP for line in lines]
    made, top = Image.new("RGB", (width, sum(heights) + GAP), "#9e9e9e"), GAP
    for line, height in zip(lines, heights, strict=True):
        left = GAP
        for page in line:
            made.paste(page, (left, top))
            left += page.width + GAP
        top += height
    return made


def save(picture: Image.Image, path: Path) -> None:
    """As small as a page of text in few colours can be."""
    picture.quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main()
