"""What ends the training children of this process, whenever it is asked."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collab.base.errors import CollabError

Child = subprocess.Popen[str]


class Stop:
    """Ends the training children of this process, and lets no more be started."""

    def __init__(self) -> None:
        """Nothing is stopped yet."""
        self.asked = False
        self.met_a_start = False
        self.children: set[Child] = set()
        # a signal may come while its own thread is in here
        self.lock = threading.RLock()

    def __call__(self) -> bool:
        """Ask every child to end; returns whether there was any, if only just being started."""
        self.asked = True
        with self.lock:  # a child that another thread is starting is known after this
            running = list(self.children)
        for child in running:
            child.terminate()
        return bool(running) or self.met_a_start

    def refuse(self) -> None:
        """Refuse to go on where it was asked.

        Raises:
            CollabError: it was.
        """
        if self.asked:
            raise CollabError("Interrupted. What is committed is kept: run it again to go on.")

    @contextmanager
    def watching(self, start: Callable[[], Child]) -> Iterator[Child]:
        """Start a child that is ended when that is asked, even in the moment of its start.

        It is waited for at the end, and killed first where its user fails.

        Raises:
            CollabError: it was asked before.
        """
        with self.lock:
            self.refuse()
            child = start()
            self.children.add(child)
            if self.asked:  # meanwhile: by a signal to this thread, or by another that waits here
                self.met_a_start = True
                child.terminate()
        try:
            with child:
                try:
                    yield child
                except BaseException:
                    child.kill()
                    raise
        finally:
            self.children.discard(child)


STOP = Stop()


@contextmanager
def ended_with_us() -> Iterator[None]:
    """Let what ends this process in an orderly way, such as SIGTERM, end the children first.

    What is raised then is no `Exception`; who handles it waits for the threads that follow the
    children, and would be killed before these are done. The handler of the signal is left alone:
    Prefect tells a run that was cancelled from one that was ended by it.
    """
    try:
        yield
    except Exception:
        raise
    except BaseException:
        STOP()
        raise
