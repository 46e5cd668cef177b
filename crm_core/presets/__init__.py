"""Ready configurations of whole companies, as readable TOML; `hub preset apply` brings one into the record."""

from __future__ import annotations

from importlib import resources

_SUFFIX = ".toml"


def names() -> list[str]:
    """The names of all presets."""
    files = (each.name for each in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX))


def text(name: str) -> str:
    """The TOML of a preset; raises KeyError where there is none of that name."""
    if name not in names():
        raise KeyError(name)
    return resources.files(__name__).joinpath(f"{name}{_SUFFIX}").read_text(encoding="utf-8")
