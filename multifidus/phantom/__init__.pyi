from .exam import Phantom as Phantom, make_phantom as make_phantom
from .files import images_folder as images_folder, write_phantom as write_phantom
from .spec import (
    ImageFormat as ImageFormat,
    PhantomSpec as PhantomSpec,
    Sex as Sex,
    Variant as Variant,
)
from .truth import Truth as Truth
