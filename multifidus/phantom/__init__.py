"""The digital lumbar phantom: exams of one subject, before and after surgery, with known truth.

Anatomy is a set of implicit shapes along a lordotic spine. Areas and fat are known from
quadrature of those shapes in the plane of each slice, without pixels and without outlines.

The truth holds for the middle plane of a slice. By default that plane is also what is imaged;
``PhantomSpec.through_plane`` averages over the thickness instead.
"""

from multifidus.phantom.exam import Phantom, make_phantom
from multifidus.phantom.spec import PhantomSpec, Sex, Variant
from multifidus.phantom.truth import Truth

__all__ = ["Phantom", "PhantomSpec", "Sex", "Truth", "Variant", "make_phantom"]
