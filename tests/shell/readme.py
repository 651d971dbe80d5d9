"""Turns the walk-through of README.md into a bash script on standard output.

    tests/shell/readme.py sh | bash
    tests/shell/readme.py python | PYTHON=python3 bash

A block of code opened by "sh walkthrough" or "python walkthrough" is run as it stands, all of one language in
order and all commands in one shell. It has to succeed, or with "exit-N" to end with that status. A block opened
by "text output" below it is what it has to print, to the letter. Every other block is for people only.
"""

import pathlib
import re
import shlex
import sys

README = pathlib.Path(__file__).parents[2] / "README.md"

PREAMBLE = """\
set -euo pipefail
place='' output=$(mktemp)
trap 'status=$?; [[ $status == 0 ]] || echo "$place: failed" >&2; rm -f "$output"' EXIT
"""


def blocks(text):
    """Line, words of the opening fence, and content of every block of code."""
    for match in re.finditer(r"^```(.+)\n((?:.*\n)*?)```$", text, re.MULTILINE):
        yield text.count("\n", 0, match.start()) + 1, match[1].split(), match[2]


def run(line, words, code):
    """A block as bash: its output goes to a file, its status is what was announced."""
    place = f"place={shlex.quote(f'README.md:{line}')}\necho \"--- $place\"\n"
    if words[0] == "python":
        code = f"\"${{PYTHON:-python3}}\" - <<'END_OF_PROGRAM'\n{code}END_OF_PROGRAM\n"
    status = next((word[5:] for word in words if word.startswith("exit-")), "0")
    if status == "0":
        return f"{place}{{\n{code}}} >\"$output\"\n"
    return (
        f"{place}set +e\n{{\n{code}}} >\"$output\"\nstatus=$?\nset -e\n"
        f"[[ $status == {status} ]] || {{ echo \"status $status instead of {status}\" >&2; exit 1; }}\n"
    )


def compare(content):
    """Compares what the last block printed with what it has to print."""
    return f"diff -u --label README.md --label printed - \"$output\" <<'END_OF_OUTPUT'\n{content}END_OF_OUTPUT\n"


def script(text, language):
    """The whole script of one language."""
    yield PREAMBLE
    ran = 0
    is_ours = False
    for line, words, content in blocks(text):
        if "walkthrough" in words:
            is_ours = words[0] == language
            if is_ours:
                ran += 1
                yield run(line, words, content)
        elif words == ["text", "output"] and is_ours:
            yield compare(content)
    if not ran:
        sys.exit(f"README.md has no walk-through in {language}")
    yield f"echo '{ran} blocks of README.md ran'\n"


if __name__ == "__main__":
    sys.stdout.writelines(script(README.read_text(encoding="utf-8"), sys.argv[1]))
