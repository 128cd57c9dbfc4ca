"""What is done with each simulated line beside writing it: wait for its time, send it to Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from connectors.simulator import Line
from flows.pacing import paced
from flows.settings import Settings

Send = Callable[[Line], object]


@contextmanager
def playing(speed: float | None, servers: Settings | None) -> Iterator[Send | None]:
    """Give what is to be called with each line, if anything: `speed` simulated seconds to a real one, into Kafka."""
    with ExitStack() as stack:
        steps: list[Send] = [paced(speed)] if speed else []
        if servers is not None:
            from flows import demoservers  # noqa: PLC0415 - the clients of servers that few simulations need

            steps.append(stack.enter_context(demoservers.sending(servers, keen=speed is not None)))

        def send(line: Line) -> None:
            for step in steps:
                step(line)

        yield send if steps else None
