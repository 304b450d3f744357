"""Half a minute of `python -m tests.robustness.monkey`."""

import subprocess
import sys


def test_nothing_comes_to_the_log_whatever_is_done_to_the_docks() -> None:
    # In a process of its own: it opens and closes whole windows, and may take all down.
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.robustness.monkey"]
    done = subprocess.run(
        [*command, "--seconds", "30", "--seed", "20211"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
