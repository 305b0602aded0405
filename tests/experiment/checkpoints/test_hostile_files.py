"""A file from a stranger is refused with one clear line, and nothing that it names is imported or called."""

import io
import os
import pickle
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image
from torchvision.datasets import CIFAR10

from classifiers import ImageClassifier
from classifiers.cli import main
from classifiers.experiment.command import checkpoint_cli
from classifiers.experiment.errors import UserError
from tests.conftest import SMALL, Cli, Fails, listing

Settings = dict[str, Any]
Change = Callable[[Settings], object]

MARKER = "a-hostile-file-was-here"  # a file that all code named here would make
TOUCH = f"touch {MARKER}"
POPEN = {"class_path": "subprocess.Popen", "init_args": {"args": TOUCH.split()}}
UNKNOWN = {"class_path": "hostile_module.Net"}


@pytest.fixture(autouse=True)
def _watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing made the marker; nor was a module imported that stands ready and would make it."""
    (tmp_path / "hostile_module.py").write_text(f"open({MARKER!r}, 'w')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    assert not (tmp_path / MARKER).exists()
    assert "hostile_module" not in sys.modules


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (TOUCH,)


endless: Settings = {}
endless["net"] = [endless]


def content(**parts: Any) -> Change:
    return lambda checkpoint: checkpoint.update(parts)


def settings(**values: Any) -> Change:
    return lambda checkpoint: checkpoint["hyper_parameters"].update(values)


def inside_net(**values: Any) -> Change:
    return lambda checkpoint: checkpoint["hyper_parameters"]["net"]["init_args"].update(values)


def write(fitted: Path, change: Change) -> None:
    """Write `x.ckpt`: a good checkpoint but for the change."""
    checkpoint = torch.load(fitted / "checkpoints/last.ckpt", weights_only=True)
    change(checkpoint)
    torch.save(checkpoint, "x.ckpt")


DATA = [argument for argument in SMALL if argument.startswith(("--data", "--trainer.acc", "--trainer.enable"))]
WAYS = {
    "resume": ["fit", *SMALL, "--ckpt_path=x.ckpt"],
    "init_weights": ["fit", *SMALL, "--init_weights=x.ckpt"],
    **{command: [command, *DATA, "--ckpt_path=x.ckpt"] for command in ("validate", "test", "predict")},
}
CHECKPOINTS: dict[str, tuple[Change, str | None]] = {  # with what it names, unless it is code itself
    "code": (content(extra=Payload()), None),
    "code for settings": (settings(net=Payload()), None),
    "an instantiator": (settings(_instantiator="os.system"), "os.system"),
    "an unknown instantiator": (settings(_instantiator="hostile_module.make"), "hostile_module.make"),
    "a class for the model": (settings(_class_path="hostile_module.Net"), "hostile_module.Net"),
    "Popen for the net": (settings(net=POPEN), "subprocess.Popen"),
    "Popen for the loss": (settings(loss=POPEN), "subprocess.Popen"),
    "Popen for the optimizer": (settings(optimizer=POPEN), "subprocess.Popen"),
    "Popen in a list": (settings(mean=[POPEN]), "subprocess.Popen"),
    "Popen inside the net": (inside_net(hidden=POPEN), "subprocess.Popen"),
    "an unknown net": (settings(net=UNKNOWN), "hostile_module.Net"),
    "an unknown net by its name alone": (settings(net="hostile_module.Net"), "hostile_module.Net"),
    "an unknown class inside the net": (inside_net(hidden=[UNKNOWN]), "hostile_module.Net"),
    "an unknown function": (settings(lr_scheduler="hostile_module.make"), "hostile_module.make"),
    "an imported function": (settings(optimizer="shutil.rmtree"), "shutil.rmtree"),
    "settings without end": (content(hyper_parameters=endless), None),
    "settings as of long ago": (content(hparams={"loss": UNKNOWN}), "hostile_module.Net"),
}


def refusal(named: str | None, cure: str = "give its run's config.yaml first, with --config") -> str:
    if named is None:
        return "x.ckpt is no checkpoint, or a damaged one"
    kinds = "no imported net, loss, optimizer or schedule"
    return f"x.ckpt names {named}, which is {kinds}: if you trust it, {cure}"


@pytest.mark.parametrize(
    "way", ["resume", *(pytest.param(way, marks=pytest.mark.slow) for way in WAYS if way != "resume")]
)
@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_hostile_checkpoint(name: str, way: str, fitted: Path, fails: Fails) -> None:
    change, named = CHECKPOINTS[name]
    write(fitted, change)
    assert fails(*WAYS[way]) == f"error: {refusal(named)}"


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_hostile_checkpoint_read_in_python(name: str, fitted: Path) -> None:
    change, named = CHECKPOINTS[name]
    write(fitted, change)
    with pytest.raises(UserError) as error:
        ImageClassifier.load_from_checkpoint("x.ckpt", weights_only=False)
    assert str(error.value) == refusal(named, "import or define it first")


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_hostile_checkpoint_to_predict_with(name: str, fitted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it names for training alone isn't needed, and is not looked at."""
    change, named = CHECKPOINTS[name]
    write(fitted, change)
    Image.new("L", (8, 8)).save("x.png")
    if name in ("Popen for the loss", "Popen for the optimizer", "an unknown function", "an imported function"):
        main(["predict-files", "x.ckpt", "x.png"])
        return
    with pytest.raises(SystemExit) as exit_info:
        main(["predict-files", "x.ckpt", "x.png"])
    assert exit_info.value.code == 2
    assert capsys.readouterr().err == f"error: {refusal(named, f'name it with --net {named}')}\n"


@pytest.mark.parametrize("way", ["resume", "test"])
def test_a_checkpoint_that_is_exchanged_once_it_was_read(
    way: str, fitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lightning itself reads that of a fit again, and loads code where this variable allows it."""
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    write(fitted, content(extra=Payload()))
    good = torch.load(fitted / "checkpoints/last.ckpt", weights_only=True)
    monkeypatch.setattr(checkpoint_cli, "read_checkpoint", lambda *_: good)
    if way == "test":
        main(WAYS[way])
    else:
        with pytest.raises((SystemExit, pickle.UnpicklingError)):
            main([*WAYS[way], "--trainer.default_root_dir=runs"])


def test_a_checkpoint_may_name_what_the_command_line_names(fit: Cli, fails: Fails, tmp_path: Path) -> None:
    code = "from classifiers import MLP\n\n\nclass Net(MLP):\n    pass\n\n\ndef rate(epoch):\n    return 1.0\n"
    (tmp_path / "own_module.py").write_text(code)
    folder = fit(
        "--model.net=own_module.Net", "--model.lr_scheduler=LambdaLR",
        "--model.lr_scheduler.lr_lambda=own_module.rate", "--trainer.max_epochs=1",
    )  # fmt: skip
    (folder / "checkpoints/best.ckpt").rename("x.ckpt")
    assert fails(*WAYS["test"]) == f"error: {refusal('own_module.rate')}"
    main(["test", f"--config={folder / 'config.yaml'}", "--ckpt_path=x.ckpt"])


def config(option: str, value: Any) -> str:
    for key in reversed(option.split(".")):
        value = {key: value}
    return yaml.safe_dump(value)


@pytest.mark.parametrize(
    "option",
    ["data", "model.net", "model.optimizer", "model.lr_scheduler", "model.loss", "trainer.callbacks", "trainer.logger"],
)
def test_a_hostile_class_in_a_config(option: str, fails: Fails) -> None:
    Path("x.yaml").write_text(config(option, [POPEN] if option == "trainer.callbacks" else POPEN))
    line = f"error: {option}: subprocess.Popen is not allowed here, as nothing of subprocess is"
    assert fails("fit", *SMALL, "--config=x.yaml") == line


@pytest.mark.parametrize("tag", [f"object/apply:os.system ['{TOUCH}']", "name:os.system", "module:hostile_module"])
@pytest.mark.parametrize("text", ["{}\n", "data: {}\n", "model:\n  net: {}\n", "trainer: {{callbacks: [{} ]}}\n"])
def test_object_tags_in_a_config(text: str, tag: str, fails: Fails) -> None:
    Path("x.yaml").write_text(text.format(f"!!python/{tag}"))
    line = fails("fit", *SMALL, "--config=x.yaml")
    start = "error: Problems parsing config: could not determine a constructor for the tag 'tag:yaml.org,2002:python/"
    assert line.startswith(f"{start}{tag.partition(' ')[0]}' in the config, line ")


def test_an_object_tag_in_an_option(fails: Fails) -> None:
    tag = f"!!python/object/apply:os.system ['{TOUCH}']"
    line = fails("fit", *SMALL, f"--trainer.max_epochs={tag}")
    assert line == f'error: trainer.max_epochs: expected int, not "{tag}"'


def member(name: str, **kind: Any) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    for key, value in {"size": 5 if not kind else 0, **kind}.items():
        setattr(found, key, value)
    return found


@pytest.mark.parametrize(
    "members",
    [
        [member("../../../outside"), member("cifar-10-batches-py/../../../outside")],
        [member("/tmp/classifiers-outside")],
        [member("cifar-10-batches-py/test_batch", type=tarfile.SYMTYPE, linkname="../../../outside")],
        [member("cifar-10-batches-py/test_batch", type=tarfile.LNKTYPE, linkname="/etc/hostname")],
        [
            member("cifar-10-batches-py", type=tarfile.SYMTYPE, linkname="../../.."),
            member("cifar-10-batches-py/test_batch"),
        ],
        [member("cifar-10-batches-py/test_batch", type=tarfile.DIRTYPE)],
        [member("cifar-10-batches-py/test_batch", type=tarfile.FIFOTYPE)],
    ],
    ids=["dots", "absolute", "symlink", "hard link", "linked folder", "folder", "pipe"],
)
def test_an_archive_that_reaches_outside(
    members: list[tarfile.TarInfo], fails: Fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tarfile.open("x.tar", "w") as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(b"hello"))
    monkeypatch.setattr(CIFAR10, "url", f"file://{tmp_path}/x.tar")
    (tmp_path / "data/cifar-10-batches-py").mkdir(parents=True)
    outside = listing(tmp_path.parent)
    line = fails("fit", "--data=CIFAR10DataModule", "--data.root=data", "--trainer.accelerator=cpu")
    assert line.startswith(f"error: {tmp_path}/data/cifar-10-batches-py lacks data_batch_1, data_batch_2, ")
    assert listing(tmp_path.parent) == outside
    assert not Path("/tmp/classifiers-outside").exists()
