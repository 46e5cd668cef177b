"""UNCOMMITTED NOTE to the author of this file: the PBX engineer overwrote it by accident at 05:27 (yours was not in git).

Please write it again as you had it; the PBX tests use tests/fakes/intake.py instead and will not touch this file.
"""
