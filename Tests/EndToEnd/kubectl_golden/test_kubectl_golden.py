"""What kubectl 1.27 to 1.33 print and ask, command by command, held against golden files.

After a wanted change: `python -m pytest Tests/EndToEnd/kubectl_golden --update-golden`, and read the difference.
"""

import golden
import pytest
from commands import COMMANDS
from sessions import VERSIONS


def versions(command):
    return [version for version in VERSIONS if tuple(map(int, command.since.split("."))) <= tuple(map(int, version.split(".")))]


# The first of them waits for all commands of all versions.
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("version, command", [(version, command) for command in COMMANDS for version in versions(command)],
                         ids=lambda value: value if isinstance(value, str) else value.name)
def test_kubectl(outputs, version, command):
    expected = golden.read(command.name)
    assert version in expected, f"golden/{command.name}.txt has nothing for {version}"
    assert outputs[version][command.name] == expected[version]


def test_every_version_is_installed():
    assert VERSIONS == [f"1.{minor}" for minor in range(27, 34)]


def test_no_golden_file_without_a_command():
    assert {path.stem for path in golden.FOLDER.glob("*.txt")} == {command.name for command in COMMANDS}
