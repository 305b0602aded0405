"""A fit in a notebook, in a real kernel and by Jupyter's own client."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

SETUP = """
from classifiers import ImageClassifier, MLP, SyntheticDataModule, fit, open_run
data = SyntheticDataModule(num_classes=4, image_size=16, train_size=400, test_size=130)
def new(**options):
    model = ImageClassifier.for_data(MLP, data)
    return fit(model, data, accelerator="cpu", default_root_dir="runs", log_every_n_steps=2, seed=1, **options)
"""
LONG = "new(max_epochs=100000, experiment='stopped')"


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Any]:
    client = nbclient.NotebookClient(
        nbformat.v4.new_notebook(), resources={"metadata": {"path": str(tmp_path)}}, timeout=120
    )
    with client.setup_kernel():
        yield client


def outputs(client: Any, code: str) -> list[Any]:
    """What a cell with that code shows, errors too."""
    cell = nbformat.v4.new_code_cell(code)
    client.nb.cells.append(cell)
    client.allow_errors = True
    client.execute_cell(cell, len(client.nb.cells) - 1)
    return list(cell.outputs)


def text(shown: list[Any]) -> str:
    return "".join(one.get("text", "") or one.get("data", {}).get("text/plain", "") for one in shown)


@pytest.mark.filterwarnings("ignore")
def test_fits_of_a_notebook(kernel: Any, tmp_path: Path) -> None:
    assert outputs(kernel, SETUP) == []
    shown = outputs(kernel, "run = new(max_epochs=30)")
    assert text(shown).count("train loss") == 30
    moving = [one for one in shown if one.output_type == "display_data" and "text/html" not in one.data]
    assert len(moving) <= 1, moving
    assert len(text(shown).splitlines()) < 100
    (table,) = outputs(kernel, "run")
    assert table.data["text/html"].count("data:image/png;base64,") == 3
    (mistake,) = outputs(kernel, "new(max_epoch=3)")
    assert mistake.traceback == ["error: unknown option --trainer.max_epoch: did you mean --trainer.max_epochs?"]

    async def interrupted() -> list[Any]:
        cell = nbformat.v4.new_code_cell(LONG)
        kernel.nb.cells.append(cell)
        running = asyncio.ensure_future(kernel.async_execute_cell(cell, len(kernel.nb.cells) - 1))
        while not list(tmp_path.glob("runs/stopped/*/checkpoints/best.ckpt")):
            await asyncio.sleep(0.1)
        await kernel.km.interrupt_kernel()
        await running
        return list(cell.outputs)

    shown = nbclient.util.run_sync(interrupted)()
    assert shown[-1].traceback == ["stopped: open_run(…).resume() goes on with it"]
    assert "Stopped before step " in text(shown)
    (last,) = tmp_path.glob("runs/stopped/*/checkpoints/last.ckpt")
    goes_on = f"print(open_run({str(last.parents[1])!r}).resume(max_steps=10, max_epochs=-1).metrics['epochs'] > 0)"
    assert text(outputs(kernel, goes_on)).endswith("True\n")
    assert text(outputs(kernel, "print([new(max_epochs=1).metrics['epochs'] for _ in range(3)])")).endswith(
        "[1, 1, 1]\n"
    )
