"""How long somebody waited, from what was seen."""

from aiokafka import TopicPartition

from sandbox.rehearsal.stalls import Backlog, without_answer

HERE, THERE = TopicPartition("t", 0), TopicPartition("t", 1)


def test_the_longest_time_without_an_answer_is_that_in_which_somebody_waited() -> None:
    assert without_answer([]) == 0
    # One after the other, with a long pause in which nobody asked.
    assert without_answer([(0, 1), (1, 2), (50, 51)]) == 1
    # Two wait from 10 on; others are answered until 11, then nobody until 17.
    assert without_answer([(10, 17), (10, 18), (10.5, 11)]) == 6


def test_a_record_waits_from_when_it_was_seen_until_the_group_is_past_it() -> None:
    backlog = Backlog()
    backlog.look(0, {HERE: 5, THERE: 1}, {HERE: 5, THERE: 1})
    assert backlog.longest == 0
    backlog.look(1, {HERE: 6, THERE: 1}, {HERE: 5, THERE: 1})
    backlog.look(3, {HERE: 9, THERE: 2}, {HERE: 5, THERE: 1})
    assert backlog.longest == 2
    # What came first is applied; what came later has waited from 3 on.
    backlog.look(4, {HERE: 9, THERE: 2}, {HERE: 6, THERE: 2})
    assert backlog.longest == 3
    backlog.look(6.5, {HERE: 9, THERE: 2}, {HERE: 9, THERE: 2})
    assert backlog.longest == 3.5
    backlog.look(60, {HERE: 9, THERE: 2}, {HERE: 9, THERE: 2})
    assert backlog.longest == 3.5
