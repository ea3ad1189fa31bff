"""``xlcalc ledger …``: the register of what every enterprise has had, asked and written from the command line."""

from __future__ import annotations

import typer

from macros_bridge import ledger_entries, ledger_exports, ledger_lists, ledger_questions, ledger_reviews

ledger_app = typer.Typer(
    help="台账：每家企业在各项目、各批次享受了什么。只增不改，更正另记一笔。",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for command in (
    ledger_entries.init, ledger_entries.book, ledger_entries.step, ledger_entries.withdraw, ledger_entries.correct,
    ledger_entries.budget, ledger_questions.had, ledger_questions.remaining, ledger_questions.double,
    ledger_questions.papers, ledger_questions.names, ledger_questions.due, ledger_questions.history,
    ledger_exports.export, ledger_questions.replay, ledger_questions.check, ledger_questions.backup,
    ledger_questions.restore, ledger_reviews.review,
):  # fmt: skip
    ledger_app.command()(command)
ledger_app.command("import")(ledger_lists.import_lists)
