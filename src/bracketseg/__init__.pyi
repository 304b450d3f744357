__version__: str

from .brackets.bracket import Bracket, Frame
from .brackets.layouts import BracketSet, bracket_of, find_brackets
from .brackets.luma import luma
from .brackets.masks import read_mask, write_mask
from .evaluation.confusion import confusion
from .evaluation.folders import evaluate_folders
from .evaluation.metrics import measure, roc_auc
from .labeling.annotators import average_ranges
from .labeling.automatic import Automatic, find_ranges
from .labeling.coverage import coverage
from .labeling.label_folder import label_bracket, label_brackets
from .labeling.mask_store import LabelingFolder
from .labeling.ranges import Bounds, ManualRange, Otsu, otsu_threshold
from .labeling.records import LabelingInfo
from .learning.checkpoints import load_model, save_model
from .learning.comparison import compare
from .learning.config import NetworkConfig, PredictConfig, TrainConfig
from .learning.predict_folder import predict_brackets
from .learning.prediction import binarize, predict_probability
from .learning.training import train
from .learning.unet import UNet

__all__ = [
    "Automatic",
    "Bounds",
    "Bracket",
    "BracketSet",
    "Frame",
    "LabelingFolder",
    "LabelingInfo",
    "ManualRange",
    "NetworkConfig",
    "Otsu",
    "PredictConfig",
    "TrainConfig",
    "UNet",
    "average_ranges",
    "binarize",
    "bracket_of",
    "compare",
    "confusion",
    "coverage",
    "evaluate_folders",
    "find_brackets",
    "find_ranges",
    "label_bracket",
    "label_brackets",
    "load_model",
    "luma",
    "measure",
    "otsu_threshold",
    "predict_brackets",
    "predict_probability",
    "read_mask",
    "roc_auc",
    "save_model",
    "train",
    "write_mask",
]
