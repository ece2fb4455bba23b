"""Backpropagation from Scratch: what the notebooks build, kept for the next notebook.

Imports NumPy and the standard library only; torch, matplotlib and tqdm are imported by
the functions that use them.
"""
