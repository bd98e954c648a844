"""The digital lumbar phantom: exams of one subject, before and after surgery, with known truth.

Anatomy is a set of implicit shapes along a lordotic spine. Areas and fat are known from
quadrature of those shapes in the plane of each slice, without pixels and without outlines.

The truth holds for the middle plane of a slice. By default that plane is also what is imaged;
``PhantomSpec.through_plane`` averages over the thickness instead.

Names are loaded when they are first used: the command line wants the spec without NumPy.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
