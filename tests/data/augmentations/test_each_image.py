import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from classifiers import SyntheticDataModule
from classifiers.data.augmentations.each_image import EachImage
from classifiers.experiment.errors import UserError
from tests.conftest import Fails

V2 = "--data.augmentations+=torchvision.transforms.v2"
OPTION = "--data.augmentations"


def test_each_image_gets_a_draw_of_its_own() -> None:
    torch.manual_seed(0)
    images = torch.full((100, 1, 4, 4), 100, dtype=torch.uint8)
    light = EachImage(v2.ColorJitter(brightness=0.5))(images)
    assert (light.dtype, light.shape) == (torch.uint8, images.shape)
    assert light.flatten(1).float().std(1).max() == 0
    assert len(light[:, 0, 0, 0].unique()) > 50


def test_what_it_makes_is_a_plain_tensor() -> None:
    assert type(EachImage(v2.ToImage())(torch.zeros(2, 1, 4, 4, dtype=torch.uint8))) is Tensor


def test_data_modules_take_them() -> None:
    data = SyntheticDataModule(image_size=8, augmentations=[v2.RandomInvert(p=1)])
    images, labels = torch.full((3, 1, 8, 8), 5, dtype=torch.uint8), torch.arange(3)
    changed, same = data.augment(images, labels)
    assert torch.equal(changed, 255 - images)
    assert same is labels


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (f"{V2}.Resize {OPTION}.size=20", "Resize makes torch.uint8 (1, 20, 20) of torch.uint8 (1, 16, 16): "),
        (f"{V2}.ToDtype {OPTION}.dtype=torch.float32", "ToDtype makes torch.float32 (1, 16, 16) of torch.uint8 (1, "),
        (f"{V2}.ToPILImage", "ToPILImage makes Image of torch.uint8 (1, 16, 16): an augmentation keeps type and shape"),
        (
            f"{V2}.Normalize {OPTION}.mean=[0.5] {OPTION}.std=[0.5]",
            "Normalize takes no uint8 images (1, 16, 16), ",
        ),
        (f"{V2}.MixUp", "torchvision's MixUp draws once for a whole batch: take MixUp by itself"),
        (f"{V2}.RandomCrop", "data.augmentations: torchvision.transforms.v2.RandomCrop needs size"),
        (f"{V2}.ColorJitter {OPTION}.brightness=-1", "ColorJitter can't be made: If brightness is a single number"),
        (
            f"{V2}.RandomRotation {OPTION}.degrees=far",
            "data.augmentations.degrees: expected Number or Sequence",
        ),
        (
            f"{OPTION}+=torch.nn.ReLU",
            "data.augmentations: expected a class_path to a subclass of AnyAugmentation",
        ),
    ],
)
def test_what_is_no_augmentation_is_one_line_at_the_start(options: str, line: str, fails: Fails) -> None:
    small = ["--data=SyntheticDataModule", "--data.image_size=16", "--data.train_size=100", "--data.test_size=20"]
    assert fails("fit", *small, "--model.net=MLP", *options.split()).startswith(f"error: {line}")


def test_images_that_differ_in_size_are_told_when_they_are_drawn() -> None:
    sometimes = EachImage(v2.RandomApply([v2.Resize(5)], p=0.5))
    torch.manual_seed(0)
    with pytest.raises(UserError, match=r"^RandomApply makes torch.uint8 \(1, 5, 5\) of torch.uint8 \(1, 4, 4\): "):
        sometimes(torch.zeros(20, 1, 4, 4, dtype=torch.uint8))
