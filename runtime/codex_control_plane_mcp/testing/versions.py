"""Other versions of this program, as far as a process can tell: by the metadata that it finds first."""

from pathlib import Path

from codex_control_plane_contract.contract import NAME


def as_version(version: str, directory: Path) -> dict[str, str]:
    """Return the environment in which a process of ours takes itself for `version`; it needs a directory."""
    installed = directory / version / f"{NAME.replace('-', '_')}-{version}.dist-info"
    installed.mkdir(parents=True, exist_ok=True)
    (installed / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {NAME}\nVersion: {version}\n")
    return {"PYTHONPATH": str(installed.parent)}
