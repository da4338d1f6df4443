"""How much at once."""

from ingest.limits import HeldBytes, InFlight, RateLimits


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_may_burst_and_then_keeps_its_rate() -> None:
    clock = Clock()
    rates = RateLimits(1_000, clock)
    assert rates.take("k", 2_000) == 0
    assert rates.take("k", 500) == 0.5
    clock.now = 0.4
    assert rates.take("k", 500) > 0
    clock.now = 0.5
    assert rates.take("k", 500) == 0
    assert rates.take("other", 2_000) == 0


def test_a_full_batch_always_fits_into_a_slow_keys_bucket() -> None:
    assert RateLimits(1, Clock()).take("k", 1_000) == 0


def test_a_refused_request_takes_nothing() -> None:
    rates = RateLimits(1_000, Clock())
    assert rates.take("k", 2_001) > 0
    assert rates.take("k", 2_000) == 0


def test_items_in_flight_are_bounded_and_counted_out() -> None:
    flight = InFlight(1_000, 5, Clock())
    ticket = flight.enter(900)
    assert flight.refusal(100) is None
    assert "Too many" in str(flight.refusal(101))
    flight.leave(ticket)
    assert flight.refusal(1_000) is None
    assert flight.items == 0


def test_requests_are_refused_at_once_while_kafka_is_silent() -> None:
    clock = Clock()
    flight = InFlight(1_000, 5, clock)
    old = flight.enter(1)
    clock.now = 4
    young = flight.enter(1)
    assert flight.refusal(1) is None
    clock.now = 6
    assert "does not acknowledge" in str(flight.refusal(1))
    assert flight.waiting() is not None
    flight.leave(old)
    assert flight.refusal(1) is None
    flight.leave(young)
    assert flight.waiting() is None


def test_bytes_held_are_bounded() -> None:
    held = HeldBytes(10)
    assert held.hold(7)
    assert not held.hold(4)
    held.release(7)
    assert held.hold(10)
