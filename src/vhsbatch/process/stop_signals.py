"""The signals that ask this process to stop, and the time within which it ends whatever does not answer.

Every command imports this, `--help` too: what is heavy is imported by the functions that need it.
"""

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Set
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar, TypeVarTuple

from vhsbatch.process.system import TO_STOP

# Users are promised five seconds. Children and followers are ended before, so that all can be said and kept.
END_WITHIN_S = 4.5
CHILDREN_END_WITHIN_S = 3.0
_AT_ONCE_S = 2.0
# Later than this the main thread waits for something.
_HANDLED_WITHIN_S = 1.0
_MOST_SIGNALS = 1000
_SAID = (
    b"vhs-upscale: ended without waiting for what did not answer within five seconds; "
    b"what is finished is kept\n"
)


def signals_to_stop() -> set[signal.Signals]:
    """Those that are not ignored; what was started with nohup survives its terminal."""
    return {number for number in TO_STOP if signal.getsignal(number) is not signal.SIG_IGN}


class Deadline:
    """When this process ends by force, once it has been asked to stop.

    A thread that reads from a disk that is away, or a program in the kernel's hands, can be neither stopped
    nor waited for. Only a separate process may be ended like this: the command line switches it on.
    """

    def __init__(self) -> None:
        self._is_on = False
        self._asked_by: int | None = None
        self._at_s = float("inf")
        self._children_s = float("inf")
        self._last_actions: list[Callable[[], object]] = []
        self._heard_at = -1
        self._pass_to: int | None = None
        self._is_patient: Callable[[], bool] = lambda: False

    def switch_on(self) -> None:
        """End this process by force where it has to be, also while its main thread waits for a disk."""
        self._is_on = True
        if sys.platform != "win32" and self._heard_at < 0:
            reader, self._heard_at = os.pipe()
            os.set_blocking(self._heard_at, False)
            with contextlib.suppress(RuntimeError):  # there is no room for a thread
                threading.Thread(target=self._hear, args=(reader,), name="signals", daemon=True).start()
                self.listen()

    @contextmanager
    def listening(self, is_patient: Callable[[], bool]) -> Iterator[None]:
        """Hear of signals before the event loop, which has just been told to, and pass them on to it.

        Args:
            is_patient: whether the user wants what is under way to be finished first.
        """
        if self._heard_at < 0:
            yield
            return
        self._is_patient = is_patient
        self._pass_to = self.listen()
        try:
            yield
        finally:
            self._pass_to, self._is_patient = None, lambda: False

    def listen(self) -> int:
        """Hear of signals as the system delivers them; what heard of them before.

        Python handles signals in the main thread, and so never while that waits for a share that hangs.
        """
        if self._heard_at < 0:
            return -1
        return signal.set_wakeup_fd(self._heard_at, warn_on_full_buffer=False)

    def _hear(self, reader: int) -> None:
        while True:
            for number in os.read(reader, 64):
                watched = number in signals_to_stop() and not self._is_patient()
                if self._pass_to is not None:
                    with contextlib.suppress(OSError):
                        os.write(self._pass_to, bytes([number]))
                if watched:
                    with contextlib.suppress(RuntimeError):
                        threading.Thread(target=self._unless_handled, args=(number,), daemon=True).start()

    def _unless_handled(self, number: int) -> None:
        time.sleep(_HANDLED_WITHIN_S)
        if self._asked_by is None:
            self.start(number, END_WITHIN_S - _HANDLED_WITHIN_S)

    def before_force(self, action: Callable[[], object]) -> None:
        """Have something done in the last moment; it must not wait for anything."""
        self._last_actions.append(action)

    @property
    def asked_by(self) -> int | None:
        """The first signal that asked this process to stop; None if none did."""
        return self._asked_by

    def start(self, number: int, within_s: float = END_WITHIN_S) -> None:
        """End within `within_s` seconds, or earlier where that was asked for before.

        Safe in a signal handler.
        """
        self._asked_by = self._asked_by or number
        at_s = time.monotonic() + within_s
        if not self._is_on or at_s >= self._at_s:
            return
        self._at_s = at_s
        self._children_s = at_s - (END_WITHIN_S - CHILDREN_END_WITHIN_S)
        try:
            threading.Thread(target=self._wait, args=(at_s,), name="deadline", daemon=True).start()
        except RuntimeError:  # there is no room for a thread; the kernel needs none
            if sys.platform != "win32":
                signal.signal(signal.SIGALRM, signal.SIG_DFL)
                signal.setitimer(signal.ITIMER_REAL, within_s)

    def start_at_once(self, number: int) -> None:
        """The same for a second request."""
        self.start(number, _AT_ONCE_S)

    def grace_s(self, most_s: float) -> float:
        """How long a child that has been asked to end may take: `most_s`, or what is left of it."""
        return min(most_s, max(0.1, self._children_s - time.monotonic()))

    def _wait(self, at_s: float) -> None:
        time.sleep(max(0.0, at_s - time.monotonic()))
        if at_s > self._at_s:
            return  # another thread ends it earlier
        self._act()
        os._exit(128 + (self._asked_by or signal.SIGTERM))

    def _act(self) -> None:
        for action in self._last_actions:
            with contextlib.suppress(Exception):
                action()
        # A terminal that takes nothing must not hold this up.
        with contextlib.suppress(OSError, ValueError):
            if select.select([], [2], [], 0)[1]:
                os.write(2, _SAID)


deadline = Deadline()

Arguments = TypeVarTuple("Arguments")
Result = TypeVar("Result")


@contextmanager
def receive_signals(
    is_patient: Callable[[], bool] = lambda: False,
) -> Iterator[AsyncIterator[signal.Signals]]:
    """The signals to stop, as they come; the first of them starts the deadline.

    Args:
        is_patient: whether the user wants what is under way to be finished first.
    """

    def heard(number: int, _: FrameType | None) -> None:
        if not is_patient():
            deadline.start(number)
        pass_on(number)

    numbers = signals_to_stop()
    with _receiver(numbers) as (signals, pass_on):
        # The loop hears of a signal by another way. This one works, too, while the loop waits for a disk.
        for number in numbers:
            signal.signal(number, heard)
        with deadline.listening(is_patient):
            yield signals
    deadline.listen()


@contextmanager
def _receiver(
    numbers: Set[signal.Signals],
) -> Iterator[tuple[AsyncIterator[signal.Signals], Callable[[int], object]]]:
    """The signals as they come, and what a handler of them has to pass each on to."""
    import anyio

    if sys.platform == "win32":  # the loop hears of none by itself
        import asyncio

        loop = asyncio.get_running_loop()
        send, receive = anyio.create_memory_object_stream[signal.Signals](_MOST_SIGNALS)
        with send, receive:
            yield receive, lambda number: loop.call_soon_threadsafe(send.send_nowait, signal.Signals(number))
    else:
        with anyio.open_signal_receiver(*numbers) as signals:
            yield signals, lambda _: None


def run_until_stopped(work: Callable[[*Arguments], Awaitable[Result]], *arguments: *Arguments) -> Result:
    """Run the work of a command; a signal to stop cancels it, and ends it within five seconds.

    Raises:
        KeyboardInterrupt: a signal came; `deadline` knows which.
    """
    import asyncio

    import anyio

    stop: list[Callable[[], object]] = []

    def heard(number: int, _: FrameType | None) -> None:
        (deadline.start if deadline.asked_by is None else deadline.start_at_once)(number)
        for cancel in stop:
            cancel()

    async def main() -> tuple[Result, ...]:
        loop = asyncio.get_running_loop()
        with anyio.CancelScope() as scope:
            stop.append(lambda: loop.call_soon_threadsafe(scope.cancel))
            if deadline.asked_by is not None:
                scope.cancel()
            try:
                return (await work(*arguments),)
            finally:
                stop.clear()
        return ()

    # Not by the loop's own handler: it has none where Ctrl-C is ignored, as behind a shell's "&". And
    # before there is a loop: an exception in the midst of making one leaves half of it behind.
    before = {number: signal.signal(number, heard) for number in signals_to_stop()}
    for result in anyio.run(main):
        if deadline.asked_by is None:
            for number, handler in before.items():
                signal.signal(number, handler)
        return result
    raise KeyboardInterrupt
