"""Find, label and learn the well-exposed regions of exposure brackets.

Names are loaded when they are first used, so that importing the package takes no time:

>>> import bracketseg
>>> bracketseg.ManualRange(lo=120, hi=255).lo
120.0
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
