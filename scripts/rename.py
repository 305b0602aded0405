"""Give the project a name of its own, and only what is its own: python scripts/rename.py NAME"""

import argparse
import importlib.util
import keyword
import re
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = (  # what a fork has no use for; the texts about it stand between the marks
    "scripts/benchmark.py",
    "scripts/benchmarks",
    "tests/scripts/test_benchmark.py",
    "configs/tutorials",
    "configs/README.md",
    "tests/earlier_run",
    "tests/test_earlier_runs.py",
    ".github/images/equal_time.png",
)
MARKED = re.compile(r"(?:\n*<!-- of the template alone -->\n.*?<!-- until here -->\n)+", re.DOTALL)


def main(new: str, keep: bool) -> None:
    (old,) = {path.split("/")[1] for path in git("ls-files") if path.startswith("src/")}
    if new == old:
        print(f"the project is named {new} already")
        return
    require_free(new)
    if git("status", "--porcelain"):
        fail("the tree has changes (see git status): commit or stash them, so that git can undo the renaming")
    if not keep and (ROOT / TEMPLATES[0]).exists():  # a fork may have files of its own in the other places
        take_away()
    rename(old, new)
    print(f"{old} is {new} now: git diff HEAD shows where, git reset --hard undoes it. What comes next:")
    print('    python -m pip install -e ".[dev]" && ruff check --fix && ruff format && python -m pytest')


def require_free(name: str) -> None:
    """End the program unless the package can have that name, and it stands for nothing else in this project."""
    if not re.fullmatch("[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        fail(f"{name!r} can't name a package: take lower-case letters, digits and _, a letter first, no keyword")
    if name in sys.stdlib_module_names or importlib.util.find_spec(name):
        fail(f"{name} is the name of another module on this machine: take one that nothing else has")
    if found := git("grep", "-lw", name, "--", ":!*.md"):
        fail(f"{name} means something else in {found[0]}: take a word that the project does not use")


def rename(old: str, new: str) -> None:
    """Move the package, and put `new` wherever the word `old` stands, in all files that git knows."""
    git("mv", f"src/{old}", f"src/{new}")
    for path in git("grep", "-lIw", old):
        file = ROOT / path
        file.write_bytes(re.sub(rf"\b{old}\b".encode(), new.encode(), file.read_bytes()))
    if importlib.util.find_spec("ruff"):  # a name's length moves line breaks, its first letter the order of imports
        for command in (["check", "--select=I", "--fix"], ["format"]):
            subprocess.run([sys.executable, "-m", "ruff", *command, "--quiet", ROOT], check=True)


def take_away() -> None:
    """Remove what is the template's alone, and what the texts say of it."""
    git("rm", "-rq", "--ignore-unmatch", *TEMPLATES)
    for name in ("README.md", ".github/CONTRIBUTING.md"):
        text = MARKED.sub("\n", (ROOT / name).read_text())
        lines = [line for line in text.splitlines(keepends=True) if not line.startswith(TEMPLATES)]
        (ROOT / name).write_text("".join(lines))


def git(*arguments: str) -> list[str]:
    """The lines that a git command prints."""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode > 1:  # 1: grep has found nothing
        fail(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.splitlines()


def fail(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of the package, the command and the distribution")
    parser.add_argument("--keep", action="store_true", help="keep benchmarks, the tutorials' recipes and all figures")
    given = parser.parse_args()
    main(given.name, given.keep)
