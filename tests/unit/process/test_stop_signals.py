"""How long a child may take that is asked to end."""

import signal

from vhsbatch.process.stop_signals import Deadline


def test_without_a_signal_a_child_has_all_its_time() -> None:
    assert Deadline().grace_s(4.0) == 4.0


def test_who_has_not_switched_it_on_is_not_ended() -> None:
    deadline = Deadline()
    deadline.start(signal.SIGTERM, 0.0)
    assert deadline.asked_by == signal.SIGTERM
    assert deadline.grace_s(4.0) == 4.0


def test_the_first_signal_says_how_it_ends() -> None:
    deadline = Deadline()
    deadline.start(signal.SIGHUP)
    deadline.start_at_once(signal.SIGINT)
    assert deadline.asked_by == signal.SIGHUP
