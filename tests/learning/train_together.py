"""The command as torchrun starts it; with DIE_IN_EPOCH set, process 1 is killed there, once."""

import os
import signal
from pathlib import Path

from bracketseg.cli import main
from bracketseg.learning import rehearsal
from bracketseg.learning.loop import TrainingLoop

validate = TrainingLoop._validate


def deadly(loop, should_stop):
    first_time = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
    if first_time and os.environ["RANK"] == "1" and loop._progress.epoch + 1 == die_in_epoch:
        Path(os.environ["DIED"]).touch()
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return validate(loop, should_stop)


if __name__ == "__main__":
    rehearsal.WORTH_IT = 1
    if die_in_epoch := int(os.environ.get("DIE_IN_EPOCH", "0")):
        TrainingLoop._validate = deadly
    main()
