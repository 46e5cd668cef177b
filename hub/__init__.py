"""Composition root, and the faces that people and machines see."""
