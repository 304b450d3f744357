"""The command as torchrun starts it; DIE_IN_EPOCH and STOP_IN_EPOCH say when something happens.

In the first process 1 is killed, once; in the second process 0 is asked to stop.
"""

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


def stopped(loop, should_stop):
    if os.environ["RANK"] == "0" and loop._progress.epoch + 1 == stop_in_epoch:
        os.kill(os.getpid(), signal.SIGINT)
    return validate(loop, should_stop)


if __name__ == "__main__":
    rehearsal.WORTH_IT = 1
    if die_in_epoch := int(os.environ.get("DIE_IN_EPOCH", "0")):
        TrainingLoop._validate = deadly
    if stop_in_epoch := int(os.environ.get("STOP_IN_EPOCH", "0")):
        TrainingLoop._validate = stopped
    main()
