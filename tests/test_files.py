from pathlib import Path

from classifiers.files import write_whole


def test_the_text_replaces_the_file_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    for text in ("first\n", "second\n"):
        write_whole(tmp_path / "x.json", text)
        assert (tmp_path / "x.json").read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
