"""Nets from weights that the libraries' own classes wrote, as nothing can be downloaded here."""

import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
import yaml
from PIL import Image
from torch import Tensor

from classifiers import (
    ImageClassifier,
    ImageFolderDataModule,
    PretrainedNet,
    SyntheticDataModule,
)
from classifiers.cli import main
from classifiers.experiment.errors import UserError
from classifiers.models import torchvision_nets
from tests.conftest import SMALL, Fails, Script
from tests.photos import write_photos

LARGE = ("inception_v3", "vit_b_32", "maxvit_t", "vgg11", "swin_t")
NAME = "shufflenet_v2_x0_5"
IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def weights_of(name: str, **arguments: Any) -> dict[str, Tensor]:
    torch.manual_seed(1)
    return torchvision.models.get_model(name, weights=None, **arguments).state_dict()  # type: ignore[no-any-return]


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Weights where torch would have downloaded them to."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    entry = torchvision.models.get_model_weights(NAME)["DEFAULT"]
    path = tmp_path / "home/hub/checkpoints" / Path(entry.url).name
    path.parent.mkdir(parents=True)
    torch.save(weights_of(NAME), path)
    return path


def test_it_computes_what_torchvisions_own_does_but_for_the_head(cached: Path) -> None:
    net = PretrainedNet(3, 64, 5, NAME).eval()
    theirs = torchvision.models.get_model(NAME, weights=None)
    theirs.load_state_dict(torch.load(cached, weights_only=True))
    theirs.fc = net.head
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(net(images), theirs.eval()(images))


@pytest.mark.parametrize(
    "name", ["squeezenet1_1", "googlenet", *(pytest.param(name, marks=pytest.mark.slow) for name in LARGE)]
)
def test_whatever_the_head_of_a_net_is_its_weights_are_taken(name: str) -> None:
    size = 224 if name in ("maxvit_t", "vit_b_32") else 96
    weights = weights_of(name, **({"init_weights": True} if name in torchvision_nets.AUXILIARY else {}))
    torch.save(weights, "weights.pth")
    net = PretrainedNet(3, size, 5, name, "weights.pth").eval()
    assert net(torch.rand(2, 3, size, size)).shape == (2, 5)
    left_out = ("aux", "AuxLogits", "fc.", "classifier.", "head")
    kept = net.backbone.state_dict()
    assert {key for key in weights if not key.startswith(left_out)} <= kept.keys() <= weights.keys()
    assert all(torch.equal(value, weights[key]) for key, value in kept.items())


def test_grey_images_are_repeated() -> None:
    net = PretrainedNet(1, 32, 5, NAME, weights=None).eval()
    images = torch.rand(2, 1, 32, 32)
    assert torch.equal(net(images), net(images.repeat(1, 3, 1, 1)))


@pytest.mark.slow
def test_a_vision_transformer_of_another_size_takes_over_its_places(tmp_path: Path) -> None:
    torch.save(weights_of("vit_b_32"), tmp_path / "vit.pth")
    net = PretrainedNet(3, 64, 5, "vit_b_32", "vit.pth")
    assert net.backbone.get_parameter("encoder.pos_embedding").shape == (1, 1 + 2 * 2, 768)


@pytest.mark.parametrize(
    ("arguments", "images"),
    [
        ({"name": "resnet18"}, {"image_size": 224, **IMAGENET}),
        ({"name": "inception_v3"}, {"image_size": 299, **IMAGENET}),
        ({"name": "vit_b_16", "weights": "IMAGENET1K_SWAG_E2E_V1"}, {"image_size": 384, **IMAGENET}),
        ({"name": "resnet18", "weights": "my.pth"}, {"image_size": 224, **IMAGENET}),
        ({"name": "resnet18", "weights": None}, {}),
    ],
)
def test_it_knows_the_images_that_its_weights_are_for(arguments: dict[str, Any], images: dict[str, Any]) -> None:
    assert PretrainedNet.images(3, **arguments) == images


def test_a_grey_image_has_the_mean_of_the_channels() -> None:
    images = PretrainedNet.images(1, "resnet18")
    assert (images["mean"], images["std"]) == ([pytest.approx(0.449)], [pytest.approx(0.226)])


FOLDER = ["--data=ImageFolderDataModule", "--data.root=photos", "--data.batch_size=16", f"--model.net.name={NAME}"]
NET = ["fit", "--trainer.max_epochs=1", "--figures=false", "--trainer.default_root_dir=runs"]


@pytest.mark.slow
@pytest.mark.usefixtures("cached")
def test_a_folder_of_pictures_from_the_fit_to_the_exported_file(
    cached: Path, tmp_path: Path, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    write_photos(tmp_path / "photos", 20)
    main([*NET, "--model.net=PretrainedNet", *FOLDER, "--data.image_size=32"])
    (run,) = tmp_path.glob("runs/*/*")
    config = yaml.safe_load((run / "config.yaml").read_text())["data"]["init_args"]
    assert {name: config[name] for name in ("image_size", "mean", "std")} == {"image_size": 32, **IMAGENET}
    best = torch.load(run / "checkpoints/best.ckpt", weights_only=True)
    assert best["hyper_parameters"]["mean"] == IMAGENET["mean"]
    cached.unlink()  # from here on, nothing is downloaded
    main(["fit", f"--resume={run}", "--trainer.max_epochs=2"])
    tested = json.loads((run / "metrics.json").read_text())["test/acc"]
    main(["test", f"--config={run}/config.yaml", f"--ckpt_path={run}/checkpoints/best.ckpt"])
    (accuracy,) = re.findall(r"test/acc +│ +([\d.]+)", capsys.readouterr().out)
    assert float(accuracy) == pytest.approx(tested)
    Image.new("RGB", (20, 30)).save("x.png")
    assert "dark" in script("predict.py", f"{run}/checkpoints/best.ckpt", "x.png")
    assert "x.pt2" in script("export.py", f"{run}/checkpoints/best.ckpt", "x.pt2")


@pytest.mark.usefixtures("cached")
def test_a_folder_takes_over_the_size_of_the_weights(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 10)
    main([*NET, "--model.net=PretrainedNet", *FOLDER, "--data.mean=[0.5,0.5,0.5]", "--trainer.limit_train_batches=1"])
    (run,) = tmp_path.glob("runs/*/*")
    config = yaml.safe_load((run / "config.yaml").read_text())["data"]["init_args"]
    assert (config["image_size"], config["mean"], config["std"]) == (224, [0.5] * 3, IMAGENET["std"])


def test_in_python_the_data_are_told_and_the_model_takes_the_rest(cached: Path, tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 10)
    data = ImageFolderDataModule("photos", image_size=PretrainedNet.images(3, NAME)["image_size"])
    model = ImageClassifier.for_data(partial(PretrainedNet, name=NAME), data)
    assert model.image_shape == (3, 224, 224)
    assert model.hparams["mean"] == IMAGENET["mean"]
    given = ImageFolderDataModule("photos", image_size=32, mean=[0.1, 0.2, 0.3])
    assert ImageClassifier.for_data(partial(PretrainedNet, name=NAME), given).hparams["mean"] == [0.1, 0.2, 0.3]
    grey = ImageClassifier.for_data(partial(PretrainedNet, name=NAME, weights=None), data := SyntheticDataModule())
    assert grey.hparams["mean"] == list(data.mean)


MISTAKES = {
    "an unknown name": (["--model.net.name=resnet19"], "torchvision and timm have no resnet19: near it are resnet1"),
    "an unknown name of weights": (["--model.net.name=resnet18", "--model.net.weights=V9"],
                                   "--model.net.weights is V9: of resnet18 there are IMAGENET1K_V1, DEFAULT"),
    "a missing file": (["--model.net.name=resnet18", "--model.net.weights=no.pth"], "there is no file no.pth"),
    "a missing safetensors": (["--model.net.name=resnet18", "--model.net.weights=no.safetensors"],
                              "there is no file no.safetensors"),
    "damaged safetensors": (["--model.net.name=resnet18", "--model.net.weights=text.safetensors"],
                            "text.safetensors "),
    "no weights": (["--model.net.name=resnet18", "--model.net.weights=text.pth"],
                   "text.pth is no checkpoint, or a damaged one"),
    "another net": (["--model.net.name=resnet18", "--model.net.weights=other.pth"],
                    "--model.net.weights other.pth is of another net than resnet18"),
    "a small image": (["--model.net.name=squeezenet1_0", "--model.net.weights=null"],
                      "squeezenet1_0 takes no images of 16 x 16 pixels, --data.image_size: "),
    "no multiple of a patch": (["--model.net.name=vit_b_32", "--model.net.weights=null"],
                               "vit_b_32 takes no images of 16 x 16 pixels, --data.image_size: "),
    "no network": (["--model.net.name=resnet18"], "no weights of resnet18 (<urlopen error no network>): put https://"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(mistake: str, fails: Fails, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: Any, **__: Any) -> None:
        raise OSError("<urlopen error no network>")

    monkeypatch.setattr("torch.hub.download_url_to_file", no_network)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    for name in ("text.pth", "text.safetensors"):
        (tmp_path / name).write_text("text")
    torch.save(weights_of(NAME), tmp_path / "other.pth")
    options, line = MISTAKES[mistake]
    assert line in fails("fit", *SMALL[:6], "--figures=false", "--model.net=PretrainedNet", *options)


def test_images_of_two_channels_are_refused() -> None:
    with pytest.raises(UserError, match=f"^{NAME} takes images of 1 or 3 channels, not 2$"):
        PretrainedNet(2, 32, 4, NAME, None)


def test_a_hostile_file_of_weights_runs_nothing(cached: Path) -> None:
    cached.write_bytes(b"cos\nsystem\n(S'touch hostile'\ntR.")
    with pytest.raises(UserError):
        PretrainedNet(3, 32, 4, NAME)
    assert not Path("hostile").exists()


def test_a_net_of_timm(tmp_path: Path, fails: Fails) -> None:
    timm = pytest.importorskip("timm")
    from safetensors.torch import save_file

    torch.manual_seed(1)
    theirs = timm.create_model("test_resnet").eval()
    save_file(theirs.state_dict(), "weights.safetensors")
    net = PretrainedNet(3, 64, 5, "timm/test_resnet", "weights.safetensors").eval()
    theirs.fc = net.head
    images = torch.rand(2, 3, 64, 64)
    assert torch.equal(net(images), theirs(images))
    assert PretrainedNet.images(3, "timm/test_vit.r160_in1k") == {
        "image_size": 160,
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
    }
    assert PretrainedNet(3, 64, 5, "timm/test_vit", None)(images).shape == (2, 5)
    options = [*SMALL[:6], "--figures=false", "--model.net=PretrainedNet", "--model.net.weights=null"]
    line = fails("fit", *options, "--model.net.name=timm/test_resnet.other")
    assert line == "error: --model.net.name: there is no timm/test_resnet.other: there is test_resnet.r160_in1k"
    line = fails("fit", *options, "--model.net.name=test_resnet")
    assert "torchvision and timm have no test_resnet: near it are timm/test_resnet" in line


def test_without_timm_its_nets_say_what_they_need(fails: Fails, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    line = fails("fit", *SMALL[:6], "--figures=false", "--model.net=PretrainedNet", "--model.net.name=timm/resnet18")
    assert line == "error: --model.net.name: the nets of timm need it: python -m pip install timm"
