"""States: only the steps a pack lists, each with what it needs, and money that follows them."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

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
    ZAOZHUANG,
    A,
    B,
    act,
    code,
    file,
    grant,
    line,
    totals,
    walk,
)
from workbooks.documents.deadlines import after_working_days
from workbooks.ledger.amendments import correct_amount, withdraw_step
from workbooks.ledger.booking import book
from workbooks.ledger.database import Ledger, LedgerError
from workbooks.ledger.due import due, years_between
from workbooks.ledger.programmes import programmes, states_of
from workbooks.ledger.questions import had, history
from workbooks.ledger.transitions import take_step
from xlcalc import load_policy
from xlcalc.packs.registry import policy_ids

C = code(3)


def refused(code: str, deed: Any, *arguments: Any, **more: Any) -> LedgerError:
    with pytest.raises(LedgerError) as caught:
        deed(*arguments, **more)
    assert caught.value.code == code, str(caught.value)
    return caught.value


def state(ledger: Ledger, uscc: str, policy: str, batch: str = FIRST) -> str:
    with ledger.reading() as connection:
        return next(held.state for held in had(connection, uscc) if (held.policy, held.batch) == (policy, batch))


def test_every_programme_with_states_is_kept() -> None:
    with_states = {policy for policy in policy_ids() if load_policy(policy).newest.data["state"]}
    assert set(programmes()) == with_states


@pytest.mark.parametrize("policy", programmes())
def test_what_is_said_of_a_programme_is_in_its_pack(policy: str) -> None:
    kept = programmes()[policy]
    for version in load_policy(policy).versions:
        states = states_of(version)
        assert kept.ends | kept.pays | set(kept.timed) <= set(states.labels)
        assert states.first not in {step.target for step in states.transitions.values()}
        # Nothing is paid out of a state that ends an application, unless it is applied for again.
        assert {step.target for end in kept.ends for step in states.legal(end)} & kept.pays == set()
        caps = [getattr(item, "cap", None) for item in version.mechanisms(version.full_choices({}))]
        counted = {fact for cap in caps if cap for fact in cap.counts}
        assert counted <= {answer.fact for answer in kept.answers}
    for answer in kept.answers:
        assert answer.of in programmes()
        assert not answer.state or answer.state in states_of(load_policy(answer.of).newest).labels


def test_only_one_programme_recovers() -> None:
    # 第十二条4: the SaaS voucher alone is taken back.
    recovering = {
        policy
        for policy in programmes()
        for step in states_of(load_policy(policy).newest).transitions.values()
        if "收回" in step.label
    }
    assert recovering == {SAAS}


def test_the_whole_way_of_a_voucher(ledger: Ledger) -> None:
    grant(ledger, A, SAAS, 72000)
    walk(ledger, A, SAAS, *WAY_TO_VOUCHER, "serve", "accept", "settle", "archive")
    assert state(ledger, A, SAAS) == "归档"
    assert totals(ledger, A) == {SAAS: 72000}


def test_not_accepted_after_one_rectification_is_recovered(ledger: Ledger) -> None:
    grant(ledger, A, SAAS, 72000)
    walk(ledger, A, SAAS, *WAY_TO_VOUCHER, "serve", "rectify", "inspect_again")
    (moved,) = take_step(ledger, act(reason="复验未通过"), SAAS, FIRST, [A], "recover")
    assert (moved.label, moved.fen) == ("收回", -72000 * YUAN)
    assert totals(ledger, A) == {}
    # What was taken back no longer uses up the cap.
    book(ledger, act(), SECOND, file(line(A, SAAS, 100000)))
    with ledger.reading() as connection:
        assert [event.fen for event in history(connection, A) if event.fen is not None] == [
            72000 * YUAN, -72000 * YUAN, 100000 * YUAN,
        ]  # fmt: skip


def test_an_illegal_jump_names_the_legal_steps(ledger: Ledger) -> None:
    walk(ledger, A, SAAS, "submit")
    error = refused("E-LEDGER-JUMP", walk, ledger, A, SAAS, "issue")
    assert "现为“企业申报”" in error.message
    assert all(key in error.remedy for key in ("return", "county_pass", "county_refuse"))
    assert A not in str(error)
    assert state(ledger, A, SAAS) == "企业申报"


@pytest.mark.parametrize("policy", [CLOUD, HOHHOT, CHAIN, BENCHMARK, ZAOZHUANG])
def test_nothing_else_is_recovered(policy: str, file_ledger: Ledger) -> None:
    error = refused("E-LEDGER-JUMP", walk, file_ledger, A, policy, "recover")
    assert "本政策没有这一步" in error.message


@pytest.mark.parametrize("policy", programmes())
def test_every_step_a_pack_lists_is_legal_and_no_other(policy: str, file_ledger: Ledger) -> None:
    """Every state is walked to over real steps; from it exactly the listed keys are accepted."""
    ledger = file_ledger
    states = states_of(load_policy(policy).newest)
    way: dict[str, tuple[str, ...]] = {states.first: ()}
    waiting = [states.first]
    for here in waiting:
        for step in states.legal(here):
            if step.target not in way:
                way[step.target] = (*way[here], step.key)
                waiting.append(step.target)
    assert set(way) == set(states.labels)
    for number, (here, keys) in enumerate(way.items()):
        batch = f"示例{number}批"
        grant(ledger, A, policy, 100 if policy != BENCHMARK else {"innovation": 100}, batch)
        walk(ledger, A, policy, *keys, batch=batch)
        for key, step in states.transitions.items():
            if step.source != here:
                refused("E-LEDGER-JUMP", walk, ledger, A, policy, key, batch=batch)


def test_a_reason_where_the_pack_wants_one(ledger: Ledger) -> None:
    take_step(ledger, act(), SAAS, FIRST, [A], "submit")
    error = refused("E-LEDGER-REASON", take_step, ledger, act(), SAAS, FIRST, [A], "return")
    assert "退回补正" in error.message
    take_step(ledger, act(), SAAS, FIRST, [A], "county_pass")


def test_days_go_forward(ledger: Ledger) -> None:
    walk(ledger, A, SAAS, "submit", day=date(2025, 6, 2))
    error = refused("E-LEDGER-DATE", walk, ledger, A, SAAS, "county_pass", day=date(2025, 6, 1))
    assert "2025年6月2日" in error.message
    walk(ledger, A, SAAS, "county_pass", day=date(2025, 6, 2))


def test_nobody_is_paid_without_a_grant(ledger: Ledger) -> None:
    walk(ledger, A, SAAS, *WAY_TO_VOUCHER[:-1])
    refused("E-LEDGER-NO-GRANT", walk, ledger, A, SAAS, "issue")
    grant(ledger, A, SAAS, 1000)
    walk(ledger, A, SAAS, "issue")


def test_a_list_moves_together_or_not_at_all(ledger: Ledger) -> None:
    walk(ledger, A, SAAS, "submit")
    walk(ledger, B, SAAS, "submit", "county_pass")
    refused("E-LEDGER-JUMP", take_step, ledger, act(), SAAS, FIRST, [A, B], "county_pass")
    assert state(ledger, A, SAAS) == "企业申报"


def test_a_supplement_is_due_after_working_days(ledger: Ledger) -> None:
    # 2025-09-29 and five working days over the holidays of 1–8 October: 9-30, 10-9, 10-10, 10-11 (a Saturday
    # exchanged for a working day), 10-13.
    last = after_working_days(date(2025, 9, 29), 5)
    walk(ledger, A, SAAS, "submit", day=date(2025, 9, 28))
    given = act(date(2025, 9, 29), reason="缺合同")
    take_step(ledger, given, SAAS, FIRST, [A], "return", due=last)
    with ledger.reading() as connection:
        (found,) = due(connection, date(2025, 10, 1), date(2025, 10, 31))
        assert due(connection, date(2025, 10, 14), date(2025, 10, 31)) == []
    assert (found.day, found.kind, found.uscc, found.warning) == (date(2025, 10, 13), "补正", A, "")
    walk(ledger, A, SAAS, "resubmit", day=date(2025, 10, 9))
    with ledger.reading() as connection:
        assert due(connection, date(2025, 10, 1), date(2025, 10, 31)) == []


def test_a_voucher_before_the_publicity_period_is_over_is_told(ledger: Ledger) -> None:
    # From 2025-07-11, a Friday, five working days end on the 18th.
    grant(ledger, A, SAAS, 72000)
    grant(ledger, B, SAAS, 72000)
    way, last = WAY_TO_VOUCHER[:-2], after_working_days(date(2025, 7, 11), 5)
    for uscc, day, said in ((A, date(2025, 7, 18), 1), (B, date(2025, 7, 21), 0)):
        walk(ledger, uscc, SAAS, *way)
        (moved,) = take_step(ledger, act(date(2025, 7, 11)), SAAS, FIRST, [uscc], "publicise", due=last)
        assert moved.warnings == ()
        (moved,) = take_step(ledger, act(day), SAAS, FIRST, [uscc], "issue")
        assert len(moved.warnings) == said and all("2025年7月18日才满" in warning for warning in moved.warnings)
    # An objection is raised while it lasts; a period without an end is told.
    walk(ledger, C, SAAS, *way)
    (moved,) = take_step(ledger, act(date(2025, 7, 11)), SAAS, FIRST, [C], "publicise")
    assert "没有给出截止日期" in moved.warnings[0]
    (moved,) = take_step(ledger, act(date(2025, 7, 14), reason="示例原因"), SAAS, FIRST, [C], "object")
    assert moved.warnings == ()


def test_a_year_that_is_not_published_warns(ledger: Ledger) -> None:
    walk(ledger, A, SAAS, "submit", day=date(2035, 1, 4))
    last = after_working_days(date(2035, 1, 5), 5)
    take_step(ledger, act(date(2035, 1, 5), reason="缺合同"), SAAS, FIRST, [A], "return", due=last)
    with ledger.reading() as connection:
        (found,) = due(connection, date(2035, 1, 1), date(2035, 1, 31))
    assert "2035年" in found.warning and "核对" in found.warning


def test_a_due_day_where_there_is_none(ledger: Ledger) -> None:
    last = after_working_days(date(2025, 6, 30), 5)
    refused("E-LEDGER-DUE", take_step, ledger, act(), SAAS, FIRST, [A], "submit", due=last)


def test_an_objection_holds_up_payment(ledger: Ledger) -> None:
    grant(ledger, A, HOHHOT, 350000)
    walk(ledger, A, HOHHOT, "file", "examine", "qualify", "pass", "object")
    refused("E-LEDGER-JUMP", walk, ledger, A, HOHHOT, "pay")
    walk(ledger, A, HOHHOT, "pay_after_objection")
    assert totals(ledger, A) == {HOHHOT: 350000}


def test_recognised_again_after_three_years(ledger: Ledger) -> None:
    way = ("submit", "survey", "county_pass", "recommend", "professional_pass", "publicise", "recognise")
    walk(ledger, A, ZAOZHUANG, *way, day=date(2022, 3, 15))
    with ledger.reading() as connection:
        (found,) = due(connection, date(2025, 3, 1), date(2025, 3, 31))
        assert due(connection, date(2025, 3, 16), date(2026, 3, 31)) == []
    assert (found.day, found.kind) == (date(2025, 3, 15), "可再次认定")
    answers = {answer.gives: answer for answer in programmes()[ZAOZHUANG].answers}
    assert years_between(load_policy(ZAOZHUANG).newest, answers["reached_on"]) == 3


def test_a_step_is_withdrawn_and_stays_in_the_history(ledger: Ledger) -> None:
    grant(ledger, A, SAAS, 72000)
    walk(ledger, A, SAAS, *WAY_TO_VOUCHER, "disqualify_issued")
    refused("E-LEDGER-REASON", withdraw_step, ledger, act(), SAAS, FIRST, A)
    moved = withdraw_step(ledger, act(reason="误登"), SAAS, FIRST, A)
    assert (moved.label, moved.fen) == ("发券", 72000 * YUAN)
    assert totals(ledger, A) == {SAAS: 72000}
    with ledger.reading() as connection:
        assert [event.fen for event in history(connection, A) if event.fen is not None] == [
            72000 * YUAN, -72000 * YUAN, 72000 * YUAN,
        ]  # fmt: skip
    walk(ledger, A, SAAS, "serve")
    withdraw_step(ledger, act(reason="误登"), SAAS, FIRST, A)
    withdraw_step(ledger, act(reason="误登"), SAAS, FIRST, A)
    assert state(ledger, A, SAAS) == "公示"


def test_a_step_is_not_withdrawn_over_a_cap(ledger: Ledger) -> None:
    grant(ledger, A, SAAS, 72000)
    walk(ledger, A, SAAS, *WAY_TO_VOUCHER, "disqualify_issued")
    grant(ledger, A, SAAS, 50000, SECOND)
    refused("E-LEDGER-CAP", withdraw_step, ledger, act(reason="误登"), SAAS, FIRST, A)
    assert totals(ledger, A) == {SAAS: 50000}


def test_a_new_application_is_not_withdrawn_with_its_grant(ledger: Ledger) -> None:
    walk(ledger, A, HOHHOT, "file", "examine", "disqualify", "apply_again")
    grant(ledger, A, HOHHOT, 1000)
    refused("E-LEDGER-HOLDS", withdraw_step, ledger, act(reason="误登"), HOHHOT, FIRST, A)


def test_an_amount_is_corrected_within_the_cap(ledger: Ledger) -> None:
    grant(ledger, A, SAAS, 72000)
    grant(ledger, A, CLOUD, 20000)
    said = act(reason="复核")
    refused("E-LEDGER-REASON", correct_amount, ledger, act(), SAAS, FIRST, A, 1)
    refused("E-LEDGER-CAP", correct_amount, ledger, said, SAAS, FIRST, A, 80001 * YUAN)
    assert correct_amount(ledger, said, SAAS, FIRST, A, 80000 * YUAN).difference == 8000 * YUAN
    assert correct_amount(ledger, said, SAAS, FIRST, A, 0).difference == -80000 * YUAN
    refused("E-LEDGER-AMOUNT", correct_amount, ledger, said, SAAS, FIRST, A, -1)
    refused("E-LEDGER-AMOUNT", correct_amount, ledger, said, SAAS, FIRST, A, 0)
    refused("E-LEDGER-UNKNOWN", correct_amount, ledger, said, SAAS, SECOND, A, 1)
    refused("E-LEDGER-CODE", correct_amount, ledger, said, SAAS, FIRST, A[:17] + ("0" if A[17] != "0" else "1"), 1)
    refused("E-LEDGER-NO-GRANT", correct_amount, ledger, said, SAAS, FIRST, A, 1, item="别的")
    assert totals(ledger, A) == {CLOUD: 20000}


def test_nothing_is_put_right_before_it_was_entered(ledger: Ledger) -> None:
    grant(ledger, A, CLOUD, 20000)
    early, later = act(date(2025, 6, 29), reason="复核"), act(date(2025, 8, 22), reason="复核")
    refused("E-LEDGER-DATE", correct_amount, ledger, early, CLOUD, FIRST, A, 15000 * YUAN)
    assert correct_amount(ledger, later, CLOUD, FIRST, A, 15000 * YUAN).paid is None
    walk(ledger, A, CLOUD, *WAY_TO_VOUCHER, "serve", "settle", day=date(2025, 8, 25))
    refused("E-LEDGER-DATE", withdraw_step, ledger, later, CLOUD, FIRST, A)
    paid = correct_amount(ledger, act(date(2025, 9, 1), reason="复核"), CLOUD, FIRST, A, 10000 * YUAN)
    assert (paid.difference, paid.paid) == (-5000 * YUAN, date(2025, 8, 25))


def test_a_policy_without_a_procedure_is_not_kept(ledger: Ledger) -> None:
    refused("E-LEDGER-PROGRAMME", walk, ledger, A, "hohhot.maturity_2024", "submit")
