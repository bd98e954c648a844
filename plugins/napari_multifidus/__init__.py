"""multifidus in napari: outline muscles on an exam, see area and fat while the hand moves.

The window is thin: what it decides is in :mod:`napari_multifidus.session`, what it measures is
:func:`multifidus.measure`.
"""
