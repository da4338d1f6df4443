"""Fits points to outcomes: learns a small table of points, and judges it on leads that it has not seen.

Nothing of the service imports this: it needs scikit-learn, the extra `fitting` of the distribution.
"""
