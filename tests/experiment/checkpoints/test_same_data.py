import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml

from classifiers import ArrayDataModule, ImageClassifier, fit
from classifiers.cli import main
from classifiers.experiment.checkpoints.same_data import difference, record_of, trained_on
from classifiers.experiment.errors import UserError
from classifiers.models import MLP
from tests.conftest import SMALL, Fails
from tests.photos import write_photos

FOLDER = [
    "fit",
    *(option for option in SMALL if not option.startswith("--data")),
    "--data=ImageFolderDataModule",
    "--data.image_size=16",
    "--trainer.default_root_dir=runs",
]
CURE = "; --changed_data true goes on in spite of it"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run on the folder `photos` of two classes."""
    main([*FOLDER, f"--data.root={write_photos(tmp_path / 'photos', 50)}"])
    (folder,) = (tmp_path / "runs").glob("*/*")
    return folder


def record(run: Path) -> dict[str, object]:
    content = torch.load(run / "checkpoints/last.ckpt", weights_only=True)["data"]
    assert isinstance(content, dict)
    return content


def resuming(run: Path, *options: str) -> list[str]:
    return ["fit", f"--resume={run}", "--trainer.max_epochs=3", *options]


def test_other_classes_end_a_resume(run: Path, fails: Fails) -> None:
    Path("photos/light").rename("photos/alight")
    line = fails(*resuming(run))
    assert line == f"error: the data is not what the fit began with: class 0 was dark and is alight{CURE}"


def test_a_further_image_ends_a_resume_unless_it_may_change(run: Path, fails: Fails) -> None:
    shutil.copy("photos/dark/001.jpg", "photos/dark/another.jpg")
    assert fails(*resuming(run)).endswith(f"began with: of the 91 to train on 1 are new, and 0 are gone{CURE}")
    before = trained_on(record(run))
    main(resuming(run, "--changed_data=true"))
    after = trained_on(record(run))
    assert torch.load(run / "checkpoints/best.ckpt", weights_only=True)["epoch"] == 2  # of the data as it is now
    assert set(before.tolist()) < set(after.tolist())
    assert yaml.safe_load((run / "config.yaml").read_text())["changed_data"] is False
    main(["fit", f"--resume={run}", "--trainer.max_epochs=4"])  # the changed data is what it goes on with


def test_images_that_are_gone_or_held_out_otherwise_end_a_resume(run: Path, fails: Fails) -> None:
    Path("photos/dark/001.jpg").unlink()
    assert fails(*resuming(run)).endswith(f"of the 89 to train on 0 are new, and 1 are gone{CURE}")
    assert " are gone; --changed_data" in fails(*resuming(run, "--data.split_seed=1"))


def test_the_same_images_elsewhere_are_the_same_data(run: Path) -> None:
    Path("photos").rename("pictures")
    main(resuming(run, "--data.root=pictures"))


def test_a_test_says_how_many_of_its_images_were_trained_on(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command, part in (("test", "test"), ("validate", "validate")):
        arguments = [command, f"--config={run / 'config.yaml'}", f"--ckpt_path={run / 'checkpoints/best.ckpt'}"]
        capsys.readouterr()
        main(arguments)
        assert "trained on" not in capsys.readouterr().out
        main([*arguments, "--data.split_seed=1"])
        assert f" to {part} on are among those that it was trained on" in capsys.readouterr().out


def arrays(first: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(256, (200, 1, 8, 8), dtype=torch.uint8, generator=draw)
    return images[first : first + count], torch.arange(200)[first : first + count] % 2


def test_a_fit_of_arrays_is_tested_on_what_it_was_trained_on(capsys: pytest.CaptureFixture[str]) -> None:
    data = ArrayDataModule(*arrays(0, 100), test=arrays(95, 20))
    fit(ImageClassifier.for_data(MLP, data), data, max_epochs=1, default_root_dir="runs")
    shared = int(torch.isin(data.known("test"), data.known("train")).sum())
    assert shared > 0
    assert f"beware: {shared} of the 20 to test on are among those that it was trained on" in capsys.readouterr().out


def test_arrays_with_other_images_end_a_resume() -> None:
    data = ArrayDataModule(*arrays(0, 100))
    model = ImageClassifier.for_data(MLP, data)
    run = fit(model, data, max_epochs=1, default_root_dir="runs")
    other = ArrayDataModule(*arrays(1, 100))
    with pytest.raises(UserError, match="not what the fit began with: of the .* to train on 1 are new, and"):
        run.resume(ImageClassifier.for_data(MLP, data), other, max_epochs=2)


def test_a_checkpoint_of_an_earlier_version_is_told(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = run / "checkpoints/last.ckpt"
    content = torch.load(path, weights_only=True)
    del content["data"]
    torch.save(content, path)
    capsys.readouterr()
    main(resuming(run))
    assert "the checkpoint is of an earlier version, and doesn't know its images" in capsys.readouterr().out


@pytest.mark.parametrize("make", [object, lambda: None])
def test_data_that_tells_nothing_has_no_record(make: Callable[[], object]) -> None:
    assert record_of(make()) is None


def test_records_of_other_classes_differ() -> None:
    data = ArrayDataModule(*arrays(0, 100))
    data.setup("fit")
    found = record_of(data)
    assert found
    assert difference(found, found) is None
    assert difference(found, {**found, "class_names": ["0", "1", "2"]}) == "it had 2 classes and has 3"


def test_images_that_look_otherwise_end_a_resume_and_a_test(run: Path, fails: Fails) -> None:
    line = fails(*resuming(run, "--data.mean=[0.25,0.25,0.25]"))
    assert line.startswith("error: the data is not what the fit began with: its mean was [0.")
    assert line.endswith(f" and is [0.25, 0.25, 0.25]{CURE}")
    best = f"--ckpt_path={run / 'checkpoints/best.ckpt'}"
    line = fails("test", f"--config={run / 'config.yaml'}", best, "--data.image_size=20")
    assert line.endswith("was trained on images (3, 16, 16), and those of --data are (3, 20, 20)")


def test_fewer_images_begin_the_epoch_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kill = {"hook": "on_train_batch_end", "step": 5, "once": "once", "number": 15}
    own = ["--trainer.callbacks+=tests.instruments.Kill", *(f"--trainer.callbacks.{k}={v}" for k, v in kill.items())]
    with pytest.raises(SystemExit):
        main(["fit", *SMALL, "--trainer.default_root_dir=runs", *own, "--last_checkpoint.every_n_steps=1"])
    (run,) = (tmp_path / "runs").glob("*/*")
    main(["fit", f"--resume={run}", "--data.train_size=100", "--changed_data=true"])
    assert "an epoch has 2 steps now, and had 6: it goes on behind 0 images of epoch 1" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--seed_everything=7", "--init_weights=x.ckpt"])
def test_what_a_resume_would_pass_over_is_one_line(option: str, run: Path, fails: Fails) -> None:
    name = option.partition("=")[0]
    assert fails(*resuming(run, option)).startswith(f"error: {name}: --resume goes on with the seed and the weights of")


def test_a_refused_resume_leaves_the_config_as_it_was(run: Path) -> None:
    before = (run / "config.yaml").read_text()
    with pytest.raises(SystemExit, match="2"):
        main(resuming(run, "--best_checkpoint.monitor=val/nope"))
    assert (run / "config.yaml").read_text() == before
    main(resuming(run))
