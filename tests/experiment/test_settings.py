import pytest

from classifiers.experiment.errors import UserError
from classifiers.experiment.settings import flat, require_same_model

LINKED = {"model.net.in_channels", "model.mean"}
MODEL = {
    "net": {"class_path": "LeNet", "init_args": {"hidden": [8], "in_channels": 1}},
    "lr_scheduler": None,
    "mean": [0.5],
    "_instantiator": "x",
}


def test_settings_have_the_names_of_their_options() -> None:
    assert flat({"model": MODEL, "seed": 3}, leave_out=LINKED) == {
        "model.net": "LeNet",
        "model.net.hidden": [8],
        "model.lr_scheduler": None,
        "seed": 3,
    }


def test_the_data_modules_own_options_are_among_them() -> None:
    data = {"class_path": "ImageFolderDataModule", "init_args": {"image_size": 64, "mean": None}}
    assert flat({"data": data}) == {"data": "ImageFolderDataModule", "data.image_size": 64, "data.mean": None}


def test_the_same_model_may_see_other_data() -> None:
    require_same_model(MODEL, {**MODEL, "mean": [0.1]}, LINKED, "x.ckpt")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"net": {"class_path": "MLP"}}, "--model.net is LeNet in x.ckpt but MLP here"),
        ({"lr_scheduler": {"class_path": "StepLR"}}, "--model.lr_scheduler is None in x.ckpt but StepLR here"),
    ],
)
def test_another_model_is_named_by_its_first_option(changed: dict[str, object], line: str) -> None:
    with pytest.raises(UserError, match=f"^{line}: fit with that run's config.yaml, or use --init_weights$"):
        require_same_model(MODEL, {**MODEL, **changed}, LINKED, "x.ckpt")
