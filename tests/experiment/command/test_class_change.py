from pathlib import Path
from typing import Any

import pytest
import yaml

from classifiers.cli import main
from classifiers.experiment.command.class_change import require_classes_first, shared
from classifiers.experiment.errors import UserError

CONFIG = {
    "data": {"class_path": "SyntheticDataModule", "init_args": {"batch_size": 32}},
    "model": {
        "net": {"class_path": "ConvNet", "init_args": {"widths": [4, 8]}},
        "optimizer": {"class_path": "SGD", "init_args": {"lr": 0.2, "momentum": 0.9, "weight_decay": 5e-4}},
        "loss": {"class_path": "torch.nn.NLLLoss", "init_args": {"ignore_index": 3, "reduction": "sum"}},
    },
}


def parsed(capsys: pytest.CaptureFixture[str], *options: str) -> Any:
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(["fit", "--config=fit.yaml", *options, "--print_config"])
    return yaml.safe_load(capsys.readouterr().out)


@pytest.fixture(autouse=True)
def _config() -> None:
    Path("fit.yaml").write_text(yaml.safe_dump(CONFIG))


def test_another_optimizer_has_its_own_rate_and_decay(capsys: pytest.CaptureFixture[str]) -> None:
    own = parsed(capsys, "--model.optimizer=AdamW")["model"]["optimizer"]["init_args"]
    assert (own["lr"], own["weight_decay"]) == (0.001, 0.01)
    given = parsed(capsys, "--model.optimizer=AdamW", "--model.optimizer.lr=0.5")["model"]["optimizer"]["init_args"]
    assert (given["lr"], given["weight_decay"]) == (0.5, 0.01)
    same = parsed(capsys, "--model.optimizer=SGD")["model"]["optimizer"]["init_args"]
    assert (same["lr"], same["momentum"]) == (0.2, 0.9)


def test_another_net_has_its_own_widths(capsys: pytest.CaptureFixture[str]) -> None:
    assert parsed(capsys, "--model.net=ResNet")["model"]["net"]["init_args"]["widths"] == [16, 32, 64]


def test_another_class_keeps_what_both_have_from_a_common_base(capsys: pytest.CaptureFixture[str]) -> None:
    assert parsed(capsys, "--data=FashionMNISTDataModule")["data"]["init_args"]["batch_size"] == 32
    loss = parsed(capsys, "--model.loss=torch.nn.CrossEntropyLoss")["model"]["loss"]["init_args"]
    assert (loss["reduction"], loss["ignore_index"]) == ("sum", -100)


def test_what_classes_share_is_what_their_common_bases_take() -> None:
    assert "batch_size" in shared("classifiers.CIFAR10DataModule", "classifiers.SyntheticDataModule")
    assert "lr" not in shared("torch.optim.SGD", "torch.optim.AdamW")
    assert "lr" in shared("torch.optim.Adam", "torch.optim.AdamW")
    assert shared("nowhere.Net", "torch.optim.SGD") == shared("torch.nn.functional.relu", "torch.nn.ReLU") == set()


def test_an_option_that_would_be_forgotten_is_one_line() -> None:
    for options in (["--model.net=MLP", "--model.net.hidden=[8]", "--model.net=LeNet"], ["--data.root=x", "--data=Y"]):
        require_classes_first(options)
    with pytest.raises(UserError, match="--model.optimizer.lr stands before --model.optimizer, which may forget it"):
        require_classes_first(["--model.optimizer.lr=0.1", "--model.optimizer", "AdamW"])
