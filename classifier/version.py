"""Version of the package: what `tinsach --version` prints and manifests record."""

__all__ = ["__version__"]

__version__ = "0.1.0"
