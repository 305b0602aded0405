"""jsonargparse still says what `explain.py` reads: each sentence, by a parser of its own."""

import re

import pytest
from jsonargparse import ArgumentError, ArgumentParser


class Tool:
    def __init__(self, size: int) -> None:
        self.size = size


class Other:
    pass


def use(tool: Tool, pair: tuple[float, float] = (0.0, 0.0), count: int = 1, many: list[Tool] | None = None) -> None:
    """Takes some types."""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--absent=1"], r"(?i)unrecognized arguments: --absent"),
        (["--cfg=absent.yaml"], r"File does not exist: '.+'"),
        (["--cfg={use: {absent: 1}}"], r"(Group|Subcommand) '([^']+)' does not accept option '([^']+)'"),
        (["--use.count=x"], r"Expected a <class 'int'>"),
        (["--use.pair=[a, b]"], r"Expected a <class 'float'>"),
        (["--use.pair=[1.0]"], r"Expected a tuple with 2 elements\. Got value: "),
        ([f"--use.tool={__name__}.Tool"], r"arguments are required: size"),
        ([f"--use.tool={__name__}.Tool", "--use.tool.absent=1"], r"Option 'absent' is not accepted"),
        ([f"--use.tool={__name__}.Other"], r"a (valid )?subclass of "),
    ],
)
def test_jsonargparse_still_says_so(options: list[str], sentence: str) -> None:
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--cfg", action="config")
    parser.add_function_arguments(use, "use")
    with pytest.raises(ArgumentError) as raised:
        parser.parse_args(options)
    assert re.search(sentence, str(raised.value))
