"""Wrong input of every kind ends in one clear line and exit code 2, and leaves run and data folders as they were."""

import hashlib
import io
import json
import os
import pwd
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
import torch
from torchvision.datasets import CIFAR10, FashionMNIST

from classifiers.cli import main
from classifiers.data import cifar10, fashion_mnist
from classifiers.experiment.runs import folder as run_folder
from tests.conftest import SMALL, Cli, Fails, listing


class Case(NamedTuple):
    """`arrange` puts wrong input into the current folder, and returns the command line that meets it."""

    name: str
    arrange: Callable[[], list[str]]
    line: str  # TMP is the current folder; what follows … may be anything


Change = Callable[[bytes], bytes]

QUIET = [argument for argument in SMALL if argument.startswith(("--trainer.acc", "--trainer.enable"))]
FIT = [
    "fit",
    "--data.root=data",
    *QUIET,
    "--trainer.max_epochs=1",
    "--trainer.log_every_n_steps=1",
]  # of the default net on a tiny Fashion-MNIST
RESUME = ["fit", *SMALL, "--ckpt_path=x.ckpt"]
TEST = ["test", *(argument for argument in SMALL if argument.startswith("--data")), *QUIET, "--ckpt_path=x.ckpt"]


def option(text: str, line: str) -> Case:
    return Case(text, lambda: [*FIT, "--model.optimizer=SGD", *text.split()], line)


def config(text: str | bytes, line: str) -> Case:
    def arrange() -> list[str]:
        Path("x.yaml").write_bytes(text.encode() if isinstance(text, str) else text)
        return [*FIT, "--config=x.yaml"]

    return Case(f"config {text!r}", arrange, line)


def checkpoint(name: str, change: Change, command: list[str], line: str) -> Case:
    """A checkpoint `x.ckpt` made from a good one by `change`."""

    def arrange() -> list[str]:
        (good,) = Path("runs").glob("*/*/checkpoints/last.ckpt")
        Path("x.ckpt").write_bytes(change(good.read_bytes()))
        return command

    return Case(f"checkpoint {name}", arrange, line)


def fashion(name: str, change: Callable[..., object], *wrong: str) -> Case:
    """Files of Fashion-MNIST, those named `wrong` changed."""

    def arrange() -> list[str]:
        change(*(Path("data/FashionMNIST/raw") / file for file in wrong))
        return FIT

    tried = f"nowhere ([Errno 2] No such file or directory: 'nowhere/{wrong[0]}.gz')"
    return Case(
        f"Fashion-MNIST {name}",
        arrange,
        f"TMP/data/FashionMNIST/raw lacks {', '.join(wrong)}. Tried: {tried}; Debian's package dataset-fashion-mnist "
        "(this system has no apt). By hand: put the four unpacked files there, or train on --data SyntheticDataModule",
    )


def cifar(name: str, change: Callable[..., object], *wrong: str) -> Case:
    """Files of CIFAR-10, likewise."""

    def arrange() -> list[str]:
        change(*(Path("data/cifar-10-batches-py") / file for file in wrong))
        return [*FIT, "--data=CIFAR10DataModule", "--data.root=data"]

    tried = "file:///nowhere/x (<urlopen error [Errno 2] No such file or directory: '/nowhere/x'>)"
    return Case(
        f"CIFAR-10 {name}",
        arrange,
        f"TMP/data/cifar-10-batches-py lacks {', '.join(wrong)}. Tried: {tried}. By hand: unpack "
        "cifar-10-python.tar.gz in TMP/data, or train on --data SyntheticDataModule",
    )


def rewrite(change: Change) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(change(path.read_bytes()))


def swap(path: Path, other: Path) -> None:
    first, second = path.read_bytes(), other.read_bytes()
    path.write_bytes(second)
    other.write_bytes(first)


def cut(share: float) -> Change:
    return lambda whole: whole[: int(share * len(whole))]


def saved(content: Any) -> Change:
    file = io.BytesIO()
    torch.save(content, file)
    return lambda _: file.getvalue()


def edited(edit: Callable[[dict[str, Any]], object]) -> Change:
    def change(whole: bytes) -> bytes:
        content = torch.load(io.BytesIO(whole), weights_only=True)
        edit(content)
        return saved(content)(b"")

    return change


def one_label_less(labels: bytes) -> bytes:
    return labels[:4] + struct.pack(">I", len(labels) - 9) + labels[8:-1]


def same(whole: bytes) -> bytes:
    return whole


def beside_lenet_yaml() -> list[str]:
    Path("lenet.yaml").touch()
    Path("other.yaml").touch()
    return ["fit", "--config=lenett.yaml"]


def with_a_broken_module() -> list[str]:
    Path("broken_module.py").write_text("import nowhere_to_be_found\n")
    return [*FIT, "--model.net=broken_module.Net"]


def idx(values: torch.Tensor) -> bytes:
    """The official format: a magic number, the shape, the values."""
    return struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.numpy().tobytes()


NO_CHECKPOINT = "x.ckpt is no checkpoint, or a damaged one"
PRECISIONS = (
    "64, 32, 16 or 'transformer-engine', 'transformer-engine-float16', '16-true', '16-mixed', 'bf16-true', "
    "'bf16-mixed', '32-true', '64-true' or '64', '32', '16', 'bf16'"
)
ONE_CYCLE = "--trainer.max_epochs=-1 --model.lr_scheduler=OneCycleLR --model.lr_scheduler.max_lr=0.1"
OF_TORCHVISION = (
    "--data SyntheticDataModule --data.in_channels 3 --data.image_size 32 --model.net torchvision.models.ResNet "
    "--model.net.block torchvision.models.resnet.BasicBlock --model.net.layers [1,1,1,1]"
)

CASES = [
    Case(
        "no command", list, 'expected "subcommand" to be one of {fit,validate,test,predict}, but it was not provided.'
    ),
    Case("no such command", lambda: ["fitt"], "argument subcommand: invalid choice: 'fitt' (choose from 'fit', …"),
    Case("a word", lambda: ["fit", "resnet"], "unrecognized arguments: resnet"),
    option("--zzz", "unknown option --zzz: see --help"),
    option("--seed 3", "unknown option --seed: see --help"),  # no abbreviations
    option("--model.optimzer.lr 3", "unknown option --model.optimzer.lr: did you mean --model.optimizer?"),
    option("--trainer.max_epoch 3", "unknown option --trainer.max_epoch: did you mean --trainer.max_epochs?"),
    option("--model.optimizer.lr abc", "model.optimizer.lr: expected float or Tensor, not 'abc'"),
    option("--model.optimizer.lr=-1", "the optimizer or its lr_scheduler can't be made: Invalid learning rate: -1.0"),
    option("--model.channels_last 3", "model.channels_last: expected bool, not '3'"),
    option("--model.lr_scheduler_interval day", "model.lr_scheduler_interval: expected 'epoch', 'step', not 'day'"),
    option("--model.loss.weight x", "model.loss.weight: expected Tensor, not 'x'"),
    option(
        "--model.loss CrossEntropyLos", "model.loss: there is no class CrossEntropyLos: did you mean CrossEntropyLoss?"
    ),
    option("--model.net LeNett", "model.net: there is no class LeNett: did you mean LeNet?"),
    option("--model.net nowhere.LeNett", "model.net: there is no class nowhere.LeNett: did you mean LeNet?"),
    option("--model.net torchvision.models.Foo", "model.net: there is no class torchvision.models.Foo: see --help"),
    option(
        "--model.net torchvision.models.resnet18",
        "model.net: expected a class_path to a subclass of Module or Net, not torchvision.models.resnet18",
    ),
    option("--model.net torch.nn.Linear", "model.net: torch.nn.Linear needs in_features, out_features"),
    option("--model.net.width 3", "model.net: classifiers.ConvNet has no option width: did you mean widths?"),
    option(
        "--model.net torchvision.models.MobileNetV2",
        "--model.net is made for other inputs than those of --data: Given groups=1, weight of size [32, 3, 3, 3], …",
    ),
    option(
        f"{OF_TORCHVISION} --data.batch_size 1",
        "this net learns from no batch of one, take another --data.batch_size: Expected more than 1 value per …",
    ),
    option("--model.net ResNet --model.net.widths []", "ResNet needs at least one stage: its widths are []"),
    option(
        "--model.loss.weight [1,2]",
        "--model.loss.weight needs a value for each class: weight tensor should be defined either for all 10 classes …",
    ),
    option(
        "--data.augmentations+=RandomCrop --data.augmentations.padding=28",
        "RandomCrop's padding is 28: it must be less than 28 pixels",
    ),
    option("--data SyntheticDataModule --data.num_classes 0", "--data.num_classes is 0: it must be at least 1"),
    option(
        "--trainer.val_check_interval 1000", "`val_check_interval` (1000) must be less than or equal to the number …"
    ),
    option("--model.net.widths 3", "model.net.widths: expected Sequence, not '3'"),
    option(
        "--model.net.widths [-3]",
        "ConvNet can't be made: Trying to create tensor with negative dimension -3: [-3, 1, 3, 3]",
    ),
    option(
        "--model.net.dropout 2", "ConvNet can't be made: dropout probability has to be between 0 and 1, but got 2.0"
    ),
    option(
        "--model.net LeNet --data SyntheticDataModule --data.image_size 8",
        "LeNet needs images of at least 16 x 16 pixels, not 8 x 8",
    ),
    option("--model.lr_scheduler StepLR", "model.lr_scheduler: torch.optim.lr_scheduler.StepLR needs step_size"),
    option(
        "--model.lr_scheduler ReduceLROnPlateau",
        "model.lr_scheduler: Multiple subclasses with name ReduceLROnPlateau. Give the full class path to avoid "
        "ambiguity: torch.optim.lr_scheduler.ReduceLROnPlateau, lightning.pytorch.cli.ReduceLROnPlateau.",
    ),
    option(ONE_CYCLE, "the learning-rate schedule ends with the run, which has no end: give one --trainer.max_epochs"),
    option("--data FashionMNIST", "data: there is no class FashionMNIST: did you mean FashionMNISTDataModule?"),
    option(
        "--data ImageDataModule", "data: expected a class_path to a subclass of ImageDataModule, not ImageDataModule"
    ),
    option(
        "--data.batchsize 3",
        "data: classifiers.FashionMNISTDataModule has no option batchsize: did you mean batch_size?",
    ),
    option("--data.batch_size 0", "--data.batch_size is 0: it must be at least 1"),
    option("--data.eval_batch_size 0", "--data.eval_batch_size is 0: it must be at least 1"),
    option("--data.on_device maybe", "data.on_device: expected bool, not 'maybe'"),
    option("--model.compile fast", "model.compile: expected 'default', 'reduce-overhead', 'max-autotune', not 'fast'"),
    option("--data.batch_size=-1", "--data.batch_size is -1: it must be at least 1"),
    option("--data.batch_size 1.5", "data.batch_size: expected int, not '1.5'"),
    option("--data.num_workers=-1", "--data.num_workers is -1: it must be at least 0"),
    option("--data.val_size x", "data.val_size: expected int or float, not 'x'"),
    option("--data.val_size 61", "--data.val_size 61 holds out 61 of 60 training images"),
    option("--data.val_size 0", "--data.val_size 0 holds out 0 of 60 training images"),
    option(
        "--data.mean [0,0]",
        "--data.mean is [0.0, 0.0] and --data.std [0.353]: they need 1 values each, std positive ones",
    ),
    option(
        "--data.augmentations+=RandomCropp",
        "data.augmentations: there is no class RandomCropp: did you mean RandomCrop?",
    ),
    option("--seed_everything x", "seed_everything: expected bool or int, not 'x'"),
    option("--seed_everything=-1", "--seed_everything: -1 is not in bounds, numpy accepts from 0 to 4294967295"),
    option("--experiment ../x", "--experiment is ../x: it must be a folder below the root of all runs"),
    option("--trainer=fast", "trainer: expected a map of options or a file of one, not 'fast'"),
    option("--trainer.max_epochs 0.5", "trainer.max_epochs: expected int, not '0.5'"),
    option(
        "--trainer.max_epochs=-2",
        "--trainer.max_epochs -2: `max_epochs` must be a non-negative integer or -1. You passed in -2.",
    ),
    option(
        "--trainer.limit_train_batches=-1",
        "--trainer.limit_train_batches -1: You have passed invalid value -1 for limit_train_batches, it has to be in "
        "[0.0, 1.0] or an int.",
    ),
    option("--trainer.accumulate_grad_batches 0", "--trainer.accumulate_grad_batches is 0: it must be more than 0"),
    option(
        "--trainer.devices 0",
        "--trainer.devices 0: `Trainer(devices='0')` value is not a valid input using cpu accelerator.",
    ),
    option(
        "--trainer.devices x",
        "--trainer.devices x: `devices` selected with `CPUAccelerator` should be an int > 0.",
    ),
    option(
        "--trainer.accelerator quantum",
        "--trainer.accelerator quantum: You selected an invalid accelerator name: `accelerator='quantum'`. Available …",
    ),
    *(
        [option("--trainer.accelerator gpu", "--trainer.accelerator gpu (auto works anywhere): No supported gpu …")]
        if not torch.cuda.is_available()
        else []
    ),
    option("--trainer.precision 7", f"trainer.precision: expected {PRECISIONS}, not '7'"),
    option(
        "--trainer.callbacks EarlyStop", "trainer.callbacks: there is no class EarlyStop: did you mean EarlyStopping?"
    ),
    option(
        "--trainer.callbacks+=EarlyStopping --trainer.callbacks.patience=x",
        "trainer.callbacks.patience: expected int, not 'x'",
    ),
    option(
        "--trainer.logger.save_dir x",
        "trainer.logger.save_dir: trainer.logger names no class that could have it: name the class first",
    ),
    option("--trainer.logger [5]", "trainer.logger: expected a class_path to a subclass of Logger, not 5"),
    option(
        "--model.optimizer.init_args=5",
        "model.optimizer: expected a class_path, and the options of the class as a map in init_args",
    ),
    option("--model.optimizer Adam --model.optimizer.betas [a,b]", "model.optimizer.betas: Expected float"),
    option(
        "--model.optimizer Adam --model.optimizer.betas [0.9]",
        "model.optimizer.betas: Expected a tuple with 2 elements. Got value: [0.9]",
    ),
    option("--trainer.logger LeNet", "trainer.logger: there is no class LeNet: see --help"),
    option("--ckpt_path nowhere.ckpt", "there is no checkpoint nowhere.ckpt"),
    option("--init_weights nowhere.ckpt", "there is no checkpoint nowhere.ckpt"),
    option(
        "--trainer.default_root_dir=/dev/null",
        "can't write the run to /dev/null (Not a directory): name another folder with --trainer.default_root_dir",
    ),
    option(
        "--data.root=/dev/null",
        "can't write to /dev/null/FashionMNIST/raw (Not a directory): name another with --data.root",
    ),
    config("modle:\n  net: LeNet\n", "unknown key modle.net: did you mean model.net?"),
    config("model:\n  optimizr: SGD\n", "unknown key model.optimizr: did you mean model.optimizer?"),
    config("- a\n- b\n", "a config file must be a map of sections such as data, model and trainer"),
    config("", "a config file must be a map of sections such as data, model and trainer"),
    config("data: 3\n", "data: expected a class_path to a subclass of ImageDataModule, not 3"),
    config("model: {net: [1]}\n", "model.net: expected a class_path to a subclass of Module or Net, not [1]"),
    config("trainer: [1]\n", "Problems parsing config: trainer must be a map of options, not [1]"),
    config("best_checkpoint: [1]\n", "Problems parsing config: best_checkpoint must be a map of options, not [1]"),
    config("trainer: {max_epochs: [1]}\n", "trainer.max_epochs: expected int, not '[1]'"),
    config(
        "trainer:\n  max_epochs: 1\n  max_epochs: 2\n",
        "Problems parsing config: key 'max_epochs' stands twice in the config, line 3, column 3: max_epochs: 2 ^",
    ),
    config(
        "trainer:\n\tmax_epochs: 1\n",
        "Problems parsing config: while scanning for the next token found character '\\t' that cannot start any token "
        "in the config, line 2, column 1: max_epochs: 1 ^",
    ),
    config(
        "trainer: {max_epochs: 1\n",
        "Problems parsing config: while parsing a flow mapping in the config, line 1, column 10: trainer: {max_epochs: "
        "1 ^ expected ',' or '}', but got '<stream end>' in the config, line 2, column 1: ^",
    ),
    config(b"\xff\xfe", "a config file must be text in UTF-8"),
    config(
        "trainer:\n  callbacks: [{class_path: EarlyStoping, init_args: {monitor: val/loss}}]\n",
        "trainer.callbacks: there is no class EarlyStoping: did you mean EarlyStopping?",
    ),
    config(
        "data:\n  class_path: FashionMNISTDataModule\n  init_args: {augmentations: [{class_path: RandomCropp}]}\n",
        "data.augmentations: there is no class RandomCropp: did you mean RandomCrop?",
    ),
    Case("a missing config", beside_lenet_yaml, "there is no file TMP/lenett.yaml: near it is lenet.yaml"),
    Case(
        "a class of a module that fails",
        with_a_broken_module,
        "model.net: broken_module.Net needs the module nowhere_to_be_found, which is not installed",
    ),
    Case("a folder as config", lambda: ["fit", "--config=data"], "config: Path is not a file: 'TMP/data'"),
    *(
        Case(
            f"{command} without checkpoint",
            lambda command=command: [command],
            f"{command} needs a trained model: give its checkpoint with --ckpt_path",
        )
        for command in ("validate", "test", "predict")
    ),
    *(
        checkpoint(f"cut to {tenth}0%", cut(tenth / 10), TEST if tenth % 2 else RESUME, NO_CHECKPOINT)
        for tenth in range(9)
    ),
    checkpoint("without its last byte", lambda whole: whole[:-1], RESUME, NO_CHECKPOINT),
    checkpoint("of text", lambda _: b"model:\n  net: LeNet\n", TEST, NO_CHECKPOINT),
    checkpoint("of a list", saved([1, 2]), TEST, NO_CHECKPOINT),
    checkpoint("of nothing", saved({}), RESUME, NO_CHECKPOINT),
    checkpoint(
        "whose settings are none", edited(lambda content: content.update(hyper_parameters=3)), TEST, NO_CHECKPOINT
    ),
    checkpoint(
        "of weights alone",
        edited(lambda content: [content.pop(key) for key in ("optimizer_states", "lr_schedulers", "loops")]),
        RESUME,
        "x.ckpt holds no training to go on with: start from its weights by --init_weights",
    ),
    checkpoint(
        "of another net",
        same,
        [*RESUME, "--model.net.hidden=[9]"],
        "--model.net.hidden is [8] in x.ckpt but [9] here: fit with that run's config.yaml, or use --init_weights",
    ),
    checkpoint(
        "of another data set",
        same,
        [*RESUME, "--data.num_classes=5"],
        "x.ckpt is of another net: net.head.bias is (4,) there and (5,) here",
    ),
    checkpoint(
        "tested on another data set",
        same,
        [*TEST, "--data.num_classes=5"],
        "x.ckpt was trained on other classes than those of --data SyntheticDataModule",
    ),
    checkpoint(
        "tested with another net",
        same,
        [*TEST, "--model.average_flips=true"],
        "--model.average_flips=true: test takes the model from x.ckpt, leave this out",
    ),
    checkpoint(
        "whose net lacks its weights",
        edited(lambda content: content["state_dict"].pop("net.head.bias")),
        TEST,
        "x.ckpt is of another net: net.head.bias is absent there and (4,) here",
    ),
    checkpoint(
        "whose settings make no net",
        edited(lambda content: content["hyper_parameters"]["net"]["init_args"].update(hidden="x")),
        TEST,
        "the model of x.ckpt can't be built: model.net.hidden: expected Sequence, not 'x'",
    ),
    checkpoint(
        "of quite another net",
        saved({"state_dict": {"net.other": torch.zeros(3)}}),
        ["fit", *SMALL, "--init_weights=x.ckpt"],
        "--init_weights: nothing in x.ckpt fits MLP",
    ),
    checkpoint(
        "to be loaded as code",
        same,
        [*RESUME, "--weights_only=false"],
        "--weights_only is false: a checkpoint is loaded as plain values only, never as code",
    ),
    fashion("truncated", rewrite(cut(0.5)), "train-images-idx3-ubyte"),
    fashion("without its last byte", rewrite(lambda whole: whole[:-1]), "t10k-images-idx3-ubyte"),
    fashion("empty", rewrite(cut(0)), "train-labels-idx1-ubyte"),
    fashion("missing", Path.unlink, "t10k-labels-idx1-ubyte"),
    fashion("with one label less", rewrite(one_label_less), "train-labels-idx1-ubyte"),
    fashion("with another pixel", rewrite(lambda whole: whole[:-1] + bytes([whole[-1] ^ 1])), "t10k-images-idx3-ubyte"),
    fashion("with test labels for training labels", swap, "train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"),
    fashion("with images for labels", swap, "train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    cifar("truncated", rewrite(cut(0.5)), "data_batch_3"),
    cifar("empty", rewrite(cut(0)), "test_batch"),
    cifar("missing", Path.unlink, "data_batch_1"),
    cifar("with the test batch for a training batch", swap, "data_batch_5", "test_batch"),
]


FASHION_MNIST = {
    f"{part}-{kind}": idx(torch.randint(high, shape, generator=torch.Generator().manual_seed(0), dtype=torch.uint8))
    for part, size in (("train", 60), ("t10k", 20))
    for kind, high, shape in (("images-idx3-ubyte", 256, (size, 28, 28)), ("labels-idx1-ubyte", 10, (size,)))
}
CIFAR_10 = {name: f"the content of {name}".encode() for name in cifar10.MD5S}


@pytest.fixture(autouse=True)
def _whole_folders(fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run, and official files of two small data sets for which there is no other source."""
    shutil.copytree(fitted, tmp_path / "runs/default" / fitted.name)
    monkeypatch.setattr(fashion_mnist, "SYSTEM_FOLDER", "nowhere")
    monkeypatch.setattr(FashionMNIST, "mirrors", [])
    monkeypatch.setattr(CIFAR10, "url", "file:///nowhere/x")
    monkeypatch.setenv("PATH", "")
    monkeypatch.syspath_prepend(tmp_path)
    for module, folder, content in (
        (fashion_mnist, "FashionMNIST/raw", FASHION_MNIST),
        (cifar10, "cifar-10-batches-py", CIFAR_10),
    ):
        monkeypatch.setattr(module, "MD5S", {name: hashlib.md5(file).hexdigest() for name, file in content.items()})
        (tmp_path / "data" / folder).mkdir(parents=True)
        for name, file in content.items():
            (tmp_path / "data" / folder / name).write_bytes(file)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_wrong_input(case: Case, fails: Fails, tmp_path: Path) -> None:
    line = fails(*case.arrange()).replace(str(tmp_path), "TMP")
    expected, ellipsis, _ = case.line.partition("…")
    assert (line[: len("error: " + expected)] if ellipsis else line) == f"error: {expected}"


def test_there_are_enough_cases() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 40


def test_whole_files_train(tmp_path: Path) -> None:
    """What the cases change is all that is wrong with them."""
    main([*FIT, "--trainer.default_root_dir=runs", "--experiment=whole"])
    (folder,) = (tmp_path / "runs/whole").iterdir()
    assert (folder / "metrics.json").exists()


def test_a_batch_larger_than_the_data_is_one_batch(fit: Cli) -> None:
    folder = fit("--data.batch_size=100000", "--trainer.max_epochs=1", "--trainer.log_every_n_steps=1")
    assert torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["global_step"] == 1
    assert json.loads((folder / "metrics.json").read_text())["test/acc"] > 0


def test_two_runs_in_one_second_have_two_folders(fit: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_folder, "datetime", Mock(now=lambda: datetime(2026, 1, 2, 3, 4, 5)))
    folders = [fit("--trainer.max_epochs=1") for _ in range(2)]
    assert [folder.name for folder in folders] == ["20260102-030405", "20260102-030405-2"]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded, use of fork")
@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            [*FIT, "--trainer.default_root_dir=runs"],
            "can't write the run to TMP/runs (Permission denied): name another folder with --trainer.default_root_dir",
        ),
        (
            [*FIT, "--data.root=runs", "--trainer.default_root_dir=runs"],
            "can't write to TMP/runs/FashionMNIST/raw (Permission denied): name another with --data.root",
        ),
    ],
)
def test_folders_that_another_user_cannot_write(
    arguments: list[str], line: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for folder in (tmp_path, *(parent for parent in tmp_path.parents if "pytest-of-" in str(parent))):
        folder.chmod(0o755)
    before = listing(tmp_path)
    process = os.fork()
    if process == 0:
        os.setuid(pwd.getpwnam("nobody").pw_uid)
        try:
            main(arguments)
        except SystemExit as exit_info:
            sys.stderr.flush()
            os._exit(exit_info.code)
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 2
    assert capfd.readouterr().err.replace(str(tmp_path), "TMP").splitlines()[-1] == f"error: {line}"
    assert listing(tmp_path) == before


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "tmpfs", folder]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small file system")
    yield folder
    subprocess.run(["/bin/umount", folder], check=True)


def test_no_space_for_the_run(full_disk: Path, fails: Fails) -> None:
    line = f"error: can't write the run to {full_disk} (No space left on device)"
    assert (
        fails(*FIT, "--trainer.default_root_dir=full") == f"{line}: name another folder with --trainer.default_root_dir"
    )
