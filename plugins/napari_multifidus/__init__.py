"""multifidus in napari: outline muscles on an exam, see area and fat while the hand moves.

Models hold what is drawn and what follows from it, controllers change it, views show it; what is
measured is :func:`multifidus.measure`.
"""
