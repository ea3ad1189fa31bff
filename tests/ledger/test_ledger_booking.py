"""What a file enters: once, whole, within every cap, and only on answers that still hold."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from ledger.ledger_bench import (
    BENCHMARK,
    CHAIN,
    CLOUD,
    FIRST,
    HOHHOT,
    SAAS,
    SECOND,
    WAY_TO_VOUCHER,
    YUAN,
    A,
    B,
    C,
    act,
    code,
    file,
    grant,
    ground,
    line,
    totals,
    walk,
)
from workbooks.ledger import schema
from workbooks.ledger.amendments import correct_amount
from workbooks.ledger.booking import book, book_all
from workbooks.ledger.database import Ledger, LedgerError
from workbooks.ledger.facts_before import facts_before, with_before
from workbooks.ledger.integrity import check
from workbooks.ledger.questions import history
from xlcalc.values.money import Money


def count(ledger: Ledger, table: Any) -> int:
    with ledger.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def refused(code: str, *arguments: Any, **more: Any) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        book(*arguments, **more)
    assert caught.value.code == code, str(caught.value)
    return caught.value


def test_a_file_enters_its_lines(ledger: Ledger) -> None:
    done = book(ledger, act(document="石工信函〔2025〕8号"), FIRST, file(line(A, SAAS, 72000), line(B, SAAS, 100000)))
    assert (done.state, done.lines, done.granted, done.warnings) == ("booked", 2, 172000 * YUAN, ())
    assert totals(ledger, A) == {SAAS: 72000}
    with ledger.reading() as connection:
        (event,) = history(connection, A)
    assert (event.operator, event.document, event.fen) == ("经办甲", "石工信函〔2025〕8号", 72000 * YUAN)
    assert (event.version, event.pack_hash) == (ground(SAAS).version, ground(SAAS).pack_hash)
    assert '"AMB-01":"combined"' in event.choices
    assert (event.source, len(event.sha256)) == ("推荐表.xlsx", 64)


def test_the_same_file_twice_enters_once(ledger: Ledger) -> None:
    given = file(line(A, SAAS, 72000))
    first = book(ledger, act(), FIRST, given)
    again = book(ledger, act(), FIRST, given)
    assert (again.state, again.act, again.granted, again.unchanged) == ("already", first.act, 0, 1)
    assert totals(ledger, A) == {SAAS: 72000}
    assert count(ledger, schema.act) == 1


def test_the_same_file_with_other_results_is_refused(ledger: Ledger) -> None:
    book(ledger, act(), FIRST, file(line(A, SAAS, 72000), content="one"))
    error = refused("E-LEDGER-OTHER", ledger, act(), FIRST, file(line(A, SAAS, 60000), content="one"))
    assert "72,000.00 元" in error.message and "60,000.00 元" in error.message
    assert A not in str(error)
    same = file(line(A, SAAS, 20000), content="one")
    refused("E-LEDGER-OTHER", ledger, act(), SECOND, same)
    # A correction is of what was entered, never a second grant.
    refused("E-LEDGER-OTHER", ledger, act(reason="更正"), SECOND, same, correcting=True)
    assert totals(ledger, A) == {SAAS: 72000}


def test_what_was_left_of_a_file_is_entered_later_and_the_file_is_as_it_was(ledger: Ledger) -> None:
    """An enterprise that stood in two files: once that is settled, the same file has one line more."""
    whole = file(line(A, SAAS, 72000), line(B, SAAS, 50000), content="one")
    book(ledger, act(), FIRST, file(line(A, SAAS, 72000), content="one"))
    refused("E-LEDGER-OTHER", ledger, act(), FIRST, whole)
    assert book(ledger, act(reason="重复已处理"), FIRST, whole, correcting=True).granted == 50000 * YUAN
    assert book(ledger, act(), FIRST, whole).state == "already"
    assert (totals(ledger, A), totals(ledger, B)) == ({SAAS: 72000}, {SAAS: 50000})


def test_what_was_done_since_a_file_was_entered_stands_when_the_rest_of_it_is(ledger: Ledger) -> None:
    """A was corrected by hand, B lost its voucher: the file says of them what it said, so that neither is touched."""
    lines = (line(A, SAAS, 72000), line(B, SAAS, 50000), line(C, SAAS, 100), line(code(4), SAAS, 200))
    book(ledger, act(), FIRST, file(*lines[:2], content="one"))
    correct_amount(ledger, act(reason="复核"), SAAS, FIRST, A, 70000 * YUAN)
    walk(ledger, B, SAAS, *WAY_TO_VOUCHER, "disqualify_issued")
    for count_of in (3, 4):
        part = file(*lines[:count_of], content="one")
        assert book(ledger, act(reason="重复已处理"), FIRST, part, correcting=True).lines == 1
        assert book(ledger, act(), FIRST, part).state == "already"
    held = [totals(ledger, uscc) for uscc in (A, B, C, code(4))]
    assert held == [{SAAS: 70000}, {}, {SAAS: 100}, {SAAS: 200}]


def test_a_correction_is_of_what_a_file_granted_and_leaves_other_batches_alone(ledger: Ledger) -> None:
    none = {"saas_reduction_to_date": Money(0), "cloud_voucher_received": Money(0)}
    first, less, more = (file(line(A, SAAS, yuan, used=none), content="one") for yuan in (72000, 60000, 72001))
    book(ledger, act(), FIRST, first)
    grant(ledger, A, SAAS, 28000, SECOND)
    error = refused("E-LEDGER-CAP", ledger, act(reason="复核"), FIRST, more, correcting=True)
    assert "100,001.00 元" in error.message and "ledger correct" in error.remedy
    assert book(ledger, act(reason="复核"), FIRST, less, correcting=True).granted == -12000 * YUAN
    assert totals(ledger, A) == {SAAS: 88000}


def test_a_file_that_grew_enters_only_what_is_new(ledger: Ledger) -> None:
    book(ledger, act(), FIRST, file(line(A, SAAS, 72000)))
    done = book(ledger, act(), FIRST, file(line(A, SAAS, 72000), line(B, SAAS, 50000)))
    assert (done.lines, done.unchanged, done.granted) == (1, 1, 50000 * YUAN)
    assert totals(ledger, A) | totals(ledger, B) == {SAAS: 50000}
    assert totals(ledger, A) == {SAAS: 72000}


def test_another_amount_needs_a_correction(ledger: Ledger) -> None:
    book(ledger, act(), FIRST, file(line(A, SAAS, 72000)))
    changed = file(line(A, SAAS, 60000))
    refused("E-LEDGER-GRANTED", ledger, act(), FIRST, changed)
    refused("E-LEDGER-REASON", ledger, act(), FIRST, changed, correcting=True)
    done = book(ledger, act(reason="核定金额有误"), FIRST, changed, correcting=True)
    assert done.granted == -12000 * YUAN
    assert book(ledger, act(reason="再来一次"), FIRST, changed, correcting=True).state == "already"
    assert totals(ledger, A) == {SAAS: 60000}
    with ledger.reading() as connection:
        rows = connection.execute(select(schema.entry).order_by(schema.entry.c.id)).all()
    assert [(row.kind, row.fen // YUAN, row.corrects) for row in rows] == [
        ("grant", 72000, None), ("correction", -12000, rows[0].id),
    ]  # fmt: skip


def test_one_bad_line_costs_the_whole_file(ledger: Ledger) -> None:
    refused("E-LEDGER-CAP", ledger, act(), FIRST, file(line(A, SAAS, 50000), line(B, SAAS, 100001)))
    assert [count(ledger, table) for table in schema.TABLES] == [0] * len(schema.TABLES)


def test_a_file_of_more_rows_than_one_statement_takes(ledger: Ledger) -> None:
    """251 enterprises: 250 rows are handed over with one statement."""
    papers = [(("invoice", f"2511200000{number:010d}"),) for number in range(251)]
    lines = [line(code(number), SAAS, 100 + number, papers=papers[number]) for number in range(251)]
    # 100 元 each and 0 + 1 + … + 250 more.
    assert book(ledger, act(), FIRST, file(*lines)).granted == (25100 + 31375) * YUAN
    assert [count(ledger, table) for table in (schema.entry, schema.name, schema.paper)] == [251] * 3
    assert totals(ledger, code(250)) == {SAAS: 350}
    assert check(ledger) == []


def test_one_file_costs_only_itself(ledger: Ledger) -> None:
    files = [file(line(A, SAAS, 50000)), file(line(B, SAAS, 100001)), file(line(C, SAAS, 1))]
    done = book_all(ledger, act(), FIRST, files)
    assert [getattr(item, "state", None) or item.code for item in done] == ["booked", "E-LEDGER-CAP", "booked"]


def test_the_cap_counts_batches_and_vouchers_together(ledger: Ledger) -> None:
    # 第十三条、第十四条: 10万元 per enterprise, by default over both kinds of vouchers.
    grant(ledger, A, CLOUD, 20000)
    grant(ledger, A, SAAS, 70000)
    error = refused("E-LEDGER-CAP", ledger, act(), SECOND, file(line(A, SAAS, 10001)))
    assert "100,001.00 元" in error.message and "第十三条" in error.message
    book(ledger, act(), SECOND, file(line(A, SAAS, 10000)))
    assert totals(ledger, A) == {CLOUD: 20000, SAAS: 80000}


def test_the_cap_is_that_of_the_reading(ledger: Ledger) -> None:
    apart = ground(SAAS, AMB_01="saas_only")
    grant(ledger, A, CLOUD, 20000)
    book(ledger, act(), FIRST, file(line(A, SAAS, 100000, under=apart)))
    assert totals(ledger, A) == {CLOUD: 20000, SAAS: 100000}
    refused("E-LEDGER-CAP", ledger, act(), SECOND, file(line(A, SAAS, 1, under=apart)))


def test_a_result_stands_only_on_answers_that_still_hold(ledger: Ledger) -> None:
    used = {"saas_reduction_to_date": Money(0), "cloud_voucher_received": Money(0)}
    grant(ledger, A, SAAS, 10000)
    error = refused("E-LEDGER-MOVED", ledger, act(), SECOND, file(line(A, SAAS, 20000, used=used)))
    assert "0.00 元" in error.message and "10,000.00 元" in error.message
    more = {"saas_reduction_to_date": Money(10000 * YUAN), "cloud_voucher_received": Money(0)}
    book(ledger, act(), SECOND, file(line(A, SAAS, 20000, used=more)))
    assert totals(ledger, A) == {SAAS: 30000}


@pytest.mark.parametrize(
    ("policy", "fact", "none", "amounts"),
    [
        (CHAIN, "chain_award_received", False, 500000),
        (BENCHMARK, "benchmark_awards_received", (), {"lighthouse": 300000}),
    ],
)
def test_an_award_is_given_once(policy: str, fact: str, none: object, amounts: Any, ledger: Ledger) -> None:
    given = line(A, policy, amounts, used={fact: none})
    book(ledger, act(), FIRST, file(given))
    refused("E-LEDGER-MOVED", ledger, act(), SECOND, file(given, name="另一份.xlsx"))


def test_an_enterprise_stands_once_in_a_file(ledger: Ledger) -> None:
    refused("E-LEDGER-DOUBLE", ledger, act(), FIRST, file(line(A, SAAS, 1), line(A, SAAS, 2)))


def test_an_application_that_ended_takes_nothing_more(ledger: Ledger) -> None:
    grant(ledger, A, SAAS, 50000)
    walk(ledger, A, SAAS, *WAY_TO_VOUCHER, "disqualify_issued")
    assert totals(ledger, A) == {}
    error = refused("E-LEDGER-ENDED", ledger, act(), FIRST, file(line(A, SAAS, 1000)))
    assert "取消资格" in error.message


def test_after_a_new_application_a_new_grant(ledger: Ledger) -> None:
    grant(ledger, A, HOHHOT, 350000)
    walk(ledger, A, HOHHOT, "file", "examine", "disqualify")
    assert totals(ledger, A) == {}
    walk(ledger, A, HOHHOT, "apply_again")
    book(ledger, act(), FIRST, file(line(A, HOHHOT, 340000)))
    assert totals(ledger, A) == {HOHHOT: 340000}


def test_a_batch_is_named(ledger: Ledger) -> None:
    refused("E-LEDGER-BATCH", ledger, act(), " ", file(line(A, SAAS, 1)))


def test_a_file_with_nothing_to_enter_leaves_nothing(ledger: Ledger) -> None:
    assert book(ledger, act(), FIRST, file()).state == "empty"
    assert count(ledger, schema.act) == 0


def test_phones_are_masked_before_they_are_kept(ledger: Ledger) -> None:
    said = act(operator="经办甲 13800001234", document="示例函 13800001234", reason="电话0311-86001234核实")
    book(ledger, said, FIRST, file(line(A, SAAS, 1), name="示例13800001234.xlsx"))
    with ledger.reading() as connection:
        kept = connection.execute(select(schema.act)).one()
        source = connection.execute(select(schema.source)).one()
    assert (kept.operator, kept.document) == ("经办甲 138****1234", "示例函 138****1234")
    assert (kept.reason, source.name) == ("电话0311-******34核实", "示例138****1234.xlsx")


def test_warnings_of_names_and_papers(ledger: Ledger) -> None:
    papers = (("invoice", "24132000000012345678"), ("contract", "HT-01"))
    book(ledger, act(), FIRST, file(line(A, HOHHOT, 1000, name="示例云溪食品有限公司", papers=papers)))
    done = book(ledger, act(), SECOND, file(line(A, HOHHOT, 1000, name="示例云溪食品厂", papers=papers[:1])))
    again, name, paper = done.warnings
    assert f"批次“{FIRST}”有 1,000.00 元" in again
    assert "示例云溪食品厂" in name and "示例云溪食品有限公司" in name
    assert "24132000000012345678" in paper


def test_what_was_had_before(ledger: Ledger) -> None:
    grant(ledger, A, CLOUD, 20000)
    grant(ledger, A, SAAS, 50000, FIRST)
    grant(ledger, A, SAAS, 10000, SECOND)
    grant(ledger, A, CHAIN, 500000)
    grant(ledger, A, BENCHMARK, {"lighthouse": 300000, "innovation": 100000})
    with ledger.reading() as connection:
        both = facts_before(connection, SAAS, [A, B], SECOND)
        chain = facts_before(connection, CHAIN, [A, B], SECOND)
        awards = facts_before(connection, BENCHMARK, [A, B], SECOND)
        again = facts_before(connection, BENCHMARK, [A], FIRST)
        early = facts_before(connection, SAAS, [A], "示例第三批", before=2)
    # What stands in the same batch is the case at hand.
    assert both[A] == {"saas_reduction_to_date": Money(50000 * YUAN), "cloud_voucher_received": Money(20000 * YUAN)}
    assert both[B] == {"saas_reduction_to_date": Money(0), "cloud_voucher_received": Money(0)}
    assert (chain[A], chain[B]) == ({"chain_award_received": True}, {"chain_award_received": False})
    assert awards[A] == {"benchmark_awards_received": ("lighthouse", "innovation")}
    assert (awards[B], again[A]) == ({"benchmark_awards_received": ()}, {"benchmark_awards_received": ()})
    assert early[A] == {"saas_reduction_to_date": Money(0), "cloud_voucher_received": Money(20000 * YUAN)}


@pytest.mark.parametrize(
    ("typed", "held", "counts"),
    [
        ({"saas_reduction_to_date": Money(5)}, Money(3), Money(5)),
        ({"saas_reduction_to_date": Money(3)}, Money(5), Money(5)),
        ({}, Money(5), Money(5)),
    ],
)
def test_of_two_answers_the_one_that_leaves_less(typed: Any, held: Any, counts: Any) -> None:
    facts, findings = with_before(SAAS, typed, {"saas_reduction_to_date": held})
    assert facts["saas_reduction_to_date"] == counts
    assert [finding.code for finding in findings] == (["E-LEDGER-DIFFERS"] if typed else ["E-LEDGER-FILLED"])


def test_directions_of_form_and_ledger_are_taken_together() -> None:
    typed = {"benchmark_awards_received": ("innovation",)}
    facts, findings = with_before(BENCHMARK, typed, {"benchmark_awards_received": ("lighthouse",)})
    assert set(facts["benchmark_awards_received"]) == {"innovation", "lighthouse"}
    assert len(findings) == 1
