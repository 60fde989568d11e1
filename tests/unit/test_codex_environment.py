"""What the app-server inherits."""

from codex_control_plane_mcp.codex.environment import clean_environment


def test_only_listed_variables_are_passed_on() -> None:
    """The client's own variables stay behind."""
    kept = {
        "HOME": "/h",
        "PATH": "/bin",
        "LC_ALL": "C",
        "https_proxy": "p",
        "HTTPS_PROXY": "p",
        "CODEX_HOME": "/c",
    }
    dropped = {
        "AWS_SECRET_ACCESS_KEY": "s",
        "VIRTUAL_ENV": "/v",
        "PYTHONPATH": "/p",
        "XPATH": "x",
        "path": "y",
    }
    assert clean_environment(kept | dropped) == kept


def test_further_variables_can_be_named() -> None:
    """A model provider's key is passed on when it is named."""
    environ = {"MISTRAL_API_KEY": "k", "OTHER_API_KEY": "o"}
    assert clean_environment(environ, also=["MISTRAL_*"]) == {"MISTRAL_API_KEY": "k"}
