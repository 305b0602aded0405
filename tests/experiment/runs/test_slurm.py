import functools
import os
import signal
from pathlib import Path

from tests.conftest import SMALL
from tests.experiment.checkpoints.test_resume import content, differences, run_of
from tests.processes import start

FIT = ["fit", *SMALL, "--trainer.default_root_dir=runs"]  # 6 steps an epoch


def as_a_job() -> None:
    """What a process sees that Slurm starts, with a `scontrol` that notes what it is asked for."""
    values = {"JOB_ID": 7, "JOB_NAME": "fit", "NTASKS": 1, "PROCID": 0, "LOCALID": 0, "NODEID": 0, "NNODES": 1}
    os.environ.update({f"SLURM_{name}": str(value) for name, value in values.items()})
    os.environ["SLURM_JOB_NODELIST"] = "localhost"
    add_program("scontrol", 'echo "$@" >> asked')


def add_program(name: str, line: str) -> None:
    program = Path("bin", name)
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(0o755)
    os.environ["PATH"] = f"{program.parent.absolute()}:{os.environ['PATH']}"


def send(number: int, step: int, folder: Path) -> list[str]:
    options = {"": "tests.instruments.Kill", ".hook": "on_train_batch_end", ".step": step, ".number": number}
    options[".once"] = str(folder / str(number))
    return [f"--trainer.callbacks{'' if key else '+'}{key}={value}" for key, value in options.items()]


def test_a_requeued_job_goes_on_in_its_run_folder(tmp_path: Path) -> None:
    assert start(tmp_path / "whole", *FIT).wait() == 0
    job = [*FIT, *send(signal.SIGUSR1, 3, tmp_path), *send(signal.SIGKILL, 5, tmp_path)]
    assert start(tmp_path / "job", *job, before=as_a_job).wait() == -signal.SIGKILL
    assert (tmp_path / "job/asked").read_text() == "requeue 7\n"
    again = start(tmp_path / "job", *job, before=as_a_job)
    assert again.wait() == 0, again.err
    assert differences(content(run_of(tmp_path / "whole")), content(run_of(tmp_path / "job"))) == []


def test_where_slurm_is_but_no_job_it_is_not_spoken_of(tmp_path: Path) -> None:
    running = start(tmp_path, *FIT, before=functools.partial(add_program, "srun", "exit 1"))
    assert running.wait() == 0
    assert running.err == ""
