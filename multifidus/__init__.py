"""Measure the multifidus on lumbar axial MRI: size, fat, and whether they changed.

Research software, not a medical device. The public names are listed in ``__init__.pyi`` and loaded
when they are first used, so that importing the package costs next to nothing.
"""

import lazy_loader

from multifidus.version import VERSION as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
