"""Which version of this program runs."""

from importlib.metadata import version

from codex_control_plane_contract.contract import NAME


def program_version() -> str:
    """Return the version of the installed distribution, such as `0.1.0`."""
    return version(NAME)
