import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from classifiers import ImageFolderDataModule, StreamDataModule
from classifiers.data import packing
from classifiers.data.file_data_module import FileDataModule
from classifiers.data.packing import write_pack
from classifiers.experiment.errors import UserError
from tests.conftest import SMALL, Cli, Fails, Script
from tests.experiment.checkpoints.test_resume import content, differences, run_of
from tests.object_store import object_store, upload
from tests.photos import write_photos
from tests.processes import finished, set_environment, start

STREAMED = {"memory_limit": 0, "num_workers": 2}
KINDS = pytest.mark.parametrize("streamed", [{}, STREAMED], ids=["in memory", "streamed"])


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return write_photos(tmp_path / "photos", 50)


@pytest.fixture
def pack(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of several chunks."""
    monkeypatch.setattr(packing, "CHUNK", 20_000)
    assert write_pack(photos, tmp_path / "pack").chunks > 3
    return tmp_path / "pack"


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, str]]:
    with object_store() as variables:
        yield variables


@pytest.fixture
def variables(server: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Of a store, and of where its chunks are kept."""
    found = {**server, "LITDATA_CACHE_DIR": str(tmp_path / "kept")}
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("litdata.utilities.dataset_utilities._LITDATA_CACHE_DIR", found["LITDATA_CACHE_DIR"])
    return found


def made(kind: type[FileDataModule], root: Path | str, **arguments: Any) -> FileDataModule:
    data = kind(root, **{"image_size": 12, "batch_size": 16, **arguments})
    data.setup("fit")
    data.setup("test")
    return data


def require_equal(one: FileDataModule, other: FileDataModule) -> None:
    assert (one.class_names, one.mean, one.std) == (other.class_names, other.mean, other.std)
    for part in ("train", "val", "test"):
        assert torch.equal(one.known(part), other.known(part))
        loaders = [getattr(data, f"{part}_dataloader")() for data in (one, other)]
        for (images, labels), (others, other_labels) in zip(*loaders, strict=True):
            assert torch.equal(images, others)
            assert torch.equal(labels, other_labels)


@KINDS
@pytest.mark.parametrize("options", [{}, {"one_hot": True, "in_channels": 1, "resize": "pad"}, {"folds": 4}], ids=str)
def test_a_pack_gives_what_its_folder_gives(
    photos: Path, pack: Path, streamed: dict[str, Any], options: dict[str, Any]
) -> None:
    require_equal(made(ImageFolderDataModule, photos, **options), made(StreamDataModule, pack, **streamed, **options))


def test_parts_of_their_own_are_kept(tmp_path: Path) -> None:
    for split, count in (("Train", 20), ("valid", 6), ("test", 4)):
        write_photos(tmp_path / "photos" / split, count)
    write_pack(tmp_path / "photos", tmp_path / "pack")
    require_equal(*(made(kind, tmp_path / name) for kind, name in PAIR))
    assert len(made(StreamDataModule, tmp_path / "pack").val_set) == 12


PAIR = [(ImageFolderDataModule, "photos"), (StreamDataModule, "pack")]


@pytest.mark.usefixtures("photos")
def test_a_pack_in_a_folder_is_read_without_litdata(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "litdata"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "litdata", None)
    assert len(made(StreamDataModule, pack).load(train=True)[0]) == 92


@pytest.mark.slow
def test_workers_that_are_spawned_read_a_store(pack: Path, variables: dict[str, str]) -> None:
    limit = 45_000 / 2**30
    forked, spawned = (
        made(StreamDataModule, root, disk_limit=limit, **STREAMED) for root in (pack, upload(pack, "spawn", variables))
    )
    loader = spawned.train_dataloader()
    loader.multiprocessing_context = "spawn"
    for (images, _), (others, _) in zip(loader, forked.train_dataloader(), strict=True):
        assert torch.equal(images, others)


def test_an_object_store_gives_what_a_folder_gives(pack: Path, variables: dict[str, str]) -> None:
    address, local = upload(pack, "same", variables), made(StreamDataModule, pack)
    kept = Path(variables["LITDATA_CACHE_DIR"])
    require_equal(local, made(StreamDataModule, address, disk_limit=0, memory_limit=0))
    require_equal(local, made(StreamDataModule, address, disk_limit=0, **STREAMED))
    assert not kept.exists()
    require_equal(local, made(StreamDataModule, address, disk_limit=45_000 / 2**30, **STREAMED))
    assert {path.name for path in kept.glob("*/*.bin")} == {"chunk-0-0.bin", "chunk-0-1.bin"}
    require_equal(local, made(StreamDataModule, address, **STREAMED))
    assert {path.name: path.read_bytes() for path in kept.glob("*/*.bin")} == {
        path.name: path.read_bytes() for path in pack.glob("*.bin")
    }


def test_another_pack_at_the_same_address_is_read_anew(pack: Path, tmp_path: Path, variables: dict[str, str]) -> None:
    made(StreamDataModule, upload(pack, "changed", variables))
    write_photos(tmp_path / "others", 50, {"dark": 100, "light": 200})
    write_pack(tmp_path / "others", tmp_path / "other")
    changed = made(StreamDataModule, upload(tmp_path / "other", "changed", variables))
    require_equal(made(StreamDataModule, tmp_path / "other"), changed)


KIND = "ImageFolderDataModule"


def options(root: Path | str, kind: str = "StreamDataModule") -> list[str]:
    """Of a fit of 5 steps an epoch; it replaces the data of SMALL."""
    data = [f"--data={kind}", f"--data.root={root}", "--data.batch_size=16", "--data.test_size=0.2"]
    return [*data, "--data.augmentations=[{class_path: RandomCrop}, {class_path: RandomHorizontalFlip}]"]


STREAM = ["--data.memory_limit=0", "--data.num_workers=2"]


def test_a_fit_of_a_pack_is_that_of_its_folder_to_the_last_bit(photos: Path, pack: Path, fit: Cli) -> None:
    folder, packed = (content(fit(*options(photos, KIND))), content(fit(*options(pack), *STREAM)))
    for name in ("best", "last"):
        folder[name]["StreamDataModule"] = folder[name].pop(KIND)  # whose place in the epoch it is
    assert differences(folder, packed) == []
    assert packed["json"]["test/acc"] > 0.8


def test_other_commands_read_an_address(pack: Path, variables: dict[str, str], fit: Cli, script: Script) -> None:
    run = fit(*options(upload(pack, "commands", variables)), *STREAM)
    assert "root: s3://mine/commands\n" in (run / "config.yaml").read_text()
    tested = script("../src/classifiers/__main__.py", "test", f"--config={run}/config.yaml", "--ckpt_path",
                    f"{run}/checkpoints/best.ckpt", "--trainer.default_root_dir=runs")  # fmt: skip
    assert "test/acc" in tested
    script("../src/classifiers/__main__.py", "predict", f"--config={run}/config.yaml", "--ckpt_path",
           f"{run}/checkpoints/best.ckpt", "--predictions=x.csv")  # fmt: skip
    assert len(Path("x.csv").read_text().splitlines()) == 1 + 14
    printed = script("inspect_data.py", f"--config={run}/config.yaml", "--out=grid.png")
    assert "dark" in printed


def test_a_mistake_is_one_line(photos: Path, pack: Path, fails: Fails, variables: dict[str, str]) -> None:
    data = ["fit", "--data=StreamDataModule"]
    assert fails(*data, f"--data.root={photos}").startswith(f"error: can't read {photos}/images.npz (No such file")
    assert fails(*data, "--data.root=s3://mine/none").startswith("error: can't read s3://mine/none/images.npz (Not Fou")
    assert "skip_unreadable" in fails(*data, f"--data.root={pack}", "--data.skip_unreadable=true")
    (pack / "chunk-0-1.bin").unlink()
    assert fails(*data, f"--data.root={pack}").startswith(f"error: can't read {pack}/chunk-0-1.bin (No such file")


def test_a_chunk_that_goes_away_is_one_line_of_a_worker(pack: Path) -> None:
    data = made(StreamDataModule, pack, mean=[0.5] * 3, std=[0.5] * 3, **STREAMED)
    loader = data.train_dataloader()
    for chunk in pack.glob("*.bin"):
        chunk.unlink()
    with pytest.raises(UserError, match=f"^can't read {pack}/chunk-0-.*: --data.root names what pack wrote$"):
        list(loader)
    if loader._iterator:
        loader._iterator._shutdown_workers()  # type: ignore[attr-defined]  # left to the garbage, it takes 5 s each


KILL = ["--trainer.callbacks+=tests.instruments.Kill", "--trainer.callbacks.hook=on_train_batch_end",
        "--trainer.callbacks.step=8"]  # fmt: skip
LONG = ["--last_checkpoint.every_n_steps=2", "--trainer.default_root_dir=runs", "--trainer.max_epochs=3"]


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0, 45_000 / 2**30, 1], ids=["nothing kept", "some kept", "all kept"])
def test_a_killed_fit_from_a_store_goes_on_as_if_it_had_never_stopped(
    limit: float, pack: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    fit = ["fit", *SMALL, *options(upload(pack, "kill", variables)), *STREAM, *LONG, f"--data.disk_limit={limit}"]
    before = partial(set_environment, variables)
    finished(tmp_path / "whole", "fit", *SMALL, *options(pack), *STREAM, *LONG)
    kill = [*KILL, f"--trainer.callbacks.once={tmp_path / 'once'}"]
    assert start(tmp_path / "killed", *fit, *kill, before=before).wait() == -signal.SIGKILL
    finished(tmp_path / "killed", "fit", f"--resume={run_of(tmp_path / 'killed')}", before=before)
    assert differences(content(run_of(tmp_path / "whole")), content(run_of(tmp_path / "killed"))) == []
