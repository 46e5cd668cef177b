"""Cases from signals: the order in which they become known changes nothing."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from crm_core.model.case import CaseKind, Signal, SignalAt, Span, fold, follows, step
from tests.fakes.clock import START

A, B = ("telegram", "shop"), ("pbx", "office")


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


def miss(seconds: int) -> SignalAt:
    return SignalAt(Signal.MISS, at(seconds), origin=B)


def ask(seconds: int) -> SignalAt:
    return SignalAt(Signal.ASK, at(seconds), origin=A)


def test_calls_and_messages_are_one_case_with_a_count() -> None:
    (span,) = fold([ask(0), miss(10), ask(20)])
    assert span == Span(CaseKind.CALL, at(0), 3, (at(10),), origin=A)


def test_a_talk_closes_and_the_next_question_opens_anew() -> None:
    first, second = fold([miss(0), SignalAt(Signal.TALK, at(10)), ask(20)])
    assert (first.closed_at, first.reason) == (at(10), "talk")
    assert (second.opened_at, second.closed_at) == (at(20), None)


def test_nobody_waits_before_the_first_question() -> None:
    assert fold([SignalAt(Signal.TALK, at(0)), SignalAt(Signal.CLOSE, at(1), "спам")]) == ()


def test_of_one_moment_the_question_comes_first() -> None:
    (span,) = fold([SignalAt(Signal.REPLY, at(5)), ask(5)])
    assert span.closed_at == at(5)


def test_three_misses_in_ten_minutes_jump_once() -> None:
    (span,) = fold([miss(0), miss(300), miss(600)])
    assert span.jumps
    (span,) = fold([miss(0), miss(300), miss(601)])
    assert not span.jumps
    (span,) = fold([miss(0), miss(1), miss(2), miss(3)])
    assert not span.jumps, "counting begins anew after a jump"
    (span,) = fold([miss(n) for n in range(6)])
    assert span.jumps


_signals = st.lists(
    st.builds(
        SignalAt,
        st.sampled_from(list(Signal)),
        st.integers(0, 900).map(at),
        st.sampled_from(["", "спам"]),
        st.sampled_from([A, B]),
    ),
    max_size=12,
)


@given(_signals, st.randoms())
def test_any_order_gives_the_same_spans(signals: list[SignalAt], random: object) -> None:
    expected = fold(signals)
    shuffled = list(signals)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' own Random
    assert fold(shuffled) == expected
    assert all(span.closed_at is not None for span in expected[:-1])


@given(_signals)
def test_step_by_step_gives_what_folding_gives_wherever_a_signal_follows(signals: list[SignalAt]) -> None:
    known: list[SignalAt] = []
    for signal in sorted(signals, key=lambda each: each.at):
        spans = fold(known)
        last = spans[-1] if spans else None
        newest = max((each.at for each in known), default=None)
        known.append(signal)
        if not follows(last, newest, signal):
            continue
        after = step(last, signal)
        folded = fold(known)
        assert after == (folded[-1] if folded else None)
        assert len(folded) == len(spans) + (after is not None and (last is None or after.opened_at != last.opened_at))
