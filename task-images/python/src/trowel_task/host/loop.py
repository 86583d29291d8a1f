"""The worker's event loop: descriptors, timers, and children that end. One thread."""

from __future__ import annotations

import heapq
import os
import select
import selectors
import signal
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Timer:
    __slots__ = ("act", "live")

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act
        self.live = True

    def cancel(self) -> None:
        self.live = False


class Loop:
    def __init__(self) -> None:
        # poll, unlike epoll, takes regular files too (`worker < messages`)
        self._selector: selectors.BaseSelector = selectors.PollSelector() if hasattr(select, "poll") else selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._closing: list[int] = []
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)
        self._on_signal: Callable[[int], None] | None = None

    def signals(self, numbers: list[int], act: Callable[[int], None]) -> None:
        """Calls `act` for these signals from within the loop."""
        self._on_signal = act
        for number in numbers:
            signal.signal(number, lambda *_: None)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self.watch(self._wake_read, READ, self._woken)

    def _woken(self) -> None:
        try:
            numbers = os.read(self._wake_read, 4096)
        except BlockingIOError:
            return
        for number in set(numbers):
            if self._on_signal:
                self._on_signal(number)

    def watch(self, fd: int, event: int, act: Callable[[], None]) -> None:
        self._selector.register(fd, event, act)

    def unwatch(self, fd: int) -> None:
        try:
            self._selector.unregister(fd)
        except KeyError:
            pass

    def close(self, fd: int) -> None:
        """Closes it after the events at hand: nobody waits for it to be closed."""
        self._closing.append(fd)

    def later(self, seconds: float, act: Callable[[], None]) -> Timer:
        timer = Timer(act)
        self._count += 1
        heapq.heappush(self._timers, (time.monotonic() + seconds, self._count, timer))
        return timer

    def descriptors(self) -> list[int]:
        """Everything a forked child must close."""
        watched = [key.fd for key in self._selector.get_map().values()]
        return [*watched, *self._closing, self._wake_read, self._wake_write]

    def once(self) -> None:
        """Waits for something to happen and handles it."""
        while self._timers and not self._timers[0][2].live:
            heapq.heappop(self._timers)
        wait = max(self._timers[0][0] - time.monotonic(), 0) if self._timers else None
        for key, _ in self._selector.select(wait):
            if key.fd in self._selector.get_map():
                key.data()
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.live:
                timer.live = False
                timer.act()
        while self._closing:
            fd = self._closing.pop()
            self.unwatch(fd)
            os.close(fd)
