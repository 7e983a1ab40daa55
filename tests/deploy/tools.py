"""What every deployment test needs: where the repository is, and how a program is run.

`tests/lab/lab.sh deploy` installs the programs and prints the folder they are in; `tests/run.sh` puts it on the PATH. One
that is missing fails the test that wants it.
"""

import os
import subprocess
from pathlib import Path

REPO = Path(__file__).parents[2]

# Built before these tests by `tests/run.sh`.
SIDECAR = Path(os.environ.get("CARGO_TARGET_DIR", REPO / "target")) / "debug" / "rir-sidecar"


def run(*command, **options):
    """Runs a program and returns it with its output; says what it printed if it fails."""
    ended = attempt(*command, **options)
    assert ended.returncode == 0, f"{' '.join(map(str, command))}\n{ended.stdout}{ended.stderr}"
    return ended


def attempt(*command, **options):
    """Runs a program that may fail."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **options)
