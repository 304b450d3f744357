"""The errors that bracketseg raises on purpose.

Each message names the file or scene that is at fault and says what to do next.
None of them derives from :class:`RuntimeError`: a generator worker of napari
swallows those without a word.
"""


class BracketSegError(Exception):
    """Anything that went wrong and that a person can do something about."""


class FrameError(BracketSegError):
    """A picture cannot be read, or holds values that cannot be used."""


class BracketError(BracketSegError):
    """A folder holds no bracket, or a bracket lacks what was asked of it."""


class ChoiceError(BracketError):
    """Frames that a person chose cannot be used; every scene is there with its usual roles."""


class LabelingError(BracketSegError):
    """A mask or a labelling folder cannot be read, used or written."""


class ModelError(BracketSegError):
    """A model or run folder cannot be read, or does not fit its use."""


class TrainingError(BracketSegError):
    """A training cannot start or cannot go on."""


class DeviceError(BracketSegError):
    """A device that was asked for is not there or cannot do what was asked."""


class OutOfMemoryError(BracketSegError):
    """A device ran out of memory."""


class ReportError(BracketSegError):
    """A report has nothing to tell of, or cannot be written."""


class WorkerError(BracketSegError):
    """The process that learns and predicts for the window cannot go on."""


class ClusterError(BracketSegError):
    """The processes that scenes are spread over are not there, or cannot work."""


class FusionError(BracketSegError):
    """A fused picture or a radiance map cannot be written."""
