import functools
import os
import signal
import socket
from pathlib import Path

import pytest

from classifiers.experiment.training.waiting import end_at_signals_while_waiting
from tests.conftest import SMALL
from tests.processes import set_environment, start


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_process_that_waits_for_another_machine(number: int, code: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as first:  # which never answers
        port = str(first.getsockname()[1])
        second = {"NODE_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        options = [*SMALL, "--trainer.num_nodes=2", "--trainer.devices=1", "--trainer.strategy=ddp"]
        waiting = start(tmp_path, "fit", *options, before=functools.partial(set_environment, second))
        with first.accept()[0]:
            os.kill(waiting.process.pid or 0, number)
            waiting.process.join(60)
            assert waiting.process.exitcode == code


class TwoNodes:
    num_nodes = 2

    def __init__(self) -> None:
        self.strategy = self
        self.heard: list[int] = []

    def setup_environment(self) -> None:
        self.heard.append(signal.set_wakeup_fd(-1))


def test_afterwards_signals_are_handled_as_before() -> None:
    trainer = TwoNodes()
    end_at_signals_while_waiting(trainer)  # type: ignore[arg-type]
    trainer.setup_environment()
    assert trainer.heard[0] > 0
    assert signal.set_wakeup_fd(-1) == -1
